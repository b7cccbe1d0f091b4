"""README's two minutes: a fresh copy in a folder with a space in its name makes its own environment and holds a turn.

Nothing is lent to it but pip's and npm's caches: `bin/up` makes the virtual environment and fetches packages, weights
and browser modules, a minute or two.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.config import ROOT
from tests.stack.running import free_port
from tests.stack.wire_callers import WireCaller

INSTALLED_WITHIN_S = 900
QUESTION = "When is the library open on weekends?"


def registry() -> bool:
    """pip reaches where packages come from."""
    asked = [sys.executable, "-m", "pip", "index", "versions", "docopt", "--retries=0", "--timeout=10"]
    return subprocess.run(asked, capture_output=True).returncode == 0


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """What git would bring, as it is here now."""
    if not registry():
        pytest.skip("needs the package registry, as every first start")
    place = tmp_path / "my projects" / "visavis"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    yield place
    shutil.rmtree(place)  # more than a gigabyte


@pytest.mark.timeout(INSTALLED_WITHIN_S + 300)
def test_two_commands_and_a_conversation(clone: Path, tmp_path: Path) -> None:
    port = free_port()
    environ = {key: value for key, value in os.environ.items() if not key.startswith("VISAVIS_")}
    environ |= {"VISAVIS_SERVER_PORT": str(port), "VISAVIS_BUS_RUN_FOLDER": str(tmp_path / "r")}

    def command(*words: str) -> str:
        """Its words, once it has ended well; everything it began ends with a test that fails."""
        begun = subprocess.Popen(
            words,
            cwd=clone,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = begun.communicate(timeout=INSTALLED_WITHIN_S)
        except BaseException:
            os.killpg(begun.pid, signal.SIGTERM)
            raise
        assert begun.returncode == 0, said
        return said

    async def a_typed_turn() -> str:
        async with WireCaller(f"http://127.0.0.1:{port}/", "campus") as caller:
            await caller.ask(QUESTION)
            return str((await caller.answer(QUESTION))["text"])

    try:
        said = command("bin/up", "--detach")
        assert f"Visavis is ready: http://127.0.0.1:{port}/" in said
        assert (clone / ".venv/bin/python").exists()
        assert "library" in asyncio.run(a_typed_turn()).lower()
        assert command("bin/down") == "Stopped.\n"
    finally:
        subprocess.run(["bin/down"], cwd=clone, env=environ, capture_output=True)

"""README's two minutes: a fresh copy in a folder with a space in its name makes its own environment, and converses.

Nothing is lent to it but pip's and npm's caches: `bin/up` makes the virtual environment and fetches packages, weights
and browser modules, a minute or two.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.config import ROOT, load
from tests.stack import conversation
from tests.stack.running import free_port

INSTALLED_WITHIN_S = 900


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


@pytest.mark.browser
@pytest.mark.timeout(INSTALLED_WITHIN_S + 900)
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

    try:
        said = command("bin/up", "--detach")
        assert f"Visavis is ready: http://127.0.0.1:{port}/" in said
        assert (clone / ".venv/bin/python").exists()
        with conversation.called(f"http://127.0.0.1:{port}/", load(environ=environ)) as call:
            conversation.it_greets_once_the_page_plays(call)
            conversation.five_spoken_questions_are_understood_answered_and_heard(call)
            conversation.a_typed_turn_shares_the_dialogue(call)
            conversation.a_barge_in_stops_the_answer_and_keeps_what_was_heard(call)
        assert command("bin/down") == "Stopped.\n"
    finally:
        subprocess.run(["bin/down"], cwd=clone, env=environ, capture_output=True)

"""What a run of the tests says last: which needed a second try, which were left out, and when that fails it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import MOST_RERUN, NOT_ALLOWED

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, source: str, whole: bool = False, room: str = "stack") -> tuple[int, str]:
    """pytest over one file, as if it lay in tests/<room>; its exit status and its last line."""
    path = folder / "tests" / room / "test_it.py"
    path.parent.mkdir(parents=True)
    path.write_text(source)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider"),
            *(f"--rootdir={folder}", "-c", os.devnull, str(path)),
        ],
        cwd=ROOT,
        env=os.environ | {"VISAVIS_TEST_WHOLE": "1" if whole else ""},
        capture_output=True,
        text=True,
    )
    return done.returncode, (done.stdout.strip().splitlines() or [done.stderr])[-1]


def shaky(count: int) -> str:
    """So many tests that pass at the second try, and one that always does."""
    return f"""
import pytest
tried = set()

@pytest.mark.parametrize("n", range({count}))
def test_shaky(n):
    first, _ = n not in tried, tried.add(n)
    assert not first

def test_sound():
    pass
"""


def test_the_last_line_names_what_was_rerun(tmp_path: Path) -> None:
    status, line = run(tmp_path, shaky(2))
    assert status == 0
    assert line.startswith(f"2 rerun of at most {MOST_RERUN}: ")
    assert "test_shaky[0]" in line
    assert "test_shaky[1]" in line
    assert "test_sound" not in line


def test_more_reruns_than_a_busy_machine_explains_fail_the_run(tmp_path: Path) -> None:
    assert run(tmp_path / "some", shaky(MOST_RERUN))[0] == 0
    status, line = run(tmp_path / "many", shaky(MOST_RERUN + 1))
    assert status == pytest.ExitCode.TESTS_FAILED
    assert line.startswith(f"{MOST_RERUN + 1} rerun")


def test_a_test_without_time_is_not_tried_again(tmp_path: Path) -> None:
    status, line = run(tmp_path, shaky(1), room="broker")
    assert (status, line) == (pytest.ExitCode.TESTS_FAILED, "0 rerun")


SKIPS = """
import pytest

@pytest.mark.skipif(True, reason="needs a browser")
def test_lacks():
    pass

def test_busy():
    pytest.skip("the machine is too busy")
"""
FORBIDDEN = f"""
import pytest

@pytest.mark.skipif(True, reason="{NOT_ALLOWED} a network of its own")
def test_apart():
    pass
"""


def test_a_whole_run_fails_where_a_browser_test_lacks_something(tmp_path: Path) -> None:
    assert run(tmp_path / "a", SKIPS) == (0, "0 rerun")
    status, line = run(tmp_path / "b", SKIPS, whole=True)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "test_lacks" in line
    assert "test_busy" not in line


def test_what_the_machine_does_not_allow_is_said_and_fails_no_run(tmp_path: Path) -> None:
    status, line = run(tmp_path, FORBIDDEN, whole=True)
    assert status == 0
    assert line.endswith("left out, not allowed here: tests/stack/test_it.py::test_apart")

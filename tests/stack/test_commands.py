"""bin/up and bin/down as a person uses them, and what a stack leaves behind: nothing."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from broker import launch
from broker.config import ROOT
from tests.stack.caller import Caller
from tests.stack.running import Stack, lives

PATIENCE_S = 120


@pytest.fixture
def place() -> Iterator[Stack]:
    """A port and a run folder for a stack that the scripts start."""
    made = Stack()
    yield made
    launch.stop(made.settings)
    made.stop()


def environ(place: Stack) -> dict[str, str]:
    return os.environ | place.overrides | {"VISAVIS_VENV": sys.prefix}


def command(place: Stack, *words: str) -> tuple[int, str]:
    """A script to its end: exit status and what it printed."""
    done = subprocess.run(
        [f"bin/{words[0]}", *words[1:]],
        cwd=ROOT,
        env=environ(place),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
    )
    return done.returncode, done.stdout


def running(place: Stack) -> list[psutil.Process]:
    """supervisord, if it runs, and everything under it."""
    own = str(place.settings.run_folder())
    found = [each for each in psutil.process_iter() if _run_folder(each) == own]
    return [each for each in found if lives(each)]


def _run_folder(process: psutil.Process) -> str:
    try:
        return process.environ().get("VISAVIS_RUN", "")
    except psutil.Error:
        return ""


def left(place: Stack) -> tuple[list[str], list[str], bool]:
    """What a stopped stack must not leave: processes, sockets, a supervisord's process id."""
    return [each.name() for each in running(place)], place.sockets(), (place.folder / "run/supervisord.pid").exists()


NOTHING: tuple[list[str], list[str], bool] = ([], [], False)


def until(holds: Callable[[], Any], otherwise: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)


def test_detached_it_is_ready_when_the_command_returns_and_gone_when_down_does(place: Stack) -> None:
    status, said = command(place, "up", "--detach")
    assert status == 0, said
    assert said.splitlines()[-2:] == [
        f"Visavis is ready: {place.url}",
        "It goes on in the background; bin/down stops it.",
    ]
    assert place.get("ready")[0] == 200
    assert len(running(place)) > 12

    status, said = command(place, "up", "--detach")
    assert status == 1
    assert "already running" in said
    assert place.get("ready")[0] == 200, "a second start does not harm the first"

    assert command(place, "down") == (0, "Stopped.\n")
    assert left(place) == NOTHING
    assert command(place, "down") == (0, "Nothing was running.\n")


@pytest.mark.parametrize("when", ["while it starts", "when it is ready"])
def test_ctrl_c_stops_all(place: Stack, when: str) -> None:
    terminal, theirs = pty.openpty()

    def at_a_terminal() -> None:
        os.login_tty(theirs)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it

    up = subprocess.Popen(["bin/up"], cwd=ROOT, env=environ(place), preexec_fn=at_a_terminal)
    os.close(theirs)
    said = b""
    os.set_blocking(terminal, False)

    def reads(wanted: bytes) -> bool:
        nonlocal said
        try:
            said += os.read(terminal, 4096)
        except BlockingIOError:
            pass
        except OSError:  # nobody has the other end any more
            return wanted in said
        return wanted in said

    if when == "when it is ready":
        until(lambda: reads(b"Ctrl-C stops it."), "not ready")
    else:
        until(lambda: len(running(place)) > 4, "the processes did not start")
        assert not reads(b"ready:")
    os.write(terminal, b"\x03")
    until(lambda: reads(b"Stopped."), f"it did not stop: {said!r}")
    assert up.wait(PATIENCE_S) == 0
    os.close(terminal)
    assert left(place) == NOTHING


@pytest.mark.browser
def test_a_stack_stopped_in_mid_call_leaves_nothing_behind(place: Stack) -> None:
    place.start()
    with Caller(place.url) as caller:
        caller.open("?persona=campus").start()
        caller.type("How do I apply for a place?")
        caller.until(lambda: caller.state() == "speaking", "no answer began")
        family = place.family()
        assert len(family) > 14
        assert len(place.sockets()) > 20
        took_s = place.down()
        assert place.launcher
        assert place.launcher.returncode == 0
        assert [each for each in family if lives(each)] == []
        assert left(place) == NOTHING
    print(f"gone after {took_s:.2f} s")  # python -m bench.stopping


def test_a_worker_that_cannot_start_ends_the_launch_with_the_command_that_helps(place: Stack) -> None:
    place.overrides["VISAVIS_PATHS_WEIGHTS"] = str(place.folder / "empty")
    done = subprocess.run(
        [sys.executable, "-m", "broker.launch", "--detach"],
        cwd=ROOT,
        env=environ(place),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 1
    assert "cannot start: " in done.stderr
    assert "python -m workers.weights" in done.stderr
    assert left(place) == NOTHING

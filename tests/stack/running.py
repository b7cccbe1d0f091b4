"""A stack of our own: every process under supervisord, on a free port, in a run folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from broker import launch
from broker.config import ROOT, Settings, load


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def two_free_ports() -> int:
    """The first of two in a row: of two edges, the second listens on the next."""
    while True:
        first = free_port()
        with socket.socket() as probe, contextlib.suppress(OSError, OverflowError):
            probe.bind(("127.0.0.1", first + 1))
            return first


def lives(process: psutil.Process) -> bool:
    """Whether it runs: an exit status that nobody asks for, as of an orphan in some containers, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Stack:
    """Started by `start`, gone after `stop`; `settings` are those in force."""

    def __init__(self, **overrides: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vis", dir="/tmp"))
        self.port = two_free_ports()
        self.overrides = {
            "VISAVIS_SERVER_PORT": str(self.port),
            "VISAVIS_BUS_RUN_FOLDER": str(self.folder / "run"),
            "VISAVIS_PATHS_STORE": str(self.folder / "store.sqlite"),
            "VISAVIS_PATHS_FILMS": str(self.folder / "films"),
            "VISAVIS_PATHS_RECORDINGS": str(self.folder / "recordings"),
            "VISAVIS_PATHS_UPLOADS": str(self.folder / "uploads"),
            **overrides,
        }
        self.settings: Settings = load(environ=os.environ | self.overrides)
        self.launcher: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> Stack:
        log = (self.folder / "launch.log").open("wb")
        self.launcher = subprocess.Popen(
            [sys.executable, "-m", "broker.launch"],
            cwd=ROOT,
            env=os.environ | self.overrides,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            if self.launcher.poll() is not None:
                raise AssertionError(f"did not come up: {(self.folder / 'launch.log').read_text()}")
            if b"ready" in (self.folder / "launch.log").read_bytes():
                return self
            time.sleep(0.1)
        raise AssertionError("not ready in 180 s")

    def down(self) -> float:
        """Stop all, as bin/down does; `start` goes on from there. Returns after how many seconds all had ended."""
        started = time.monotonic()
        if self.launcher is not None and self.launcher.poll() is None:
            self.launcher.terminate()  # SIGINT is ignored by whatever a shell runs in the background
            self.launcher.wait(90)
        return time.monotonic() - started

    def stop(self) -> float:
        """Stop all and remove what it kept; returns as `down`."""
        took_s = self.down()
        keep = os.environ.get("VISAVIS_KEEP_LOGS")
        if keep:
            shutil.copytree(self.folder, Path(keep) / self.folder.name, dirs_exist_ok=True, ignore=_no_sockets)
        shutil.rmtree(self.folder, ignore_errors=True)
        return took_s

    def family(self) -> list[psutil.Process]:
        """The launcher, supervisord and everything under them."""
        if self.launcher is None:
            return []
        first = psutil.Process(self.launcher.pid)
        return [first, *first.children(recursive=True)]

    def sockets(self) -> list[str]:
        """Names of the sockets in the run folder."""
        return sorted(path.name for path in self.settings.run_folder().rglob("*") if path.is_socket())

    def processes(self) -> dict[str, dict[str, Any]]:
        """supervisord's view, by process name."""
        return {process["name"]: process for process in launch.processes(self.settings) or []}

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a process; returns its process id."""
        pid = int(self.processes()[name]["pid"])
        assert pid > 0, f"{name} is not running"
        os.kill(pid, number)
        return pid

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and body of a GET."""
        request = urllib.request.Request(self.url + path.lstrip("/"), headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self) -> str:
        return self.get("metrics")[1]

    def log(self, name: str) -> list[dict[str, Any]]:
        """A process's log lines that are JSON."""
        found = []
        for line in (self.settings.run_folder() / "logs" / f"{name}.log").read_text(errors="replace").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found


def _no_sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_socket()]

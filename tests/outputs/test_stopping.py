"""What is being recorded and pushed when the process is asked to stop: all is finished that can be, the rest is left so
that the next process finishes it, and nothing keeps it from ending."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest

from broker.bus import Bus
from broker.config import ROOT, Settings, load
from broker.messages import Alive, Message, Outputs, OutputState, Peer, Programme, Showing
from tests.outputs.programme import conversation, of_session
from tests.outputs.tape import Tape, tick, until
from tests.outputs.test_service import World, world  # noqa: F401  a fixture
from workers.outputs import recorder
from workers.outputs.media_file import MediaFile

GENEROUS_S = 15
"""Many times what it takes; each output that hangs waits longer than that by itself."""


def rows(**kinds: str) -> tuple[dict[str, Any], ...]:
    return tuple({"id": name, "kind": kind, "settings": {}, "data": {}} for name, kind in kinds.items())


def recordings(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*/recording.json"))]


def roomy(settings: Settings) -> Settings:
    return replace(settings, recording=replace(settings.recording, min_free_mb=0))


def stop(world: World) -> float:  # noqa: F811
    """Until all is finished or left; how long that took."""
    began = time.monotonic()
    world.service.stop()
    world.service.serve()
    return time.monotonic() - began


def test_a_recording_is_complete_whoever_hangs_beside_it(world: World, tmp_path: Path) -> None:  # noqa: F811
    world.service.settings = roomy(world.service.settings)
    world.tell(Outputs(session="s", wanted=rows(kept="recording", **{f"tape{n}": "tape" for n in range(8)})))
    world.show()
    world.begun(8)
    until(lambda: len(recordings(tmp_path / "recordings")) == 1, "it is not recorded")
    for tape in Tape.made:
        tape.free.clear()
    world.play(*(tick(n) for n in range(300)))
    assert stop(world) < GENEROUS_S, "they are waited for together"
    (about,) = recordings(tmp_path / "recordings")
    assert (about["reason"], about["duration_ms"]) == ("stopped", 6000)
    assert not any(tape.closed for tape in Tape.made)


def test_a_recording_whose_disk_stands_still_is_left_to_the_next_process(
    world: World,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk, stands = threading.Event(), threading.Event()
    put = MediaFile._put
    disk.set()

    def slow(self: MediaFile, data: bytes) -> None:
        if not disk.is_set():
            stands.set()
            threading.Event().wait()  # until the end of this process
        put(self, data)

    monkeypatch.setattr(MediaFile, "_put", slow)
    settings = world.service.settings = roomy(world.service.settings)
    world.tell(Outputs(session="s", wanted=rows(kept="recording")))
    world.show()
    until(lambda: len(recordings(tmp_path / "recordings")) == 1, "it is not recorded")
    ticks = of_session(conversation()[0], "s")
    world.play(*ticks[:200])
    (folder,) = (tmp_path / "recordings").iterdir()
    until(lambda: any(path.stat().st_size > 1000 for path in folder.glob("*.mp4")), "nothing is written")
    disk.clear()
    world.play(*ticks[200:])
    until(stands.is_set, "it does not stand still")
    assert stop(world) < GENEROUS_S
    (about,) = recordings(tmp_path / "recordings")
    assert "ended" not in about
    monkeypatch.setattr(MediaFile, "_put", put)
    assert recorder.finish_left(settings, frozenset()) == [folder.name]
    (about,) = recordings(tmp_path / "recordings")
    assert about["reason"] == "killed"
    assert about["duration_ms"] >= 1000


class Process:
    """The process itself, and around it a broker and a programme that plays one conversation over and over."""

    def __init__(self, folder: Path) -> None:
        environ = os.environ | {
            "VISAVIS_BUS_RUN_FOLDER": str(folder / "r"),
            "VISAVIS_PATHS_RECORDINGS": str(folder / "recordings"),
            "VISAVIS_RECORDING_MIN_FREE_MB": "0",
        }
        settings = load(environ=environ)
        self.broker = Bus("broker", "broker", settings)
        self.programme = Bus("programme", "programme-0", settings, publishes=True)
        command = [sys.executable, "-m", "workers.outputs.service"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
        self.heard: list[Message] = []
        self._ticks = self._endless()

    def follow(self, wanted: tuple[dict[str, Any], ...]) -> None:
        """Have these made."""
        self.until(lambda: self._peer is not None)
        assert self._peer
        self.broker.send(self._peer, Outputs(session="s", wanted=wanted))
        more: dict[str, Any] = {"language": "en", "origin_ns": 1, "state": "listening", "viewers": 0}
        peers = {"programme": self.programme.peer}
        self.broker.send(self._peer, Showing(session="s", route=7, persona={"id": "vera"}, peers=peers, **more))

    def until(self, holds: Callable[[], Any]) -> None:
        def played() -> Any:
            self.heard += self.broker.receive(0)
            self.programme.receive(0)
            self.programme.publish(next(self._ticks), 7)
            time.sleep(0.005)
            return holds()

        until(played, f"it never came; heard {self.heard[-3:]}")

    def states(self) -> set[tuple[str, str]]:
        return {(each.id, each.state) for each in self.heard if isinstance(each, OutputState)}

    def close(self) -> None:
        for each in psutil.Process().children(recursive=True):
            each.kill()
        self.process.wait()
        self.broker.close()
        self.programme.close()

    @property
    def _peer(self) -> Peer | None:
        return next((each.peer for each in self.heard if isinstance(each, Alive)), None)

    def _endless(self) -> Iterator[Programme]:
        base = conversation()[0]
        for again in count():
            shift = again * len(base)
            for number, each in enumerate(base):
                yield replace(
                    each,
                    session="s",
                    tick=shift + number,
                    programme_sample=960 * (shift + number),
                    picture_sample=each.picture_sample + 960 * shift,
                    h264_n=each.h264_n + 1000 * again,
                )


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    around = Process(tmp_path)
    yield around
    around.close()


@pytest.fixture
def black_hole() -> Iterator[socket.socket]:
    """A server that lets one connect, and then neither reads nor says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_the_process_ends_in_mid_recording_and_mid_push_and_leaves_no_child(
    process: Process, black_hole: socket.socket, tmp_path: Path
) -> None:
    kept, pushed = rows(kept="recording", pushed="rtmp")
    pushed["settings"] = {"url": f"rtmp://127.0.0.1:{black_hole.getsockname()[1]}/live/key"}
    process.follow((kept, pushed))
    black_hole.settimeout(0.001)
    connected: list[socket.socket] = []

    def connects() -> bool:
        try:
            connected.append(black_hole.accept()[0])
        except TimeoutError:
            return False
        return True

    process.until(connects)
    process.until(lambda: ("kept", "on") in process.states())
    (folder,) = (tmp_path / "recordings").iterdir()
    process.until(lambda: list(folder.glob("*.mp4")))
    children = psutil.Process(process.process.pid).children()
    assert children, "it pushes"
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(GENEROUS_S) == 0
    (about,) = recordings(tmp_path / "recordings")
    assert about["reason"] == "stopped"
    assert about["duration_ms"] > 0
    until(lambda: not any(child.is_running() for child in children), "what pushed is still there")
    for each in connected:
        each.close()

"""The doors two at a time at full rate: pictures and packets of sound a second that come through each.

  python -m bench.doors [--only viewer,hls] [--seconds 10] [--size 512]

A whole stack, a conversation that goes on, Debian's Janus and nginx; every pair of doors is opened, left to settle,
counted for so many seconds, and closed. The programme has 25 pictures and 50 packets of sound a second, HLS and RTMP
46.9 packets of AAC; a page that draws the face itself gets 50 frames of the mouth track, too. What comes by the piece
(HLS, RTMP, the recording) is counted by the media's own time.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.outputs.media_server import MediaServer
from tests.stack.doors import (
    KEY,
    BehindJanus,
    Browsing,
    Door,
    Got,
    GStreamer,
    HlsPlayer,
    Recorder,
    RtmpPlayer,
    Stranger,
    Strangers,
    ViewerPage,
    until,
)
from tests.stack.running import Stack, free_port
from tests.stack.spoken_to import SpokenTo
from tests.webrtc import gstreamer
from webrtc.janus_server import janus

SETTLE_S = 3.0
NAMES = ("viewer", "3d", "whep", "janus", "hls", "rtmp", "recorder")


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Of one door, each second."""

    pictures: float
    sounds: float
    mouths: float = 0.0

    @classmethod
    def between(cls, before: Got, after: Got) -> Rate:
        took_s = after.at_s - before.at_s
        if took_s <= 0:
            return cls(pictures=0.0, sounds=0.0)
        pictures, sounds = after.pictures - before.pictures, after.sounds - before.sounds
        mouths = after.mouths - before.mouths
        return cls(pictures=pictures / took_s, sounds=sounds / took_s, mouths=mouths / took_s)

    def __str__(self) -> str:
        mouths = f" / {self.mouths:4.1f}" if self.mouths else ""
        return f"{self.pictures:5.1f} / {self.sounds:5.1f}{mouths}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(NAMES), help="which doors, of " + ", ".join(NAMES))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--size", type=int, default=512)
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := set(names) - set(NAMES):
        raise SystemExit(f"There is no door {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}.")
    run(names, arguments.seconds, arguments.size)


def run(names: list[str], seconds: float, size: int) -> None:
    """Every pair of them."""
    player = "aiortc's" if gstreamer.lacking() else "GStreamer's webrtcbin"
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {size} × {size}, {seconds:.0f} s"
    )
    print(f"pictures / packets of sound (/ mouth frames) a second; the WHEP player is {player}")
    with contextlib.ExitStack() as everything:
        enter = everything.enter_context
        server = enter(janus(free_port(), KEY))
        media = MediaServer(Path(enter(tempfile.TemporaryDirectory(prefix="visavis-")))).start()
        everything.callback(media.kill)
        stack = Stack(VISAVIS_MEDIA_SIZE=str(size))
        everything.callback(stack.stop)
        stack.start()
        browsing, strangers = enter(Browsing("3d" in names)), enter(Strangers())
        session = enter(SpokenTo(stack.url)).session
        foreign = Stranger(strangers, stack, session) if gstreamer.lacking() else None
        makers: dict[str, Callable[[], Door]] = {
            "viewer": lambda: ViewerPage(browsing, stack, session),
            "3d": lambda: ViewerPage(browsing, stack, session, "3d"),
            "whep": lambda: foreign or GStreamer(stack, session),
            "janus": lambda: BehindJanus(strangers, stack, session, server),
            "hls": lambda: HlsPlayer(stack, session),
            "rtmp": lambda: RtmpPlayer(stack, session, media),
            "recorder": lambda: Recorder(stack, session),
        }
        for one, other in itertools.combinations(names, 2):
            with makers[one]() as first, makers[other]() as second:
                rates = measure((first, second), seconds)
            loads = f"load {os.getloadavg()[0]:4.1f}"
            print(f"{one:9} {rates[0]}    {other:9} {rates[1]}    {loads}", flush=True)


def measure(doors: tuple[Door, ...], seconds: float) -> list[Rate]:
    """What comes through each at the same time."""
    for door in doors:
        until(lambda door=door: door.got().pictures and door.got().sounds, "nothing comes through")  # type: ignore[misc]
    time.sleep(SETTLE_S)
    before = [door.got() for door in doors]
    time.sleep(seconds)
    return [Rate.between(was, door.got()) for was, door in zip(before, doors, strict=True)]


if __name__ == "__main__":
    main()

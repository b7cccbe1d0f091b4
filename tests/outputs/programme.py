"""A few seconds of programme made by the real stage, and what files made of it hold, as ffprobe and PyAV see them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np

from broker.messages import Draw, Emitted, KeyFrame, Picture, Programme
from tests.programme.play import Play, voice

SHADES = 8
"""Pictures are told apart by their brightness: number modulo this."""


def shaded(draw: Draw) -> Picture:
    """A grey picture whose brightness says its number; a request's is 16 times that and a count of attempts."""
    pixels = draw.width * draw.height
    yuv = np.full(pixels * 3 // 2, 128, np.uint8)
    yuv[:pixels] = 40 + 24 * (draw.picture // 16 % SHADES)
    return Picture(session=draw.session, picture=draw.picture, width=draw.width, height=draw.height, yuv=yuv.tobytes())


@cache
def conversation(seconds: float = 6.0) -> tuple[tuple[Programme, ...], tuple[Emitted, ...]]:
    """Ticks with H.264 and VP8, a key frame every second or so, one second and a half of voice in them."""
    play = Play(lipsync=shaded)
    play.watch(h264=1, vp8=1)
    play.run(700)
    play.say(voice(samples=72_000, words=9))
    play.commit()
    while play.now_ns < 1_000_000_000_000 + seconds * 1e9:
        play.run(500)
        play.watch(h264=1, vp8=1)
        for codec in ("h264", "vp8"):
            play.say(KeyFrame(session="a", codec=codec))
    return tuple(play.ticks()), tuple(play.emitted())


def of_session(ticks: tuple[Programme, ...], session: str) -> list[Programme]:
    return [replace(tick, session=session) for tick in ticks]


def probe(path: Path | str, *arguments: str) -> dict[str, Any]:
    """ffprobe's JSON of a file or an address (Debian: ffmpeg)."""
    command = ["ffprobe", "-v", "error", "-of", "json", *arguments, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    return dict(json.loads(done.stdout))


def sound_onset_s(path: Path) -> float:
    """When the first loud sample is, by the file's own times."""
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.05)
            if loud.size:
                assert frame.pts is not None
                return float(frame.pts * frame.time_base) + int(loud[0]) / 48_000
    raise AssertionError("no sound in it")


def picture_times(path: Path) -> list[tuple[float, int]]:
    """(seconds, number modulo SHADES) of each picture."""
    with av.open(str(path)) as container:
        found = []
        for frame in container.decode(video=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            luma = frame.reformat(format="yuv420p").to_ndarray()[20:40, 20:40].mean()
            found.append((float(frame.pts * frame.time_base), round((luma - 40) / 24)))
        return found

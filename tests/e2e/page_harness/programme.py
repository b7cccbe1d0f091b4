"""What the scripted edge plays: beeps for words and a moving picture, on RTP clocks that the test knows."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import aiortc.rtcrtpsender
import aiortc.utils
import av
import numpy as np
from aiortc import MediaStreamTrack

from broker.visemes import VISEMES

RATE_HZ = 48_000
TICK_SAMPLES = 960
BEEP_SAMPLES = 4_800
WORD_SAMPLES = 12_000
PICTURE_PX = 256
RTP_ORIGIN = 0xFFFF0000
"""Near the top of the circle, so that every test crosses its end within a second and a half."""


def know_the_origin() -> None:
    """Make aiortc start its RTP clocks at RTP_ORIGIN; it draws that number at random and tells nobody.

    The same function draws the SSRCs, which must differ: only the call that begins to send is answered with the origin.
    """
    drawn = aiortc.utils.random32
    aiortc.rtcrtpsender.random32 = lambda: (  # type: ignore[attr-defined]
        RTP_ORIGIN if sys._getframe(1).f_code.co_name == "_run_rtp" else drawn()
    )


@dataclass(frozen=True, kw_only=True)
class Beep:
    """One word: sound in [programme_sample, programme_sample + BEEP_SAMPLES)."""

    programme_sample: int
    hz: float = 440.0


class Programme:
    """The clock of one session and the beeps on it. Sound is silence where there is no beep."""

    def __init__(self) -> None:
        self.programme_sample = 0
        self.beeps: list[Beep] = []
        self.stalled = False
        self.ticked: Callable[[int], None] = lambda start: None
        """Called with the first sample of each tick that is sent."""

    def pcm(self, start: int) -> np.ndarray:
        """int16[TICK_SAMPLES] from programme sample `start`."""
        at = np.arange(start, start + TICK_SAMPLES)
        sound = np.zeros(TICK_SAMPLES)
        for beep in self.beeps:
            into = at - beep.programme_sample
            inside = (into >= 0) & (into < BEEP_SAMPLES)
            sound += inside * 0.4 * np.sin(2 * np.pi * beep.hz * into / RATE_HZ)
        return (sound * 32767).astype(np.int16)

    def mouth(self, start: int) -> list[int]:
        """The 15 viseme weights of the tick from `start`, 0..255: wide open in a beep, else closed."""
        middle = start + TICK_SAMPLES // 2
        open_ = any(0 <= middle - beep.programme_sample < BEEP_SAMPLES for beep in self.beeps)
        return [255 * (name == ("aa" if open_ else "sil")) for name in VISEMES]

    def speaks(self, start: int) -> bool:
        return any(-TICK_SAMPLES < start - beep.programme_sample < BEEP_SAMPLES for beep in self.beeps)


class VoiceTrack(MediaStreamTrack):
    """The programme's sound, one 20 ms frame a tick, sent when it is due."""

    kind = "audio"

    def __init__(self, programme: Programme) -> None:
        super().__init__()
        self._programme = programme
        self._origin_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        programme = self._programme
        if self._origin_s is None:
            self._origin_s = time.monotonic() - programme.programme_sample / RATE_HZ
        while programme.stalled:
            await asyncio.sleep(0.02)
            self._origin_s = time.monotonic() - programme.programme_sample / RATE_HZ
        await asyncio.sleep(self._origin_s + programme.programme_sample / RATE_HZ - time.monotonic())
        frame = av.AudioFrame.from_ndarray(programme.pcm(programme.programme_sample)[None], layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = programme.programme_sample
        frame.time_base = Fraction(1, RATE_HZ)
        programme.programme_sample += TICK_SAMPLES
        programme.ticked(programme.programme_sample - TICK_SAMPLES)
        return frame


class PictureTrack(MediaStreamTrack):
    """The picture, ten times a second: `face` if there is one, with a bar that moves while a word sounds."""

    kind = "video"

    def __init__(self, programme: Programme, face: np.ndarray | None = None) -> None:
        super().__init__()
        self._programme = programme
        self._face = face if face is not None else np.full((PICTURE_PX, PICTURE_PX, 3), 120, np.uint8)
        self._n = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.1)
        self._n += 1
        picture = self._face.copy()
        if self._programme.speaks(self._programme.programme_sample):
            rows = picture.shape[0]
            picture[rows * 5 // 8 : rows * 5 // 8 + rows // 40, rows // 2 - rows // 12 : rows // 2 + rows // 12] = 60
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = self._n * 9_000
        frame.time_base = Fraction(1, 90_000)
        return frame

"""Nod, shake and tilt: short motions of the head that begin and end where the head is. Pure functions of time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workers.programme.chance import smooth
from workers.programme.ticks import RATE_HZ

NOD_S, SHAKE_S, TILT_S = 0.95, 1.15, 1.7
SMALL_NOD_S = 0.62
NOD_RAD, SHAKE_RAD, TILT_RAD = 0.1, 0.13, 0.1
TILT_UP_S, TILT_BACK_S = 0.45, 0.6


@dataclass(frozen=True)
class Gesture:
    """One gesture of a head. `size` scales it; `side` is -1 or 1, where it has one."""

    kind: str
    start_sample: int
    size: float = 1.0
    side: float = 1.0

    def over(self, sample: int) -> bool:
        """Whether nothing of it is left at this sample."""
        return sample - self.start_sample > LENGTHS_S[self.kind] * RATE_HZ

    def head(self, sample: int) -> tuple[float, float, float]:
        """Yaw, pitch and roll in radians that it adds at this sample."""
        t = (sample - self.start_sample) / RATE_HZ
        if not 0 < t < LENGTHS_S[self.kind]:
            return 0.0, 0.0, 0.0
        yaw, pitch, roll = _MOTIONS[self.kind](t)
        return self.size * self.side * yaw, self.size * pitch, self.size * self.side * roll


def _nod(t: float) -> tuple[float, float, float]:
    # Down twice, the second time less.
    part = t / NOD_S
    return 0.0, -NOD_RAD * math.sin(2 * math.pi * part) ** 2 * (1 - 0.55 * smooth(2 * part - 0.5)), 0.0


def _small_nod(t: float) -> tuple[float, float, float]:
    return 0.0, -NOD_RAD * math.sin(math.pi * t / SMALL_NOD_S) ** 2, 0.0


def _shake(t: float) -> tuple[float, float, float]:
    part = t / SHAKE_S
    return SHAKE_RAD * math.sin(math.pi * part) * math.sin(5 * math.pi * part), -0.015 * math.sin(math.pi * part), 0.0


def _tilt(t: float) -> tuple[float, float, float]:
    held = smooth(t / TILT_UP_S) * smooth((TILT_S - t) / TILT_BACK_S)
    return 0.02 * held, 0.0, TILT_RAD * held


_MOTIONS = {"nod": _nod, "small_nod": _small_nod, "shake": _shake, "tilt": _tilt}
LENGTHS_S = {"nod": NOD_S, "small_nod": SMALL_NOD_S, "shake": SHAKE_S, "tilt": TILT_S}
"""Of the gestures there are; `small_nod` is what listening makes of itself."""

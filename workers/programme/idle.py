"""Idle life: blinks, breath, glances and the small motion of a head that is never quite still.

A pure function of the sample count and a seed, so that a successor goes on with the same life.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from workers.programme.chance import chance, smooth
from workers.programme.ticks import RATE_HZ

BLINK_PERIOD_SAMPLES = 4 * RATE_HZ
"""One blink in each period, up to 2 s after its start: intervals of 2 to 6 s, 15 a minute."""

BLINK_SPREAD_SAMPLES = 2 * RATE_HZ
LID_DOWN_S, LID_SHUT_S, LID_UP_S = 0.07, 0.04, 0.14
DOUBLE_BLINKS = 0.12
"""Share of blinks that are followed by a second one at once."""

DOUBLE_AFTER_SAMPLES = RATE_HZ * 8 // 25

GLANCE_PERIOD_SAMPLES = RATE_HZ * 9 // 5
SACCADE_S = 0.05
HEAD_TURN_S = 0.7
"""The eyes jump, the head follows."""

SWAY = {"yaw": (0.035, 7.3, 3.1), "pitch": (0.018, 6.1, 2.7), "roll": (0.014, 8.7, 3.7)}
"""Head motion: amplitude in radians, and the periods in seconds of the two waves it is made of."""


@dataclass(frozen=True)
class Idle:
    """What the face does by itself at one instant. Ranges as in `Draw`."""

    blink: float
    breath: float
    gaze_x: float
    gaze_y: float
    yaw: float
    pitch: float
    roll: float


def idle(sample: int, seed: int) -> Idle:
    """The face of session `seed` at this programme_sample."""
    t = sample / RATE_HZ
    gaze_x, gaze_y = _gaze(sample, seed, SACCADE_S)
    turned, _ = _gaze(sample, seed, HEAD_TURN_S)
    sway = {axis: _sway(t, seed, index, axis) for index, axis in enumerate(SWAY)}
    return Idle(
        blink=_blink(sample, seed),
        breath=_breath(t, seed),
        gaze_x=gaze_x,
        gaze_y=gaze_y,
        yaw=sway["yaw"] + 0.02 * turned,
        pitch=sway["pitch"],
        roll=sway["roll"],
    )


def _blink(sample: int, seed: int) -> float:
    return max(lid((sample - start) / RATE_HZ) for start in _blinks(sample, seed))


def blinks_within(sample: int, seed: int, seconds: float) -> bool:
    """Whether a blink of its own begins so near to `sample` that another one would be too much."""
    return any(abs(sample - start) < seconds * RATE_HZ for start in _blinks(sample, seed))


def _blinks(sample: int, seed: int) -> Iterator[int]:
    """The starts of the blinks before and after a sample."""
    period = sample // BLINK_PERIOD_SAMPLES
    for number in (period - 1, period, period + 1):
        start = number * BLINK_PERIOD_SAMPLES + int(chance(seed, 1, number) * BLINK_SPREAD_SAMPLES)
        yield start
        if chance(seed, 2, number) < DOUBLE_BLINKS:
            yield start + DOUBLE_AFTER_SAMPLES


def lid(t: float) -> float:
    """How far the lids are shut, `t` seconds after a blink began."""
    if t <= 0 or t >= LID_DOWN_S + LID_SHUT_S + LID_UP_S:
        return 0.0
    if t < LID_DOWN_S:
        return smooth(t / LID_DOWN_S)
    return 1.0 - smooth((t - LID_DOWN_S - LID_SHUT_S) / LID_UP_S)


def _breath(t: float, seed: int) -> float:
    # A sine of 4.4 s whose pace wanders: breathing out takes a little longer than in.
    phase = 2 * math.pi * (t / 4.4 + chance(seed, 3, 0)) + 0.5 * math.sin(2 * math.pi * t / 23)
    return 0.5 + 0.5 * math.sin(phase + 0.3 * math.sin(phase))


def _gaze(sample: int, seed: int, takes_s: float) -> tuple[float, float]:
    number = sample // GLANCE_PERIOD_SAMPLES
    start = number * GLANCE_PERIOD_SAMPLES + int(chance(seed, 4, number) * GLANCE_PERIOD_SAMPLES / 2)
    share = smooth((sample - start) / RATE_HZ / takes_s)
    (x0, y0), (x1, y1) = _glance(seed, number - 1), _glance(seed, number)
    return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


def _glance(seed: int, number: int) -> tuple[float, float]:
    # Mostly at the person, with the eye's small drift; one glance in five goes aside.
    far = 0.45 if chance(seed, 5, number) < 0.2 else 0.07
    return (2 * chance(seed, 6, number) - 1) * far, (2 * chance(seed, 7, number) - 1) * far * 0.6


def _sway(t: float, seed: int, index: int, axis: str) -> float:
    amplitude, slow_s, quick_s = SWAY[axis]
    first, second = chance(seed, 8, index), chance(seed, 9, index)
    slow = math.sin(2 * math.pi * (t / slow_s + first))
    return amplitude * (0.7 * slow + 0.3 * math.sin(2 * math.pi * (t / quick_s + second)))

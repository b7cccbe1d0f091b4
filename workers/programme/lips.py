"""What the mouth shows at any sample: the voice's own track while it sounds, a quick close where it is broken off."""

from __future__ import annotations

from collections.abc import Sequence

from broker.visemes import CLOSED_MOUTH, MOUTH_FRAME_SAMPLES, VISEMES

CLOSE_SAMPLES = 8 * MOUTH_FRAME_SAMPLES
"""From any shape to closed: 80 ms, as fast as lips close by themselves."""

OPEN_SAMPLES = 3 * MOUTH_FRAME_SAMPLES
"""From closed into the track, where it is entered in mid-word."""

SEALED = 200
"""Weight of `PP` (of 255) from which lips touch."""

_PP = VISEMES.index("PP")

STILL = 6
"""Weights (of 255) nobody sees."""


def closed(mouth: bytes) -> bool:
    """Whether this is a mouth at rest."""
    return mouth[0] >= 255 - STILL and max(mouth[1:]) <= STILL


def differs(one: bytes, other: bytes, by: int = 24) -> bool:
    """Whether two mouths look different."""
    return any(abs(a - b) > by for a, b in zip(one, other, strict=True))


def standing_for(mouths: Sequence[bytes]) -> bytes:
    """The mouth of a picture that stands for several: lips that meet in one of them are seen to meet."""
    shut = max(mouths, key=lambda mouth: mouth[_PP])
    return shut if shut[_PP] >= SEALED else mouths[0]


class Lips:
    """The mouth of one session. Samples are programme samples."""

    def __init__(self) -> None:
        self._shown = CLOSED_MOUTH
        self._left = CLOSED_MOUTH
        self._left_sample = -CLOSE_SAMPLES
        self._entered_sample = 0
        self._in_track = False

    def at(self, sample: int, track: bytes | None, now_sample: int) -> bytes:
        """The mouth at `sample`, where the voice's track says `track`; `now_sample`: the start of the next tick."""
        gone = 0.0 if self._in_track else 1.0 - (sample - self._left_sample) / CLOSE_SAMPLES
        rest = _mix(CLOSED_MOUTH, self._left, gone)
        if track is None:
            return (
                rest
                if not self._in_track
                else _mix(CLOSED_MOUTH, self._shown, 1.0 - (sample - now_sample) / CLOSE_SAMPLES)
            )
        entered = self._entered_sample if self._in_track else now_sample
        return _mix(rest, track, (sample - entered) / OPEN_SAMPLES)

    def show(self, sample: int, track: bytes | None, now_sample: int) -> bytes:
        """The mouth of the tick that starts at `now_sample`, remembered."""
        mouth = self.at(sample, track, now_sample)
        if track is None and self._in_track:
            self._left, self._left_sample, self._in_track = self._shown, now_sample, False
        elif track is not None and not self._in_track:
            self._entered_sample, self._in_track = now_sample, True
        self._shown = mouth
        return mouth


def _mix(one: bytes, other: bytes, share: float) -> bytes:
    if share <= 0:
        return one
    if share >= 1:
        return other
    return bytes(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))

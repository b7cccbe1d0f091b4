"""When pictures are late too often: every second picture, then a still; and the way back up."""

from __future__ import annotations

from collections import deque
from enum import StrEnum


class Level(StrEnum):
    """What the viewer gets. Pictures are asked for at half rate on all but the first."""

    FULL = "full"
    HALF = "half_rate"
    STILL = "still"


WINDOW = 25
"""Pictures a judgement rests on: a second at full rate, two at half."""

TOO_LATE = 0.4
DEAD = 0.9
WELL = 0.04
EARLY = 2 * WINDOW
"""Pictures after the first that came before anything is judged: a call begins with everybody busy."""
CALM = 60
"""Pictures in time at half rate before the full rate is tried again."""
PREPARING = 200
"""Pictures that may be missing before the first: eight seconds. A slow machine takes four to make a face ready."""


class Quality:
    """One session's level, from what became of each picture that was asked for."""

    def __init__(self) -> None:
        self.level = Level.FULL
        self._late: deque[bool] = deque(maxlen=PREPARING)
        self._came = False
        """A picture has come: until then the face is prepared, and none could have."""
        self._early = EARLY

    def note(self, late: bool) -> tuple[Level, str] | None:
        """What became of the next picture. Returns the new level and its reason when it changes."""
        if not late and not self._came:
            self._came = True
            self._late.clear()
        self._early -= self._came and self._early > 0
        self._late.append(late)
        level, reason = self._judged()
        if level is self.level:
            return None
        self.level = level
        self._late.clear()
        return level, reason

    def _judged(self) -> tuple[Level, str]:
        recent = list(self._late)[-WINDOW:]
        share = sum(recent) / WINDOW
        if self.level is Level.STILL:
            back = list(self._late)[-10:]
            return (Level.HALF, "pictures come again") if back.count(False) >= 8 else (self.level, "")
        patience = WINDOW if self._came else PREPARING
        if len(self._late) >= patience and share >= DEAD:
            return Level.STILL, "no pictures come from lipsync"
        if len(recent) < WINDOW or not self._came or self._early:
            return self.level, ""
        if self.level is Level.FULL and share > TOO_LATE:
            return Level.HALF, f"{round(100 * share)} % of the pictures come late"
        if self.level is Level.HALF and len(self._late) >= CALM and sum(list(self._late)[-CALM:]) <= WELL * CALM:
            return Level.FULL, "pictures come in time"
        return self.level, ""

"""What an `Act` may say, and what of it still holds for a programme that has just replaced a dead one."""

from __future__ import annotations

import re

from broker.expressions import EMOTIONS, GAZES, GESTURES
from broker.messages import Act

LONGEST_MS = 600_000
"""An emotion for a while is for ten minutes at most."""

_BACKGROUND = re.compile(r"#[0-9a-f]{6}|[a-z0-9][a-z0-9_-]{0,39}", re.IGNORECASE)


def problem(act: Act) -> str:
    """What is wrong with it, as a sentence that says what would be right; empty when nothing is."""
    for name, value, known in (
        ("emotion", act.emotion, EMOTIONS),
        ("gesture", act.gesture, GESTURES),
        ("gaze", act.gaze, GAZES),
    ):
        if value and value not in known:
            return f"There is no {name} {value[:40]!r}; known: {', '.join(known)}."
    if not 0 <= act.strength <= 1:
        return "strength is between 0 and 1."
    if not 0 <= act.for_ms <= LONGEST_MS:
        return f"for_ms is between 0 (until the next emotion) and {LONGEST_MS}."
    if act.motion != -1 and not 0 <= act.motion <= 1:
        return "motion is between 0 (keep still) and 1."
    if act.background and not _BACKGROUND.fullmatch(act.background):
        return 'background is a colour such as "#3a5f8a", the name of a picture, "none" or "transparent".'
    if not (act.emotion or act.gesture or act.gaze or act.background or act.motion >= 0):
        return "An act names an emotion, a gesture, a gaze, a motion or a background."
    return ""


def lasting(before: Act, act: Act) -> Act:
    """What holds after `act` until something else is said: no gesture, and no emotion that ends by itself."""
    stays = bool(act.emotion) and not act.for_ms
    return Act(
        emotion=act.emotion if stays else before.emotion,
        strength=act.strength if stays else before.strength,
        gaze=act.gaze or before.gaze,
        motion=act.motion if act.motion >= 0 else before.motion,
        background=act.background or before.background,
    )

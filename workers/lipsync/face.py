"""The state of a face at one instant: what a portrait is asked to show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from broker.expressions import EMOTIONS
from broker.visemes import VISEMES

MAX_YAW, MAX_PITCH, MAX_ROLL = 0.22, 0.14, 0.16
"""Radians up to which a single photograph turns credibly; beyond them the head is held at the bound."""


@dataclass(frozen=True)
class FaceState:
    """Mouth, eyes and head. The default is the portrait as it is."""

    mouth: tuple[float, ...] = (1.0,) + (0.0,) * (len(VISEMES) - 1)
    """15 viseme weights 0..1, in the order of broker/visemes.py."""
    blink: float = 0.0
    """0 open, 1 shut."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """x to the right of the picture, y up; -1..1."""
    pose: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Yaw (towards the right of the picture), pitch (up), roll (clockwise), radians."""
    brows: float = 0.0
    """-1 drawn down, 1 raised."""
    breath: float = 0.0
    """0 out, 1 full."""
    emotion: str = "neutral"
    emotion_strength: float = 0.0


def face_from_wire(mouth: bytes, face: Mapping[str, float], emotion: str) -> FaceState:
    """The face of a `Draw`: uint8 weights and named numbers, bounded; what is absent or not finite is at rest.

    Raises ValueError when `mouth` is not one frame of 15 weights.
    """
    if len(mouth) != len(VISEMES):
        raise ValueError(f"a mouth frame is {len(VISEMES)} bytes, one per viseme; this one has {len(mouth)}")

    def number(key: str, low: float, high: float) -> float:
        value = float(face.get(key, 0.0))
        return min(high, max(low, value)) if math.isfinite(value) else 0.0

    return FaceState(
        mouth=tuple(weight / 255 for weight in mouth),
        blink=number("blink", 0, 1),
        gaze=(number("gaze_x", -1, 1), number("gaze_y", -1, 1)),
        pose=(
            number("yaw", -MAX_YAW, MAX_YAW),
            number("pitch", -MAX_PITCH, MAX_PITCH),
            number("roll", -MAX_ROLL, MAX_ROLL),
        ),
        brows=number("brows", -1, 1),
        breath=number("breath", 0, 1),
        emotion=emotion if emotion in EMOTIONS else "neutral",
        emotion_strength=number("emotion_strength", 0, 1),
    )

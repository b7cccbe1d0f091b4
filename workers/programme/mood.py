"""The emotion a face shows and how strongly: it comes quickly, goes slowly, and a new one waits for the old to fade."""

from __future__ import annotations

from dataclasses import dataclass

from broker.expressions import EMOTIONS

COMES, GOES, GIVES_WAY = 0.05, 0.02, 0.09
"""The most that the strength changes in 20 ms: up, down, and down for another emotion."""

EASE = 0.2
"""Share of the way that is left, per tick: the last part of a change is slow."""


@dataclass(frozen=True)
class Mood:
    """What is shown now. `strength` 0..1."""

    emotion: str = "neutral"
    strength: float = 0.0

    def towards(self, emotion: str, strength: float) -> Mood:
        """20 ms later, on the way to another mood. An emotion nobody knows is none."""
        if emotion not in EMOTIONS or emotion == "neutral":
            emotion, strength = self.emotion, 0.0
        if emotion != self.emotion and self.strength > 0:
            left = max(0.0, self.strength - max(0.01, min(GIVES_WAY, 0.3 * self.strength)))
            return Mood(self.emotion, left) if left > 0.02 else Mood(emotion, 0.0)
        way = strength - self.strength
        if abs(way) < 0.005:
            return Mood(emotion, strength)
        step = EASE * way
        step = min(COMES, max(0.004, step)) if way > 0 else max(-GOES, min(-0.004, step))
        step = min(step, way) if way > 0 else max(step, way)
        return Mood(emotion if self.strength + step > 0 else "neutral", self.strength + step)

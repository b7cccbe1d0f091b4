"""How the face carries itself: idle life, coloured by the voice it speaks with, by listening and by emotion."""

from __future__ import annotations

from dataclasses import dataclass

from workers.programme.idle import idle

FULL_VOICE = 0.12
"""Root mean square of a loud syllable of a normalised voice, of full scale."""

EMOTION_STRENGTH = 0.7


@dataclass(frozen=True)
class Bearing:
    """What the last second did to the face; advanced once a tick. All values 0..1."""

    level: float = 0.0
    """Loudness, smoothed over a syllable."""
    usual: float = 0.0
    """Loudness, smoothed over a phrase; what rises above it is stress."""
    talking: float = 0.0
    attending: float = 0.0
    """The person is being listened to: the talk was held for them."""
    emotion: str = "neutral"
    strength: float = 0.0

    def advance(self, loudness: float, talking: bool, attending: bool, emotion: str) -> Bearing:
        """One tick later. A new emotion comes when the last one has faded."""
        level = min(1.0, loudness / FULL_VOICE)
        fading = emotion != self.emotion or not talking
        strength = max(0.0, self.strength - 0.03) if fading else min(EMOTION_STRENGTH, self.strength + 0.05)
        return Bearing(
            level=self.level + 0.15 * (level - self.level),
            usual=self.usual + 0.012 * (level - self.usual),
            talking=self.talking + 0.05 * (talking - self.talking),
            attending=self.attending + 0.06 * (attending - self.attending),
            emotion=emotion if not strength else self.emotion,
            strength=strength,
        )

    def face(self, sample: int, seed: int, motion: float) -> dict[str, float]:
        """The face at a programme_sample near now, as `Draw` and `Programme` carry it. `motion` scales the head's."""
        own = idle(sample, seed)
        stress = max(-0.5, self.level - self.usual)
        steady = 1.0 - 0.5 * self.talking - 0.4 * self.attending
        return {
            "blink": _short(own.blink),
            "gaze_x": _short(own.gaze_x * steady),
            "gaze_y": _short(own.gaze_y * steady),
            "yaw": _short(motion * own.yaw * (1 + 0.5 * self.talking)),
            "pitch": _short(motion * (own.pitch - 0.06 * stress * self.talking + 0.01 * self.attending)),
            "roll": _short(motion * (own.roll * (1 + 0.3 * self.talking) + 0.03 * self.attending)),
            "brows": _short(min(1.0, 0.7 * max(0.0, stress - 0.08) * self.talking + 0.15 * self.attending)),
            "breath": _short(own.breath),
            "emotion_strength": _short(self.strength),
        }


def _short(value: float) -> float:
    return round(value, 4)

"""What moves in a face, and how visemes, brows and emotions are mixed from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from broker.visemes import VISEMES
from workers.lipsync.face import FaceState

MOUTH_ARTICULATORS = (
    "jaw", "upper_up", "lower_down", "wide", "pucker", "close", "fold", "smile", "press", "skew",
)  # fmt: skip
"""jaw drop; upper lip up; lower lip down; corners out; lips rounded; lips together; lower lip under the teeth; corners
up and out; lips rolled in; the whole mouth to one side."""

BROW_ARTICULATORS = ("brow_up", "brow_inner", "squint", "brow_skew", "widen")
"""Whole brow up; inner ends up (worry); lower lids up; one brow up, the other down; eyes opened wide."""

# jaw, upper_up, lower_down, wide, pucker, close, fold, smile, press; then how high the tongue is.
_VISEME_ROWS: dict[str, tuple[tuple[float, ...], float]] = {
    "sil": ((0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00), 0.00),
    "PP": ((0.00, 0.00, 0.00, -0.05, 0.06, 1.00, 0.00, 0.00, 0.60), 0.00),
    "FF": ((0.07, 0.56, 0.00, 0.05, 0.00, 0.00, 1.00, 0.00, 0.00), 0.05),
    "TH": ((0.24, 0.15, 0.28, 0.08, 0.00, 0.00, 0.00, 0.00, 0.00), 1.00),
    "DD": ((0.17, 0.16, 0.28, 0.14, 0.00, 0.00, 0.00, 0.00, 0.00), 0.70),
    "kk": ((0.25, 0.12, 0.24, 0.12, 0.00, 0.00, 0.00, 0.00, 0.00), 0.35),
    "CH": ((0.14, 0.32, 0.40, -0.10, 0.52, 0.00, 0.00, 0.00, 0.00), 0.40),
    "SS": ((0.08, 0.26, 0.44, 0.34, 0.00, 0.00, 0.00, 0.00, 0.00), 0.45),
    "nn": ((0.16, 0.12, 0.24, 0.10, 0.00, 0.00, 0.00, 0.00, 0.00), 0.80),
    "RR": ((0.18, 0.14, 0.18, -0.05, 0.42, 0.00, 0.00, 0.00, 0.00), 0.55),
    "aa": ((0.80, 0.20, 0.26, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00), 0.10),
    "E": ((0.40, 0.24, 0.36, 0.52, 0.00, 0.00, 0.00, 0.10, 0.00), 0.35),
    "I": ((0.20, 0.26, 0.38, 0.68, 0.00, 0.00, 0.00, 0.14, 0.00), 0.50),
    "O": ((0.42, 0.80, 0.14, -0.10, 0.92, 0.00, 0.00, 0.00, 0.00), 0.15),
    "U": ((0.09, 0.46, 0.14, -0.15, 1.15, 0.00, 0.00, 0.00, 0.00), 0.20),
}
_VISEME_MATRIX = np.zeros((len(VISEMES), len(MOUTH_ARTICULATORS)), np.float32)
for _row, _name in enumerate(VISEMES):  # what only moods move stays 0
    _VISEME_MATRIX[_row, : len(_VISEME_ROWS[_name][0])] = _VISEME_ROWS[_name][0]
_TONGUE = np.array([_VISEME_ROWS[name][1] for name in VISEMES], np.float32)

_EMOTIONS: dict[str, dict[str, float]] = {
    "neutral": {},
    "happy": {"smile": 1.3, "wide": 0.45, "upper_up": 0.28, "lower_down": 0.3, "squint": 0.75, "brow_up": 0.22},
    "concerned": {"brow_inner": 1.2, "brow_up": -0.12, "smile": -0.8, "press": 0.3, "wide": -0.1, "squint": 0.2},
    "surprised": {"brow_up": 1.15, "widen": 0.8, "jaw": 0.42, "pucker": 0.35, "upper_up": 0.12, "lower_down": 0.1},
    "thinking": {"brow_skew": 1.0, "brow_up": -0.1, "squint": 0.5, "press": 0.45, "skew": 1.0, "smile": -0.25},
}

_PP, _TH = VISEMES.index("PP"), VISEMES.index("TH")
_JAW, _UPPER_UP, _LOWER_DOWN, _PUCKER = (
    MOUTH_ARTICULATORS.index(name) for name in ("jaw", "upper_up", "lower_down", "pucker")
)
_SMILE, _CLOSE = MOUTH_ARTICULATORS.index("smile"), MOUTH_ARTICULATORS.index("close")
MOST_JAW = 1.0


@dataclass(frozen=True)
class Articulation:
    """`mouth` (9,) and `brows` (3,) float32 weights; `tongue` 0..1 up; `tongue_tip` 0..1 out between the teeth."""

    mouth: np.ndarray
    brows: np.ndarray
    tongue: float
    tongue_tip: float

    @property
    def brows_move(self) -> float:
        """How far the brows are from the portrait's own, as the largest weight."""
        return float(np.abs(self.brows).max())

    @property
    def mouth_moves(self) -> float:
        """How far the mouth is from the portrait's own, as the largest weight."""
        return float(np.abs(self.mouth).max())


def articulate(face: FaceState) -> Articulation:
    """Visemes and emotion added up; a closure wins over what would open the lips."""
    weights = np.asarray(face.mouth, np.float32)
    mouth = weights @ _VISEME_MATRIX
    moved = dict.fromkeys(BROW_ARTICULATORS, 0.0)
    speaking = min(1.0, float(weights[1:].sum()))
    for name, amount in _EMOTIONS[face.emotion].items():
        if name in moved:
            moved[name] += amount * face.emotion_strength
        else:  # a speaking mouth keeps half of its expression
            mouth[MOUTH_ARTICULATORS.index(name)] += amount * face.emotion_strength * (1 - 0.5 * speaking)
    moved["brow_up"] += face.brows
    # Lips that meet, meet: halfway into a closure nothing opens them, as in speech.
    seal = _closing(float(weights[_PP]))
    for opening in (_JAW, _UPPER_UP, _LOWER_DOWN):
        mouth[opening] *= 1 - seal
    mouth[_CLOSE] = max(mouth[_CLOSE], seal)
    # A portrait that smiles with its teeth covers them to speak, wholly to round its lips; closed lips do not move.
    mouth[_CLOSE] = max(mouth[_CLOSE], 0.45 * speaking, min(1.0, float(mouth[_PUCKER])))
    # Rounded lips do not smile, and there is an end to a jaw.
    mouth[_SMILE] *= 1 - 0.8 * min(1.0, float(mouth[_PUCKER]))
    mouth[_JAW] = min(float(mouth[_JAW]), MOST_JAW)
    brows = np.array([moved[name] for name in BROW_ARTICULATORS], np.float32)
    return Articulation(mouth, np.clip(brows, -1.2, 1.2), float(weights @ _TONGUE), float(weights[_TH]))


def _closing(weight: float) -> float:
    t = min(1.0, max(0.0, (weight - 0.25) / 0.4))
    return t * t * (3 - 2 * t)

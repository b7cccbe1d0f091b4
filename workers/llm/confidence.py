"""How sure one may be that the first passage found answers the question: a logistic model over what tells a right
passage from a near miss. The same for every persona; fitted by `bin/bench knowledge --fit`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.llm.words import content_words

LISTED = (-0.02, 1.15, 0.27, 0.37, 1.64, 1.05, -1.07, -2.52, 1.33, 0.44, -1.46, -4.41, 4.63, -0.2)
"""Weights of the signs and the constant, where a passage lists what people ask. Fitted on
tests/llm/dev_questions.toml."""
UNLISTED = (0.47, 1.21, 0.33, -0.46, 1.67, -4.3, -5.49, -6.54, 0.92, 0.21, -1.45, -0.28, 1.52, 0.27)
"""The same where it lists nothing; fitted on the same questions asked of documents without such lists. What is learnt
from a passage's own sentences says less of it than what is learnt from questions."""
LETTERS = (3.9, 9.8, -2.4)
"""The same for n-grams alone: score, lead over the second, 1."""
FURTHEST_LEAD = 6.0


def signs(
    question: str,
    scores: NDArray[np.float32],
    nearest: float,
    asked: float,
    elsewhere: float,
    covered: float,
    least: float,
    likeness: NDArray[np.float32],
) -> tuple[float, ...]:
    """What is known about the passage with the highest of `scores` (logarithms of odds, shape [passages]).

    `nearest`: cosine of its nearest text; `asked`: of its nearest way to ask, without what all passages share;
    `elsewhere`: the same of what is asked of anybody; `covered`, `least`: see `coverage.WordCover.of`; `likeness`:
    of each passage, and last of none, see `classifier`. How long the question is matters because every cosine falls
    with it.
    """
    order = np.sort(scores)[::-1]
    lead = float(order[0] - order[1]) if len(order) > 1 else FURTHEST_LEAD
    share = -math.log(float(np.exp(scores - order[0]).sum()))
    first = int(scores.argmax())
    others = np.delete(likeness, first)
    length, carrying = len(question.split()), len(content_words(question))
    return (
        float(order[0]),
        share,
        min(lead, FURTHEST_LEAD),
        nearest,
        least,
        covered,
        asked - elsewhere,
        elsewhere,
        length / 10,
        carrying / 5,
        float(likeness[first]),
        float(likeness[-1]),
        float(likeness[first] - others.max()),
    )


def sureness(seen: Sequence[float], *, listed: bool) -> float:
    """The probability that the first passage is right, from its signs and whether it lists what people ask."""
    return _logistic(LISTED if listed else UNLISTED, seen)


def by_letters(score: float, lead: float) -> float:
    """The same from n-grams alone; 0 where nothing is in common."""
    return _logistic(LETTERS, (score, lead)) if score > 0 else 0.0


def _logistic(weights: Sequence[float], values: Sequence[float]) -> float:
    """The logistic function of the weighted values; the last weight is the constant."""
    return 1 / (1 + math.exp(-sum(w * value for w, value in zip(weights, (*values, 1.0), strict=True))))

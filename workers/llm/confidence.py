"""How sure one may be that the first passage found answers the question: a logistic model over what tells a right
passage from a near miss. The same for every persona; fitted by `bin/bench knowledge --fit`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.llm.words import content_words

LISTED = (0.18, 0.82, 0.13, -0.62, 1.12, -1.29, -1.6, -2.28, 0.62, 0.7, -3.09, -6.56, 3.55, 5.27, -7.76, 0.59, -0.34)
"""Weights of the signs and the constant, where a passage lists what people ask. Fitted on
tests/llm/dev_questions.toml."""
UNLISTED = (0.24, 1.09, 0.35, -3.86, 1.76, -0.86, -1.62, -2.76, 1.22, -0.1, 3.22, -1.9, 0.0, -2.13, -3.53, 0.14, -0.33)
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
    held: NDArray[np.float32],
    lacking: float,
    agreeing: int,
) -> tuple[float, ...]:
    """What is known about the passage with the highest of `scores` (logarithms of odds, shape [passages]).

    `nearest`: cosine of its nearest text; `asked`: of its nearest way to ask, without what all passages share;
    `elsewhere`: the same of what is asked of anybody; `covered`, `least`: see `coverage.WordCover.of`; `likeness`:
    of each passage, and last of none, see `classifier`; `held` by each passage, and what the first is `lacking`: see
    `coverage.TokenCover.of`; `agreeing`: how many of the nearest way to ask and the likeness have it first too. How
    long the question is matters because every cosine falls with it.
    """
    order = np.sort(scores)[::-1]
    lead = float(order[0] - order[1]) if len(order) > 1 else FURTHEST_LEAD
    share = -math.log(float(np.exp(scores - order[0]).sum()))
    first = int(scores.argmax())
    others = np.delete(likeness, first)
    held_elsewhere = float(np.delete(held, first).max(initial=0.0))
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
        float(held[first]) - held_elsewhere,
        lacking,
        float(agreeing),
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

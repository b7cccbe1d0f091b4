"""How sure one may be that the first passage found answers the question: a logistic model over what tells a right
passage from a near miss. The same for every persona; fitted by `bin/bench knowledge --fit`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.llm.words import content_words

WEIGHTS = (0.13, 1.01, 0.36, 3.61, 1.78, -0.81, -3.53, -6.34, 0.47, 1.44, -2.54)
"""Of each sign, and the constant. Fitted on tests/llm/dev_questions.toml, half of it with the passages' ways to ask
taken away, so that it holds for documents that list none."""
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
) -> tuple[float, ...]:
    """What is known about the passage with the highest of `scores` (logarithms of odds, shape [passages]).

    `nearest`: cosine of its nearest text; `asked`: of its nearest way to ask, without what all passages share;
    `elsewhere`: the same of what is asked of anybody; `covered`, `least`: see `coverage.WordCover.of`. How long the
    question is matters because every cosine falls with it.
    """
    order = np.sort(scores)[::-1]
    lead = float(order[0] - order[1]) if len(order) > 1 else FURTHEST_LEAD
    share = -math.log(float(np.exp(scores - order[0]).sum()))
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
    )


def sureness(seen: Sequence[float]) -> float:
    """The probability that the first passage is right, from its signs."""
    return _logistic(WEIGHTS, seen)


def by_letters(score: float, lead: float) -> float:
    """The same from n-grams alone; 0 where nothing is in common."""
    return _logistic(LETTERS, (score, lead)) if score > 0 else 0.0


def _logistic(weights: Sequence[float], values: Sequence[float]) -> float:
    """The logistic function of the weighted values; the last weight is the constant."""
    return 1 / (1 + math.exp(-sum(w * value for w, value in zip(weights, (*values, 1.0), strict=True))))

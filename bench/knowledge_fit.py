"""Fits the weights by which passages are ranked and trusted (`bin/bench knowledge --fit`), and tells what they would do
for a persona that had no part in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]
RIDGE = 1.0
MOST_WRONG = 0.05
UNANSWERABLE = 0.2
"""Share of the questions that no passage answers, whatever it is among the samples."""


@dataclass(frozen=True)
class Sample:
    """A question asked of a persona. `listed`: its documents list ways to ask; `right`, `first`: places of the passage
    that answers it (None: there is none) and of the one that was found."""

    persona: str
    listed: bool
    views: NDArray[np.float32]
    signs: tuple[float, ...]
    right: int | None
    first: int

    @property
    def is_right(self) -> bool:
        return self.first == self.right


def fit(samples: Sequence[Sample]) -> None:
    """Prints the weights of the ranking, those of the confidence (given the ranking as it is), and its thresholds."""
    ranking = fit_ranking([one for one in samples if one.listed and one.right is not None])
    print("ranking", tuple(round(float(value), 1) for value in ranking))
    for listed in (True, False):
        these = [one for one in samples if one.listed == listed]
        which = "ways to ask listed" if listed else "none listed"
        print(f"confidence, {which}", tuple(round(float(value), 2) for value in fit_confidence(these)))
        chances: list[tuple[Sample, float]] = []
        for name in sorted({one.persona for one in samples}):
            weights = fit_confidence([one for one in these if one.persona != name])
            mine = [one for one in these if one.persona == name]
            chances += zip(mine, _chances(weights, mine), strict=True)
        print(f"not fitted on, {which}: {_at_most_wrong(chances)}")


def fit_ranking(samples: Sequence[Sample]) -> Array:
    """Weights of the views under which the right passage is the likeliest of all (softmax regression)."""

    def loss(weights: Array) -> tuple[float, Array]:
        total, slope = RIDGE / 50 * float(weights @ weights), RIDGE / 25 * weights
        for one in samples:
            assert one.right is not None
            scores = one.views @ weights
            chances = np.exp(scores - scores.max())
            chances /= chances.sum()
            total -= float(np.log(chances[one.right] + 1e-12))
            slope = slope + one.views.T @ chances - one.views[one.right]
        return total, slope

    return np.asarray(minimize(loss, np.zeros(samples[0].views.shape[1]), jac=True, method="L-BFGS-B").x)


def fit_confidence(samples: Sequence[Sample]) -> Array:
    """Weights of the signs, and a constant, for "the first passage is right" (logistic regression)."""
    seen = np.array([one.signs for one in samples])
    right = np.array([float(one.is_right) for one in samples])
    counts = _counts(samples)
    middle, spread = seen.mean(axis=0), seen.std(axis=0) + 1e-6
    x = np.column_stack(((seen - middle) / spread, np.ones(len(seen))))

    def loss(weights: Array) -> tuple[float, Array]:
        chances = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (counts * (chances - right)) + RIDGE * np.append(weights[:-1], 0)
        likelihood = counts * (right * np.log(chances + 1e-12) + (1 - right) * np.log(1 - chances + 1e-12))
        return RIDGE / 2 * float(weights[:-1] @ weights[:-1]) - float(likelihood.sum()), slope

    found = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x
    weights = found[:-1] / spread
    return np.append(weights, found[-1] - weights @ middle)


def _counts(samples: Sequence[Sample]) -> Array:
    """How much each sample counts, so that unanswerable ones have their share."""
    without = np.array([one.right is None for one in samples])
    return np.where(without, UNANSWERABLE / without.mean(), (1 - UNANSWERABLE) / (1 - without.mean()))


def _chances(weights: Array, samples: Sequence[Sample]) -> Array:
    seen = np.array([(*one.signs, 1.0) for one in samples])
    return np.asarray(1 / (1 + np.exp(-seen @ weights)))


def _at_most_wrong(chances: Sequence[tuple[Sample, float]]) -> str:
    """The lowest threshold that keeps confident mistakes within the limit, and what is answered from there on."""
    samples = [one for one, _ in chances]
    counts = _counts(samples)
    counts /= counts.sum()
    sure = np.array([chance for _, chance in chances])
    right = np.array([one.is_right for one in samples])
    for threshold in np.arange(0.02, 1.0, 0.01):
        answered = sure >= threshold
        wrong = float(counts[answered & ~right].sum())
        if wrong <= MOST_WRONG:
            straight = float(counts[answered & right].sum()) / (1 - UNANSWERABLE)
            return f"from {threshold:.2f} on, straight {100 * straight:.1f} %, confidently wrong {100 * wrong:.1f} %"
    return "no threshold keeps confident mistakes within the limit"

"""Which passage a question sounds like, or none: ridge regression with a kernel, from vectors to their passages.

The nearest neighbour says how near a question is to one way of asking; this one has learnt from all of them what tells
the passages apart, and what is asked in vain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

SHARPNESS = 2.0
"""Of the kernel exp(SHARPNESS (cosine - 1)), the cosine being the mean of those of the layers. On the tuning questions,
1 does nearly as well; 4 does less, and so does no kernel at all."""
RIDGE = 0.3
"""Weight of the penalty: 0.1 does nearly the same on the tuning questions."""
MOST_TEXTS = 4000
"""Learnt from, unless there are more classes: 5000 of them take ten seconds and 1 GB to make, 8 ms a question. One
persona of 50 passages with ways to ask has 2000."""


class Classifier:
    """Immutable; half a second to make of 2000 vectors."""

    def __init__(self, vectors: Vector, classes: NDArray[np.int64], count: int, parts: int = 1) -> None:
        """`classes` of the vectors [texts, size], from 0 to `count` - 1; those with few texts weigh more in each. Each
        vector is made of `parts` of the same size, such as layers. Of too many texts, each class keeps its first."""
        kept = _first_of_each(classes, MOST_TEXTS)
        vectors, classes = vectors[kept], classes[kept]
        self._parts = parts
        self._middle = vectors.mean(axis=0)
        self._known = self._centred(vectors)
        often = np.bincount(classes, minlength=count)
        weights = np.asarray(1 / np.sqrt(often[classes]), np.float32)
        weights /= weights.mean()
        targets = np.eye(count, dtype=np.float32)[classes]
        self._usual = np.average(targets, axis=0, weights=weights)
        square = self._near(self._known)
        square[np.diag_indices_from(square)] += RIDGE / weights
        self._matrix = np.linalg.solve(square, targets - self._usual)

    def of(self, vector: Vector) -> Vector:
        """How much a text is like each class, about from 0 to 1: shape [count]."""
        likeness: Vector = self._near(self._centred(vector)) @ self._matrix + self._usual
        return likeness

    def _centred(self, vectors: Vector) -> Vector:
        """Without what all have in common, each part of the same length, the whole of length one."""
        parts = (vectors - self._middle).reshape(*vectors.shape[:-1], self._parts, -1)
        parts /= (np.linalg.norm(parts, axis=-1, keepdims=True) + np.float32(1e-9)) * np.float32(np.sqrt(self._parts))
        return parts.reshape(vectors.shape)

    def _near(self, vectors: Vector) -> Vector:
        """The kernel of each with all that is known, shape [..., texts]."""
        near: Vector = np.exp(np.float32(SHARPNESS) * (vectors @ self._known.T - 1))
        return near


def _first_of_each(classes: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Places of as many texts of each class as keep within `most` in all, one at least; all if they do."""
    order = np.argsort(classes, kind="stable")
    begins = np.searchsorted(classes[order], classes[order])
    rank = np.empty(len(classes), np.int64)
    rank[order] = np.arange(len(classes)) - begins
    within = np.cumsum(np.bincount(rank)) <= most
    return np.flatnonzero(rank < max(1, int(within.sum())))

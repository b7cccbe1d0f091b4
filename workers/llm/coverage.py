"""How much of a question's words each passage has, in these words or in words near them; rare words weigh more.

Sentence embeddings forget the one word that tells two passages apart; word by word it counts. `WordCover` compares
words as they are by themselves, `TokenCover` as they are meant where they stand.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from workers.llm.embeddings import Reading
from workers.llm.words import content_words

Vector = NDArray[np.float32]


class WordCover:
    """The words of some texts. Immutable."""

    def __init__(self, texts: Sequence[str], vector_of: Callable[[str], Vector]) -> None:
        """`vector_of` gives a word's unit vector."""
        words = [sorted(set(content_words(text))) or ["-"] for text in texts]
        found_in = Counter(word for of_text in words for word in of_text)
        place = {word: at for at, word in enumerate(found_in)}
        self._vector_of = vector_of
        self._vectors = np.stack([vector_of(word) for word in place]) if place else np.zeros((0, 1), np.float32)
        self._places = np.array([place[word] for of_text in words for word in of_text], np.int64)
        self._starts = np.cumsum([0, *(len(of_text) for of_text in words[:-1])])
        self._rarity = {word: math.log(1 + (len(texts) + 0.5) / (n + 0.5)) for word, n in found_in.items()}
        self._unknown = math.log(1 + (len(texts) + 0.5) / 0.5)

    def of(self, question: str) -> tuple[Vector, Vector]:
        """(weighted mean, least) cosine of the question's words to the nearest of each text, both of shape [texts]."""
        asked = content_words(question)
        if not asked:
            nothing = np.zeros(len(self._starts), np.float32)
            return nothing, nothing
        near = (self._vectors @ np.stack([self._vector_of(word) for word in asked]).T)[self._places]
        covered = np.maximum.reduceat(near, self._starts, axis=0)
        rarity = np.array([self._rarity.get(word, self._unknown) for word in asked], np.float32)
        mean: Vector = covered @ (rarity / rarity.sum())
        return mean, covered.min(axis=1)


class TokenCover:
    """The tokens of some texts, each as it is meant there. Immutable."""

    def __init__(self, bags: Sequence[Vector]) -> None:
        """One `bag` for each text, or for each group of texts."""
        found_in = Counter(int(token) for bag in bags for token in bag[:, 0])
        self._vectors = np.concatenate([bag[:, 1:] for bag in bags])
        self._starts = np.cumsum([0, *(len(bag) for bag in bags[:-1])])
        self._rarity = {token: math.log(1 + (len(bags) + 0.5) / (n + 0.5)) for token, n in found_in.items()}
        self._unknown = math.log(1 + (len(bags) + 0.5) / 0.5)

    def of(self, question: Reading) -> tuple[Vector, Vector]:
        """(weighted mean cosine of the question's tokens to the nearest of each text, what each text lacks of the one
        token that another has most before it, by weight), both of shape [texts]."""
        if not len(question.ids):
            nothing = np.zeros(len(self._starts), np.float32)
            return nothing, nothing
        near = np.maximum.reduceat(self._vectors @ question.tokens.T, self._starts, axis=0)
        rarity = np.array([self._rarity.get(int(token), self._unknown) for token in question.ids], np.float32)
        weights = rarity / rarity.sum()
        lacking: Vector = ((near.max(axis=0) - near) * weights).max(axis=1)
        return near @ weights, lacking


def bag(readings: Sequence[Reading]) -> Vector:
    """All tokens of some texts, each once: its id and the direction it has on average, shape [tokens, 1 + size]."""
    ids = np.concatenate([reading.ids for reading in readings])
    token, places = np.unique(ids, return_inverse=True)
    order = np.argsort(places, kind="stable")
    vectors = np.concatenate([reading.tokens for reading in readings])[order]
    sums = np.add.reduceat(vectors, np.searchsorted(places[order], np.arange(len(token))), axis=0)
    return np.column_stack((token, sums / np.linalg.norm(sums, axis=1, keepdims=True))).astype(np.float32)

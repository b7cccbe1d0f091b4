"""BM25 over character n-grams: finds passages in any language and script, and shrugs off endings and misheard letters.

Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009; 4-grams inside word borders stand for stems.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.llm.words import content_words, normal

GRAM = 4
K1 = 1.2
B = 0.75


class CharacterGrams:
    """An index of texts. Scores are shares: 0 nothing in common, towards 1 all of the query is there, often."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [Counter(_grams(text)) for text in texts]
        found_in = Counter(gram for counts in self._texts for gram in counts)
        count = len(texts)
        self._rarity = {gram: math.log(1 + (count - n + 0.5) / (n + 0.5)) for gram, n in found_in.items()}
        self._unknown = math.log(1 + (count + 0.5) / 0.5)
        lengths = [sum(counts.values()) for counts in self._texts]
        average = sum(lengths) / max(1, count) or 1.0
        self._pull = [K1 * (1 - B + B * length / average) for length in lengths]

    def scores(self, query: str) -> NDArray[np.float32]:
        """One score for each text, shape [texts]."""
        grams = _grams(query)
        best = sum(self._rarity.get(gram, self._unknown) for gram in grams) * (K1 + 1) or 1.0
        scores = np.zeros(len(self._texts), np.float32)
        for at, (counts, pull) in enumerate(zip(self._texts, self._pull, strict=True)):
            found = ((counts[gram], self._rarity[gram]) for gram in grams if gram in counts)
            scores[at] = sum(rarity * often * (K1 + 1) / (often + pull) for often, rarity in found) / best
        return scores


def _grams(text: str) -> list[str]:
    """4-grams of the content words with their borders; 2-grams in scripts without spaces."""
    words = content_words(text) or normal(text).split()
    return [gram for word in words for gram in (_wide_grams(word) if _is_wide(word) else _word_grams(word))]


def _word_grams(word: str) -> list[str]:
    bordered = f"^{word}$"
    return [bordered[at : at + GRAM] for at in range(max(1, len(bordered) - GRAM + 1))]


def _wide_grams(word: str) -> list[str]:
    return [word[at : at + 2] for at in range(max(1, len(word) - 1))]


def _is_wide(word: str) -> bool:
    return any("\u2e80" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7af" for character in word)

"""A trigram model of a few hundred sentences, written as an ARPA file: Witten-Bell smoothing, interpolated.

Format: http://www.speech.sri.com/projects/srilm/manpages/ngram-format.5.html. Small and plain on purpose; the general
model of the recogniser stands beside it and knows the rest of the language.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import log10
from pathlib import Path

START, END = "<s>", "</s>"
ORDER = 3
NEVER = -99.0

Ngram = tuple[str, ...]


def write_arpa(sentences: Iterable[tuple[tuple[str, ...], float]], path: Path) -> int:
    """Sentences (words, weight) to an ARPA file; returns its number of n-grams. Raises ValueError without a word."""
    counts = count_ngrams(sentences)
    if not counts:
        raise ValueError("no sentence to make a language model of")
    probability, back_off = smooth(counts)
    orders = [sorted(ngram for ngram in probability if len(ngram) == order) for order in range(1, ORDER + 1)]
    with path.open("w", encoding="utf-8") as out:
        out.write("\\data\\\n")
        out.writelines(f"ngram {order}={len(ngrams)}\n" for order, ngrams in enumerate(orders, 1))
        for order, ngrams in enumerate(orders, 1):
            out.write(f"\n\\{order}-grams:\n")
            for ngram in ngrams:
                tail = f"\t{back_off.get(ngram, 0.0):.4f}" if order < ORDER else ""
                out.write(f"{probability[ngram]:.4f}\t{' '.join(ngram)}{tail}\n")
        out.write("\n\\end\\\n")
    return len(probability)


def count_ngrams(sentences: Iterable[tuple[tuple[str, ...], float]]) -> dict[Ngram, float]:
    counts: dict[Ngram, float] = defaultdict(float)
    for words, weight in sentences:
        if not words:
            continue
        padded = (START, *words, END)
        for end in range(1, len(padded) + 1):
            for order in range(1, min(ORDER, end) + 1):
                counts[padded[end - order : end]] += weight
    return counts


def smooth(counts: dict[Ngram, float]) -> tuple[dict[Ngram, float], dict[Ngram, float]]:
    """Counts to (log10 probability of each n-gram, log10 back-off weight of each history).

    Each history h gives away T/(N+T) of its mass to the shorter one, T being how many different words follow it.
    """
    followed: dict[Ngram, float] = defaultdict(float)
    kinds: dict[Ngram, int] = defaultdict(int)
    for ngram, count in counts.items():
        if ngram != (START,):  # nothing is followed by a sentence's start
            followed[ngram[:-1]] += count
            kinds[ngram[:-1]] += 1
    vocabulary = kinds[()]
    share: dict[Ngram, float] = {}
    for ngram in sorted(counts, key=len):
        if ngram == (START,):
            continue
        history = ngram[:-1]
        shorter = share[ngram[1:]] if len(ngram) > 1 else 1 / vocabulary
        share[ngram] = (counts[ngram] + kinds[history] * shorter) / (followed[history] + kinds[history])
    probability = {ngram: log10(value) for ngram, value in share.items()} | {(START,): NEVER}
    back_off = {history: log10(kinds[history] / (followed[history] + kinds[history])) for history in kinds if history}
    return probability, back_off

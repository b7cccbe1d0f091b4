"""Chooses what of a passage is said: the sentence to the point first, a few more that belong to it."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_SENTENCES = 3
MOST_WORDS = 48
ENOUGH = 0.55
"""A further sentence is said if it is at least this near to the question, as a share of the best one's nearness."""
AHEAD = 0.06
"""A sentence is moved before the passage's first only if it is this much nearer to the question."""

_LEANS_BACK = re.compile(
    r"(?:it|its|they|their|them|he|she|this|that|these|those|there|then|after that|otherwise|also|but|so|both|such|"
    r"if it|if that|if they|for them|on top|without a note|the same|él|ella|esto|eso|además|pero|entonces|"
    r"also|aber|dann|sie|er|es|das|dies)\b|[它他她这那但]",
    re.IGNORECASE,
)


def choose(sentences: Sequence[str], relevance: Sequence[float]) -> tuple[int, ...]:
    """The numbers of the sentences to say, in the order of saying them; at least one where there is one."""
    if not sentences:
        return ()
    best = max(range(len(sentences)), key=lambda at: relevance[at])
    lead = _first(sentences, relevance, best)
    floor = relevance[best] * ENOUGH
    rest = [at for at in range(len(sentences)) if at not in lead and relevance[at] >= floor]
    wanted = sorted(sorted(rest, key=lambda at: -relevance[at])[: max(0, MOST_SENTENCES - len(lead))])
    chosen = list(lead)
    for at in wanted:
        leans_on_missing = _leans_back(sentences[at]) and at - 1 not in chosen
        if not leans_on_missing and sum(len(sentences[n].split()) for n in (*chosen, at)) <= MOST_WORDS:
            chosen.append(at)
    return tuple(chosen)


def _first(sentences: Sequence[str], relevance: Sequence[float], best: int) -> tuple[int, ...]:
    """The opening: the best sentence, after the one it refers back to; the passage's own opening if nearly as good."""
    if relevance[best] - relevance[0] < AHEAD:
        return tuple(range(best + 1)) if best < 2 else (0,)
    start = best
    while start > 0 and _leans_back(sentences[start]) and best - start < MOST_SENTENCES - 1:
        start -= 1
    return tuple(range(start, best + 1))


def _leans_back(sentence: str) -> bool:
    return _LEANS_BACK.match(sentence) is not None

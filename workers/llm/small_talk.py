"""Scripted small talk of a persona: hello, thanks, who are you. Exact words first, then the same meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.llm.words import normal

ALIKE = 0.8
"""Cosine from which a sentence means the same as a scripted one."""
ALIKE_LETTERS = 0.88
"""The same for letter pairs (Dice), which forgive a misheard word; for any language."""


@dataclass(frozen=True)
class _Line:
    text: str
    entry: int


class SmallTalk:
    """The entries of one persona. Immutable."""

    def __init__(
        self,
        entries: Iterable[Mapping[str, Any]],
        embed_all: Callable[[list[str]], NDArray[np.float32]] | None = None,
    ) -> None:
        """`entries`: tables with `say`, what people say, and `reply`, answers to take turns with."""
        kept = [entry for entry in entries if entry["say"] and entry["reply"]]
        self._replies: list[Sequence[str]] = [tuple(entry["reply"]) for entry in kept]
        self._lines = [_Line(normal(text), at) for at, entry in enumerate(kept) for text in entry["say"]]
        self._exact = {line.text: line.entry for line in reversed(self._lines)}
        self._pairs = [_pairs(line.text) for line in self._lines]
        self._vectors = embed_all([line.text for line in self._lines]) if embed_all and self._lines else None

    def exact(self, text: str, turn: int) -> str | None:
        """The reply if these are the very words of an entry, or all but a letter or two of them."""
        said = normal(text)
        if said in self._exact:
            return self._reply(self._exact[said], turn)
        pairs = _pairs(said)
        nearness = [_dice(pairs, other) for other in self._pairs]
        best = max(range(len(nearness)), key=nearness.__getitem__, default=-1)
        same_length = best >= 0 and len(said.split()) == len(self._lines[best].text.split())
        if best >= 0 and same_length and nearness[best] >= ALIKE_LETTERS and len(said) >= 5:
            return self._reply(self._lines[best].entry, turn)
        return None

    def alike(self, vector: NDArray[np.float32] | None, turn: int) -> tuple[str, float] | None:
        """The reply to the entry nearest in meaning and its cosine, if it is near enough."""
        if vector is None or self._vectors is None:
            return None
        near = self._vectors @ vector
        best = int(near.argmax())
        return (self._reply(self._lines[best].entry, turn), float(near[best])) if near[best] >= ALIKE else None

    def without_greeting(self, text: str) -> str:
        """The text after a short scripted phrase it begins with ("hello, when do you open"), if a question follows."""
        words = normal(text).split()
        for length in range(min(3, len(words) - 3), 0, -1):
            if " ".join(words[:length]) in self._exact:
                return " ".join(words[length:])
        return text

    def _reply(self, entry: int, turn: int) -> str:
        replies = self._replies[entry]
        return replies[turn % len(replies)]


def _pairs(text: str) -> frozenset[str]:
    bordered = f" {text} "
    return frozenset(bordered[at : at + 2] for at in range(len(bordered) - 1))


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))

"""Scripted small talk of a persona: hello, thanks, who are you. Exact words first, then the same meaning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.llm.words import long_form, normal

ALIKE = 0.8
"""Cosine from which a sentence means the same as a scripted one."""
ALIKE_LETTERS = 0.88
"""The same for letter pairs (Dice), which forgive a misheard word; for any language."""


_LEAD = re.compile(r"(?:(?:ok|okay|all right|alright|well|so|oh|and|hey|hi|hello|um|uh|great|fine) )+")
_TRAIL = re.compile(
    r"(?: (?:then|now|please|there|so much|for (?:now|today|your help|the help)|have a (?:nice|good) day))+$"
)


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
        name: str = "",
    ) -> None:
        """`entries`: tables with `say`, what people say, and `reply`, answers to take turns with.
        `name`: the persona's, which people add to anything."""
        self._name = normal(name)
        kept = [entry for entry in entries if entry["say"] and entry["reply"]]
        self._replies: list[Sequence[str]] = [tuple(entry["reply"]) for entry in kept]
        self._lines = [_Line(long_form(normal(text)), at) for at, entry in enumerate(kept) for text in entry["say"]]
        self._exact = {line.text: line.entry for line in reversed(self._lines)}
        self._pairs = [_pairs(line.text) for line in self._lines]
        self._vectors = embed_all([line.text for line in self._lines]) if embed_all and self._lines else None

    def exact(self, text: str, turn: int) -> str | None:
        """The reply if these are the very words of an entry, or all but a letter or two of them."""
        said = long_form(normal(text))
        for words in self._ways(text, said):
            if words in self._exact:
                return self._reply(self._exact[words], turn)
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
        words = long_form(normal(text)).split()
        for length in range(min(3, len(words) - 3), 0, -1):
            if " ".join(words[:length]) in self._exact:
                return " ".join(words[length:])
        return text

    def _ways(self, text: str, said: str) -> Iterable[str]:
        """The words as they are; without what one begins and ends anything with; and, of several phrases, the last."""
        yield said
        yield _TRAIL.sub("", _LEAD.sub("", said, count=1).removesuffix(f" {self._name}" if self._name else ""))
        parts = [long_form(normal(part)) for part in re.split(r"[,.!?;]+", text[:200])]
        phrases = [part if part in self._exact else _LEAD.sub("", f"{part} ").strip() for part in parts]
        said_too = [phrase for phrase in phrases if phrase]
        if said_too and all(phrase in self._exact for phrase in said_too):
            yield said_too[-1]

    def _reply(self, entry: int, turn: int) -> str:
        replies = self._replies[entry]
        return replies[turn % len(replies)]


def _pairs(text: str) -> frozenset[str]:
    bordered = f" {text} "
    return frozenset(bordered[at : at + 2] for at in range(len(bordered) - 1))


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))

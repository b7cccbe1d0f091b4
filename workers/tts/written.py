"""A written word taken apart: marks before it, its core, marks after it, and the stop those marks make."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

_BEFORE = "\"'“”‘’„«»([{<*_`¿¡|「『《（【〈•"
_AFTER = "\"'“”‘’»)]}>*_`|.,;:!?…，。！？；：、）」』》】〉·—–-"
_LINK = re.compile(r"^(?P<text>[^\]]*)\]\((?P<address>[^)\s]*)\)")
_TAG = re.compile(r"</?[A-Za-z][^<>\s]{0,40}>")
_STOPS = {"。": ".", "！": "!", "？": "?", "；": ";", "：": ":", "，": ",", "、": ",", "…": ",", "—": ",", "–": ","}
_STRENGTH = ".?!;:,"
_COMPARED = re.compile(r"=|[$€£¥￥]?[.,]?\d")
_LIMIT = 200
"""No word is longer; what is pasted without spaces is not read out whole."""


@dataclass(frozen=True, slots=True)
class Written:
    """`before` and `after` are punctuation and markup; `core` is what there is to say (it may be empty)."""

    before: str
    core: str
    after: str

    @property
    def number(self) -> bool:
        """The core begins with a digit, perhaps after a sign or currency."""
        return bool(_NUMBER.match(self.core))


_NUMBER = re.compile(r"[+\-−±~≈≤≥<>]?[+\-−$€£¥￥]{0,2}[.,]?\d")
NOTHING = Written("", "", "")


def written(word: str) -> Written:
    """Take a word apart. Markdown and simple HTML around it count as marks, and a link's address is not said."""
    word = _TAG.sub("", word[:_LIMIT])
    if "&" in word and ";" in word:
        word = html.unescape(word)
    core = word.lstrip(_BEFORE)
    before = word[: len(word) - len(core)]
    if before.endswith("<") and _COMPARED.match(core):
        before, core = before[:-1], "<" + core  # less than, not a tag
    link = _LINK.match(core)
    if link:
        core = link["text"] + core[link.end() :]
    stripped = core.rstrip(_AFTER)
    return Written(before, stripped, core[len(stripped) :])


class Line:
    """The words of a text seen one at a time with their neighbours."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._cache: dict[int, Written] = {}
        self._instead: dict[int, Written] = {}

    def __len__(self) -> int:
        return len(self.words)

    def at(self, index: int) -> Written:
        """The word at `index`, or nothing beyond either end."""
        if index in self._instead:
            return self._instead[index]
        if not 0 <= index < len(self.words):
            return NOTHING
        if index not in self._cache:
            self._cache.pop(index - 4, None)
            self._cache[index] = written(self.words[index])
        return self._cache[index]

    def instead(self, index: int, core: str) -> Line:
        """The same words, but with another core at `index`."""
        other, old = Line(self.words), self.at(index)
        other._cache = self._cache
        other._instead = {**self._instead, index: Written(old.before, core, old.after)}
        return other

    def stop(self, index: int, abbreviation: bool = False, said: bool = False) -> str:
        """The stop after a word: the strongest in its marks. An abbreviation's own point ends only the text.

        `said`: the word is heard, so that a dash by itself is no pause.
        """
        dash = said and not self.at(index).core
        marks = "" if dash else self.at(index).after
        if abbreviation and index + 1 < len(self.words):
            marks = marks.replace(".", "", 1)
        found = {_STOPS.get(mark, mark) for mark in marks}
        strongest = next((stop for stop in _STRENGTH if stop in found), "")
        if strongest == "." and marks.count(".") > 1:
            strongest = "," if index + 1 < len(self.words) else "."  # an ellipsis
        return strongest or ("" if dash else self._aside(index, marks))

    def _aside(self, index: int, marks: str) -> str:
        """Brackets are spoken as commas are, and so is a dash that stands alone."""
        alone = not self.at(index).core and set(self.words[index]) <= set("-–—")
        return "," if alone or ")" in marks or "(" in self.at(index + 1).before else ""

"""Running text to speakable sentences, piece by piece: where one ends, what of it is spoken, which tags ride along.

For text as documents and language models write it. How numbers are pronounced is the tts stage's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from workers.llm.markup import HiddenBlocks, plain, take_tags

LONGEST = 400
"""Characters after which a sentence without an end is cut at its last comma or space, so that speech can go on."""

LOOKED_AT = 1000
"""Characters in which a sentence's end is looked for; where there is none, the sentence is too long anyway."""
LONGEST_ABBREVIATION = 20

_ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof st mt jr sr vs etc approx dept est fig inc ltd co corp no nos vol pp art sec ch ext tel ave
    blvd rd min max jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur fri sat sun gen col sgt
    capt lt rev hon e.g i.e a.m p.m u.s u.k ph.d cf al resp ca sra srta dra ud uds pág núm tfno av avda admón""".split()  # noqa: SIM905
)
_END_OFTEN = frozenset({"etc", "a.m", "p.m", "ph.d", "inc", "ltd", "co", "corp", "al"})
"""Abbreviations after which a capital letter does begin a new sentence."""

_WIDE_ENDS = "。！？｡；"
_CLOSERS = "\"'”’»)]}*_」』）】》"
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘«¿¡]+$")
_LIST_NUMBER = re.compile(r"[ \t]*\d{1,3}")
_CUT = re.compile(r".*[,;:，、–—](?=\s)|.*(?=\s)", re.DOTALL)
_SPOKEN = re.compile(r"\w")


@dataclass(frozen=True)
class Spoken:
    """One sentence as it is spoken, and its tags; text is empty only for tags at the end of all text."""

    text: str
    tags: dict[str, Any] = field(default_factory=dict)


class SentenceStream:
    """Sentences out of pieces of any size. `feed` returns those that have certainly ended, `flush` the rest."""

    def __init__(self) -> None:
        self._hidden = HiddenBlocks()
        self._text = ""
        self._tags: dict[str, Any] = {}

    def feed(self, piece: str) -> list[Spoken]:
        """Sentences that ended within `piece` (or whose end it made certain)."""
        self._text += self._hidden.feed(piece)
        return self._cut(final=False)

    def flush(self) -> list[Spoken]:
        """What is left when the text has ended."""
        self._text += self._hidden.flush()
        return self._cut(final=True)

    def _cut(self, *, final: bool) -> list[Spoken]:
        ready: list[Spoken] = []
        while (end := _first_end(self._text[:LOOKED_AT], final=final and len(self._text) <= LOOKED_AT)) > 0:
            raw, self._text = self._text[:end], self._text[end:].lstrip(" \t")
            text, tags = take_tags(raw)
            self._tags |= tags
            text = plain(text)
            if _SPOKEN.search(text):
                ready.append(Spoken(text, self._tags))
                self._tags = {}
        if final and self._tags:
            ready.append(Spoken("", self._tags))
            self._tags = {}
        return ready


def sentences_of(text: str) -> list[str]:
    """All sentences of a whole text, plain."""
    stream = SentenceStream()
    return [spoken.text for spoken in (*stream.feed(text), *stream.flush()) if spoken.text]


def _first_end(text: str, *, final: bool) -> int:
    """Where the first sentence of `text` ends, exclusive; 0 when more text is needed to know."""
    if not text:
        return 0
    for match in re.finditer(r"[.!?…]+|[。！？｡；\n]", text):
        end = _end_at(text, match.start(), final=final)
        if end < 0:
            break
        if end > 0:
            return end
    if final:
        return len(text) if len(text) <= LONGEST else _cut_at(text)
    return _cut_at(text) if len(text) > LONGEST else 0


def _end_at(text: str, at: int, *, final: bool) -> int:
    """The end of the sentence closed by the mark at `at`; 0 when it closes none, -1 when the next letters will tell."""
    mark = text[at]
    if mark == "\n":
        return _end_at_line(text, at, final=final)
    after = at + 1
    while after < len(text) and text[after] in "." + "!?…" + _WIDE_ENDS + _CLOSERS:
        after += 1
    if after == len(text):
        return after if final else -1
    if mark in _WIDE_ENDS:
        return after
    if not text[after].isspace():
        return 0
    following = text[after:].lstrip(" \t")
    if not following:
        return after if final else -1
    if following[0] == "\n":
        return after
    if mark == "." and after == at + 1 and _is_abbreviation(text, at, following):
        return 0
    return 0 if following[0].islower() else after


def _end_at_line(text: str, at: int, *, final: bool) -> int:
    """A line break ends a sentence before an empty line, a list item or a heading, and after either."""
    if at == 0 or not text[:at].strip():
        return 0
    following = text[at + 1 :]
    if not following.strip(" \t"):
        return at + 1 if final else -1
    line = text[:at].lstrip().split("\n")[-1]
    marked = r"[ \t]*(?:\n|#{1,6}\s|[-*+•]\s|\d{1,3}[.)]\s|\||>)"
    if re.match(marked, following) or re.match(r"(?:#{1,6}\s|[-*+•]\s|\d{1,3}[.)]\s|\|)", line):
        return at + 1
    return 0


def _is_abbreviation(text: str, at: int, following: str) -> bool:
    if _LIST_NUMBER.fullmatch(text[text.rfind("\n", 0, at) + 1 : at]):
        return True
    found = _LAST_WORD.search(text[max(0, at - LONGEST_ABBREVIATION) : at])
    word = found[0].lower() if found else ""
    if len(word) == 1 and word.isalpha() and word != "i":
        return True
    if word in ("no", "nos", "fig", "sec", "ch", "vol", "art", "p", "pp", "núm"):
        return following[0].isdigit()
    if word in ("may", "sat", "sun", "mon", "min", "max", "co", "mar"):
        return following[0].isdigit()
    return word in _ABBREVIATIONS and not (word in _END_OFTEN and following[0].isupper())


def _cut_at(text: str) -> int:
    """Where to cut a sentence that is too long: after a comma or a space, else hard."""
    found = _CUT.match(text[:LONGEST])
    return found.end() if found and found.end() > LONGEST // 4 else min(len(text), LONGEST)

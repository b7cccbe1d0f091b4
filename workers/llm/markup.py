"""Takes off what is written but not spoken: markdown, HTML tags, emoji, hidden blocks; reads tags such as [happy]."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any

from workers.llm.tags import tags_of

_HIDDEN = {"```": "```", "<think>": "</think>", "<thinking>": "</thinking>", "~~~": "~~~"}
_LONGEST_MARK = max(map(len, (*_HIDDEN, *_HIDDEN.values())))
_TAG = re.compile(r"\[\s*([A-Za-z][A-Za-z_ -]{1,40}?)\s*(?:[:=]\s*(-?[\w.][\w. -]{0,20}?)\s*)?\](?!\()")
_LINK = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()\s]{0,500}(?:\s+\"[^\"]{0,100}\")?\)")
_FOOTNOTE = re.compile(r"\[\^?\d{1,3}\]")
_HTML_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>+[ \t]?|[-*+•‣◦][ \t]+|\d{1,3}[.)][ \t]+|\|)", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$|^(?=[ \t:|-]*--)[ \t:|-]+$", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<![\w*_~])(\*{1,3}|_{1,3}|~~)(?=\S)(.{1,400}?)(?<=\S)\1(?!\w)", re.DOTALL)
_SPACE = re.compile(r"\s+")
_BEFORE_PUNCTUATION = re.compile(r"\s+([,.;:!?…])(?=\s|$)")


class HiddenBlocks:
    """Drops code fences and a reasoning model's thoughts from a stream, even where a mark is cut between two pieces."""

    def __init__(self) -> None:
        self._held = ""
        self._until = ""

    def feed(self, piece: str) -> str:
        """The part of what came so far that is certainly meant to be heard and has not been returned yet."""
        text, seen = self._held + piece, list[str]()
        while True:
            if self._until:
                end = text.find(self._until)
                if end < 0:
                    self._held = text[-_LONGEST_MARK:]
                    return "".join(seen)
                text, self._until = text[end + len(self._until) :], ""
            start, mark = min(((at, mark) for mark in _HIDDEN if (at := text.find(mark)) >= 0), default=(-1, ""))
            if start < 0:
                keep = _begun_mark(text)
                self._held = text[len(text) - keep :]
                return "".join((*seen, text[: len(text) - keep]))
            seen.append(text[:start] + " ")
            text, self._until = text[start + len(mark) :], _HIDDEN[mark]

    def flush(self) -> str:
        """What was held back; a block that was never closed stays hidden."""
        rest, self._held = ("" if self._until else self._held), ""
        return rest


def _begun_mark(text: str) -> int:
    """How many characters at the end of `text` could be the beginning of a mark."""
    for length in range(min(_LONGEST_MARK - 1, len(text)), 0, -1):
        if any(mark.startswith(text[-length:]) for mark in _HIDDEN):
            return length
    return 0


def take_tags(text: str) -> tuple[str, dict[str, Any]]:
    """The text without its bracketed tags and footnotes, and the tags that are known, held to their ranges."""
    tags: dict[str, Any] = {}

    def take(match: re.Match[str]) -> str:
        found = tags_of(match[1], match[2])
        if found is None and " " in match[1].strip():
            return match[0]  # words in brackets that are no stage direction
        tags.update(found or {})
        return " "

    return _FOOTNOTE.sub(" ", _TAG.sub(take, text)), tags


def plain(text: str) -> str:
    """The text as it would be read aloud: no markdown, no HTML, no emoji, single spaces."""
    text = _RULE.sub(" ", text)
    text = _LINE_MARK.sub("", text)
    text = _LINK.sub(r"\1", text)
    text = _HTML_TAG.sub(" ", text)
    text = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", text))
    text = html.unescape(text).replace("`", "").replace("**", "").replace("|", ", ")
    text = "".join(_spoken_character(character) for character in text)
    return _BEFORE_PUNCTUATION.sub(r"\1", _SPACE.sub(" ", text)).strip(" \t\n,;")


def _spoken_character(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("So", "Sk", "Cs", "Co", "Cn", "Cf") and character not in "°©®™^":
        return ""
    if category == "Cc" or character in "\u2028\u2029":
        return " "
    return "" if "\ufe00" <= character <= "\ufe0f" else character

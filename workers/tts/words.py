"""The words of a text as it is written: what captions show, the dialogue keeps and `Word.index` counts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

CJK = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff々〇"
_OPEN = "“‘「『《（【〈"
_CLOSE = "”’」』》）】〉，。！？；：、…·—"
_WORD = re.compile(
    f"[{_OPEN}]*[{CJK}][{_CLOSE}]*"  # a character of a script without spaces is a word of its own
    f"|[^\\s{CJK}，。！？；、]+[，。！？；、]*"
    f"|[{_OPEN}{_CLOSE}]+"
)
_KEPT_FORMAT = "\u200c\u200d"
"""Joiners that carry meaning in Indic scripts and Persian; every other invisible mark is dropped."""

Words = tuple[str, ...]
"""What is said for one written word: see `Token.spoken`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A written word and how it is said.

    `spoken`: lower-case words for the synthesiser; a single capital is the name of that letter, a comma at the
    end of one is a breath; empty: not said.
    `stop`: the punctuation after it, one of `. ? ! ; : ,` or empty.
    """

    index: int
    text: str
    spoken: tuple[str, ...] = ()
    stop: str = ""


def listed(line: str) -> tuple[str, ...]:
    """The words of a plain line: how this folder writes its longer lists."""
    return tuple(line.split())


def clean(text: str) -> str:
    """The text without control characters, invisible marks and broken surrogates; line breaks become spaces."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(letter) for letter in unicodedata.normalize("NFC", text))


def split_words(text: str) -> list[str]:
    """The words of cleaned text: between spaces; each character of Chinese and Japanese by itself."""
    return _WORD.findall(text)


def _visible(letter: str) -> str:
    category = unicodedata.category(letter)
    if category == "Cc" or category in ("Zl", "Zp"):
        return " "
    if category in ("Cs", "Co", "Cn") or (category == "Cf" and letter not in _KEPT_FORMAT):
        return ""
    return letter

"""Languages without a front end of their own: numbers and symbols are left to the synthesiser, other marks dropped.

What espeak-ng loses of them is given in words: the signs and dashes of numbers, some symbols.
"""

from __future__ import annotations

import re

from workers.tts.apart import dash
from workers.tts.engine import primary
from workers.tts.words import Words, listed
from workers.tts.written import Line

_SYMBOLS = re.compile(r"[^\w'’%°$€£¥+=./:,@&±×÷≈≤≥-]+")
_SAID = re.compile(r"\w|[%°$€£¥+=&±×÷≈≤≥]")
_LETTER = re.compile(r"[^\W\d_]")
_SIGN, _RANGE = re.compile(r"(?<![\w.,])[-−](?=[$€£¥]?[.,]?\d)"), re.compile(r"(?<=[\d%°€$£¥])[-–—~](?=[$€£¥]?\d)")
_MINUS_AND_TO = {
    "ar": ("سالب", "إلى"), "bg": ("минус", "до"), "ca": ("menys", "a"), "cs": ("minus", "až"), "da": ("minus", "til"),
    "de": ("minus", "bis"), "el": ("μείον", "έως"), "fa": ("منفی", "تا"), "fr": ("moins", "à"), "gl": ("menos", "a"),
    "he": ("מינוס", "עד"), "hi": ("माइनस", "से"), "it": ("meno", "a"), "ja": ("マイナス", "から"),
    "ko": ("마이너스", "에서"), "nb": ("minus", "til"), "nl": ("min", "tot"), "no": ("minus", "til"),
    "pl": ("minus", "do"), "pt": ("menos", "a"), "ro": ("minus", "la"), "ru": ("минус", "до"), "sk": ("mínus", "až"),
    "sv": ("minus", "till"), "tr": ("eksi", ","), "uk": ("мінус", "до"),
}  # fmt: skip
"""`-5` and `5-10`; elsewhere the one is left to espeak, and the other heard as a breath between two numbers."""
_SILENT = {
    "€": dict.fromkeys(listed("cy eu ga id is ms nb no pl sl sw vi"), "euro")
    | dict.fromkeys(listed("be bg kk ru"), "евро")
    | {"ja": "ユーロ", "ko": "유로", "uk": "євро"},
    "°": dict.fromkeys(listed("da nb no sv"), "grader")
    | {"ca": "graus", "fi": "astetta", "ja": "ど", "ko": "도", "ru": "градусов", "uk": "градусів"},
    "=": {"fr": "égale"},
}
"""Symbols of which espeak says nothing."""


def say_basic(line: Line, index: int, language: str) -> tuple[Words, bool]:
    """The word without pictures and markup; nothing if no letter, digit or symbol is left."""
    tag = primary(language)
    minus, to = _MINUS_AND_TO.get(tag, ("-", ","))
    if between := dash(line, index):
        word = to if between == "to" else minus
        return ((word,) if _LETTER.match(word) else ()), False
    core = _SIGN.sub(_spaced(minus), line.at(index).core.replace("_", " "))
    one = len(_RANGE.findall(core)) == 1  # more are a date, a telephone number
    core = _RANGE.sub(_spaced(to) if one else ", ", core)
    for symbol, names in _SILENT.items():
        core = core.replace(symbol, _spaced(names[tag])) if tag in names else core
    return tuple(word for word in _SYMBOLS.sub(" ", core).split() if _SAID.search(word)), False


def _spaced(word: str) -> str:
    """A word stands by itself, a mark beside its number."""
    return f" {word} " if _LETTER.match(word) else word + " " * (word == ",")

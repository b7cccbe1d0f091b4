"""Languages without a front end of their own: marks are dropped, symbols and numbers are left to the synthesiser."""

from __future__ import annotations

import re

from workers.tts.written import Line

_SYMBOLS = re.compile(r"[^\w'’%°$€£¥+./:,@&-]+")
_SAID = re.compile(r"\w")


def say_basic(line: Line, index: int, language: str) -> tuple[tuple[str, ...], bool]:
    """The word without pictures and markup; nothing if no letter or digit is left."""
    words = _SYMBOLS.sub(" ", line.at(index).core.replace("_", " ")).split()
    return tuple(word for word in words if _SAID.search(word)), False

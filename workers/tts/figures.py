"""What all front ends know of figures: signs before them, from one to another, and the marks between digits."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

CURRENCY = r"(?:US\$|[$€£¥￥])"
_FIGURE = r"[.,]?\d[\d.,:]*"
_MOST_DIGITS = 15

SIGNED = re.compile(rf"(?P<currency>{CURRENCY}?)(?P<sign>[+\-−±~≈≤≥]|[<>]=?)(?P<rest>{CURRENCY}?[.,]?\d.*)")
"""`-5%`, `<$5`, `$-5`: the sign, and what is read without it."""

RANGE = re.compile(
    rf"(?P<currency>{CURRENCY}?)(?P<first>{_FIGURE})(?P<mark>[^\d\-–—~～]*)[-–—~～]"
    rf"(?P<again>{CURRENCY}?)(?P<second>[+\-−]?{_FIGURE})(?P<unit>[^\d\-]*(?:-[a-z-]+)?)"
)
"""`$5-10`, `10–20%`, `5~10℃`, `9am-5pm`, `9:00-14:00`; see `ends`."""


def ends(match: re.Match[str], each: Collection[str] = ()) -> tuple[str, str]:
    """Both ends of a `RANGE` as if each was written alone; a unit or currency that both have goes with the second.

    `each`: units that go with both, even where they are written once.
    """
    currency, again, first, mark, unit = (match[name] for name in ("currency", "again", "first", "mark", "unit"))
    if mark in ("", unit):
        mark = unit if unit in each or (mark and (":" in first or mark.isnumeric())) else ""
    if again in ("", currency) and not re.search(r"[.,]\d\d$", first):
        return first + mark, (again or currency) + match["second"] + unit
    return currency + first + mark, (again or currency) + match["second"] + unit


def placed(piece: re.Match[str]) -> Literal["between", "before", ""]:
    """Whether a piece of a word stands between two digits, or as a sign before one: there no mark may be lost."""
    text = piece.string
    left, right = text[: piece.start()][-1:], text[piece.end() :][:1]
    if not right.isdecimal():
        return ""
    return "between" if left.isdecimal() else "" if left.isalnum() else "before"


def rounded(digits: str) -> bool:
    """Half of it is zeros at its end: something was counted, where other long numbers are dialled or typed."""
    return len(digits) <= _MOST_DIGITS and digits[0] != "0" and digits.endswith("0" * ((len(digits) + 1) // 2))

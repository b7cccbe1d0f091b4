"""Figures written in several words: `1 000 000`, `$ 5`, `5,50 €`, `50 %`, `5 - 10`, `+44 20 7946 0958`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from workers.tts.figures import CURRENCY
from workers.tts.words import Words
from workers.tts.written import Line

_SIGNS = "+-−±~≈≤≥<>="
_FIGURE = re.compile(rf"[{_SIGNS}]{{0,2}}[.,]?\d(?:[\d.,\-–—~/]*\d)?|\d*[½¼¾⅓⅔⅛]")
_BEFORE, _BEHIND = re.compile(CURRENCY), re.compile(rf"(?:{CURRENCY}|[%％])(?:/[^\W\d]+)?")
_DASHES = ("-", "–", "—", "−", "~", "～")
_AFTER_NUMBER = re.compile(r"[ap]\.?m|[%％$€£¥]|°[CF]?|[kcm]?m|k?g|h", re.IGNORECASE)
_WHOLE = re.compile(rf"[{_SIGNS}]?\d{{1,3}}")
_MOST_GROUPS = 5
_GROUP = r"\d{2,8}(?:[-.]\d{2,4})*"
_DIALLED = re.compile(rf"\+\d{{1,4}}(?:[-.]\d{{2,4}})*|{_GROUP}")
_DIALLED_SHAPES = ((3, 3, 4), (3, 4, 4))
_LEAST_DIALLED, _MOST_DIALLED = 7, 6


class _Figure(NamedTuple):
    """A figure from its first to its last word, and how it is written as one."""

    first: int
    last: int
    core: str


def together(line: Line, index: int, comma: str, say: Callable[[str, Line, int], Words]) -> Words | None:
    """What the word at `index` says of a figure in several words; None where it is no part of one.

    `comma` stands between thousands in this language, `say` reads a core as if it stood at a place. A currency or
    percent sign behind says the last word, so that a stop after it is heard.
    """
    core = line.at(index).core
    for place in (index,) if _FIGURE.fullmatch(core) else (index - 1, index + 1) if _BEHIND.fullmatch(core) else ():
        figure = _figure(line, place, comma)
        if figure is None:
            continue
        before, behind = _before(line, figure), _behind(line, figure)
        whole = figure.last > figure.first or before or behind
        if not whole or not figure.first - bool(before) <= index <= figure.last + bool(behind):
            continue
        said = say(before + figure.core + behind, line, figure.first)
        said, last = (said[:-1], said[-1:]) if behind and len(said) > 1 else (said, ())
        return said if index == figure.first else last if index > figure.last else ()
    return None


def _before(line: Line, figure: _Figure) -> str:
    """`$ 5`, where the sign does not belong to a number before it."""
    mark = line.at(figure.first - 1)
    alone = _BEFORE.fullmatch(mark.core) and not mark.after and not line.at(figure.first).before
    return mark.core if alone and not _FIGURE.fullmatch(line.at(figure.first - 2).core) else ""


def _behind(line: Line, figure: _Figure) -> str:
    """`5 €`, `50 %`, `5 €/month`."""
    mark = line.at(figure.last + 1)
    alone = _BEHIND.fullmatch(mark.core) and not mark.before and not line.at(figure.last).after
    return mark.core if alone and not _before(line, figure) else ""


def _figure(line: Line, index: int, comma: str) -> _Figure | None:
    """The figure that the word at `index` belongs to: by itself, or with thousands in groups."""
    core = line.at(index).core
    if not _FIGURE.fullmatch(core):
        return None
    first, last = index, index
    while index - first < _MOST_GROUPS and _group(line, first) and _joined(line, first - 1):
        first -= 1
    while last - index < _MOST_GROUPS and _joined(line, last) and _group(line, last + 1):
        last += 1
    groups = [line.at(place).core for place in range(first, last + 1)]
    return _Figure(first, last, comma.join(groups)) if _thousands(groups) else _Figure(index, index, core)


def _thousands(groups: list[str]) -> bool:
    """`1 000 000`, but not a telephone number, a room and its building."""
    head = groups[0].lstrip(_SIGNS)
    if not 2 <= len(groups) <= _MOST_GROUPS or not 1 <= len(head) <= 3 or head[0] == "0":
        return False
    return "000" in groups[1:] or (len(groups) > 2 and len(head) < 3)


def _group(line: Line, index: int) -> bool:
    core = line.at(index).core
    return len(core) == 3 and core.isdecimal() and core.isascii()


def _joined(line: Line, index: int) -> bool:
    """Digits without a mark after them."""
    digits = line.at(index).core.lstrip(_SIGNS)
    return digits.isdecimal() and digits.isascii() and not line.at(index).after


def dash(line: Line, index: int) -> Literal["to", "minus", ""]:
    """What a dash by itself between two figures is: `5 - 10`, `8 am - 5 pm`, `5 - 3 = 2`."""
    if line.words[index] not in _DASHES or not line.at(index + 1).number:
        return ""
    left = line.at(index - 1)
    number = left.number or (_AFTER_NUMBER.fullmatch(left.core) and line.at(index - 2).number)
    if not number or left.after.strip("."):
        return ""
    sums = {"=", "+"} & {line.at(index - 2).core, line.at(index + 2).core}
    return "minus" if sums or line.words[index] == "−" else "to"


def whole_before(line: Line, index: int) -> bool:
    """A small whole number stands before the fraction at `index`: `3 1/2`."""
    left = line.at(index - 1)
    return bool(_WHOLE.fullmatch(left.core)) and not left.after and not line.at(index).before


def dialled(line: Line, index: int) -> bool:
    """One of several groups of digits that open as telephone numbers do, or all of them."""
    first, last = index, index
    while index - first < _MOST_DIALLED and _DIALLED.fullmatch(line.at(first - 1).core):
        if line.at(first - 1).after.strip(")"):
            break
        first -= 1
    while last - index < _MOST_DIALLED and not line.at(last).after.strip(")"):
        if not re.fullmatch(_GROUP, line.at(last + 1).core):
            break
        last += 1
    groups = [line.at(place).core for place in range(first, last + 1)]
    opening, shape = groups[0], tuple(map(len, groups))
    if len(groups) == 1:
        return bool(re.fullmatch(r"\+\d{1,4}(?:[-.]\d{2,4}){2,}", opening))
    if sum(shape) < _LEAST_DIALLED:
        return False
    return opening[0] == "+" or (opening[0] == "0" and len(opening) > 2) or shape in _DIALLED_SHAPES

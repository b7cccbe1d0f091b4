"""English numbers as they are spoken: cardinals, ordinals, years, ranges, fractions, versions."""

from __future__ import annotations

import re

from num2words import num2words

from workers.tts import english as lists
from workers.tts.words import Words
from workers.tts.written import Line

NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
SCALES = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion", "t": "trillion"}
_SIGNS: dict[str, Words] = {
    "-": ("minus",), "−": ("minus",), "+": ("plus",), "±": ("plus", "or", "minus"), "~": ("about",), "≈": ("about",),
    "≤": ("at", "most"), "≥": ("at", "least"), **lists.COMPARISONS,
}  # fmt: skip
_BEFORE_GROUPS = "-−±~≈≤≥<>="
_MOST_GROUPS = 5
_MOST_DIGITS = 15
"""A longer number is read digit by digit, and no more than twice as many of them."""


def signed(sign: str) -> Words:
    """What a sign before a number says; nothing for none."""
    return _SIGNS.get(sign, ())


def cardinal(digits: str) -> Words:
    """A number written with digits, commas and a point: `1,234.5`."""
    whole, _, fraction = digits.replace(",", "").partition(".")
    if len(whole) > _MOST_DIGITS or (len(whole) > 1 and whole[0] == "0"):
        return one_by_one(whole + fraction)
    said = _split(num2words(int(whole or "0")))
    return (*said, "point", *one_by_one(fraction)) if fraction else said


def one_by_one(digits: str) -> Words:
    return tuple(lists.DIGITS[int(digit)] for digit in digits[: 2 * _MOST_DIGITS])


def ordinal(number: int) -> Words:
    return _split(num2words(number, to="ordinal"))


def year(number: int) -> Words:
    """2024 as twenty twenty four, 1905 as nineteen oh five, 2007 as two thousand seven."""
    high, low = divmod(number, 100)
    if number % 1000 < 10 and high % 10 == 0:
        return cardinal(str(number))
    if low == 0:
        return (*cardinal(str(high)), "hundred")
    return (*cardinal(str(high)), *(("oh",) if low < 10 else ()), *cardinal(str(low)))


def _split(said: str) -> Words:
    return tuple(word for word in re.split(r"[\s,-]+", said) if word != "and")


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and digits.isdecimal() and 1100 <= int(digits) < 2100


def plain_number(match: re.Match[str], line: Line, index: int) -> Words | None:
    sign, digits = match["sign"], match["digits"]
    before = signed(sign)
    if "," not in digits and "." not in digits:
        following, previous = line.at(index + 1).core.lower(), line.at(index - 1).core.lower()
        day_of = previous.rstrip(".") in lists.MONTHS or following in lists.MONTHS
        if day_of and len(digits) <= 2 and 1 <= int(digits) <= 31:
            return _day(int(digits), previous, following)
        if not sign and _is_year(digits) and (int(digits) % 1000 or previous in lists.YEAR_CUES):
            return year(int(digits))
        if len(digits) >= 7 or (len(digits) > 1 and digits[0] == "0"):
            return one_by_one(digits)
    return (*before, *cardinal(digits))


def in_groups(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`1 000 000`: said with its first group; the others say nothing. None where it is several numbers."""
    first, last = index, index
    while index - first < _MOST_GROUPS and _group(line, first) and _joined(line, first - 1):
        first -= 1
    while last - index < _MOST_GROUPS and not line.at(last).after and _group(line, last + 1):
        last += 1
    groups = [line.at(place).core for place in range(first, last + 1)]
    head = groups[0].lstrip(_BEFORE_GROUPS)
    if not 2 <= len(groups) <= _MOST_GROUPS or not 1 <= len(head) <= 3 or head[0] == "0":
        return None
    if "000" not in groups[1:] and (len(groups) == 2 or len(head) == 3):
        return None  # a telephone number, a room and its building
    sign = groups[0].removesuffix(head)
    return (*signed(sign), *cardinal(head + "".join(groups[1:]))) if index == first else ()


def _group(line: Line, index: int) -> bool:
    core = line.at(index).core
    return len(core) == 3 and core.isdecimal() and core.isascii()


def _joined(line: Line, index: int) -> bool:
    """Digits without a mark after them."""
    digits = line.at(index).core.lstrip(_BEFORE_GROUPS)
    return digits.isdecimal() and digits.isascii() and not line.at(index).after


def _day(day: int, previous: str, following: str) -> Words:
    """`March 5` is march fifth, `5 March` the fifth of march."""
    if previous.rstrip(".") in lists.MONTHS:
        return ordinal(day)
    return (*(() if previous == "the" else ("the",)), *ordinal(day), "of")


def written_ordinal(match: re.Match[str], line: Line, index: int) -> Words | None:
    digits = match["digits"].replace(",", "")
    return ordinal(int(digits)) if len(digits) <= _MOST_DIGITS else one_by_one(digits)


def decade(match: re.Match[str], line: Line, index: int) -> Words | None:
    digits = match["digits"]
    said = year(int(digits)) if len(digits) == 4 else cardinal(digits)
    last = said[-1]
    return (*said[:-1], last[:-1] + "ies" if last.endswith("y") else last + "s")


def decimal_comma(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`2,5` and `1.234,56`, as the continent writes them."""
    return cardinal(f"{match['whole'].replace('.', '')}.{match['part']}")


def percent(match: re.Match[str], line: Line, index: int) -> Words | None:
    ends = [cardinal(part) for part in (match["first"], match["second"]) if part]
    return (*signed(match["sign"]), *_to(ends), "percent")


def number_range(match: re.Match[str], line: Line, index: int) -> Words | None:
    first, second = match["first"], match["second"]
    if _is_year(first) and len(second) in (2, 4):
        return (*year(int(first)), "to", *(year(int(second)) if _is_year(second) else cardinal(second)))
    return _to([cardinal(first), cardinal(second)])


def _to(ends: list[Words]) -> Words:
    return ends[0] if len(ends) == 1 else (*ends[0], "to", *ends[1])


def fraction(match: re.Match[str], line: Line, index: int) -> Words | None:
    top, bottom = int(match["top"]), int(match["bottom"])
    names = {2: ("half", "halves"), 4: ("quarter", "quarters")}
    if top == bottom:
        return (*cardinal(match["top"]), *cardinal(match["bottom"]))
    if not (0 < top < bottom <= 100):
        return (*cardinal(match["top"]), "over" if bottom else "slash", *cardinal(match["bottom"]))
    one, many = names.get(bottom, (" ".join(ordinal(bottom)), " ".join(ordinal(bottom)) + "s"))
    return (*cardinal(str(top)), *(one if top == 1 else many).split())


def vulgar(match: re.Match[str], line: Line, index: int) -> Words | None:
    part = lists.VULGAR[match["part"]]
    return (
        (*cardinal(match["whole"]), "and", *(("a", *part[1:]) if part[0] == "one" else part))
        if match["whole"]
        else part
    )


def version(match: re.Match[str], line: Line, index: int) -> Words | None:
    said: list[str] = ["version"] if match["v"] else []
    parts = match["parts"].split(".")
    between = "dot" if len(parts) == 4 else "point"  # four parts are a network address
    for place, part in enumerate(parts):
        said += ([between] if place else []) + list(cardinal(part))
    return tuple(said)


def network_address(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`127.0.0.1:8080`."""
    parts = [cardinal(part) for part in match["parts"].split(".")]
    said = [word for place, part in enumerate(parts) for word in ((["dot"] if place else []) + list(part))]
    return (*said, "port", *cardinal(match["port"]))


def count(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`5k`, `3.2M`, `2bn` people."""
    return (*cardinal(match["digits"]), SCALES[match["scale"].lower()])

"""English numbers as they are spoken: cardinals, ordinals, years, ranges, fractions, versions."""

from __future__ import annotations

import re

from num2words import num2words

from workers.tts import english as lists
from workers.tts.apart import whole_before
from workers.tts.figures import rounded
from workers.tts.words import Words
from workers.tts.written import Line

NUMBER = r"(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+|(?:\d{1,3}(?:\.\d{3})+|\d+),\d{1,2})"
"""`1,234.5`, `.5`, and `1.234,5` as the continent writes it."""
SCALES = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion", "t": "trillion"}
_MOST_DIGITS = 15
"""A longer number is read digit by digit, and no more than twice as many of them."""


def signed(sign: str) -> Words:
    """What a sign before a number says; nothing for none."""
    return lists.SIGNS.get(sign, ())


def cardinal(digits: str) -> Words:
    """A number as `NUMBER` has it."""
    whole, _, fraction = plain(digits).partition(".")
    if len(whole) > _MOST_DIGITS or (len(whole) > 1 and whole[0] == "0"):
        return one_by_one(whole + fraction)
    said = _split(num2words(int(whole or "0")))
    return (*said, "point", *one_by_one(fraction)) if fraction else said


def plain(digits: str) -> str:
    """`1,234.5` and `1.234,5` as `1234.5`."""
    return re.sub(r"[.,](?=.*[.,])", "", digits).replace(",", "." if re.search(r",\d{1,2}$", digits) else "")


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
        if _typed(digits, line, index):
            return (*before, *one_by_one(digits))
    return (*before, *cardinal(digits))


def _typed(digits: str, line: Line, index: int) -> bool:
    """A number that is dialled or typed, rather than counted: `007`, `5551234`, `account 4000000`."""
    if len(digits) < 7:
        return len(digits) > 1 and digits[0] == "0"
    cue = any(line.at(index - back).core.lower() in lists.NUMBER_CUES for back in (1, 2))
    return cue or not (rounded(digits) or line.at(index + 1).core in lists.UNITS)


def _day(day: int, previous: str, following: str) -> Words:
    """`March 5` is march fifth, `5 March` the fifth of march."""
    if previous.rstrip(".") in lists.MONTHS:
        return ordinal(day)
    return (*(() if previous == "the" else ("the",)), *ordinal(day), "of")


def written_ordinal(match: re.Match[str], line: Line, index: int) -> Words | None:
    digits = match["digits"].replace(",", "")
    return ordinal(int(digits)) if len(digits) <= _MOST_DIGITS else one_by_one(digits)


def decade(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`1990s`, `'80s`, `in the 80s`; elsewhere `80s` are seconds."""
    digits = match["digits"]
    if len(digits) == 2 and match[0].isalnum() and line.at(index - 1).core.lower() not in lists.DECADE_CUES:
        return None
    said = year(int(digits)) if len(digits) == 4 else cardinal(digits)
    last = said[-1]
    return (*said[:-1], last[:-1] + "ies" if last.endswith("y") else last + "s")


def percent(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (*cardinal(match["digits"]), "percent")


def number_range(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`10-20`, `2010-15`; days of a month are ranges like others."""
    first, second = match["first"], match["second"]
    if {line.at(place).core.lower() for place in (index - 1, index + 1)} & lists.MONTHS:
        return None
    if _is_year(first) and len(second) in (2, 4):
        return (*year(int(first)), "to", *(year(int(second)) if _is_year(second) else cardinal(second)))
    return (*cardinal(first), "to", *cardinal(second))


def fraction(match: re.Match[str], line: Line, index: int) -> Words | None:
    top, bottom = int(match["top"]), int(match["bottom"])
    names = {2: ("half", "halves"), 4: ("quarter", "quarters")}
    if top == bottom:
        return (*cardinal(match["top"]), *cardinal(match["bottom"]))
    if not (0 < top < bottom <= 100):
        return (*cardinal(match["top"]), "over" if bottom else "slash", *cardinal(match["bottom"]))
    one, many = names.get(bottom, (" ".join(ordinal(bottom)), " ".join(ordinal(bottom)) + "s"))
    part = (*cardinal(str(top)), *(one if top == 1 else many).split())
    return _and(part) if whole_before(line, index) else part


def vulgar(match: re.Match[str], line: Line, index: int) -> Words | None:
    part = lists.VULGAR[match["part"]]
    if match["whole"]:
        return (*cardinal(match["whole"]), *_and(part))
    return _and(part) if whole_before(line, index) else part


def _and(part: Words) -> Words:
    """`2½`, `3 1/2`: the part after a whole number."""
    return ("and", *(("a", *part[1:]) if part[0] == "one" else part))


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

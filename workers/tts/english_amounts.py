"""English amounts as they are spoken: money and measures."""

from __future__ import annotations

import re

from workers.tts import english as lists
from workers.tts.english_numbers import SCALES, cardinal, plain
from workers.tts.figures import CURRENCY
from workers.tts.words import Words
from workers.tts.written import Line

MAGNITUDES = ("thousand", "million", "billion", "trillion")
_CURRENCY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "US$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"),
    "￥": ("yen", "yen", "sen", "sen"),
}


def money(match: re.Match[str], line: Line, index: int) -> Words | None:
    one, many, cent, cents = _CURRENCY[match["currency"] or match["behind"]]
    digits, scale = plain(match["digits"]), (match["scale"] or "").lower()
    if scale:
        return (*cardinal(digits), SCALES[scale], many)
    if line.at(index + 1).core.lower() in MAGNITUDES:
        return cardinal(digits)  # "$5 million": the dollars follow the million
    whole, _, fraction = digits.partition(".")
    said = (*cardinal(whole), one if whole == "1" else many)
    if len(fraction) != 2:
        return (*cardinal(digits), many) if fraction else said
    small = int(fraction)
    if not small:
        return said
    change = (*cardinal(str(small)), cent if small == 1 else cents)
    return change if whole in ("", "0") else (*said, "and", *change)


def magnitude_of_money(match: re.Match[str], line: Line, index: int) -> Words | None:
    before = (line.at(index - 1).core, line.at(index - 2).core)
    currency = re.match(rf"[+\-−±~≈≤≥<>]*({CURRENCY})", before[0]) or re.fullmatch(f"({CURRENCY})", before[1])
    return (match[0].lower(), _CURRENCY[currency[1]][1]) if currency else (match[0].lower(),)


def measure(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`5km`, `20°C`, `16 GB` written together; a single letter's case counts (`5g`, but not `5G`)."""
    written = match["unit"]
    unit = lists.UNITS.get(written) or (lists.UNITS.get(written.lower()) if len(written) > 1 else None)
    if unit is None or (len(written) == 1 and labelled(line, index)):
        return None
    return (*cardinal(match["digits"]), *unit[0 if match["digits"] == "1" else 1].split())


def labelled(line: Line, index: int) -> bool:
    """`Room 5L`, `Gate 12M`."""
    return line.at(index - 1).core.lower() in lists.LABELLED


def per(unit: str, amount: str) -> Words | None:
    """What `/month` is behind an amount; None where it is no such thing. Money is paid for anything."""
    known = lists.PER.get(unit) or lists.UNITS.get(unit, ("",))[0]
    if unit in lists.UNITS_ALSO_WORDS or not (known or (unit.islower() and re.search(CURRENCY, amount))):
        return None
    return ("per", *(known or unit).split())


def unit_after_number(line: Line, index: int) -> Words | None:
    """A unit as a word of its own, after a number: `5 km`."""
    unit, previous = lists.UNITS.get(line.at(index).core), line.at(index - 1)
    if unit is None or line.at(index).core in lists.UNITS_ALSO_WORDS or not previous.number or previous.after:
        return None
    return tuple(unit[0 if previous.core == "1" else 1].split())


def unit_alone(match: re.Match[str], line: Line, index: int) -> Words | None:
    return unit_after_number(line, index)


def feet(match: re.Match[str], line: Line, index: int) -> Words | None:
    inches = cardinal(match["inches"]) if match["inches"] else ()
    return (*cardinal(match["feet"]), "foot" if inches else "feet", *inches)

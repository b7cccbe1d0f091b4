"""English amounts as they are spoken: money and measures."""

from __future__ import annotations

import re

from workers.tts import english as lists
from workers.tts.english_numbers import SCALES, cardinal, signed
from workers.tts.words import Words
from workers.tts.written import Line

MAGNITUDES = ("thousand", "million", "billion", "trillion")
_CURRENCY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "US$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"),
}


def money(match: re.Match[str], line: Line, index: int) -> Words | None:
    one, many, cent, cents = _CURRENCY[match["currency"] or match["behind"]]
    digits, scale = match["digits"], (match["scale"] or "").lower()
    sign = ("minus",) if match["sign"] else ()
    if scale:
        return (*sign, *cardinal(digits), SCALES[scale], many)
    if line.at(index + 1).core.lower() in MAGNITUDES:
        return (*sign, *cardinal(digits))  # "$5 million": the dollars follow the million
    whole, _, fraction = digits.partition(".")
    said = (*cardinal(whole), one if whole == "1" else many)
    if len(fraction) != 2:
        return (*sign, *((*cardinal(digits), many) if fraction else said))
    small = int(fraction)
    if not small:
        return (*sign, *said)
    change = (*cardinal(str(small)), cent if small == 1 else cents)
    return (*sign, *change) if whole == "0" else (*sign, *said, "and", *change)


def magnitude_of_money(match: re.Match[str], line: Line, index: int) -> Words | None:
    previous = line.at(index - 1).core
    currency = next((sign for sign in _CURRENCY if previous.startswith(sign)), None)
    return (match[0].lower(), _CURRENCY[currency][1]) if currency else (match[0].lower(),)


def measure(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`5km`, `20°C`, `16 GB` written together."""
    unit = lists.UNITS.get(match["unit"]) or lists.UNITS.get(match["unit"].lower())
    if unit is None:
        return None
    return (*signed(match["sign"]), *cardinal(match["digits"]), *unit[0 if match["digits"] == "1" else 1].split())


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

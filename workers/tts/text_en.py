"""English as it is spoken: numbers, dates, times, money, units, abbreviations, initials, addresses."""

from __future__ import annotations

import re
from collections.abc import Callable

from num2words import num2words

from workers.tts import english as lists
from workers.tts.written import Line

Words = tuple[str, ...]
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_CURRENCY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "US$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"),
}
_SCALE = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion", "t": "trillion"}
_MAGNITUDE = ("thousand", "million", "billion", "trillion")
_MOST_DIGITS = 15
"""A longer number is read digit by digit, and no more than twice as many of them."""
_MOST_LETTERS = 24


def say_english(line: Line, index: int, language: str) -> tuple[Words, bool]:
    """What is said for one word, and whether its point belongs to an abbreviation."""
    word = line.at(index)
    core = word.core
    if not core:
        return (), False
    if core.isascii() and core.islower() and core.isalpha() and not word.after.startswith("."):
        if core in ("am", "pm") and line.at(index - 1).number:
            return (core[0].upper(), "M"), False
        if (unit := _unit_after_number(line, index)) is not None:
            return unit, False
        if core in lists.RESPELT:
            return lists.RESPELT[core], False
        if core not in lists.ABBREVIATIONS and core not in _MAGNITUDE:  # the common case, past all rules
            return _pronounceable(core), False
    if (short := _abbreviation(line, index)) is not None:
        return short, True
    if core.lower() in lists.RESPELT:
        return lists.RESPELT[core.lower()], False
    for pattern, say in _RULES:
        match = pattern.fullmatch(core)
        if match and (said := say(match, line, index)) is not None:
            return said, False
    return _mixed(core), False


# --- numbers ---------------------------------------------------------------------------------------------------------


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


def _plain_number(match: re.Match[str], line: Line, index: int) -> Words | None:
    sign, digits = match["sign"], match["digits"]
    before = ("minus",) if sign in ("-", "−") else ("plus",) if sign == "+" else ("about",) if sign else ()
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


def _day(day: int, previous: str, following: str) -> Words:
    """`March 5` is march fifth, `5 March` the fifth of march."""
    if previous.rstrip(".") in lists.MONTHS:
        return ordinal(day)
    return (*(() if previous == "the" else ("the",)), *ordinal(day), "of")


def _ordinal(match: re.Match[str], line: Line, index: int) -> Words | None:
    digits = match["digits"].replace(",", "")
    return ordinal(int(digits)) if len(digits) <= _MOST_DIGITS else one_by_one(digits)


def _decade(match: re.Match[str], line: Line, index: int) -> Words | None:
    digits = match["digits"]
    said = year(int(digits)) if len(digits) == 4 else cardinal(digits)
    last = said[-1]
    return (*said[:-1], last[:-1] + "ies" if last.endswith("y") else last + "s")


def _percent(match: re.Match[str], line: Line, index: int) -> Words | None:
    ends = [cardinal(part) for part in (match["first"], match["second"]) if part]
    return (*(("minus",) if match["sign"] else ()), *_to(ends), "percent")


def _range(match: re.Match[str], line: Line, index: int) -> Words | None:
    first, second = match["first"], match["second"]
    if _is_year(first) and len(second) in (2, 4):
        return (*year(int(first)), "to", *(year(int(second)) if _is_year(second) else cardinal(second)))
    return _to([cardinal(first), cardinal(second)])


def _to(ends: list[Words]) -> Words:
    return ends[0] if len(ends) == 1 else (*ends[0], "to", *ends[1])


def _fraction(match: re.Match[str], line: Line, index: int) -> Words | None:
    top, bottom = int(match["top"]), int(match["bottom"])
    names = {2: ("half", "halves"), 4: ("quarter", "quarters")}
    if top == bottom:
        return (*cardinal(match["top"]), *cardinal(match["bottom"]))
    if not (0 < top < bottom <= 100):
        return (*cardinal(match["top"]), "over" if bottom else "slash", *cardinal(match["bottom"]))
    one, many = names.get(bottom, (" ".join(ordinal(bottom)), " ".join(ordinal(bottom)) + "s"))
    return (*cardinal(str(top)), *(one if top == 1 else many).split())


def _vulgar(match: re.Match[str], line: Line, index: int) -> Words | None:
    part = lists.VULGAR[match["part"]]
    return (
        (*cardinal(match["whole"]), "and", *(("a", *part[1:]) if part[0] == "one" else part))
        if match["whole"]
        else part
    )


def _version(match: re.Match[str], line: Line, index: int) -> Words | None:
    said: list[str] = ["version"] if match["v"] else []
    parts = match["parts"].split(".")
    between = "dot" if len(parts) == 4 else "point"  # four parts are a network address
    for place, part in enumerate(parts):
        said += ([between] if place else []) + list(cardinal(part))
    return tuple(said)


def _count(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`5k`, `3.2M`, `2bn` people."""
    return (*cardinal(match["digits"]), _SCALE[match["scale"].lower()])


# --- money, units ----------------------------------------------------------------------------------------------------


def _money(match: re.Match[str], line: Line, index: int) -> Words | None:
    one, many, cent, cents = _CURRENCY[match["currency"] or match["behind"]]
    digits, scale = match["digits"], (match["scale"] or "").lower()
    sign = ("minus",) if match["sign"] else ()
    if scale:
        return (*sign, *cardinal(digits), _SCALE[scale], many)
    if line.at(index + 1).core.lower() in _MAGNITUDE:
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


def _magnitude_of_money(match: re.Match[str], line: Line, index: int) -> Words | None:
    previous = line.at(index - 1).core
    currency = next((sign for sign in _CURRENCY if previous.startswith(sign)), None)
    return (match[0].lower(), _CURRENCY[currency][1]) if currency else (match[0].lower(),)


def _measure(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`5km`, `20°C`, `16 GB` written together."""
    unit = lists.UNITS.get(match["unit"]) or lists.UNITS.get(match["unit"].lower())
    if unit is None:
        return None
    sign = ("minus",) if match["sign"] else ()
    return (*sign, *cardinal(match["digits"]), *unit[0 if match["digits"] == "1" else 1].split())


def _unit_after_number(line: Line, index: int) -> Words | None:
    """A unit as a word of its own, after a number: `5 km`."""
    unit, previous = lists.UNITS.get(line.at(index).core), line.at(index - 1)
    if unit is None or line.at(index).core in lists.UNITS_ALSO_WORDS or not previous.number or previous.after:
        return None
    return tuple(unit[0 if previous.core == "1" else 1].split())


def _unit_alone(match: re.Match[str], line: Line, index: int) -> Words | None:
    return _unit_after_number(line, index)


def _feet(match: re.Match[str], line: Line, index: int) -> Words | None:
    inches = cardinal(match["inches"]) if match["inches"] else ()
    return (*cardinal(match["feet"]), "foot" if inches else "feet", *inches)


# --- times, dates, telephones ----------------------------------------------------------------------------------------


def _time(match: re.Match[str], line: Line, index: int) -> Words | None:
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), (match["half"] or "").lower()
    if hour > 24 or minute > 59:
        return None
    said = cardinal(str(hour))
    if minute:
        said += (("oh",) if minute < 10 else ()) + cardinal(str(minute))
    elif not half and match["minute"] is not None and not _half_day(line.at(index + 1).core):
        said = ("midnight",) if hour in (0, 24) else (*said, "hundred") if hour > 12 else (*said, "o'clock")
    return (*said, *(half[0].upper() + "M" if half else ""))


def _half_day(core: str) -> bool:
    return core.lower().replace(".", "") in ("am", "pm")


def _half_day_alone(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (match[0][0].upper(), "M") if line.at(index - 1).number else None


def _iso_date(match: re.Match[str], line: Line, index: int) -> Words | None:
    return _date(int(match["year"]), int(match["month"]), int(match["day"]))


def _us_date(match: re.Match[str], line: Line, index: int) -> Words | None:
    number = int(match["year"])
    first, second = int(match["month"]), int(match["day"])
    month, day = (second, first) if first > 12 else (first, second)
    return _date(number if number > 99 else 2000 + number if number < 70 else 1900 + number, month, day)


def _date(number: int, month: int, day: int) -> Words | None:
    if not (1 <= month <= 12 and 1 <= day <= 31 and 1000 <= number < 2200):
        return None
    return (lists.MONTH_NAMES[month - 1], *ordinal(day), *year(number))


def _telephone(match: re.Match[str], line: Line, index: int) -> Words | None:
    said: list[str] = []
    for group in re.findall(r"\+?\d+", match[0]):
        said[-1:] = [word + "," for word in said[-1:]]
        said += (["plus"] if group[0] == "+" else []) + list(one_by_one(group.lstrip("+")))
    return tuple(said)


def _area_code(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`(555)` or a group of digits beside others of a telephone number."""
    beside = _TELEPHONE_GROUP.fullmatch(line.at(index + 1).core) or (
        _TELEPHONE_GROUP.fullmatch(line.at(index - 1).core) and (line.at(index - 1).before + line.at(index).before)
    )
    bracket = "(" in line.at(index).before and ")" in line.at(index).after
    foreign = match[0].startswith("+") or line.at(index - 1).core.startswith("+")
    return _telephone(match, line, index) if foreign or (bracket and beside) else None


_TELEPHONE_GROUP = re.compile(r"\+?\d{2,4}(?:[-.]\d{2,4})*")

# --- addresses, abbreviations, initials ------------------------------------------------------------------------------


def _email(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (*_parts(match["name"]), "at", *_parts(match["host"]))


def _url(match: re.Match[str], line: Line, index: int) -> Words | None:
    host = match["host"].rstrip("/")
    if not match["scheme"] and host.rsplit(".", 1)[-1].lower() not in lists.TOP_DOMAINS:
        return None
    path = (match["path"] or "").split("?")[0].split("#")[0].rstrip("/")
    return (*_parts(host.removeprefix("www.")), *_parts(path))


def _parts(address: str) -> Words:
    """The pieces of an address with the names of the marks between them."""
    said: list[str] = []
    for piece in re.findall(r"[A-Za-z]+|\d+|[^A-Za-z\d]", address[:80]):
        if piece.isalpha() and piece.isascii():
            said += _top_domain(piece) or _letters_or_word(piece)
        elif piece.isdecimal():
            said += cardinal(piece)
        else:
            said += lists.ADDRESS_MARKS.get(piece, ())
    return tuple(said)


def _top_domain(piece: str) -> Words:
    return tuple(piece.upper()) if piece.lower() in lists.SPELT_DOMAINS else ()


def _letters_or_word(piece: str) -> Words:
    if piece.lower() in lists.RESPELT:
        return lists.RESPELT[piece.lower()]
    return _pronounceable(piece.lower())


def _abbreviation(line: Line, index: int) -> Words | None:
    word = line.at(index)
    core = word.core.lower()
    if not word.after.startswith("."):
        return lists.ABBREVIATIONS.get(core) if core in lists.WITHOUT_POINT else None
    if core == "st":
        name_follows = line.at(index + 1).core[:1].isupper() and not line.at(index - 1).number
        return ("saint",) if name_follows and not _street_name(line, index) else ("street",)
    if core == "dr":
        return ("drive",) if _street_name(line, index) else ("doctor",)
    if core == "no" and not line.at(index + 1).number:
        return None
    if core == "in" or (core in lists.SENTENCE_ENDERS and index + 1 == len(line)):
        return None
    if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", word.core):
        return lists.ABBREVIATIONS.get(core) or tuple(word.core.replace(".", "").upper())
    if len(core) == 1 and word.core.isupper() and word.core != "I" and line.at(index + 1).core[:1].isupper():
        return (word.core,)  # an initial in a name
    return lists.ABBREVIATIONS.get(core)


def _street_name(line: Line, index: int) -> bool:
    """`12 Elm Dr.`: a number and a name stand before it."""
    return line.at(index - 1).core[:1].isupper() and (line.at(index - 2).number or line.at(index - 3).number)


def _dotted(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`U.S`, `p.m` (whose last point was taken for the sentence's)."""
    known = lists.ABBREVIATIONS.get(match[0].lower())
    return known or tuple(match[0].replace(".", "").upper())


def _capitals(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`NASA` is a word, `API` three letters; in a line of capitals only the known ones are letters."""
    core, plural = match["letters"], match["plural"] or ""
    lower = core.lower()
    if core in ("A", "I") and not plural:
        opens = index == 0 or bool(line.stop(index - 1))
        return (lower,) if core == "I" or (opens and line.at(index + 1).core[:1].isalpha()) else ("A",)
    if (unit := _unit_after_number(line, index)) is not None:
        return unit
    if lower in lists.ACRONYMS or lower in lists.SHOUTED or (_shouted(line, index) and lower not in lists.SPELT):
        return (lower + ("s" if plural else ""),)
    if len(core) > 5 and lower not in lists.SPELT and re.search(r"[aeiouy]", lower):
        return (lower,)
    return _plural(core) if plural else tuple(core[:_MOST_LETTERS])


def _plural(letters: str) -> Words:
    """`PDFs`: the last letter's name with an s."""
    return (*letters[:-1], lists.LETTER_NAMES[letters[-1]] + "s")


def _shouted(line: Line, index: int) -> bool:
    """Capitals on both sides (or on the only one): emphasis, not initials."""
    beside = [line.at(place).core for place in (index - 1, index + 1) if line.at(place).core.isalpha()]
    return bool(beside) and all(word.isupper() and len(word) > 1 for word in beside)


def _roman(match: re.Match[str], line: Line, index: int) -> Words | None:
    value, previous = lists.ROMAN.get(match[0]), line.at(index - 1)
    if value is None or not previous.core[:1].isupper() or previous.after:
        return None
    if previous.core.lower() in lists.COUNTED or len(match[0]) == 1:
        return cardinal(str(value)) if previous.core.lower() in lists.COUNTED else None
    return ("the", *ordinal(value)) if previous.core.isalpha() and not previous.core.isupper() else None


def _hash(match: re.Match[str], line: Line, index: int) -> Words | None:
    return ("number", *cardinal(match["digits"]))


def _word(match: re.Match[str], line: Line, index: int) -> Words | None:
    core = match[0].replace("’", "'")
    lower = core.lower()
    if len(core) == 1 and core.isupper():
        return None
    if (unit := _unit_after_number(line, index)) is not None:
        return unit
    if re.search(r"[a-z][A-Z]", core) and not core.startswith(("Mc", "Mac", "O'")):
        return _mixed(core)
    return _pronounceable(lower)


def _pronounceable(lower: str) -> Words:
    """A word; letters without any vowel are spelt, and what no one could say is cut short."""
    letters = lower.strip("'")
    if len(letters) > 1 and letters.isascii() and letters.isalpha() and not re.search(r"[aeiouy]", letters):
        return (letters,) if letters in lists.VOWELLESS else tuple(letters[:12].upper())
    return (lower[:_MOST_LETTERS],)


def _mixed(core: str) -> Words:
    """Whatever else there is, piece by piece: `GPT-4`, `H.264`, `well-known`, `and/or`, `WebRTC`, `C++`."""
    said: list[str] = []
    for piece in _PIECES.findall(core):
        if piece.isdecimal() and piece.isascii():
            said += _digits_in_name(piece)
        elif piece.isalpha() or "'" in piece or "’" in piece:
            said += _piece(piece)
        elif piece == "/":
            said += () if core.isupper() or core.lower() == "and/or" else ("or",)
        else:
            said += lists.MARKS.get(piece, ())
    return tuple(said[: 4 * _MOST_LETTERS])


_PIECES = re.compile(r"\d+|[A-Z]+(?![a-z])s?(?![a-z])|[A-Z]?[^\W\d_A-Z]+(?:['’][^\W\d_]+)*|[A-Z]|[^\w\s]|_")


def _piece(piece: str) -> Words:
    lower = piece.lower().replace("’", "'")
    if lower in lists.RESPELT:
        return lists.RESPELT[lower]
    if piece.isupper() and piece.isascii() and lower not in lists.ACRONYMS and len(piece) <= 5:
        return tuple(piece)
    if re.fullmatch(r"[A-Z]{2,}s", piece):
        return _plural(piece[:-1])
    return _pronounceable(lower)


def _digits_in_name(digits: str) -> Words:
    """`4090` as forty ninety, `264` as two sixty four: how names of things are said."""
    if len(digits) == 4 and digits[0] != "0" and digits[2] != "0":
        return (*cardinal(digits[:2]), *cardinal(digits[2:]))
    if len(digits) == 3 and digits[0] != "0" and digits[1] != "0":
        return (*cardinal(digits[0]), *cardinal(digits[1:]))
    return cardinal(digits) if len(digits) < 5 else one_by_one(digits)


Rule = tuple[re.Pattern[str], Callable[[re.Match[str], Line, int], Words | None]]
_RULES: tuple[Rule, ...] = (
    (re.compile(r"(?:thousand|million|billion|trillion)", re.IGNORECASE), _magnitude_of_money),
    (re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*(?<![A-Z]{2})(?<![A-Z]{2}s)"), _word),
    (re.compile(r"(?P<area>\+?\d{1,4}(?:[-.]\d{2,4})*)"), _area_code),
    (re.compile(rf"(?P<sign>[+\-−~≈]?)(?P<digits>{_NUMBER})"), _plain_number),
    (re.compile(r"(?P<digits>\d[\d,]*)(?:st|nd|rd|th)"), _ordinal),
    (re.compile(r"['’]?(?P<digits>\d{3}0|\d0)['’]?s"), _decade),
    (re.compile(rf"(?P<sign>[-−]?)(?P<first>{_NUMBER})%?(?:[-–—](?P<second>{_NUMBER}))?%"), _percent),
    (
        re.compile(
            rf"(?P<sign>[-−]?)(?:(?P<currency>US\$|[$€£¥])(?P<digits>{_NUMBER})(?P<scale>[kKmMbBtT]|[bB]n)?(?P<behind>))"
        ),
        _money,
    ),
    (re.compile(rf"(?P<sign>[-−]?)(?P<currency>)(?P<digits>{_NUMBER})(?P<scale>)(?P<behind>[€£¥$])"), _money),
    (re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?P<half>[ap]\.?m)?", re.IGNORECASE), _time),
    (re.compile(r"(?P<hour>\d{1,2})(?P<minute>)(?P<half>[ap]\.?m)", re.IGNORECASE), _time),
    (re.compile(r"(?:am|pm|a\.m|p\.m)", re.IGNORECASE), _half_day_alone),
    (re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"), _iso_date),
    (re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d{2})"), _us_date),
    (re.compile(r"\+?(?:\d{1,3}[-.])?\(?\d{3}\)?[-.]\d{3}[-.]\d{4}|\d{3}-\d{4}|\+\d{7,15}"), _telephone),
    (re.compile(rf"(?P<first>{_NUMBER})[-–—](?P<second>{_NUMBER})"), _range),
    (re.compile(r"(?P<top>\d{1,3})[/⁄](?P<bottom>\d{1,3})"), _fraction),
    (re.compile(rf"(?P<whole>\d*)(?P<part>[{''.join(lists.VULGAR)}])"), _vulgar),
    (re.compile(r"(?P<v>[vV]?)(?P<parts>\d{1,4}(?:\.\d{1,4}){2,}|(?<=[vV])\d{1,4}(?:\.\d{1,4})*)"), _version),
    (re.compile(rf"(?P<digits>{_NUMBER})(?P<scale>[kKM]|[bB]n)"), _count),
    (re.compile(rf"(?P<sign>[-−]?)(?P<digits>{_NUMBER})[-]?(?P<unit>[A-Za-zµ°²³\"/]+|%)"), _measure),
    (re.compile(r"(?P<feet>\d{1,2})['′](?P<inches>\d{0,2})[\"″]?"), _feet),
    (re.compile(r"#(?P<digits>\d{1,9})"), _hash),
    (re.compile(r"(?P<name>[\w.+\-]+)@(?P<host>[\w\-]+(?:\.[\w\-]+)+)"), _email),
    (re.compile(r"(?P<scheme>https?://)?(?P<host>[\w\-]+(?:\.[\w\-]+)+(?::\d+)?)(?P<path>[/?#]\S*)?"), _url),
    (re.compile(r"(?P<scheme>https?://)(?P<host>[\w\-]+(?::\d+)?)(?P<path>[/?#]\S*)?"), _url),
    (re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]"), _dotted),
    (re.compile(r"[IVX]+"), _roman),
    (re.compile(r"(?P<letters>[A-Z]+)(?P<plural>['’]?s)?"), _capitals),
    (re.compile("|".join(sorted(map(re.escape, lists.UNITS), key=len, reverse=True))), _unit_alone),
)
"""Tried in order on a word's core; the first whose reading is not None is taken."""

"""Spanish as it is spoken: numbers, dates, times, money, units, abbreviations, initials, addresses."""

from __future__ import annotations

import re

from num2words import num2words

from workers.tts import spanish as lists
from workers.tts.apart import dash, dialled, together, whole_before
from workers.tts.figures import CURRENCY, RANGE, SIGNED, ends, placed, rounded
from workers.tts.rules import Rule, by_rules
from workers.tts.words import Words
from workers.tts.written import Line

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?|\d*\.\d+|,\d+)"
"""`1.234,5`; `1,234.5` and `3.14`, as technical texts have them."""
_POINT = re.compile(r"(?!\d{1,3}\.\d{3}$)\d*\.\d+")


def say_spanish(line: Line, index: int, language: str) -> tuple[Words, bool]:
    """What is said for one word, and whether its point belongs to an abbreviation."""
    core = line.at(index).core
    compared = lists.COMPARISONS.get(line.words[index])
    if compared and line.at(index - 1).core and line.at(index + 1).core:
        return compared, False
    if between := dash(line, index):
        return ("a" if between == "to" else "menos",), False
    if not core:
        return (), False
    if (short := _abbreviation(line, index)) is not None:
        return short, True
    said = together(line, index, ".", _said)
    return (_said(core, line, index) if said is None else said), False


def _said(core: str, line: Line, index: int) -> Words:
    """What a core says that stands at `index`."""
    said = by_rules(_RULES, line.instead(index, core), index)
    return _mixed(core) if said is None else said


def cardinal(digits: str) -> Words:
    """A number as `_NUMBER` has it."""
    whole, mark, fraction = _split(digits)
    if len(whole) > 15 or (len(whole) > 1 and whole[0] == "0"):
        return one_by_one(whole + fraction)
    said = tuple(num2words(int(whole or "0"), lang="es").split())
    if not fraction:
        return said
    tail = one_by_one(fraction) if fraction[0] == "0" or len(fraction) > 2 else cardinal(fraction)
    return (*said, mark, *tail)


def _split(digits: str) -> tuple[str, str, str]:
    """The whole, what is said for the mark, the fraction: of `1.234,5`, `1,234.5` and `3.14`."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+\.\d+", digits):
        digits = digits.replace(",", "").replace(".", ",")
    mark = "." if _POINT.fullmatch(digits) else ","
    whole, _, fraction = digits.replace(".", "" if mark == "," else ".").partition(mark)
    return whole, "punto" if mark == "." else "coma", fraction


def one_by_one(digits: str) -> Words:
    names = ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
    return tuple(names[int(digit)] for digit in digits[:30])


def _counting(said: Words, noun: str) -> Words:
    """Before what is counted: veintiún euros, doscientas páginas, treinta y una casas, un millón de personas."""
    if said[-1] in ("millón", "millones"):
        return (*said, "de")
    if not _feminine(noun):
        return before_noun(said)
    ones = {"uno": "una", "veintiuno": "veintiuna"}
    return tuple(
        ones.get(word, word.replace("cientos", "cientas").replace("quinientos", "quinientas")) for word in said
    )


def _feminine(noun: str) -> bool:
    return bool(lists.FEMININE.search(noun.lower())) and noun.lower() not in lists.MASCULINE


def before_noun(said: Words) -> Words:
    """`uno` loses its o before what it counts: veintiún euros, un kilo."""
    short = {"uno": "un", "veintiuno": "veintiún"}
    return (*said[:-1], short.get(said[-1], said[-1]))


def _number(match: re.Match[str], line: Line, index: int) -> Words | None:
    digits, following = match["digits"], line.at(index + 1).core
    if digits.isdecimal() and _typed(digits, line, index):
        return one_by_one(digits)
    said = cardinal(digits)
    if line.at(index).after or following.lower() in ("de", "y", "o", "a") or said[-1] == "de":
        return said
    noun = lists.UNITS[following][1].split()[0] if following in lists.UNITS else following
    return _counting(said, noun) if noun[:1].isalpha() else said


def _typed(digits: str, line: Line, index: int) -> bool:
    """A number that is dialled or typed, rather than counted: `007`, `912345678`."""
    if len(digits) < 7:
        return len(digits) > 1 and digits[0] == "0"
    cue = any(line.at(index - back).core.lower() in lists.NUMBER_CUES for back in (1, 2))
    return cue or not (rounded(digits) or line.at(index + 1).core in lists.UNITS)


def _group(match: re.Match[str], line: Line, index: int) -> Words | None:
    return _telephone(match, line, index) if dialled(line, index) else None


def _signed(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (*lists.SIGNS[match["sign"]], *_said(match["currency"] + match["rest"], line, index))


def _range(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`10-20%` is diez a veinte, `9:00-14:00` de nueve a catorce."""
    first, second = ends(match, ("º", "ª"))
    opening = ":" in first and line.at(index - 1).core.lower() not in ("de", "desde", "entre")
    return (*(("de",) if opening else ()), *_said(first, line, index), "a", *_said(second, line, index))


def _per(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`5 €/mes`, `50mg/kg`."""
    unit = match["unit"]
    noun = unit if unit in lists.PER_ALSO or re.search(CURRENCY, match["amount"]) else ""
    per = lists.PER.get(unit) or "por " + (lists.UNITS[unit][0] if unit in lists.UNITS else noun)
    return None if per == "por " else (*_said(match["amount"], line, index), *per.split())


def _ordinal(match: re.Match[str], line: Line, index: int) -> Words | None:
    number, mark = int(match["digits"]), match["mark"]
    if not 1 <= number <= len(lists.ORDINALS):
        return cardinal(match["digits"])
    if mark == "er":
        return (lists.ORDINALS[number - 1],)
    return (_nth(number, mark in ("ª", "a")),)


def _nth(number: int, feminine: bool) -> str:
    stem = lists.ORDINALS[number - 1]
    full = stem + "o" if stem.endswith("er") else stem
    return full[:-1] + "a" if feminine else full


def _percent(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (*cardinal(match["digits"]), "por", "ciento")


def _money(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`€5`, `12.50€`, `$1,234`, `$1M`, `$20k`; the sign stands on one side."""
    if bool(match["before"]) == bool(match["behind"]):
        return None
    one, many, cent, cents = lists.CURRENCY[(match["before"] or match["behind"]).removeprefix("US")]
    digits = match["digits"]
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+", digits):
        digits = digits.replace(",", "")
    if match["scale"] in ("k", "K"):
        return (*(() if digits == "1" else cardinal(digits)), "mil", many)
    if match["scale"]:
        return (*before_noun(cardinal(digits)), "millón" if digits == "1" else "millones", "de", many)
    if line.at(index + 1).core.lower() in ("millón", "millones"):
        return cardinal(digits)
    whole, _, fraction = _split(digits)
    said = (*_counting(cardinal(whole), many), one if whole == "1" else many)
    if not fraction.strip("0"):
        return said
    if len(fraction) != 2:
        return (*cardinal(digits), many)
    change = (*_counting(cardinal(str(int(fraction))), cents), cent if fraction == "01" else cents)
    return (*said, "con", *change) if whole.strip("0") else change


def _currency_alone(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`5 millones €`."""
    millions = line.at(index - 1).core.lower() in ("millón", "millones")
    return ("de", lists.CURRENCY[match[0]][1]) if millions else None


def _millions_of_money(match: re.Match[str], line: Line, index: int) -> Words | None:
    before = re.match(rf"[+\-−±<>≤≥]*({CURRENCY})", line.at(index - 1).core)
    currency = before or re.fullmatch(f"({CURRENCY})", line.at(index - 2).core)
    return (match[0].lower(), "de", lists.CURRENCY[currency[1].removeprefix("US")][1]) if currency else None


def _version(match: re.Match[str], line: Line, index: int) -> Words | None:
    said = ["versión"] if match["v"] else []
    for place, part in enumerate(match["parts"].split(".")):
        said += (["punto"] if place else []) + list(cardinal(part))
    return tuple(said)


def _roman(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`Felipe III` is tercero, `Isabel II` segunda, `siglo XXI` veintiuno; from eleven on all are counted."""
    value, previous = lists.ROMAN.get(match[0]), line.at(index - 1)
    name = previous.core.lower()
    named = previous.core[:1].isupper() and not previous.core.isupper() and len(name) > 2 and not previous.after
    number = len(match[0]) > 1 or name in lists.MONARCHS
    if value is None or not (name in lists.COUNTED or (named and number)):
        return None
    if name in lists.COUNTED or value > 10:
        return cardinal(str(value))
    return (_nth(value, name.endswith("a") or name in lists.FEMININE_NAMES),)


def _measure(match: re.Match[str], line: Line, index: int) -> Words | None:
    unit = lists.UNITS.get(match["unit"])
    if unit is None:
        return None
    said = unit[0 if match["digits"] == "1" else 1].split()
    return (*_counting(cardinal(match["digits"]), said[0]), *said)


def _unit_alone(match: re.Match[str], line: Line, index: int) -> Words | None:
    unit, previous = lists.UNITS.get(match[0]), line.at(index - 1)
    if unit is None or not previous.number or previous.after:
        return None
    return tuple(unit[0 if previous.core == "1" else 1].split())


def _time(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`10:30`, `9:00h`, `5pm`; `10.30` only where it is `las 10.30`."""
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), match["half"] or ""
    if hour > 24 or minute > 59 or (match["mark"] == "." and line.at(index - 1).core.lower() not in ("la", "las")):
        return None
    said = ("una",) if hour == 1 else ("veintiuna",) if hour == 21 else cardinal(str(hour))
    part = _half_day(hour, half[0]) if half else ()
    if not minute:
        return (*said, *part) if hour <= 12 else (*said, "horas")
    return (*said, "y", *({15: ("cuarto",), 30: ("media",)}.get(minute) or cardinal(str(minute))), *part)


def _half_day(hour: int, half: str) -> Words:
    """In the evening from eight o'clock on."""
    part = "noche" if hour == 12 else "mañana"
    if half in "pP":
        part = "tarde" if hour == 12 or hour < 8 else "noche"
    return ("de", "la", part)


def _half_day_alone(line: Line, index: int) -> Words | None:
    """`5:30 a.m.`, `5 pm`; of `5 p. m.` the first letter says all but the last word."""
    core, before, after = (line.at(place).core.lower() for place in (index, index - 1, index + 1))
    two = (core in ("a", "p") and after == "m") or (core == "m" and before in ("a", "p"))
    hour = re.match(r"(\d{1,2})(?::\d{2})?$", line.at(index - (2 if core == "m" else 1)).core)
    if not hour or not (core in ("am", "pm", "a.m", "p.m") or (two and line.at(index).after.startswith("."))):
        return None
    said = _half_day(int(hour[1]), before if core == "m" else core[0])
    return said if not two else said[-1:] if core == "m" else said[:-1]


def _date(match: re.Match[str], line: Line, index: int) -> Words | None:
    day, month, year = int(match["day"]), int(match["month"]), int(match["year"])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    return (
        *cardinal(str(day)), "de", lists.MONTHS[month - 1], "de", *cardinal(str(year if year > 99 else 2000 + year))
    )  # fmt: skip


def _ratio(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`16:9`: what is no time of day."""
    return (*cardinal(match["first"]), "a", *cardinal(match["second"]))


def _fraction(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`1/2`, `3/4`; `3 1/2` and `2½` after a whole number."""
    vulgar = match.groupdict().get("part")
    written = lists.VULGAR[vulgar] if vulgar else match[0]
    top, _, bottom = written.partition("/")
    part = tuple(lists.FRACTIONS.get(written, "").split()) or (*cardinal(top), "barra", *cardinal(bottom))
    whole = cardinal(match["whole"]) if vulgar and match["whole"] else ()
    if not whole and not whole_before(line, index):
        return part
    half = "media" if _feminine(line.at(index + 1).core) else "medio"
    return (*whole, "y", *((half,) if written == "1/2" else part))


def _telephone(match: re.Match[str], line: Line, index: int) -> Words | None:
    said: list[str] = []
    for group in re.findall(r"\+?\d+", match[0]):
        said[-1:] = [word + "," for word in said[-1:]]
        country = group.lstrip("+")
        said += ("más",) if country != group else ()
        said += cardinal(country) if country != group and len(country) < 4 else one_by_one(country)
    return tuple(said)


def _email(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (*_parts(match["name"]), "arroba", *_parts(match["host"]))


def _url(match: re.Match[str], line: Line, index: int) -> Words | None:
    path = (match["path"] or "").split("?")[0].split("#")[0].rstrip("/")
    return (*_parts(match["host"].removeprefix("www.")), *_parts(path))


def _parts(address: str) -> Words:
    said: list[str] = []
    for piece in re.findall(r"[^\W\d_]+|\d+|[\W_]", address[:80]):
        if piece.isalpha():
            said += (
                tuple(piece.upper()) if not re.search(r"[aeiouáéíóúy]", piece.lower()) and len(piece) < 5 else (piece,)
            )
        elif piece.isdecimal():
            said += cardinal(piece)
        else:
            said += lists.ADDRESS.get(piece, "").split()
    return tuple(said)


def _abbreviation(line: Line, index: int) -> Words | None:
    word = line.at(index)
    core = word.core.lower()
    if (half_day := _half_day_alone(line, index)) is not None:
        return half_day
    if core == "ee" and line.at(index + 1).core.lower() == "uu":
        return ("estados",)
    if core == "uu" and line.at(index - 1).core.lower() == "ee":
        return ("unidos",)
    if word.core in ("C/", "c/") and line.at(index + 1).core:
        return ("calle",)
    if core == "p" and line.at(index + 1).core.lower() == "ej":
        return ("por",)
    if core == "ej" and line.at(index - 1).core.lower() == "p":
        return ("ejemplo",)
    said = lists.ABBREVIATIONS.get(core)
    if said is None or not (word.after.startswith(".") or "º" in core):
        return None
    if core in lists.NOT_WITHOUT_POINT and index + 1 == len(line):
        return None
    return tuple(said.split())


def _capitals(match: re.Match[str], line: Line, index: int) -> Words | None:
    core = match[0]
    lower = core.lower()
    shouted = [line.at(place).core for place in (index - 1, index + 1) if line.at(place).core.isalpha()]
    if len(core) == 1:
        return (lower,) if lower in "aeouy" else (core,)
    if lower in lists.WORDS_IN_CAPITALS or len(core) > 5 or (shouted and all(word.isupper() for word in shouted)):
        return (lower,)
    return tuple(core) if core.isascii() else (lower,)


def _word(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (match[0].lower()[:30],)


def _mixed(core: str) -> Words:
    said: list[str] = []
    for match in re.finditer(r"\d+|[A-ZÁÉÍÓÚÑ]+(?![a-záéíóúñ])|[^\W\d_]+|[^\w\s]|_", core):
        piece, place = match[0], placed(match)
        if piece.isdecimal() and piece.isascii():
            said += cardinal(piece)
        elif piece.isalpha():
            said += tuple(piece) if piece.isupper() and piece.isascii() and len(piece) <= 4 else (piece.lower()[:30],)
        elif place and piece in _AT_DIGITS[place]:
            said += _AT_DIGITS[place][piece]
        else:
            said += lists.MARKS.get(piece, "").split()
    return tuple(said[:90])


_AT_DIGITS: dict[str, dict[str, Words]] = {"between": lists.BETWEEN_DIGITS, "before": lists.SIGNS}
_YEAR_FIRST = r"(?P<year>\d{4})(?P<mark>[/.-])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
_DAY_FIRST = r"(?P<day>\d{1,2})(?P<mark>[/.-])(?P<month>\d{1,2})(?P=mark)(?P<year>\d{4})"

_RULES: tuple[Rule, ...] = (
    (re.compile("|".join(sorted(map(re.escape, lists.UNITS), key=len, reverse=True))), _unit_alone),
    (re.compile(r"millón|millones", re.IGNORECASE), _millions_of_money),
    (re.compile(r"[^\W\d_]*[a-záéíóúüñ](?:['’][^\W\d_]+)?"), _word),
    (re.compile(r"\+?\d{1,8}(?:[-.]\d{2,4})*"), _group),
    (re.compile(r"(?P<hour>\d{1,2})(?P<mark>\.)(?P<minute>\d{2})(?P<half>)h?"), _time),
    (re.compile(rf"(?P<digits>{_NUMBER})"), _number),
    (re.compile(_YEAR_FIRST), _date),
    (re.compile(_DAY_FIRST), _date),
    (re.compile(r"(?P<v>[vV]?)(?P<parts>\d{1,4}(?:\.\d{1,4}){2,}|(?<=[vV])\d{1,4}(?:\.\d{1,4})*)"), _version),
    (re.compile(r"(?P<digits>\d+)\.?(?P<mark>[ºªoa]|er)"), _ordinal),
    (re.compile(rf"(?P<digits>{_NUMBER})%"), _percent),
    (
        re.compile(
            rf"(?P<before>{CURRENCY}?)(?P<digits>\d{{1,3}}(?:,\d{{3}})+|{_NUMBER})(?P<scale>[kKM]?)(?P<behind>{CURRENCY}?)"
        ),
        _money,
    ),
    (re.compile(r"[€$£¥]"), _currency_alone),
    (re.compile(rf"(?P<digits>{_NUMBER})(?P<unit>[^\d\s]+)"), _measure),
    (re.compile(r"(?P<hour>\d{1,2})(?P<mark>:)(?P<minute>\d{2})h?(?P<half>[ap]\.?m)?", re.IGNORECASE), _time),
    (re.compile(r"(?P<hour>\d{1,2})(?P<mark>)(?P<minute>)(?P<half>[ap]\.?m)", re.IGNORECASE), _time),
    (re.compile(r"(?P<first>\d{1,3}):(?P<second>\d{1,3})"), _ratio),
    (re.compile(r"(?P<day>\d{1,2})[/.-](?P<month>\d{1,2})[/.-](?P<year>\d{2})"), _date),
    (re.compile(r"\+\d{7,15}|\d{3}-\d{3}-\d{3,4}"), _telephone),
    (re.compile(r"(?P<top>\d{1,3})/(?P<bottom>\d{1,3})"), _fraction),
    (re.compile(rf"(?P<whole>\d*)(?P<part>[{''.join(lists.VULGAR)}])"), _fraction),
    (re.compile(rf"(?P<amount>[^/]*\d[^/]*|{CURRENCY})/(?P<unit>[^\W\d_]+)"), _per),
    (SIGNED, _signed),
    (RANGE, _range),
    (re.compile(r"(?P<name>[\w.+\-]+)@(?P<host>[\w\-]+(?:\.[\w\-]+)+)"), _email),
    (re.compile(r"(?:https?://)(?P<host>[\w\-.]+)(?P<path>[/?#]\S*)?"), _url),
    (
        re.compile(r"(?P<host>(?:www\.)?[\w\-]+(?:\.[\w\-]+)*\.(?:com|es|org|net|mx|ar|edu|io))(?P<path>[/?#]\S*)?"),
        _url,
    ),
    (re.compile(r"[IVX]+"), _roman),
    (re.compile(r"[A-ZÁÉÍÓÚÑ]+"), _capitals),
)
"""Tried in order on a word's core; the first whose reading is not None is taken."""

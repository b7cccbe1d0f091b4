"""Spanish as it is spoken: numbers, dates, times, money, units, abbreviations, initials, addresses."""

from __future__ import annotations

import re

from num2words import num2words

from workers.tts.rules import Rule, by_rules
from workers.tts.words import Words, listed
from workers.tts.written import Line

_NUMBER = r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?"
_MONTHS = listed("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre")
_CURRENCY = {
    "€": ("euro", "euros", "céntimo", "céntimos"),
    "$": ("dólar", "dólares", "centavo", "centavos"),
    "£": ("libra", "libras", "penique", "peniques"),
}
_CENTS = re.compile(r",(?!00)\d\d$")
_UNITS = {
    "km": ("kilómetro", "kilómetros"),
    "m": ("metro", "metros"),
    "cm": ("centímetro", "centímetros"),
    "mm": ("milímetro", "milímetros"),
    "kg": ("kilo", "kilos"),
    "g": ("gramo", "gramos"),
    "l": ("litro", "litros"),
    "ml": ("mililitro", "mililitros"),
    "h": ("hora", "horas"),
    "min": ("minuto", "minutos"),
    "s": ("segundo", "segundos"),
    "ms": ("milisegundo", "milisegundos"),
    "km/h": ("kilómetro por hora", "kilómetros por hora"),
    "°C": ("grado centígrado", "grados centígrados"),
    "ºC": ("grado centígrado", "grados centígrados"),
    "°": ("grado", "grados"),
    "GB": ("gigabyte", "gigabytes"),
    "MB": ("megabyte", "megabytes"),
    "GHz": ("gigahercio", "gigahercios"),
    "m²": ("metro cuadrado", "metros cuadrados"),
}
_ABBREVIATIONS = {
    "sr": "señor", "sra": "señora", "srta": "señorita", "sres": "señores", "dr": "doctor", "dra": "doctora",
    "d": "don", "dña": "doña", "ud": "usted", "uds": "ustedes", "vd": "usted", "etc": "etcétera", "p.ej": "por ejemplo",
    "núm": "número", "n.º": "número", "nº": "número", "pág": "página", "págs": "páginas", "av": "avenida",
    "avda": "avenida", "c": "calle", "tel": "teléfono", "tfno": "teléfono", "prof": "profesor", "profa": "profesora",
    "ee.uu": "estados unidos", "aprox": "aproximadamente", "art": "artículo", "cap": "capítulo", "dpto": "departamento",
    "izq": "izquierda", "dcha": "derecha", "min": "minutos", "máx": "máximo", "a.c": "antes de cristo",
    "d.c": "después de cristo", "s.a": "S A", "a.m": "de la mañana", "p.m": "de la tarde",
}  # fmt: skip
_NOT_WITHOUT_POINT = frozenset({"d", "c", "min", "cap", "art"})
_WORDS_IN_CAPITALS = frozenset(listed("onu otan ovni sida renfe láser radar pyme covid nasa uned iva pin sim"))
_ROMAN = dict(
    zip(
        listed("I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX XXI"), range(1, 22), strict=True
    )
)
_FEMININE = re.compile(r"(?:as?|ciones|siones|dades|ción|sión|dad|veces|noches|tardes|mujeres)$")
_MASCULINE = frozenset(listed(
    "día días mapa mapas problema problemas programa programas sistema sistemas tema temas idioma idiomas poema poemas"
    " clima climas planeta planetas cometa cometas drama dramas telegrama telegramas diagrama diagramas para a la las"
    " ya hasta era cada nada dálmata dálmatas turista turistas artista artistas"
))  # fmt: skip
_MARKS = {
    "&": "y", "+": "más", "=": "igual a", "%": "por ciento", "@": "arroba", "/": "barra", "€": "euros", "°": "grados",
    "½": "un medio", "¼": "un cuarto", "×": "por", "±": "más menos", "<": "menos de", ">": "más de", "≤": "como máximo",
    "≥": "como mínimo",
}  # fmt: skip
_SIGNS: dict[str, Words] = {
    "-": ("menos",), "−": ("menos",), "+": ("más",), "±": ("más", "menos"), "<": ("menos", "de"), ">": ("más", "de"),
    "≤": ("como", "máximo"), "≥": ("como", "mínimo"),
}  # fmt: skip
_ADDRESS = {".": "punto", "/": "barra", "-": "guion", "_": "guion bajo", ":": "dos puntos", "@": "arroba", "+": "más"}
_ORDINALS = listed(
    "primer segundo tercer cuarto quinto sexto séptimo octavo noveno décimo undécimo duodécimo decimotercer"
    " decimocuarto decimoquinto decimosexto decimoséptimo decimoctavo decimonoveno vigésimo"
)


def say_spanish(line: Line, index: int, language: str) -> tuple[Words, bool]:
    """What is said for one word, and whether its point belongs to an abbreviation."""
    core = line.at(index).core
    if not core:
        return (), False
    if (short := _abbreviation(line, index)) is not None:
        return short, True
    said = by_rules(_RULES, line, index)
    return (_mixed(core) if said is None else said), False


def cardinal(digits: str) -> Words:
    """A number with Spanish marks: `1.234,5`."""
    whole, _, fraction = digits.replace(".", "").partition(",")
    if len(whole) > 15 or (len(whole) > 1 and whole[0] == "0"):
        return one_by_one(whole + fraction)
    said = tuple(num2words(int(whole or "0"), lang="es").split())
    if not fraction:
        return said
    tail = one_by_one(fraction) if fraction[0] == "0" or len(fraction) > 2 else cardinal(fraction)
    return (*said, "coma", *tail)


def one_by_one(digits: str) -> Words:
    names = ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
    return tuple(names[int(digit)] for digit in digits[:30])


def _counting(said: Words, noun: str) -> Words:
    """Before what is counted: veintiún euros, doscientas páginas, treinta y una casas."""
    lower = noun.lower()
    if not _FEMININE.search(lower) or lower in _MASCULINE:
        return before_noun(said)
    ones = {"uno": "una", "veintiuno": "veintiuna"}
    return tuple(
        ones.get(word, word.replace("cientos", "cientas").replace("quinientos", "quinientas")) for word in said
    )


def before_noun(said: Words) -> Words:
    """`uno` loses its o before what it counts: veintiún euros, un kilo."""
    short = {"uno": "un", "veintiuno": "veintiún"}
    return (*said[:-1], short.get(said[-1], said[-1]))


def _number(match: re.Match[str], line: Line, index: int) -> Words | None:
    sign, digits = match["sign"], match["digits"]
    if digits.isdecimal() and (len(digits) >= 7 or (len(digits) > 1 and digits[0] == "0")):
        return one_by_one(digits)
    said = cardinal(digits)
    following = line.at(index + 1).core
    if following in _CURRENCY and _CENTS.search(digits):
        return _amount(digits, following)
    if not line.at(index).after and (following in _CURRENCY or following in _UNITS):
        said = before_noun(said)
    elif following[:1].isalpha() and following.lower() not in ("de", "y", "o", "a") and not line.at(index).after:
        said = _counting(said, following)
    return (*_SIGNS.get(sign, ()), *said)


def _decimal_point(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`3.14`, as technical texts have it."""
    whole, fraction = match[0].split(".")
    return (*cardinal(whole), "punto", *(one_by_one(fraction) if len(fraction) > 2 else cardinal(fraction)))


def _ordinal(match: re.Match[str], line: Line, index: int) -> Words | None:
    number, mark = int(match["digits"]), match["mark"]
    if not 1 <= number <= len(_ORDINALS):
        return cardinal(match["digits"])
    stem = _ORDINALS[number - 1]
    if mark == "er":
        return (stem,)
    full = stem + "o" if stem.endswith("er") else stem
    return (full[:-1] + "a",) if mark in ("ª", "a") else (full,)


def _percent(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (*cardinal(match["digits"]), "por", "ciento")


def _percent_alone(match: re.Match[str], line: Line, index: int) -> Words | None:
    return ("por", "ciento")


def _money(match: re.Match[str], line: Line, index: int) -> Words | None:
    if line.at(index + 1).core.lower() in ("millón", "millones"):
        return cardinal(match["digits"])
    return _amount(match["digits"], match["before"] or match["behind"])


def _amount(digits: str, currency: str) -> Words:
    one, many, cent, cents = _CURRENCY[currency]
    whole, _, fraction = digits.partition(",")
    said = (*before_noun(cardinal(whole)), one if whole == "1" else many)
    if len(fraction) == 2 and int(fraction):
        return (*said, "con", *before_noun(cardinal(str(int(fraction)))), cent if fraction == "01" else cents)
    return said


def _english_amount(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`$3.50`: the sign of dollars comes with a point."""
    return _amount(match["digits"].replace(",", "").replace(".", ","), match["before"])


def _scaled_money(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`$1M`, `€3,5M`, `$20k`."""
    many = _CURRENCY[match["before"]][1]
    digits = match["digits"].replace(".", ",")
    if match["scale"] in "kK":
        return (*(() if digits == "1" else cardinal(digits)), "mil", many)
    return (*before_noun(cardinal(digits)), "millón" if digits == "1" else "millones", "de", many)


def _english_number(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`1,234.56`."""
    return cardinal(match[0].replace(",", "").replace(".", ","))


def _version(match: re.Match[str], line: Line, index: int) -> Words | None:
    said = ["versión"] if match["v"] else []
    for place, part in enumerate(match["parts"].split(".")):
        said += (["punto"] if place else []) + list(cardinal(part))
    return tuple(said)


def _roman(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`Felipe III` is tercero, `siglo XXI` veintiuno; from eleven on all are counted."""
    value, previous = _ROMAN.get(match[0]), line.at(index - 1)
    counted = previous.core.lower() in ("siglo", "capítulo", "tomo", "volumen", "parte")
    named = (
        previous.core[:1].isupper() and not previous.core.isupper() and len(previous.core) > 2 and not previous.after
    )
    if value is None or not (counted or (named and len(match[0]) > 1)):
        return None
    if counted or value > 10:
        return cardinal(str(value))
    ordinal = _ORDINALS[value - 1]
    return (ordinal + "o" if ordinal.endswith("er") else ordinal,)


def _currency_alone(match: re.Match[str], line: Line, index: int) -> Words | None:
    previous = line.at(index - 1)
    if not previous.number:
        return None
    if _CENTS.search(previous.core):
        return ()  # said with the number
    return (_CURRENCY[match[0]][0 if previous.core == "1" else 1],)


def _millions_of_money(match: re.Match[str], line: Line, index: int) -> Words | None:
    sign = line.at(index - 1).core[:1]
    return (match[0].lower(), "de", _CURRENCY[sign][1]) if sign in _CURRENCY else None


def _measure(match: re.Match[str], line: Line, index: int) -> Words | None:
    unit = _UNITS.get(match["unit"])
    if unit is None:
        return None
    sign = ("menos",) if match["sign"] else ()
    return (*sign, *before_noun(cardinal(match["digits"])), *unit[0 if match["digits"] == "1" else 1].split())


def _unit_alone(match: re.Match[str], line: Line, index: int) -> Words | None:
    unit, previous = _UNITS.get(match[0]), line.at(index - 1)
    if unit is None or not previous.number or previous.after:
        return None
    return tuple(unit[0 if previous.core == "1" else 1].split())


def _time(match: re.Match[str], line: Line, index: int) -> Words | None:
    hour, minute = int(match["hour"]), int(match["minute"])
    if hour > 24 or minute > 59:
        return None
    said = ("una",) if hour == 1 else ("veintiuna",) if hour == 21 else cardinal(str(hour))
    if not minute:
        return said if hour <= 12 else (*said, "horas")
    return (*said, "y", *({15: ("cuarto",), 30: ("media",)}.get(minute) or cardinal(str(minute))))


def _date(match: re.Match[str], line: Line, index: int) -> Words | None:
    day, month, year = int(match["day"]), int(match["month"]), int(match["year"])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    return (*cardinal(str(day)), "de", _MONTHS[month - 1], "de", *cardinal(str(year if year > 99 else 2000 + year)))


def _range(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (*cardinal(match["first"]), "a", *cardinal(match["second"]))


def _fraction(match: re.Match[str], line: Line, index: int) -> Words | None:
    names = {("1", "2"): "un medio", ("1", "3"): "un tercio", ("1", "4"): "un cuarto", ("3", "4"): "tres cuartos",
             ("2", "3"): "dos tercios"}  # fmt: skip
    said = names.get((match["top"], match["bottom"]))
    return tuple(said.split()) if said else (*cardinal(match["top"]), "barra", *cardinal(match["bottom"]))


def _telephone(match: re.Match[str], line: Line, index: int) -> Words | None:
    said: list[str] = []
    for group in re.findall(r"\+?\d+", match[0]):
        said[-1:] = [word + "," for word in said[-1:]]
        said += ("más", *cardinal(group[1:5]), *one_by_one(group[5:])) if group[0] == "+" else one_by_one(group)
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
            said += _ADDRESS.get(piece, "").split()
    return tuple(said)


def _abbreviation(line: Line, index: int) -> Words | None:
    word = line.at(index)
    core = word.core.lower().replace(". ", ".")
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
    said = _ABBREVIATIONS.get(core)
    if said is None or not (word.after.startswith(".") or "º" in core):
        return None
    if core in _NOT_WITHOUT_POINT and index + 1 == len(line):
        return None
    return tuple(said.split())


def _capitals(match: re.Match[str], line: Line, index: int) -> Words | None:
    core = match[0]
    lower = core.lower()
    shouted = [line.at(place).core for place in (index - 1, index + 1) if line.at(place).core.isalpha()]
    if len(core) == 1:
        return (lower,) if lower in "aeouy" else (core,)
    if lower in _WORDS_IN_CAPITALS or len(core) > 5 or (shouted and all(word.isupper() for word in shouted)):
        return (lower,)
    return tuple(core) if core.isascii() else (lower,)


def _word(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (match[0].lower()[:30],)


def _mixed(core: str) -> Words:
    said: list[str] = []
    for piece in re.findall(r"\d+|[A-ZÁÉÍÓÚÑ]+(?![a-záéíóúñ])|[^\W\d_]+|[^\w\s]|_", core):
        if piece.isdecimal() and piece.isascii():
            said += cardinal(piece)
        elif piece.isalpha():
            said += tuple(piece) if piece.isupper() and piece.isascii() and len(piece) <= 4 else (piece.lower()[:30],)
        else:
            said += _MARKS.get(piece, "").split()
    return tuple(said[:90])


_RULES: tuple[Rule, ...] = (
    (re.compile("|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))), _unit_alone),
    (re.compile(r"millón|millones", re.IGNORECASE), _millions_of_money),
    (re.compile(r"[^\W\d_]*[a-záéíóúüñ](?:['’][^\W\d_]+)?"), _word),
    (re.compile(rf"(?P<sign>[+\-−±<>≤≥]?)(?P<digits>{_NUMBER})"), _number),
    (re.compile(r"\d{1,3}(?:,\d{3})+\.\d+"), _english_number),
    (re.compile(r"(?P<v>[vV]?)(?P<parts>\d{1,4}(?:\.\d{1,4}){2,}|(?<=[vV])\d{1,4}(?:\.\d{1,4})*)"), _version),
    (re.compile(r"\d+\.\d+"), _decimal_point),
    (re.compile(r"(?P<digits>\d+)\.?(?P<mark>[ºªoa]|er)"), _ordinal),
    (re.compile(rf"(?P<digits>{_NUMBER})%"), _percent),
    (re.compile(r"%"), _percent_alone),
    (re.compile(r"(?P<before>[€$£])(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d{2})?|\d+\.\d{2})"), _english_amount),
    (re.compile(r"(?P<before>[€$£])(?P<digits>\d+(?:[.,]\d)?)(?P<scale>[kKM])"), _scaled_money),
    (re.compile(rf"(?P<before>[€$£])(?P<digits>{_NUMBER})(?P<behind>)"), _money),
    (re.compile(rf"(?P<before>)(?P<digits>{_NUMBER})(?P<behind>[€$£])"), _money),
    (re.compile(r"[€$£]"), _currency_alone),
    (re.compile(rf"(?P<sign>[-−]?)(?P<digits>{_NUMBER})(?P<unit>[^\d\s]+)"), _measure),
    (re.compile(r"(?P<hour>\d{1,2})[:](?P<minute>\d{2})(?:h)?"), _time),
    (re.compile(r"(?P<day>\d{1,2})[/.-](?P<month>\d{1,2})[/.-](?P<year>\d{4}|\d{2})"), _date),
    (re.compile(r"\+\d{1,15}|\d{3}-\d{3}-\d{3,4}"), _telephone),
    (re.compile(rf"(?P<first>{_NUMBER})[-–](?P<second>{_NUMBER})"), _range),
    (re.compile(r"(?P<top>\d{1,3})/(?P<bottom>\d{1,3})"), _fraction),
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

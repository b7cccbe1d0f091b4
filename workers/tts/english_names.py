"""English names as they are spoken: addresses, abbreviations, initials, and plain words."""

from __future__ import annotations

import re

from workers.tts import english as lists
from workers.tts.english_amounts import unit_after_number
from workers.tts.english_numbers import cardinal, one_by_one, ordinal
from workers.tts.figures import placed
from workers.tts.words import Words
from workers.tts.written import Line

_MOST_LETTERS = 24


def email(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (*_parts(match["name"]), "at", *_parts(match["host"]))


def url(match: re.Match[str], line: Line, index: int) -> Words | None:
    host = match["host"].rstrip("/")
    if not match["scheme"] and host.rsplit(".", 1)[-1].lower() not in lists.TOP_DOMAINS:
        return None
    path = (match["path"] or "").split("?")[0].split("#")[0].rstrip("/")
    return (*_parts(host.removeprefix("www.")), *_parts(path))


def path(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`/etc/hosts`, `~/tls.key`, `src/app/main.py`."""
    return _parts(match[0].rstrip("/"))


def path_from_root(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`bin/up`, but not `and/or`."""
    return _parts(match[0]) if match["root"] in lists.ROOTS else None


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
    return pronounceable(piece.lower())


def abbreviation(line: Line, index: int) -> Words | None:
    word = line.at(index)
    core, pointed = word.core.lower(), word.after.startswith(".")
    if core == "st" and (pointed or word.core == "St"):
        name_follows = line.at(index + 1).core[:1].isupper() and not word.after.strip(".")
        saint = name_follows and not line.at(index - 1).number and not _street_name(line, index)
        return ("saint",) if saint else ("street",)
    if core == "dr" and (pointed or word.core == "Dr"):
        return ("drive",) if _street_name(line, index) else ("doctor",)
    if not pointed:
        known = core in lists.WITHOUT_POINT and not (core == "ms" and word.core != "Ms")
        return lists.ABBREVIATIONS[core] if known or _in_calendar(line, index) else None
    if core == "no" and not line.at(index + 1).number:
        return None
    a_day = core in lists.DAYS_THAT_ARE_WORDS and word.core[0].isupper() and index > 0
    if core == "in" or (core in lists.SENTENCE_ENDERS and index + 1 == len(line) and not a_day):
        return None
    if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", word.core):
        return lists.ABBREVIATIONS.get(core) or tuple(word.core.replace(".", "").upper())
    if len(core) == 1 and word.core.isupper() and word.core != "I" and line.at(index + 1).core[:1].isupper():
        return (word.core,)  # an initial in a name
    return lists.ABBREVIATIONS.get(core)


def _street_name(line: Line, index: int) -> bool:
    """`12 Elm Dr.`: a number and a name stand before it."""
    return line.at(index - 1).core[:1].isupper() and (line.at(index - 2).number or line.at(index - 3).number)


def _in_calendar(line: Line, index: int) -> bool:
    """`Dec 25`, `25 Dec`, `Sun 9:00`, `Mon, Dec 25`: a month or day, but not the sun."""
    word, left, right = line.at(index), line.at(index - 1), line.at(index + 1)
    if not word.core.istitle() or word.core.lower() not in lists.CALENDAR:
        return False
    date = right.core.istitle() and right.core.lower() in lists.MONTHS
    dated = word.core.lower() in lists.MONTHS and left.number and not left.after
    return date or dated or (right.number and not word.after)


def dotted(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`U.S`, `p.m` (whose last point was taken for the sentence's)."""
    known = lists.ABBREVIATIONS.get(match[0].lower())
    return known or tuple(match[0].replace(".", "").upper())


def capitals(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`NASA` is a word, `API` three letters; in a line of capitals only the known ones are letters."""
    core, plural = match["letters"], match["plural"] or ""
    lower = core.lower()
    if core in ("A", "I") and not plural:
        opens = index == 0 or bool(line.stop(index - 1))
        return (lower,) if core == "I" or (opens and line.at(index + 1).core[:1].isalpha()) else ("A",)
    if (unit := unit_after_number(line, index)) is not None:
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


def roman(match: re.Match[str], line: Line, index: int) -> Words | None:
    value, previous = lists.ROMAN.get(match[0]), line.at(index - 1)
    if value is None or not previous.core[:1].isupper() or previous.after:
        return None
    if previous.core.lower() in lists.COUNTED or len(match[0]) == 1:
        return cardinal(str(value)) if previous.core.lower() in lists.COUNTED else None
    return ("the", *ordinal(value)) if previous.core.isalpha() and not previous.core.isupper() else None


def numbered(match: re.Match[str], line: Line, index: int) -> Words | None:
    return ("number", *cardinal(match["digits"]))


def plain_word(match: re.Match[str], line: Line, index: int) -> Words | None:
    core = match[0].replace("’", "'")
    lower = core.lower()
    if len(core) == 1 and core.isupper():
        return None
    if (unit := unit_after_number(line, index)) is not None:
        return unit
    if re.search(r"[a-z][A-Z]", core) and not core.startswith(("Mc", "Mac", "O'")):
        return mixed(core)
    return pronounceable(lower)


def pronounceable(lower: str) -> Words:
    """A word; letters without any vowel are spelt, and what no one could say is cut short."""
    letters = lower.strip("'")
    if len(letters) > 1 and letters.isascii() and letters.isalpha() and not re.search(r"[aeiouy]", letters):
        return (letters,) if letters in lists.VOWELLESS else tuple(letters[:12].upper())
    return (lower[:_MOST_LETTERS],)


def mixed(core: str) -> Words:
    """Whatever else there is, piece by piece: `GPT-4`, `H.264`, `well-known`, `and/or`, `WebRTC`, `C++`."""
    said: list[str] = []
    for match in _PIECES.finditer(core):
        piece, place = match[0], placed(match)
        if piece[-1].isdecimal() and piece.isascii():
            said += _digits_in_name(piece)
        elif piece[0].isdecimal() and piece.isascii():
            said += ordinal(int(piece[:-2]))
        elif piece.isalpha() or "'" in piece or "’" in piece:
            said += _piece(piece)
        elif piece == "," and place == "between":
            said[-1:] = [word + "," for word in said[-1:]]
        elif place and piece in _AT_DIGITS[place]:
            said += _AT_DIGITS[place][piece]
        elif piece == "/":
            said += () if core.isupper() or core.lower() == "and/or" else ("or",)
        else:
            said += lists.MARKS.get(piece, ())
    return tuple(said[: 4 * _MOST_LETTERS])


_AT_DIGITS: dict[str, dict[str, Words]] = {"between": lists.BETWEEN_DIGITS, "before": lists.SIGNS}
_PIECES = re.compile(
    r"(?<![\d.])(?:\d+|(?<!\w))\.\d+(?![\d.])|\d{1,4}(?:st|nd|rd|th)(?![a-z])|\d+|[²³]"
    r"|[A-Z]+(?![a-z])s?(?![a-z])|[A-Z]?[^\W\d_A-Z²³]+(?:['’][^\W\d_]+)*|[A-Z]|[^\w\s]|_"
)


def _piece(piece: str) -> Words:
    lower = piece.lower().replace("’", "'")
    if lower in lists.RESPELT:
        return lists.RESPELT[lower]
    if piece.isupper() and piece.isascii() and lower not in lists.ACRONYMS and len(piece) <= 5:
        return tuple(piece)
    if re.fullmatch(r"[A-Z]{2,}s", piece):
        return _plural(piece[:-1])
    return pronounceable(lower)


def _digits_in_name(digits: str) -> Words:
    """`4090` as forty ninety, `264` as two sixty four: how names of things are said."""
    if "." in digits:
        return cardinal(digits)
    if len(digits) == 4 and digits[0] != "0" and digits[2] != "0":
        return (*cardinal(digits[:2]), *cardinal(digits[2:]))
    if len(digits) == 3 and digits[0] != "0" and digits[1] != "0":
        return (*cardinal(digits[0]), *cardinal(digits[1:]))
    return cardinal(digits) if len(digits) < 5 else one_by_one(digits)

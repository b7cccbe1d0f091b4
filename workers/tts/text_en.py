"""English as it is spoken: which reading a written word gets."""

from __future__ import annotations

import re

from workers.tts import english as lists
from workers.tts import english_amounts as amounts
from workers.tts import english_names as names
from workers.tts import english_numbers as numbers
from workers.tts import english_times as times
from workers.tts.apart import dash, together
from workers.tts.english_numbers import NUMBER
from workers.tts.figures import CURRENCY, RANGE, SIGNED, ends
from workers.tts.rules import Rule, by_rules
from workers.tts.words import Words
from workers.tts.written import Line


def _said(core: str, line: Line, index: int) -> Words:
    """What a core says that stands at `index`."""
    said = by_rules(_RULES, line.instead(index, core), index)
    return names.mixed(core) if said is None else said


def _signed(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (*numbers.signed(match["sign"]), *_said(match["currency"] + match["rest"], line, index))


def _range(match: re.Match[str], line: Line, index: int) -> Words | None:
    first, second = (_said(end, line, index) for end in ends(match, _ON_BOTH))
    return (*(first[:-1] if first[-1:] == ("of",) else first), "to", *second)  # the fifth to the tenth of March


def _per(match: re.Match[str], line: Line, index: int) -> Words | None:
    per = amounts.per(match["unit"], match["amount"])
    return per and (*_said(match["amount"], line, index), *per)


_ON_BOTH = ("st", "nd", "rd", "th", "s")
"""Endings that both ends of a range have: `18th-19th`, `20s-30s`."""

_RULES: tuple[Rule, ...] = (
    (re.compile(r"(?:thousand|million|billion|trillion)", re.IGNORECASE), amounts.magnitude_of_money),
    (re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*(?<![A-Z]{2})(?<![A-Z]{2}s)"), names.plain_word),
    (re.compile(r"(?P<area>\+?\d{1,8}(?:[-.]\d{2,4})*)"), times.area_code),
    (re.compile(rf"(?P<sign>[+\-−±~≈≤≥]|[<>]=?|)(?P<digits>{NUMBER})"), numbers.plain_number),
    (re.compile(r"(?P<digits>\d[\d,]*)(?:st|nd|rd|th)"), numbers.written_ordinal),
    (re.compile(r"['’]?(?P<digits>\d{3}0|\d0)['’]?s"), numbers.decade),
    (re.compile(rf"(?P<digits>{NUMBER})%"), numbers.percent),
    (
        re.compile(rf"(?P<currency>{CURRENCY})(?P<digits>{NUMBER})(?P<scale>[kKmMbBtT]|[bB]n)?(?P<behind>)"),
        amounts.money,
    ),
    (
        re.compile(rf"(?P<currency>)(?P<digits>{NUMBER})(?P<scale>[kKmMbBtT]|[bB]n)?(?P<behind>{CURRENCY})"),
        amounts.money,
    ),
    (re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?P<half>[ap]\.?m)?", re.IGNORECASE), times.clock_time),
    (re.compile(r"(?P<hour>\d{1,2})(?P<minute>)(?P<half>[ap]\.?m)", re.IGNORECASE), times.clock_time),
    (re.compile(r"(?P<first>\d{1,3}):(?P<second>\d{1,3})"), times.ratio),
    (re.compile(r"(?P<first>[A-Z][a-z]{1,4})[-–—](?P<second>[A-Z][a-z]{1,4})"), times.from_day_to_day),
    (re.compile(r"(?:am|pm|a\.m|p\.m)", re.IGNORECASE), times.half_day_alone),
    (re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"), times.iso_date),
    (re.compile(r"(?P<month>\d{1,2})(?P<mark>[/-])(?P<day>\d{1,2})(?P=mark)(?P<year>\d{4})"), times.us_date),
    (re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{2})"), times.us_date),
    (re.compile(r"(?P<first>\d{1,2})\.(?P<second>\d{1,2})\.(?P<year>\d{4})"), times.dotted_date),
    (
        re.compile(r"\+?(?:\d{1,3}[-.])?\(?\d{3}\)?[-.]\d{3}[-.]\d{4}|(?!\d00-\d\d00)\d{3}-\d{4}|\+\d{7,15}"),
        times.telephone,
    ),
    (re.compile(rf"(?P<first>{NUMBER})[-–—](?P<second>{NUMBER})"), numbers.number_range),
    (re.compile(r"(?P<top>\d{1,3})[/⁄](?P<bottom>\d{1,3})"), numbers.fraction),
    (re.compile(rf"(?P<whole>\d*)(?P<part>[{''.join(lists.VULGAR)}])"), numbers.vulgar),
    (re.compile(r"(?P<v>[vV]?)(?P<parts>\d{1,4}(?:\.\d{1,4}){2,}|(?<=[vV])\d{1,4}(?:\.\d{1,4})*)"), numbers.version),
    (re.compile(rf"(?P<digits>{NUMBER})(?P<scale>[kKM]|[bB]n)"), numbers.count),
    (re.compile(rf"(?P<digits>{NUMBER})-?(?P<unit>[A-Za-zµ°²³\"/]+)"), amounts.measure),
    (re.compile(r"(?P<feet>\d{1,2})['′](?P<inches>\d{0,2})[\"″]?"), amounts.feet),
    (re.compile(r"(?P<parts>\d{1,3}(?:\.\d{1,3}){3}):(?P<port>\d{1,5})"), numbers.network_address),
    (re.compile(rf"(?P<amount>[^/]*\d[^/]*|{CURRENCY})/(?P<unit>[A-Za-z]+[²³]?)"), _per),
    (SIGNED, _signed),
    (RANGE, _range),
    (re.compile(r"(?:~|\.{1,2})?/[\w.\-/]*|[\w.\-]+(?:/[\w.\-]+)+/?\.\w+|[\w.\-]+(?:/[\w.\-]+){2,}/?"), names.path),
    (re.compile(r"(?P<root>\w+)/[\w.\-/]+"), names.path_from_root),
    (re.compile(r"#(?P<digits>\d{1,9})"), names.numbered),
    (re.compile(r"(?P<name>[\w.+\-]+)@(?P<host>[\w\-]+(?:\.[\w\-]+)+)"), names.email),
    (re.compile(r"(?P<scheme>https?://)?(?P<host>[\w\-]+(?:\.[\w\-]+)+(?::\d+)?)(?P<path>[/?#]\S*)?"), names.url),
    (re.compile(r"(?P<scheme>https?://)(?P<host>[\w\-]+(?::\d+)?)(?P<path>[/?#]\S*)?"), names.url),
    (re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]"), names.dotted),
    (re.compile(r"[IVX]+"), names.roman),
    (re.compile(r"(?P<letters>[A-Z]+)(?P<plural>['’]?s)?"), names.capitals),
    (re.compile("|".join(sorted(map(re.escape, lists.UNITS), key=len, reverse=True))), amounts.unit_alone),
)
"""Tried in order on a word's core; the first whose reading is not None is taken."""


def say_english(line: Line, index: int, language: str) -> tuple[Words, bool]:
    """What is said for one word, and whether its point belongs to an abbreviation."""
    word = line.at(index)
    core = word.core
    if (compared := lists.COMPARISONS.get(line.words[index])) and line.at(index - 1).core and line.at(index + 1).core:
        return compared, False
    if between := dash(line, index):
        return (between,), False
    if not core:
        return (), False
    if core.isascii() and core.islower() and core.isalpha() and not word.after.startswith("."):
        if core in ("am", "pm") and line.at(index - 1).number:
            return (core[0].upper(), "M"), False
        if (unit := amounts.unit_after_number(line, index)) is not None:
            return unit, False
        if core in lists.RESPELT:
            return lists.RESPELT[core], False
        if core not in lists.ABBREVIATIONS and core not in amounts.MAGNITUDES:  # the common case, past all rules
            return names.pronounceable(core), False
    if (short := names.abbreviation(line, index)) is not None:
        return short, True
    if core.lower() in lists.RESPELT:
        return lists.RESPELT[core.lower()], False
    said = together(line, index, ",", _said)
    return (_said(core, line, index) if said is None else said), False

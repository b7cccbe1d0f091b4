"""English times of day, dates and telephone numbers as they are spoken."""

from __future__ import annotations

import re

from workers.tts import english as lists
from workers.tts.apart import dialled
from workers.tts.english_numbers import cardinal, one_by_one, ordinal, year
from workers.tts.words import Words, listed
from workers.tts.written import Line


def clock_time(match: re.Match[str], line: Line, index: int) -> Words | None:
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


def half_day_alone(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (match[0][0].upper(), "M") if line.at(index - 1).number else None


def ratio(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`16:9`, `3:1`: what is no time of day."""
    return (*cardinal(match["first"]), "to", *cardinal(match["second"]))


def from_day_to_day(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`Mon–Fri`."""
    days = [_DAYS.get(match[end][:3].lower()) for end in ("first", "second")]
    if not all(day and day.startswith(match[end].lower()) for day, end in zip(days, ("first", "second"), strict=True)):
        return None
    return (str(days[0]), "to", str(days[1]))


_DAYS = {day[:3]: day for day in listed("monday tuesday wednesday thursday friday saturday sunday")}


def iso_date(match: re.Match[str], line: Line, index: int) -> Words | None:
    return _date(int(match["year"]), int(match["month"]), int(match["day"]))


def dotted_date(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`05.06.2023` is the fifth of June: who writes points puts the day first."""
    first, second = int(match["first"]), int(match["second"])
    day, month = (second, first) if second > 12 else (first, second)
    return _date(int(match["year"]), month, day)


def us_date(match: re.Match[str], line: Line, index: int) -> Words | None:
    number = int(match["year"])
    first, second = int(match["month"]), int(match["day"])
    month, day = (second, first) if first > 12 else (first, second)
    return _date(number if number > 99 else 2000 + number if number < 70 else 1900 + number, month, day)


def _date(number: int, month: int, day: int) -> Words | None:
    if not (1 <= month <= 12 and 1 <= day <= 31 and 1000 <= number < 2200):
        return None
    return (lists.MONTH_NAMES[month - 1], *ordinal(day), *year(number))


def telephone(match: re.Match[str], line: Line, index: int) -> Words | None:
    said: list[str] = []
    for group in re.findall(r"\+?\d+", match[0]):
        said[-1:] = [word + "," for word in said[-1:]]
        said += (["plus"] if group[0] == "+" else []) + list(one_by_one(group.lstrip("+")))
    return tuple(said)


def area_code(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`(555)` or a group of digits beside others of a telephone number."""
    right, left = line.at(index + 1), line.at(index - 1)
    beside = _GROUP.fullmatch(right.core) or (_GROUP.fullmatch(left.core) and (left.before + line.at(index).before))
    bracket = "(" in line.at(index).before and ")" in line.at(index).after
    return telephone(match, line, index) if dialled(line, index) or (bracket and beside) else None


_GROUP = re.compile(r"\+?\d{2,4}(?:[-.]\d{2,4})*")

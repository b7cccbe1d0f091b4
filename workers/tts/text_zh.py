"""Mandarin as it is spoken: numbers, dates, times, money, percentages, units, addresses, the abbreviations that Chinese
texts write in Latin letters; other Latin words and letters as they are.
"""

from __future__ import annotations

import re

from workers.tts.rules import Rule, by_rules
from workers.tts.words import CJK, Words, listed
from workers.tts.written import Line

_DIGITS = "零一二三四五六七八九"
_MYRIADS = ("", "万", "亿", "兆")
_CURRENCY = {"$": "美元", "US$": "美元", "¥": "元", "￥": "元", "€": "欧元", "£": "英镑"}
_UNITS = {
    "km": "公里", "m": "米", "cm": "厘米", "mm": "毫米", "kg": "公斤", "g": "克", "mg": "毫克", "l": "升", "L": "升",
    "ml": "毫升", "km/h": "公里每小时", "°C": "摄氏度", "℃": "摄氏度", "°": "度", "h": "小时", "min": "分钟", "s": "秒",
    "ms": "毫秒", "GB": "G B", "MB": "M B", "Hz": "赫兹", "kHz": "千赫兹", "W": "瓦", "kW": "千瓦", "m²": "平方米",
}  # fmt: skip
_MARKS = {"&": "和", "+": "加", "=": "等于", "%": "百分号", "@": "艾特", "/": "斜杠", "×": "乘", "℃": "摄氏度"}
_SIGNS = {"-": "负", "−": "负", "+": "加", "±": "正负", "<": "小于", ">": "大于", "≤": "不超过", "≥": "不少于", "": ""}
_ADDRESS = {".": "点", "/": "斜杠", "-": "杠", "_": "下划线", ":": "冒号", "@": "艾特", "+": "加"}
_ABBREVIATIONS = {
    "e.g": "例如", "i.e": "也就是", "etc": "等等", "vs": "对", "tel": "电话", "ph.d": "博士", "dr": "doctor",
    "mr": "mister", "mrs": "missis", "ms": "miss", "prof": "professor", "approx": "大约", "max": "最大", "min": "最小",
    "fig": "图", "ext": "分机", "ltd": "有限公司", "u.s": "美国", "u.s.a": "美国", "u.k": "英国", "e.u": "欧盟",
    "a.m": "上午", "p.m": "下午",
}  # fmt: skip
_WITHOUT_POINT = frozenset(listed("vs etc tel ltd e.g i.e u.s u.s.a u.k e.u a.m p.m ph.d"))
_HALVES = {"am": "上午", "pm": "下午"}
_COUNTED = "个位名只张本件次天年家条点种把杯辆间台份块口"
"""Before a measure word two is 两."""


def say_chinese(line: Line, index: int, language: str) -> tuple[Words, bool]:
    """What is said for one word: a character, a number with its marks, or a Latin word."""
    core = line.at(index).core
    if not core:
        return (), False
    if (short := _abbreviation(line, index)) is not None:
        return short, True
    said = by_rules(_RULES, line, index)
    return (_mixed(core) if said is None else said), False


def _abbreviation(line: Line, index: int) -> Words | None:
    """`etc.`, `No. 5`, `p.m.`; half a day is said before its hour, and so not after it."""
    word = line.at(index)
    core, pointed = word.core.lower(), word.after.startswith(".")
    if core == "no" and pointed and line.at(index + 1).number:
        return ("第",)
    if core in ("a.m", "p.m") and line.at(index - 1).number:
        return ()
    if core in _UNITS and line.at(index - 1).number:
        return None
    if core in _ABBREVIATIONS and (pointed or core in _WITHOUT_POINT):
        return (_ABBREVIATIONS[core],)
    return None


def cardinal(digits: str) -> str:
    """A number as it is counted: `1,234.5` → 一千二百三十四点五."""
    whole, _, fraction = digits.replace(",", "").partition(".")
    if len(whole) > 16 or (len(whole) > 1 and whole[0] == "0"):
        return one_by_one(whole + fraction)
    said = _counted(int(whole or "0"))
    return said + "点" + one_by_one(fraction) if fraction else said


def one_by_one(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits[:30])


def _counted(number: int) -> str:
    """In groups of ten thousand; a group that does not fill its thousands is introduced by 零."""
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    said, skipped = "", False
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place]
        if group:
            said += ("零" if said and (skipped or group < 1000) else "") + _below_ten_thousand(group) + _MYRIADS[place]
        skipped = not group
    return (said[1:] if said.startswith("一十") else said) or "零"


def _below_ten_thousand(number: int) -> str:
    said, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            said += ("零" if gap and said else "") + _DIGITS[digit] + name
            gap = False
        else:
            gap = True
    return said


def _number(match: re.Match[str], line: Line, index: int) -> Words | None:
    digits = match["digits"]
    if half := _half_of_day(line, index):
        return (half + _hour(int(digits)),) if digits.isdecimal() and int(digits) <= 24 else None
    following = line.at(index + 1).core[:1] if not line.at(index).after else ""
    sign = _SIGNS[match["sign"]]
    if (following == "年" and len(digits) == 4) or (digits.isdecimal() and len(digits) >= 7):
        return (sign + one_by_one(digits),)
    if digits == "2" and following and following in _COUNTED:
        return ("两",)
    return (sign + cardinal(digits),)


def _percent(match: re.Match[str], line: Line, index: int) -> Words | None:
    return ("百分之" + ("负" if match["sign"] else "") + cardinal(match["digits"]),)


def _money(match: re.Match[str], line: Line, index: int) -> Words | None:
    if line.at(index + 1).core[:1] in ("万", "亿", "千", "百") and not line.at(index).after:
        return (cardinal(match["digits"]),)
    return (cardinal(match["digits"]) + _CURRENCY[match["currency"]],)


def _myriads_of_money(match: re.Match[str], line: Line, index: int) -> Words | None:
    previous = line.at(index - 1).core
    currency = next((name for sign, name in _CURRENCY.items() if previous.startswith(sign)), "")
    return (match[0] + currency,)


def _measure(match: re.Match[str], line: Line, index: int) -> Words | None:
    unit = _UNITS.get(match["unit"])
    if unit is None:
        return None
    return (("负" if match["sign"] else "") + cardinal(match["digits"]), *unit.split())


def _unit_alone(match: re.Match[str], line: Line, index: int) -> Words | None:
    return tuple(_UNITS[match[0]].split()) if line.at(index - 1).number else None


def _time(match: re.Match[str], line: Line, index: int) -> Words | None:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if hour > 24 or minute > 59:
        return None
    half = _HALVES.get((match["half"] or "").replace(".", "").lower()) or _half_of_day(line, index)
    said = half + _hour(hour)
    if minute == 30:
        return (said + "半",)
    if minute:
        return (said + ("零" if minute < 10 else "") + _counted(minute) + "分",)
    return (said if half else said + "整",)


def _from_time_to_time(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`8:00-17:30`."""
    ends = [re.split("[:：]", match[end]) for end in ("first", "second")]
    if any(int(hour) > 24 or int(minute) > 59 for hour, minute in ends):
        return None
    said = [_hour(int(hour)) + _minute(int(minute)) for hour, minute in ends]
    return ("到".join(said),)


def _minute(minute: int) -> str:
    return "半" if minute == 30 else ("零" if minute < 10 else "") + _counted(minute) + "分" if minute else ""


def _version(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`2.1.3`, `v2.1`, `192.168.1.1`."""
    said = "点".join(cardinal(part) for part in match[0].lstrip("vV").split("."))
    return ("版本", said) if match[0][0] in "vV" else (said,)


def _hour(hour: int) -> str:
    return ("两" if hour == 2 else _counted(hour)) + "点"


def _half_of_day(line: Line, index: int) -> str:
    """Of the hour at `index`, when `a.m.` or `p.m.` follows it."""
    following = line.at(index + 1).core.lower()
    return _HALVES.get(following.replace(".", ""), "") if following in ("a.m", "p.m", "am", "pm") else ""


def _numbered(match: re.Match[str], line: Line, index: int) -> Words | None:
    return ("第" + cardinal(match["digits"]),)


def _date(match: re.Match[str], line: Line, index: int) -> Words | None:
    year, month, day = match["year"], int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return (f"{one_by_one(year)}年{_counted(month)}月{_counted(day)}日",)


def _ratio(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`16:9`, `1:2`: what is no time of day."""
    return (cardinal(match["first"]) + "比" + cardinal(match["second"]),)


def _range(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (cardinal(match["first"]) + "到" + cardinal(match["second"]),)


def _fraction(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (cardinal(match["bottom"]) + "分之" + cardinal(match["top"]),)


def _telephone(match: re.Match[str], line: Line, index: int) -> Words | None:
    return ("加" * match[0].startswith("+") + one_by_one(re.sub(r"\D", "", match[0])).replace("一", "幺"),)


def _address(match: re.Match[str], line: Line, index: int) -> Words | None:
    said: list[str] = []
    for piece in re.findall(
        r"[A-Za-z]+|\d+|[^A-Za-z\d]", re.sub(r"^https?://(www\.)?|[?#].*$", "", match[0]).rstrip("/")[:80]
    ):
        if piece.isalpha():
            said += piece.upper() if _spelt(piece) else [piece.lower()]
        else:
            said.append(one_by_one(piece) if piece.isdecimal() and piece.isascii() else _ADDRESS.get(piece, ""))
    return tuple(word for word in said if word)


def _spelt(piece: str) -> bool:
    """Nobody can say it as a word: `hr`, `cn`."""
    return len(piece) == 1 or (len(piece) <= 5 and piece != "www" and not re.search("[aeiouy]", piece.lower()))


def _characters(match: re.Match[str], line: Line, index: int) -> Words | None:
    return (match[0],)


def _latin(match: re.Match[str], line: Line, index: int) -> Words | None:
    return _mixed(match[0]) if re.search("[a-z][A-Z]", match[0]) else _latin_piece(match[0])


def _latin_piece(piece: str) -> Words:
    return tuple(piece) if piece.isupper() and len(piece) <= 5 else (piece.lower()[:30],)


def _mixed(core: str) -> Words:
    said: list[str] = []
    for piece in re.findall(rf"\d+|[{CJK}]+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\w\s]|[^\W\d_]+", core):
        if piece.isdecimal() and piece.isascii():
            said.append(cardinal(piece))
        elif piece.isalpha():
            said += _latin_piece(piece) if piece.isascii() else (piece[:30],)
        elif piece in _MARKS:
            said.append(_MARKS[piece])
    return tuple(said[:90])


_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_RULES: tuple[Rule, ...] = (
    (re.compile("[万亿千百]"), _myriads_of_money),
    (re.compile(f"[{CJK}]+"), _characters),
    (re.compile(r"\+?\d{2,4}(?:-\d{3,4}){2}|0\d{2,3}-\d{7,8}|1\d{10}|\+\d{6,15}"), _telephone),
    (re.compile(rf"(?P<sign>[+\-−±<>≤≥]?)(?P<digits>{_NUMBER})"), _number),
    (re.compile(rf"(?P<sign>[-−]?)(?P<digits>{_NUMBER})[%％]"), _percent),
    (re.compile(rf"(?P<currency>US\$|[$¥￥€£])(?P<digits>{_NUMBER})"), _money),
    (re.compile(rf"(?P<sign>[-−]?)(?P<digits>{_NUMBER})(?P<unit>[A-Za-z°℃²/]+)"), _measure),
    (re.compile("|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))), _unit_alone),
    (re.compile(r"(?P<hour>\d{1,2})[:：](?P<minute>\d{2})(?P<half>[ap]\.?m)?", re.IGNORECASE), _time),
    (re.compile(r"(?P<first>\d{1,2}[:：]\d{2})[-–—~～](?P<second>\d{1,2}[:：]\d{2})"), _from_time_to_time),
    (re.compile(r"[vV]?\d+(?:\.\d+){2,}|[vV]\d+(?:\.\d+)*"), _version),
    (re.compile(r"(?P<hour>\d{1,2})(?P<minute>)(?P<half>[ap]\.?m)", re.IGNORECASE), _time),
    (re.compile(rf"No\.(?P<digits>{_NUMBER})", re.IGNORECASE), _numbered),
    (re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"), _date),
    (re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})"), _date),
    (re.compile(r"(?P<first>\d{1,3})[:：](?P<second>\d{1,3})"), _ratio),
    (re.compile(rf"(?P<first>{_NUMBER})[-–~～](?P<second>{_NUMBER})"), _range),
    (re.compile(r"(?P<top>\d{1,3})/(?P<bottom>\d{1,3})"), _fraction),
    (
        re.compile(
            r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+|https?://\S+|(?:www\.)?[\w\-]+(?:\.[\w\-]+)*\.(?:com|cn|org|net)\S*"
        ),
        _address,
    ),
    (re.compile(r"[A-Za-z]+"), _latin),
)
"""Tried in order on a word's core; the first whose reading is not None is taken."""

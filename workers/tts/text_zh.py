"""Mandarin as it is spoken: numbers, dates, times, money, percentages, units, addresses, the abbreviations that Chinese
texts write in Latin letters; other Latin words and letters as they are.
"""

from __future__ import annotations

import re

from workers.tts.apart import dash, dialled, together, whole_before
from workers.tts.figures import CURRENCY, RANGE, SIGNED, ends, placed, rounded
from workers.tts.rules import Rule, by_rules
from workers.tts.words import CJK, Words, listed
from workers.tts.written import Line

_DIGITS = "零一二三四五六七八九"
_MYRIADS = ("", "万", "亿", "兆")
_CURRENCIES = {"$": "美元", "US$": "美元", "¥": "元", "￥": "元", "€": "欧元", "£": "英镑"}
_UNITS = {
    "km": "公里", "m": "米", "cm": "厘米", "mm": "毫米", "kg": "公斤", "g": "克", "mg": "毫克", "l": "升", "L": "升",
    "ml": "毫升", "km/h": "公里每小时", "°C": "摄氏度", "℃": "摄氏度", "°": "度", "h": "小时", "min": "分钟", "s": "秒",
    "ms": "毫秒", "GB": "G B", "MB": "M B", "Hz": "赫兹", "kHz": "千赫兹", "W": "瓦", "kW": "千瓦", "m²": "平方米",
}  # fmt: skip
_MARKS = {
    "&": "和", "+": "加", "=": "等于", "%": "百分号", "@": "艾特", "/": "斜杠", "×": "乘", "÷": "除以", "℃": "摄氏度",
    "<": "小于", ">": "大于", **_CURRENCIES,
}  # fmt: skip
_SIGNS = {
    "-": "负", "−": "负", "+": "加", "±": "正负", "<": "小于", ">": "大于", "≤": "不超过", "≥": "不少于",
    "<=": "不超过", ">=": "不少于", "~": "大约", "≈": "大约",
}  # fmt: skip
_BETWEEN_DIGITS = {"-": "杠", "–": "到", "—": "到", "~": "到", "～": "到", "−": "减", ".": "点", "*": "乘"}
_AT_DIGITS = {"between": _BETWEEN_DIGITS, "before": _SIGNS}
_COMPARISONS = {"<": "小于", ">": "大于", "<=": "小于等于", ">=": "大于等于"}
_ADDRESS = {".": "点", "/": "斜杠", "-": "杠", "_": "下划线", ":": "冒号", "@": "艾特", "+": "加"}
_ABBREVIATIONS = {
    "e.g": "例如", "i.e": "也就是", "etc": "等等", "vs": "对", "tel": "电话", "ph.d": "博士", "dr": "doctor",
    "mr": "mister", "mrs": "missis", "ms": "miss", "prof": "professor", "approx": "大约", "max": "最大", "min": "最小",
    "fig": "图", "ext": "分机", "ltd": "有限公司", "u.s": "美国", "u.s.a": "美国", "u.k": "英国", "e.u": "欧盟",
    "a.m": "上午", "p.m": "下午",
}  # fmt: skip
_WITHOUT_POINT = frozenset(listed("vs etc tel ltd e.g i.e u.s u.s.a u.k e.u a.m p.m ph.d"))
_HALVES = {"am": "上午", "pm": "下午"}
_COUNTED = "个位名只张本件次天年家条点种把杯辆间台份块口周岁倍层元美欧英公千万亿分秒米升克斤吨首篇句遍顿套双瓶碗箱座"
"""Before a measure word two is 两; so it is before 小时."""
_ORDINAL_PAIRS = ("年级", "次元", "次方", "分之")
_NUMBER_CUES = "号码话编拨"
"""After these a long number is read digit by digit, however round it is."""


def say_chinese(line: Line, index: int, language: str) -> tuple[Words, bool]:
    """What is said for one word: a character, a number with its marks, or a Latin word."""
    core = line.at(index).core
    compared = _COMPARISONS.get(line.words[index])
    if compared and line.at(index - 1).core and line.at(index + 1).core:
        return (compared,), False
    if between := dash(line, index):
        return ("到" if between == "to" else "减",), False
    if not core:
        return (), False
    if (short := _abbreviation(line, index)) is not None:
        return short, True
    said = together(line, index, ",", _said)
    return (_said(core, line, index) if said is None else said), False


def _said(core: str, line: Line, index: int) -> Words:
    """What a core says that stands at `index`."""
    said = by_rules(_RULES, line.instead(index, core), index)
    return _mixed(core) if said is None else said


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


def _counting(digits: str) -> str:
    """Before what is counted two is 两."""
    return "两" if digits == "2" else cardinal(digits)


def _number(match: re.Match[str], line: Line, index: int) -> Words | None:
    digits = match["digits"]
    if half := _half_of_day(line, index):
        return (half + _hour(int(digits)),) if digits.isdecimal() and int(digits) <= 24 else None
    following = line.at(index + 1).core[:1] if not line.at(index).after else ""
    if (following == "年" and len(digits) == 4 and digits.isdecimal()) or _typed(digits, line, index):
        return (one_by_one(digits),)
    pair = following + line.at(index + 2).core[:1]
    counted = following in _COUNTED and pair not in _ORDINAL_PAIRS and line.at(index - 1).core != "第"
    if following and (counted or pair == "小时" or line.at(index + 1).core in _UNITS):
        return (_counting(digits),)
    return (cardinal(digits),)


def _typed(digits: str, line: Line, index: int) -> bool:
    """A number that is dialled or typed, rather than counted."""
    if not digits.isdecimal() or len(digits) < 7:
        return False
    return not rounded(digits) or any(line.at(index - back).core in _NUMBER_CUES for back in (1, 2) if index >= back)


def _group(match: re.Match[str], line: Line, index: int) -> Words | None:
    return _telephone(match, line, index) if dialled(line, index) else None


def _signed(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`-5%`; after a measure word a dash is no sign: `5元-10元`, `2023年-2024年`."""
    to = match["sign"] in "-−~" and _after_measure(line, index)
    return _run(("到" if to else _SIGNS[match["sign"]],), _said(match["currency"] + match["rest"], line, index))


def _after_measure(line: Line, index: int) -> bool:
    """A number and one or two characters stand before: `5元/月`, `5小时-10小时`."""
    left = line.at(index - 1)
    number = line.at(index - 2).number or line.at(index - 3).number
    return bool(re.fullmatch(f"[{CJK}]", left.core)) and not left.after and number


def _run(*parts: Words) -> Words:
    """Characters follow each other as one word, so that they are said in one go."""
    joined: list[str] = []
    for word in (word for part in parts for word in part):
        if joined and not (joined[-1] + word).isascii() and not re.search("[A-Za-z,]", joined[-1][-1] + word[0]):
            joined[-1] += word
        else:
            joined.append(word)
    return tuple(joined)


def _percent(match: re.Match[str], line: Line, index: int) -> Words | None:
    return ("百分之" + cardinal(match["digits"]),)


def _money(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`$5`, `5€`; the sign stands on one side."""
    if bool(match["before"]) == bool(match["behind"]):
        return None
    currency, following = _CURRENCIES[match["before"] or match["behind"]], line.at(index + 1).core[:1]
    said_after = following in ("万", "亿", "千", "百", currency[0]) and not line.at(index).after
    return (_counting(match["digits"]) + ("" if said_after else currency),)


def _myriads_of_money(match: re.Match[str], line: Line, index: int) -> Words | None:
    before = re.match(rf"[+\-−±~≈≤≥<>]*({CURRENCY})", line.at(index - 1).core)
    currency = before or re.fullmatch(f"({CURRENCY})", line.at(index - 2).core)
    return (match[0] + (_CURRENCIES[currency[1]] if currency else ""),)


def _measure(match: re.Match[str], line: Line, index: int) -> Words | None:
    unit = _UNITS.get(match["unit"])
    if unit is None:
        return None
    return (_counting(match["digits"]), *unit.split())


def _per(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`$5/月`, `5元/月`, `5 €/kg`."""
    amount, unit = match["amount"], _UNITS.get(match["unit"], match["unit"])
    known = re.search(r"\d", amount) if amount else _after_measure(line, index)
    if not known or not (unit or re.fullmatch(f"[{CJK}]", line.at(index + 1).core)):
        return None
    return _run(_said(amount, line, index) if amount else (), ("每",), (unit,) if unit else ())


def _unit_alone(match: re.Match[str], line: Line, index: int) -> Words | None:
    return tuple(_UNITS[match[0]].split()) if line.at(index - 1).number else None


def _time(match: re.Match[str], line: Line, index: int) -> Words | None:
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    if hour > 24 or minute > 59 or second > 59:
        return None
    half = _HALVES.get((match["half"] or "").replace(".", "").lower()) or _half_of_day(line, index)
    said = half + _hour(hour)
    if second:
        return (said + _below_sixty(minute) + "分" + _below_sixty(second) + "秒",)
    if minute == 30:
        return (said + "半",)
    if minute:
        return (said + _below_sixty(minute) + "分",)
    return (said if half else said + "整",)


def _below_sixty(number: int) -> str:
    return ("零" if 0 < number < 10 else "") + _counted(number)


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
    """`10-20`; a percentage says both of its ends, and of hours nobody says 整."""
    first, second = (_said(end, line, index) for end in ends(match, ("%", "％")))
    if ":" in match["first"] or "：" in match["first"]:
        first, second = (tuple(word.removesuffix("整") for word in end) for end in (first, second))
    return _run(first, ("到",), second)


def _fraction(match: re.Match[str], line: Line, index: int) -> Words | None:
    """`3/4`; `3 1/2` after a whole number."""
    whole = "又" if whole_before(line, index) else ""
    return (whole + cardinal(match["bottom"]) + "分之" + cardinal(match["top"]),)


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
    for match in re.finditer(
        rf"(?<![\d.])\d+\.\d+(?![\d.])|\d+|[{CJK}]+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\w\s]|[^\W\d_]+", core
    ):
        piece, place = match[0], placed(match)
        if piece[-1].isdecimal() and piece.isascii():
            said.append(cardinal(piece))
        elif piece.isalpha():
            said += _latin_piece(piece) if piece.isascii() else (piece[:30],)
        elif piece == "," and place == "between":
            said[-1:] = [word + "," for word in said[-1:]]
        elif place and piece in _AT_DIGITS[place]:
            said.append(_AT_DIGITS[place][piece])
        elif piece in _MARKS:
            said.append(_MARKS[piece])
    return tuple(said[:90])


_NUMBER = r"(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)"
_RULES: tuple[Rule, ...] = (
    (re.compile("[万亿千百]"), _myriads_of_money),
    (re.compile(f"[{CJK}]+"), _characters),
    (re.compile(r"\+?\d{2,4}(?:-\d{3,4}){2,3}|0\d{2,3}-\d{7,8}|1\d{10}|\+\d{6,15}"), _telephone),
    (re.compile(r"\+?\d{1,8}(?:-\d{2,4})*"), _group),
    (re.compile(rf"(?P<digits>{_NUMBER})"), _number),
    (re.compile(rf"(?P<digits>{_NUMBER})[%％]"), _percent),
    (re.compile(rf"(?P<before>{CURRENCY}?)(?P<digits>{_NUMBER})(?P<behind>{CURRENCY}?)"), _money),
    (re.compile(rf"(?P<digits>{_NUMBER})(?P<unit>[A-Za-z°℃²/]+)"), _measure),
    (re.compile("|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))), _unit_alone),
    (
        re.compile(
            r"(?P<hour>\d{1,2})[:：](?P<minute>\d{2})(?:[:：](?P<second>\d{2}))?(?P<half>[ap]\.?m)?", re.IGNORECASE
        ),
        _time,
    ),
    (re.compile(r"[vV]?\d+(?:\.\d+){2,}|[vV]\d+(?:\.\d+)*"), _version),
    (re.compile(r"(?P<hour>\d{1,2})(?P<minute>)(?P<second>)(?P<half>[ap]\.?m)", re.IGNORECASE), _time),
    (re.compile(rf"No\.(?P<digits>{_NUMBER})", re.IGNORECASE), _numbered),
    (re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"), _date),
    (re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})"), _date),
    (re.compile(r"(?P<first>\d{1,3})[:：](?P<second>\d{1,3})"), _ratio),
    (re.compile(r"(?P<top>\d{1,3})/(?P<bottom>\d{1,3})"), _fraction),
    (
        re.compile(
            r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+|https?://\S+|(?:www\.)?[\w\-]+(?:\.[\w\-]+)*\.(?:com|cn|org|net)\S*"
        ),
        _address,
    ),
    (re.compile(r"[A-Za-z]+"), _latin),
    (re.compile(r"(?P<amount>[^/]*)/(?P<unit>[A-Za-z]*)"), _per),
    (SIGNED, _signed),
    (RANGE, _range),
)
"""Tried in order on a word's core; the first whose reading is not None is taken."""

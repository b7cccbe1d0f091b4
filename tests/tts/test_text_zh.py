"""Mandarin text as it is spoken: a table of written and said."""

from __future__ import annotations

import pytest

from workers.tts.text import spoken
from workers.tts.text_zh import cardinal

CASES = {
    "今天是2024年3月5日。": "今天是二零二四年三月五日",
    "现在10:30": "现在十点半",
    "2:05": "两点零五分",
    "8:00-17:30": "八点到十七点半",
    "010-12345678": "零幺零幺二三四五六七八",
    "版本2.1.3": "版本二点一点三",
    "v2.1": "版本二点一",
    "https://x.org/a?b=1": "X点org斜杠A",
    "下午2点": "下午两点",
    "增长了50%": "增长了百分之五十",
    "￥5.5": "五点五元",
    "$20万": "二十万美元",
    "我有2个苹果": "我有两个苹果",
    "13812345678": "幺三八幺二三四五六七八",
    "5km": "五公里",
    "100 kg": "一百公斤",
    "-20℃": "负二十摄氏度",
    "www.example.com": "www点example点com",
    "请写信到info@example.com。": "请写信到info艾特example点com",
    "邮箱：zhang.wei_88@mail.example.cn": "邮箱zhang点wei下划线八八艾特mail点example点CN",
    "hr@abc-net.org": "HR艾特abc杠net点org",
    "苹果、梨etc.": "苹果梨等等",
    "水果，e.g. 苹果": "水果例如苹果",
    "周末，i.e. 周六": "周末也就是周六",
    "甲vs.乙": "甲对乙",
    "Dr. Li和Mr. Wang": "doctorli和misterwang",
    "Prof. Zhang，Ph.D.": "professorzhang博士",
    "Tel: 13812345678": "电话幺三八幺二三四五六七八",
    "No. 5和No.12": "第五和第十二",
    "No. Thanks": "nothanks",
    "8:30 a.m.开门": "上午八点半开门",
    "9 p.m.关门": "下午九点关门",
    "2pm见": "下午两点见",
    "10:05PM": "下午十点零五分",
    "max. 10人，approx. 5 kg": "最大十人大约五公斤",
    "5 min": "五分钟",
    "5 ms": "五毫秒",
    "延迟5 ms.": "延迟五毫秒",
    "U.S.A.和U.K.": "美国和英国",
    "W.H.O.": "WHO",
    "用AI和WebRTC": "用AI和webRTC",
    "10-20人": "十到二十人",
    "3/4": "四分之三",
    "3/4/2025": "二零二五年三月四日",
    "16:9的画面": "十六比九的画面",
    "±5度": "正负五度",
    "<5人": "小于五人",
    "第1名": "第一名",
    "2024-03-05": "二零二四年三月五日",
    "“你好”（真的）！": "你好真的",
    "$5-10": "五到十美元",
    "$5–$10": "五到十美元",
    "¥5-10元": "五到十元",
    "$5-10万": "五到十万美元",
    "$ 20 万": "二十万美元",
    "5元-10元": "五元到十元",
    "$5/月": "五美元每月",
    "5元/月": "五元每月",
    "5 €/kg": "五欧元每公斤",
    "12.5€": "十二点五欧元",
    "$ 5和5 €": "五美元和五欧元",
    "-$5": "负五美元",
    "上涨5-10%": "上涨百分之五到百分之十",
    "上涨5%-10%": "上涨百分之五到百分之十",
    "-5%": "负百分之五",
    "±5%": "正负百分之五",
    "<5%": "小于百分之五",
    "50 %": "百分之五十",
    "5~10℃": "五到十摄氏度",
    "−20–−10℃": "负二十到负十摄氏度",
    "气温 -5 度": "气温负五度",
    "5-10 km": "五到十公里",
    "~5km": "大约五公里",
    ".5 kg": "零点五公斤",
    "9:00-14:00": "九点到十四点",
    "9:00 - 14:00": "九点整到十四点整",
    "9点-17点": "九点到十七点",
    "10:30:15": "十点三十分十五秒",
    "2023-2024年": "二零二三到二零二四年",
    "2023年-2024年": "二零二三年到二零二四年",
    "+86 138 1234 5678": "加八六幺三八幺二三四五六七八",
    "138 1234 5678": "幺三八幺二三四五六七八",
    "010 1234 5678": "零幺零幺二三四五六七八",
    "1000000人": "一百万人",
    "1 000 000人": "一百万人",
    "电话5000000": "电话五零零零零零零",
    "2小时": "两小时",
    "2分钟和2周": "两分钟和两周",
    "2公里, 2km, 2 kg": "两公里两公里两公斤",
    "$2和2万": "两美元和两万",
    "2-3个": "两到三个",
    "2月2日": "二月二日",
    "第2名，2年级，2分之1": "第二名二年级二分之一",
    "+86-138-1234-5678": "加八六幺三八幺二三四五六七八",
    "3 1/2": "三又二分之一",
    "10 - 3 = 7": "十减三等于七",
    "5>3": "五大于三",
    "5 > 3": "五大于三",
    "1-2-3": "一杠二杠三",
    "3.25x7": "三点二五x七",
    "x=-5": "x等于负五",
    "用5G": "用五G",
}


@pytest.mark.parametrize(("written", "said"), CASES.items())
def test_mandarin_is_read_as_people_say_it(written: str, said: str) -> None:
    assert "".join(word for token in spoken(written, "zh") for word in token.spoken) == said


@pytest.mark.parametrize(
    ("digits", "said"),
    {
        "0": "零",
        "10": "十",
        "20": "二十",
        "110": "一百一十",
        "101": "一百零一",
        "1010": "一千零一十",
        "10005": "一万零五",
        "120000": "十二万",
        "100000001": "一亿零一",
        "1,234.5": "一千二百三十四点五",
    }.items(),
)
def test_numbers_are_counted_in_ten_thousands(digits: str, said: str) -> None:
    assert cardinal(digits) == said


def test_each_character_is_a_word() -> None:
    tokens = list(spoken("“你好”，WiFi很好。", "zh-CN"))
    assert [token.text for token in tokens] == ["“你", "好”，", "WiFi", "很", "好。"]
    assert [token.stop for token in tokens] == ["", ",", "", "", "."]


@pytest.mark.parametrize(
    ("written", "stops"),
    [("Dr. Li很好。", ["", "", "", "."]), ("苹果etc.都有", ["", "", "", "", ""]), ("苹果etc.", ["", "", "."])],
)
def test_the_point_of_an_abbreviation_ends_no_sentence(written: str, stops: list[str]) -> None:
    assert [token.stop for token in spoken(written, "zh")] == stops

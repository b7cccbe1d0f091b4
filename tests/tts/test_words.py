"""Taking hostile and ordinary text apart into written words."""

from __future__ import annotations

import pytest

from workers.tts.text import spoken
from workers.tts.words import clean, split_words

HOSTILE = {
    "empty": "",
    "blank": " \n\t ",
    "pictures": "😀🎉👩‍👩‍👧‍👦 ❤️",
    "controls": "a\x00b\x07c\x1b[31m d\x7f",
    "broken surrogate": "caf\ud800e",
    "bidi": "\u202eabc\u202c \u200bword\ufeff",
    "mixed scripts": "Hello 你好 Привет مرحبا שלום नमस्ते",
    "only marks": "... --- ??? !!! ((( )))",
    "markup": "<script>alert('x')</script> **[]()** ``` [x](y",
    "one long word": "x" * 5000,
    "one long number": "9" * 5000,
    "zalgo": "z̷̡̛a̴͜l̶̢g̵o̸",
    "astral letters": "𝕳𝖊𝖑𝖑𝖔 ① Ⅷ ﬁne",
    "odd digits": "٣ ५ ³ ½ ⅞",
    "slashes": "/" * 300 + " " + "@" * 300 + " " + "1/" * 200,
}


@pytest.mark.parametrize("language", ["en", "es", "zh", "ru", "xx", ""])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_any_text_becomes_words_that_can_be_said(text: str, language: str) -> None:
    tokens = list(spoken(text, language))
    assert [token.text for token in tokens] == split_words(clean(text))
    for token in tokens:
        said = " ".join(token.spoken)
        assert said.isprintable()
        assert len(said) < 2000
        said.encode("utf-8")


def test_a_long_text_is_read_only_as_far_as_it_is_asked_for() -> None:
    words = spoken("Number 42, please. " * 20_000, "en")
    assert [next(words).spoken for _ in range(3)] == [("number",), ("forty", "two"), ("please",)]


def test_control_characters_and_invisible_marks_are_dropped() -> None:
    assert clean("a\x00b\u200b\u202ec\ud800") == "a bc"


def test_words_are_what_stands_between_spaces_and_each_chinese_character() -> None:
    assert split_words("Say 你好 to 2024年, ok") == ["Say", "你", "好", "to", "2024", "年", ",", "ok"]

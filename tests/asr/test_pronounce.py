from __future__ import annotations

import pytest

from workers.asr.pronounce import pronounce

KNOWN = {
    "help": ("HH EH L P",),
    "desk": ("D EH S K",),
    "recognizer": ("R EH K AH G N AY Z ER",),
    "color": ("K AH L ER",),
    "box": ("B AA K S",),
}


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("help", "HH EH L P"),
        ("helpdesk", "HH EH L P D EH S K"),
        ("desks", "D EH S K S"),
        ("box's", "B AA K S IH Z"),
        ("recogniser", "R EH K AH G N AY Z ER"),
        ("colour", "K AH L ER"),
        ("gpu", "JH IY P IY Y UW"),
        ("gpu's", "JH IY P IY Y UW Z"),
    ],
)
def test_words_are_said_by_their_parts_endings_and_letters(word: str, phones: str) -> None:
    assert pronounce(word, KNOWN)[0] == phones


def test_the_synthesisers_rules_come_before_the_letters() -> None:
    assert pronounce("quinoa", KNOWN, lambda word: ("K IY N W AA",)) == ("K IY N W AA",)


def test_any_latin_word_gets_a_reading_and_nothing_else_does() -> None:
    for word in ("ollama", "visavis", "qqq", "a", "eeeee", "x'y", "ng", "tch"):
        assert all(phone.isalpha() for phone in pronounce(word, KNOWN)[0].split()), word
    for word in ("", "图书馆", "é", "1", "a b", "'"):
        assert pronounce(word, KNOWN) == ()

"""Which words take the floor, and when two transcripts say the same."""

from __future__ import annotations

import pytest

from broker.backchannel import affirms, joined, same_words, takes_the_floor, words_of


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mhm",
        "Mm-hmm.",
        "uh-huh",
        "yeah",
        "OK",
        "Oh, I see!",
        "right, got it",
        "[NOISE]",
        "<sil>",
        "the",
        "are",
        "yes she",
        "okay the",
    ],
)
def test_listening_is_not_taking_the_floor(text: str) -> None:
    assert not takes_the_floor(text, "en")


@pytest.mark.parametrize(
    "text", ["stop", "no", "wait", "yeah but", "what about sundays", "ok google", "the library", "the one", "are they"]
)
def test_anything_else_takes_the_floor(text: str) -> None:
    assert takes_the_floor(text, "en")


@pytest.mark.parametrize(("text", "language"), [("vale, claro", "es"), ("嗯嗯", "zh"), ("好的", "zh"), ("mhm", "fr")])
def test_other_languages_have_their_own(text: str, language: str) -> None:
    assert not takes_the_floor(text, language)


def test_a_question_in_chinese_takes_the_floor() -> None:
    assert takes_the_floor("图书馆几点开门", "zh-CN")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("When do you open?", "when do you open", True),
        ("it’s nine", "It's nine.", True),
        ("when do you", "when do you open", False),
        ("[NOISE] hello", "hello", True),
        ("你好 吗", "你好吗？", True),
        ("", "...", True),
    ],
)
def test_words_are_compared_without_case_and_punctuation(one: str, other: str, same: bool) -> None:
    assert same_words(one, other) is same


def test_a_yes_affirms_and_a_hum_in_a_question_does_not() -> None:
    assert affirms("Yes, of course.", "en")
    assert not affirms("hmm", "en")
    assert not affirms("", "en")


def test_pieces_are_joined_with_single_spaces() -> None:
    assert joined("  on ", "", "sundays ") == "on sundays"
    assert words_of("ON  sundays!") == ("on", "sundays")

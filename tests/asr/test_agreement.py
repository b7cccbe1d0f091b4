from __future__ import annotations

import pytest

from workers.asr.agreement import Agreement


def after(*heard: str) -> Agreement:
    agreement = Agreement()
    for text in heard:
        agreement.add(text)
    return agreement


def test_words_two_hearings_agree_on_stay() -> None:
    assert after("What are the").agreed == []
    agreement = after("What are the", "What are the hours", "what were the hours of")
    assert agreement.agreed == ["What", " are", " the"]
    assert agreement.text() == "What are the hours of"


def test_the_end_of_the_newest_hearing_is_shown_but_may_change() -> None:
    assert after("open the", "open the floor", "open the door please").text() == "open the door please"


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        (
            ("I can not find the", "I can not find the key", "I cannot find the key please"),
            "I can not find the key please",
        ),
        (
            ("where is the help", "where is the help desk", "where is the helpdesk thank you"),
            "where is the helpdesk thank you",
        ),
        (("What's the", "What's the wifi", "What is the wifi password"), "What's the wifi password"),
        (("It costs 5", "It costs 5 euros", "It costs five euros a month"), "It costs five euros a month"),
        (("图书馆WiFi", "图书馆 WiFi 密码", "图书馆的WiFi密码是什么"), "图书馆 WiFi密码是什么"),
        (("图书馆在几", "图书馆在几楼", "图书馆在几楼啊"), "图书馆在几楼啊"),
        (("Is it, open", "is it open now", "Is it... open now?"), "is it open now?"),
    ],
)
def test_no_word_is_lost_or_doubled_where_hearings_have_other_numbers_of_words(
    heard: tuple[str, ...], text: str
) -> None:
    assert after(*heard).text() == text


def test_a_pause_takes_the_newest_hearing_whole() -> None:
    agreement = after("I can not find", "I can not find the", "I cannot find the key")
    agreement.settle()
    assert agreement.text() == "I cannot find the key"
    agreement.add("I can not find the key please")
    assert agreement.text() == "I cannot find the key please", "and what is said on comes behind it"


def test_chinese_agrees_sign_by_sign() -> None:
    agreement = after("图书馆在", "图书馆在哪里")
    assert agreement.agreed == list("图书馆在")
    assert agreement.text() == "图书馆在哪里"


def test_a_hearing_of_less_takes_nothing_back() -> None:
    assert after("What are the hours", "What are the hours", "What are").text() == "What are the hours"


def test_an_empty_hearing_takes_nothing_back() -> None:
    agreement = after("yes please", "yes please", "")
    assert agreement.text() == "yes please"
    agreement.settle()
    assert agreement.text() == "yes please"


def test_punctuation_alone_is_no_word_to_align_by() -> None:
    assert after("...", "... yes").text() == "... yes"

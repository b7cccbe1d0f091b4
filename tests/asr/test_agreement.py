from __future__ import annotations

from workers.asr.agreement import Agreement


def test_words_two_hearings_agree_on_stay() -> None:
    agreement = Agreement()
    agreement.add("What are the")
    assert agreement.agreed == []
    agreement.add("What are the hours")
    agreement.add("what were the hours of")
    assert agreement.agreed == ["What", "are", "the"]
    assert agreement.text() == "What are the hours of"


def test_the_end_of_the_newest_hearing_is_shown_but_may_change() -> None:
    agreement = Agreement()
    agreement.add("open the")
    agreement.add("open the floor")
    agreement.add("open the door please")
    assert agreement.text() == "open the door please"


def test_chinese_agrees_sign_by_sign() -> None:
    agreement = Agreement()
    agreement.add("图书馆在")
    agreement.add("图书馆在哪里")
    assert agreement.agreed == list("图书馆在")
    assert agreement.text() == "图书馆在哪里"


def test_an_empty_hearing_takes_nothing_back() -> None:
    agreement = Agreement()
    agreement.add("yes please")
    agreement.add("yes please")
    agreement.add("")
    assert agreement.text() == "yes please"

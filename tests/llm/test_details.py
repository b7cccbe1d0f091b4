"""A kind of detail is told from a question's words, and a sentence that gives one from one that only looks like it."""

from __future__ import annotations

import pytest

from workers.llm.details import asks_the_clock, detail_of

GIVEN = [
    ("when does it open", "It is open from nine to five.", "Used books are sold in the first week of a term."),
    ("until when is it open", "It stays open until midnight.", "You can borrow up to twenty books."),
    ("when is it", "It takes place every November.", "It costs two euros."),
    ("how long does it take", "It takes half an hour.", "They run every ten minutes."),
    ("how long must it be", "It has at least fourteen characters.", "It is printed twice."),
    ("how old is it", "It was founded in nineteen oh two.", "Anything older than two years is moved."),
    ("how much is it", "Entry is free for students.", "Choose a barrier-free room."),
    ("what does it cost", "A page costs four cents.", "You pay with your card."),
    ("which colour is it", "It has a blue label.", "Pages can be in colour."),
    ("how many are there", "There are fourteen rooms.", "It opens in two weeks."),
    ("where is it", "It is on the ground floor of Linden Hall.", "Come in the morning."),
    ("what is it called", "The network is called eduroam.", "You log in with a password."),
    ("who made it", "It was painted by students.", "It is old."),
    ("how big is it", "It holds fifty gigabytes.", "It has two doctors."),
]


@pytest.mark.parametrize(("question", "says", "says_not"), GIVEN)
def test_a_sentence_gives_the_detail_or_does_not(question: str, says: str, says_not: str) -> None:
    detail = detail_of(question)
    assert detail is not None
    assert detail.given_by([says, says_not]) == (True, False)
    assert detail.is_all_of(question)


@pytest.mark.parametrize(
    "question", ["how much memory does it need", "is it heated", "and on sundays", "", "what is it"]
)
def test_other_questions_ask_for_no_such_detail(question: str) -> None:
    assert detail_of(question) is None


def test_what_is_named_beside_the_detail_is_noticed() -> None:
    detail = detail_of("when does it open on sundays")
    assert detail is not None
    assert not detail.is_all_of("when does it open on sundays")


def test_the_clock_is_asked_for_only_by_itself() -> None:
    assert asks_the_clock("What time is it?")
    assert asks_the_clock("what's the date today")
    assert not asks_the_clock("what time is it open")

"""Where a sentence is cut, and where it is not."""

from __future__ import annotations

import pytest

from workers.tts.clauses import clauses
from workers.tts.text import spoken


def cut(text: str, language: str = "en") -> list[str]:
    return [" ".join(token.text for token in clause.tokens) for clause in clauses(spoken(text, language))]


@pytest.mark.parametrize(
    "text",
    [
        "The library opens at nine.",
        "I am very happy to see you here today.",
        "Please ask Maria del Carmen Santos y Gomez about it.",
        "你好，",
    ],
)
def test_a_short_sentence_is_one_clause(text: str) -> None:
    assert cut(text) == [" ".join(token.text for token in spoken(text, "en"))]


def test_the_first_clause_ends_at_the_first_comma() -> None:
    assert cut("Yes, the library opens at nine, and it closes late.")[0] == "Yes,"


def test_later_commas_do_not_chop() -> None:
    pieces = cut("Well, one, two, three, four, five, and six of them.")
    assert pieces[0] == "Well,"
    assert all(len(piece.split()) >= 3 for piece in pieces[1:])


def test_a_long_stretch_is_cut_before_a_conjunction() -> None:
    text = "The library opens at nine in the morning and closes at half past eight in the evening on every working day"
    assert cut(text)[0] == "The library opens at nine in the morning"


def test_a_name_is_never_cut() -> None:
    text = "You will find the big new branch of Marks and Spencer over there beyond the old railway bridge for visitors"
    assert not any(piece.endswith(("Marks", "Marks and")) for piece in cut(text))


def test_sentences_within_a_text_are_clauses_of_their_own() -> None:
    assert cut("Hello. How are you? Fine!") == ["Hello.", "How are you?", "Fine!"]


def test_every_word_is_in_exactly_one_clause() -> None:
    text = "Hello 😀 — (well) then, " + "word " * 300 + "and so, on; and 😀 😀"
    assert " ".join(cut(text)).split() == text.split()


def test_no_clause_is_endless() -> None:
    assert max(len(piece.split()) for piece in cut("word " * 500)) <= 24


def test_what_is_not_said_is_one_silent_clause() -> None:
    silent = list(clauses(spoken("😀 😀 ...", "en")))
    assert len(silent) == 1
    assert not silent[0].sounding


def test_a_full_stop_rests_longer_than_a_comma() -> None:
    comma, stop, _ = clauses(spoken("Yes, it is so. Good.", "en"))
    assert comma.pause_s < stop.pause_s

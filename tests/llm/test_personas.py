"""The shipped personas: enough to say, honest questions, and passages that can be spoken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from broker import personas
from broker.config import ROOT
from broker.tables import read_toml
from tests.llm.known import HAVE_WEIGHTS, WEIGHTS
from workers.knowledge_folder import read_folder
from workers.llm.embeddings import MiniLM
from workers.llm.engine import Question
from workers.llm.knowledge_engine import answer
from workers.llm.library import Library
from workers.llm.passages import Passage, passages_of, unanswered
from workers.llm.sentences import sentences_of
from workers.llm.words import normal

FOLDER = ROOT / "etc" / "personas"
NAMES = ("campus", "helpdesk", "host")
WORD_FOR_WORD = 0.9
"""Cosine from which a held-out question would be the documents' own words."""


BY_CHANCE = {
    "my second monitor is black",
    "is there a chapel or a prayer room",
    "how does your mouth know what to do",
    "how long do i have to wait for a reply",
    "i flunked maths do i get another go",
    "where's the nearest cash machine",
}
"""Asked by somebody who had not seen that the documents list it, or that another set has it."""


def passages(name: str) -> list[Passage]:
    documents, errors = read_folder(FOLDER / name)
    assert not errors
    return passages_of(documents)


def questions(name: str) -> list[dict[str, str]]:
    """Those that count."""
    rows: list[dict[str, str]] = read_toml(FOLDER / name / "questions.toml")["questions"]
    return [row for row in rows if not row.get("known")]


@pytest.mark.parametrize("name", NAMES)
def test_a_persona_loads_greets_and_suggests_questions(name: str) -> None:
    persona = personas.load(FOLDER, name)
    assert 3 <= len(persona.suggestions) <= 4
    assert 1 <= len(sentences_of(persona.greeting)) <= 3
    assert len(persona.small_talk) >= 10
    assert all(entry.say and entry.reply for entry in persona.small_talk)


@pytest.mark.parametrize("name", NAMES)
def test_a_persona_has_at_least_25_passages_fit_to_be_spoken(name: str) -> None:
    found = passages(name)
    assert len(found) >= 25
    for passage in found:
        assert passage.asked, passage.id
        for sentence in passage.sentences:
            assert re.search(r"[.!?]$", sentence), sentence
            assert not re.search(r"[*_#|<>\[\]{}@/\\]|https?:", sentence), sentence
            assert not re.search(r"\d", sentence), f"figures are written out: {sentence}"
            assert len(sentence.split()) <= 35, sentence


@pytest.mark.parametrize("name", NAMES)
def test_there_are_60_held_out_questions_15_of_them_unanswerable(name: str) -> None:
    rows = questions(name)
    ids = {passage.id for passage in passages(name)}
    assert len(rows) >= 60
    assert sum(not row["passage"] for row in rows) >= 15
    assert {row["passage"] for row in rows if row["passage"]} <= ids
    assert len({normal(row["ask"]) for row in rows}) == len(rows)


@pytest.mark.parametrize("name", NAMES)
def test_no_held_out_question_is_in_the_documents_or_among_those_used_for_tuning(name: str) -> None:
    known = {normal(text) for p in passages(name) for text in (*p.asked, *p.sentences, p.heading)}
    known |= {normal(text) for text in unanswered(read_folder(FOLDER / name)[0])}
    tuned = {normal(row["ask"]) for rows in read_toml(ROOT / "tests/llm/dev_questions.toml").values() for row in rows}
    assert not {normal(row["ask"]) for row in questions(name)} & (known | tuned)


ASKED = ("asked_once_questions.toml", "asked_again_questions.toml", "asked_a_third_time_questions.toml")


@pytest.mark.parametrize("file", ASKED)
@pytest.mark.parametrize("name", NAMES)
def test_questions_asked_once_are_64_of_passages_that_exist_and_in_no_other_set(name: str, file: str) -> None:
    rows = read_toml(ROOT / "tests/llm" / file)[name]
    assert len(rows) == 64
    assert sum(not row["passage"] for row in rows) == 16
    assert {row["passage"] for row in rows if row["passage"]} <= {passage.id for passage in passages(name)}
    others = [*questions(name), *read_toml(ROOT / "tests/llm/dev_questions.toml")[name]]
    others += [row for other in ASKED if other != file for row in read_toml(ROOT / "tests/llm" / other)[name]]
    known = {text for p in passages(name) for text in p.asked} | set(unanswered(read_folder(FOLDER / name)[0]))
    asked = {normal(row["ask"]) for row in rows}
    assert len(asked) == 64
    assert asked & {normal(text) for text in (*known, *(row["ask"] for row in others))} <= BY_CHANCE


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(not HAVE_WEIGHTS, reason="no MiniLM weights: python -m workers.weights")
def test_held_out_questions_are_in_other_words_than_the_documents(name: str) -> None:
    model = MiniLM(WEIGHTS)
    by_id = {passage.id: passage for passage in passages(name)}
    for row in questions(name)[::3]:
        if row["passage"]:
            passage = by_id[row["passage"]]
            near = model.embed_all([*passage.asked, *passage.sentences]) @ model.embed(row["ask"])
            assert near.max() < WORD_FOR_WORD, row["ask"]


@pytest.mark.parametrize("name", NAMES)
def test_suggestions_are_answered_from_the_documents_in_their_own_words(name: str) -> None:
    known = {word for passage in passages(name) for word in normal(passage.text).split()}
    for suggestion in personas.load(FOLDER, name).suggestions:
        assert set(normal(suggestion).split()) & known


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(not HAVE_WEIGHTS, reason="no MiniLM weights: python -m workers.weights")
def test_suggestions_and_listed_questions_are_answered_at_once(name: str, tmp_path: Path) -> None:
    persona = personas.load(FOLDER, name)
    known = Library(FOLDER, WEIGHTS, tmp_path).wait(persona.snapshot(), "en", 600)
    asked = [*persona.suggestions, *(passage.asked[-1].capitalize() + "?" for passage in known.index.passages[::3])]
    for ask in asked:
        question = Question(session="s", turn=1, text=ask, language="en", persona=persona.snapshot())
        assert answer(question, known)[0].kind in ("answer", "small_talk"), ask

"""One contract for all brains, each on its real code: what `engine.Brain` promises, whoever thinks.

The knowledge brain reads its documents, the openai brain asks a server on a real socket; both also as the stage uses
them, the documents standing in for a server that fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.llm.chat_server import ChatServer
from tests.llm.known import library, persona
from workers.llm.build import Brains
from workers.llm.engine import ENGINES, Brain, Question, Said, Stepped, Trouble
from workers.llm.knowledge_engine import KnowledgeEngine
from workers.llm.openai_engine import OpenAiEngine

OPENING = "when does the library open on weekdays"
PARKING = "what does parking cost"
WAIT_S = 30.0
SLOW_NS = 20_000_000
"""What hands over its work and returns takes less than this, also on a busy machine."""

MAKERS: dict[str, Callable[[Path], Brain]] = {
    "knowledge": lambda folder: KnowledgeEngine(library(folder, weights=folder)),
    "openai": lambda folder: OpenAiEngine(library(folder, weights=folder)),
    "openai, as the stage has it": lambda folder: Brains(library(folder, weights=folder)).of(
        {"brain": {"engine": "openai"}}
    ),
}


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.close()


@pytest.fixture(params=MAKERS)
def brain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Brain]:
    made = MAKERS[request.param](tmp_path)
    yield made
    for each in (made, getattr(made, "_brain", None)):
        if close := getattr(each, "close", None):
            close()


def question(server: ChatServer, text: str = OPENING, session: str = "s", turn: int = 1, **more: Any) -> Question:
    settings = {"engine": "auto", "url": server.url, "model": "m", "timeout_s": 10.0, "api_key_env": ""}
    return Question(session=session, turn=turn, text=text, language="en", persona=persona(brain=settings), **more)


Item = Said | Trouble | Stepped


def gather(brain: Brain, until: Callable[[list[Item]], Any] | None = None) -> list[Item]:
    """Everything that comes of the questions in hand (or until something holds)."""
    items: list[Item] = []
    deadline = time.monotonic() + WAIT_S
    while (wait_ms := brain.waiting) is not None and not (until and until(items)):
        assert wait_ms >= 0
        assert time.monotonic() < deadline, "no end"
        items += brain.poll()
        time.sleep(0.001)
    return items


def of(items: list[Item], session: str = "s", turn: int = 1) -> list[Said | Trouble]:
    """What belongs to one question, in order."""
    news = [item for item in items if not isinstance(item, Stepped)]
    return [item for item in news if (item.session, item.turn) == (session, turn)]


def ended_once(items: list[Said | Trouble]) -> bool:
    """The last item, and no other, ends the answer."""
    return [isinstance(item, Trouble) or item.last for item in items] == [False] * (len(items) - 1) + [True]


def words(items: list[Said | Trouble]) -> list[str]:
    return [item.text for item in items if isinstance(item, Said) and item.text]


def test_the_suite_runs_over_every_engine_of_the_table() -> None:
    assert set(ENGINES) <= set(MAKERS)


def test_without_a_question_nothing_is_in_hand(brain: Brain) -> None:
    assert brain.waiting is None
    assert list(brain.poll()) == []
    brain.cancel("s", 7)
    brain.prepare(persona(), "en")
    assert brain.waiting is None
    assert brain.name in ENGINES


@pytest.mark.parametrize("prepared", [False, True])
def test_a_question_is_answered_in_sentences_of_which_the_last_says_so(
    brain: Brain, server: ChatServer, prepared: bool
) -> None:
    asked = question(server)
    if prepared:
        brain.prepare(asked.persona, "en")
    brain.submit(asked)
    assert brain.waiting is not None
    items = gather(brain)
    answer = of(items)
    assert [item for item in items if not isinstance(item, Stepped)] == answer, "of no other question"
    assert ended_once(answer)
    assert words(answer)[0].startswith("The library opens at eight")
    for item in answer:
        assert isinstance(item, Said)
        assert item.language == "en"
        assert item.text == item.text.strip()
        assert item.text or item.last
        assert 0 <= item.confidence <= 1
        assert item.took_ns >= 0
    passages = {item.passage for item in answer if isinstance(item, Said)}
    assert passages == {"house#library-opening-hours"}
    assert list(brain.poll()) == []


def test_asking_returns_at_once(brain: Brain, server: ChatServer) -> None:
    took_ns = []
    for turn in range(1, 6):
        began_ns = time.perf_counter_ns()
        brain.submit(question(server, turn=turn))
        brain.cancel("s", turn)
        took_ns.append(time.perf_counter_ns() - began_ns)
    assert min(took_ns) < SLOW_NS
    assert brain.waiting is None


def test_questions_of_several_sessions_and_turns_are_all_answered_each_for_itself(
    brain: Brain, server: ChatServer
) -> None:
    keys = [("s", 1), ("s", 2), ("t", 1), ("u", 5)]
    for session, turn in keys:
        brain.submit(question(server, OPENING if turn == 1 else PARKING, session, turn))
    items = gather(brain)
    assert len(items) == sum(len(of(items, *key)) for key in keys)
    for key in keys:
        assert ended_once(of(items, *key))
        assert words(of(items, *key))


def test_of_cancelled_turns_nothing_more_is_heard_and_others_go_on(brain: Brain, server: ChatServer) -> None:
    for session, turn in (("s", 1), ("s", 2), ("s", 3), ("t", 1)):
        brain.submit(question(server, session=session, turn=turn))
    brain.cancel("s", 2)
    items = gather(brain)
    assert of(items, "s", 1) == of(items, "s", 2) == []
    assert ended_once(of(items, "s", 3))
    assert ended_once(of(items, "t", 1))


def test_a_turn_cancelled_in_the_middle_of_its_answer_falls_silent(brain: Brain, server: ChatServer) -> None:
    brain.submit(question(server))
    begun = gather(brain, until=of)
    brain.cancel("s", 1)
    assert of(begun)
    assert of(gather(brain)) == []
    brain.submit(question(server, turn=2))
    assert ended_once(of(gather(brain), turn=2))


def test_after_a_crash_the_answer_ends_and_its_beginning_need_not_come_again(brain: Brain, server: ChatServer) -> None:
    brain.submit(question(server))
    whole = words(of(gather(brain)))
    server.text = "[happy]"  # the model has nothing to add
    brain.submit(question(server, turn=2, said_so_far=tuple(whole)))
    rest = of(gather(brain), turn=2)
    assert ended_once(rest)
    assert words(rest) == []


def test_a_speculative_question_is_answered_like_any_other(brain: Brain, server: ChatServer) -> None:
    brain.submit(question(server))
    brain.submit(question(server, turn=2, speculative=True))
    items = gather(brain)
    assert words(of(items, turn=2)) == words(of(items))


@pytest.mark.parametrize(
    "text", ["", "   ", "?!", "\x00\x01", "😀", "x" * 50_000, "{passages} {name}", "图书馆几点开门"]
)
def test_whatever_is_asked_ends_with_words_or_with_an_apology(brain: Brain, server: ChatServer, text: str) -> None:
    brain.submit(question(server, text))
    answer = of(gather(brain))
    assert ended_once(answer)
    assert all(item.text for item in answer if isinstance(item, Trouble))
    assert any(item.text for item in answer)


@pytest.mark.parametrize("behaviour", ["broken", "garbage", "empty", "cut"])
def test_an_answer_that_cannot_come_is_still_an_end_with_words(
    brain: Brain, server: ChatServer, behaviour: str
) -> None:
    """What does not need the server answers from its documents."""
    server.behaviour = behaviour
    brain.submit(question(server))
    answer = of(gather(brain))
    assert ended_once(answer)
    assert answer[0].text
    if isinstance(answer[-1], Trouble):
        assert answer[-1].code.startswith("llm_")
        assert answer[-1].language == "en"
        assert answer[-1].text


def test_the_language_of_the_question_is_that_of_the_answer(brain: Brain, server: ChatServer) -> None:
    brain.submit(replace(question(server), language="en-GB"))
    answer = of(gather(brain))
    assert {item.language for item in answer} == {"en-GB"}

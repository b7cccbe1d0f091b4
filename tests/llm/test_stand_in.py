"""The persona's documents answer when its language model fails or is silent, the page is told, and it comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.messages import Cancel, Close, Event, Failed, Message, Open, Sentence
from tests.llm.chat_server import ANSWER, ChatServer
from tests.llm.known import library, persona
from tests.llm.test_stage import asked, opened, run, sentences
from workers.fallback import AGAIN_NS
from workers.llm.build import Brains
from workers.llm.engine import Brain, Question, Said, Trouble
from workers.llm.knowledge_engine import KnowledgeEngine
from workers.llm.stage import LlmStage
from workers.llm.stand_in import WithStandIn

OPENING = "when does the library open on weekdays"
FROM_DOCUMENTS = "The library opens at eight on weekdays."
S = 1_000_000_000


class Model:
    """A brain that answers in one sentence, or is in some `trouble`."""

    name = "model"

    def __init__(self) -> None:
        self.trouble = ""
        self.asked: list[Question] = []
        self.news: list[Said | Trouble] = []
        self.live = 0

    def prepare(self, persona: Any, language: str) -> None:
        pass

    def submit(self, question: Question) -> None:
        self.asked.append(question)
        self.live += 1
        if self.trouble == "refuses to begin":
            raise ConnectionError("nobody thought of this")
        where = {"session": question.session, "turn": question.turn}
        if self.trouble == "fails":
            self.news.append(Trouble(**where, code="llm_timeout", text="I think too slowly.", detail="1.2.3.4"))
        elif self.trouble == "stops":
            self.news.append(Said(**where, text="Well.", last=False, language="en"))
            self.news.append(Trouble(**where, code="llm_cut", text="Something went wrong.", detail=""))
        elif self.trouble != "silent":
            self.news.append(Said(**where, text="I know it all.", last=True, language="en"))

    def poll(self) -> list[Said | Trouble]:
        if self.trouble == "breaks":
            raise RuntimeError("out of memory")
        news, self.news = self.news, []
        return news

    def cancel(self, session: str, through_turn: int) -> None:
        self.live = 0
        self.news = [each for each in self.news if each.session != session or each.turn > through_turn]

    @property
    def waiting(self) -> int | None:
        return 0 if self.news or (self.live and self.trouble == "breaks") else None


class Conversation:
    """Questions asked at a time of the test's own."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.model = Model()
        self.now_ns = S
        both = WithStandIn(self.model, KnowledgeEngine(library(folder, weights=folder)), lambda: self.now_ns)
        brains: list[Brain] = [both]
        self.stage = LlmStage(lambda persona: brains[0])
        self.turn = 0
        self.changes = changes
        run(self.stage, opened(**changes))

    def asks(self, text: str = OPENING, session: str = "s", wait_ns: int = 0) -> list[Message]:
        self.turn += 1
        self.stage.accept(asked(text, self.turn, session))
        said: list[Message] = []
        until_ns = self.now_ns + wait_ns
        patience = time.monotonic() + 20
        while time.monotonic() < patience:
            said += self.stage.step(self.now_ns)
            if self.stage.report(session)["turns"] == [] and self.stage.due_ns is None:
                return said
            if self.now_ns < until_ns:
                self.now_ns += S // 10
            time.sleep(0.001)  # documents are read by a thread
        return said


def steps(messages: list[Message], session: str = "s") -> list[str]:
    return [each.data["step"] for each in messages if isinstance(each, Event) and each.session == session]


def failures(messages: list[Message]) -> list[str]:
    return [each.text for each in messages if isinstance(each, Failed)]


@pytest.mark.parametrize("trouble", ["fails", "refuses to begin", "breaks"])
def test_what_the_model_cannot_answer_the_documents_do_and_the_page_is_told(tmp_path: Path, trouble: str) -> None:
    here = Conversation(tmp_path)
    here.model.trouble = trouble
    said = here.asks()
    assert sentences(said)[0].text == FROM_DOCUMENTS
    assert [each.last for each in sentences(said)][-1]
    assert failures(said) == []
    event = said[0]
    assert isinstance(event, Event)
    assert (event.kind, event.session, event.data["kind"], event.data["step"]) == ("degraded", "s", "llm", "knowledge")
    assert event.data["reason"].startswith("model gives no answer (llm_")
    assert event.data["reason"].endswith("); knowledge stands in")
    questions = len(here.model.asked)
    again = here.asks()
    assert (sentences(again)[0].text, steps(again)) == (FROM_DOCUMENTS, [])
    assert len(here.model.asked) == questions, "nobody waits for it again so soon"


def test_a_silent_model_is_waited_for_as_long_as_the_persona_says(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.model.trouble = "silent"
    began_ns = here.now_ns
    assert here.asks(wait_ns=4 * S) == []
    assert here.stage.due_ns is not None
    here.now_ns = began_ns + 5 * S
    said = run_on(here)
    assert sentences(said)[0].text == FROM_DOCUMENTS
    assert steps(said) == ["knowledge"]


def run_on(here: Conversation) -> list[Message]:
    said: list[Message] = []
    while here.stage.due_ns is not None:
        said += here.stage.step(here.now_ns)
    return said


def test_where_the_documents_know_nothing_the_apology_is_the_models(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.model.trouble = "fails"
    for _ in range(2):
        said = here.asks("zxqv wvut blorf")
        assert failures(said) == ["I think too slowly."]
        assert sentences(said) == []


def test_an_apology_told_to_another_session_says_which_language_it_is_in(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.model.trouble = "fails"
    said = here.asks("zxqv wvut blorf")
    said += run(here.stage, opened("other"), replace(asked("zxqv wvut blorf", 1, "other"), language="de"))
    told = [(each.session, each.text, each.language) for each in said if isinstance(each, Failed)]
    assert told == [("s", "I think too slowly.", "en"), ("other", "I think too slowly.", "en")]
    assert len(here.model.asked) == 1, "the other was not told by the model itself"


def test_who_has_no_documents_gets_the_apology_and_no_step(tmp_path: Path) -> None:
    here = Conversation(tmp_path, knowledge={"folder": ""})
    here.model.trouble = "fails"
    for _ in range(2):
        said = here.asks()
        assert failures(said) == ["I think too slowly."]
        assert steps(said) == []
    here.model.trouble = ""
    assert [each.text for each in sentences(here.asks())] == ["I know it all."]


def test_an_answer_that_had_begun_is_not_begun_again(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.model.trouble = "stops"
    said = here.asks()
    assert [each.text for each in sentences(said)] == ["Well."]
    assert failures(said) == ["Something went wrong."]
    assert sentences(here.asks())[0].text == FROM_DOCUMENTS


def test_the_model_is_tried_again_ever_less_often_and_comes_back(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.model.trouble = "fails"
    changes: list[str] = []
    for _ in range(30):
        said = here.asks()
        assert sentences(said)[0].text == FROM_DOCUMENTS
        changes += steps(said)
        here.now_ns += AGAIN_NS
    assert len(here.model.asked) == 5, "at once and after 20, 40, 80 and 160 s, of ten minutes"
    assert changes == ["knowledge"] + ["full", "knowledge"] * 4
    here.model.trouble = ""
    after: list[str] = []
    for _ in range(40):
        after += steps(here.asks())
        here.now_ns += AGAIN_NS
    assert after == ["full"]
    assert [each.text for each in sentences(here.asks())] == ["I know it all."]


def test_a_session_that_begins_meanwhile_is_told_with_its_first_answer(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.model.trouble = "fails"
    here.asks()
    run(here.stage, opened("t"))
    assert steps(here.asks(session="t"), "t") == ["knowledge"]


def test_another_server_is_judged_for_itself(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.model.trouble = "fails"
    here.asks()
    here.model.trouble = ""
    run(here.stage, opened("t", brain=persona()["brain"] | {"url": "http://127.0.0.1:1"}))
    assert [each.text for each in sentences(here.asks(session="t"), "t")] == ["I know it all."]


def test_what_was_cancelled_the_documents_do_not_answer_either(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.model.trouble = "silent"
    here.asks()
    here.stage.accept(Cancel(session="s", through_turn=1))
    here.now_ns += 60 * S
    assert run_on(here) == []
    here.model.trouble = "fails"
    here.stage.accept(asked(OPENING, 2))
    here.stage.accept(Close(session="s", reason="bye"))
    assert [each for each in run_on(here) if isinstance(each, Sentence)] == []


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.close()


def test_a_real_server_that_is_down_is_stood_in_for_and_sessions_without_a_model_do_not_notice(
    tmp_path: Path, server: ChatServer
) -> None:
    server.behaviour = "busy"
    stage = LlmStage(Brains(library(tmp_path, weights=tmp_path)).of)
    brain = persona()["brain"] | {"engine": "openai", "url": server.url}
    said = run(stage, opened("a", brain=brain), opened("b"), asked(OPENING, 1, "a"), asked(OPENING, 1, "b"))
    assert [each.text for each in sentences(said, "a")] == [each.text for each in sentences(said, "b")]
    assert (steps(said, "a"), steps(said, "b")) == (["knowledge"], [])
    server.behaviour = "stream"
    assert ANSWER
    other = Open(session="c", persona=persona(brain=brain), language="en", origin_ns=0, peers={})
    assert sentences(run(stage, other, asked(OPENING, 1, "c")), "c")[0].text == FROM_DOCUMENTS

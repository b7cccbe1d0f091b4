"""The llm stage: sessions side by side, sentences numbered, cancelled turns silent, failures said kindly."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker import personas
from broker.config import Paths, load
from broker.errors import EngineError
from broker.messages import Ask, Cancel, Close, Commit, Event, Failed, Hold, Message, Open, Sentence
from tests.llm.chat_server import ChatServer
from tests.llm.known import library, persona
from workers.llm.build import Brains, build, shipped
from workers.llm.engine import Brain, Question, Said, Trouble
from workers.llm.library import Knowledge, Library
from workers.llm.stage import LlmStage


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.close()


def make(folder: Path) -> LlmStage:
    brains = Brains(library(folder, weights=folder))
    return LlmStage(brains.of, reasons=brains.reasons)


def opened(session: str = "s", **changes: Any) -> Open:
    return Open(session=session, persona=persona(**changes), language="en", origin_ns=0, peers={})


def asked(text: str, turn: int = 1, session: str = "s", said: tuple[str, ...] = ()) -> Ask:
    return Ask(session=session, turn=turn, text=text, language="en", said_so_far=said)


def run(stage: LlmStage, *messages: Message, steps: int = 30_000) -> list[Message]:
    """Files the messages and steps until nothing is due."""
    for message in messages:
        stage.accept(message)
    sent: list[Message] = []
    now_ns = 0
    for _ in range(steps):
        due = stage.due_ns
        if due is None:
            return sent
        now_ns = max(now_ns, due)
        if due > 0:
            time.sleep(0.001)
        sent += stage.step(now_ns)
    raise AssertionError("the stage does not come to rest")


def sentences(messages: list[Message], session: str = "s") -> list[Sentence]:
    return [message for message in messages if isinstance(message, Sentence) and message.session == session]


def test_sentences_are_numbered_and_the_last_one_says_so(tmp_path: Path) -> None:
    said = sentences(run(make(tmp_path), opened(), asked("when does the library open on weekdays", 7)))
    assert [sentence.n for sentence in said] == list(range(len(said)))
    assert [sentence.last for sentence in said] == [False] * (len(said) - 1) + [True]
    assert {sentence.turn for sentence in said} == {7}
    assert said[0].passage == "house#library-opening-hours"
    assert said[0].kind == "answer"


def test_after_a_crash_the_numbers_go_on(tmp_path: Path) -> None:
    whole = sentences(run(make(tmp_path), opened(), asked("when does the library open on weekdays")))
    ask = asked("when does the library open on weekdays", said=(whole[0].text,))
    rest = sentences(run(make(tmp_path), opened(), ask))
    assert rest[0].n == 1
    assert rest[-1].last


def test_a_cancelled_turn_says_nothing_and_the_next_one_does(tmp_path: Path) -> None:
    stage = make(tmp_path)
    sent = run(stage, opened(), asked("hello", 1), Cancel(session="s", through_turn=1), asked("hello", 2))
    assert {sentence.turn for sentence in sentences(sent)} == {2}
    assert stage.report("s") == {"turns": []}


def test_the_same_question_sent_twice_is_answered_once(tmp_path: Path) -> None:
    sent = sentences(run(make(tmp_path), opened(), asked("hello", 1), asked("hello", 1)))
    assert sum(sentence.last for sentence in sent) == 1


def test_open_is_idempotent_and_keeps_turns_in_hand(tmp_path: Path) -> None:
    sent = run(make(tmp_path), opened(), asked("hello", 1), opened(), Commit(session="s", turn=1), Hold(session="s"))
    assert sentences(sent)


def test_another_persona_in_a_repeated_open_answers_the_next_question(tmp_path: Path) -> None:
    stage = make(tmp_path)
    first = sentences(run(stage, opened(), asked("who are you", 1)))
    other = ({"say": ["who are you"], "reply": ["I am Sam."]},)
    second = sentences(run(stage, opened(id="sam", name="Sam", small_talk=other), asked("who are you", 2)))
    assert [first[0].text, second[0].text] == ["I am Robin.", "I am Sam."]


def test_another_face_in_a_repeated_open_loses_no_turn_in_hand(tmp_path: Path) -> None:
    stage = make(tmp_path)
    before = asked("when does the library open on weekdays", 1)
    sent = run(stage, opened(), before, opened(face={"portrait": "sam"}))
    assert sentences(sent)[-1].last


def test_another_brain_in_a_repeated_open_lets_go_of_the_old_ones_work(tmp_path: Path, server: ChatServer) -> None:
    stage = make(tmp_path)
    brain = {"engine": "openai", "url": server.url, "timeout_s": 5.0}
    stage.accept(opened(brain=brain))
    stage.accept(asked("hello", 1))
    assert stage.report("s") == {"turns": [1]}
    sent = sentences(run(stage, opened(), asked("hello", 2)))
    assert {sentence.turn for sentence in sent} == {2}
    assert " ".join(sentence.text for sentence in sent) == "Hello! How can I help?", (
        "the old brain's words are not among them"
    )


def test_sentences_carry_the_faces_that_go_with_them(tmp_path: Path) -> None:
    rules = ({"words": ["eight"], "emotion": "surprised", "gesture": "nod"},)
    stage = make(tmp_path)
    said = sentences(run(stage, opened(expressions=rules), asked("when does the library open on weekdays", 1)))
    assert said[0].tags == {"emotion": "surprised", "gesture": "nod"}
    hello = sentences(run(stage, asked("hello", 2)))
    assert hello[0].tags["emotion"] == "happy"
    unknown = sentences(run(stage, asked("zxqv wvut blorf", 3)))
    assert unknown[0].kind == "unknown"
    assert unknown[0].tags["emotion"] == "concerned"


def test_what_a_model_writes_in_brackets_is_shown_and_not_spoken(tmp_path: Path, server: ChatServer) -> None:
    server.text = "[happy] Hello! [shakes head] That is [look away] sorry to say no. Fine. [nod]"
    brain = {"engine": "openai", "url": server.url, "timeout_s": 5.0}
    said = sentences(run(make(tmp_path), opened(brain=brain), asked("hello", 1)))
    assert [(each.text, each.tags) for each in said] == [
        ("Hello!", {"emotion": "happy"}),
        ("That is sorry to say no.", {"gesture": "shake", "gaze": "away", "emotion": "concerned"}),
        ("Fine.", {}),
        ("", {"gesture": "nod"}),
    ]


def test_sessions_do_not_mix_and_a_closed_one_is_silent(tmp_path: Path) -> None:
    stage = make(tmp_path)
    sent = run(
        stage,
        opened("a"),
        opened("b"),
        asked("hello", 1, "a"),
        asked("hello", 1, "b"),
        Close(session="a", reason="bye"),
    )
    assert not sentences(sent, "a")
    assert sentences(sent, "b")
    assert stage.report("a") == {"turns": []}


def test_a_question_of_an_unknown_session_is_counted(tmp_path: Path) -> None:
    stage = make(tmp_path)
    assert run(stage, asked("hello", 1, "nobody")) == []
    assert stage.counters["asked_unknown_session"] == 1


def test_a_failing_server_is_a_kind_sentence_in_the_turn_s_language(tmp_path: Path, server: ChatServer) -> None:
    server.behaviour = "busy"
    brain = persona()["brain"] | {"engine": "openai", "url": server.url}
    stage = make(tmp_path)
    _, failed = run(stage, opened(brain=brain), Ask(session="s", turn=3, text="Hola", language="es"))
    assert isinstance(failed, Failed)
    assert (failed.turn, failed.code, failed.kind) == (3, "llm_busy", "llm")
    assert failed.text.startswith("Lo siento")
    assert failed.language == "es"
    assert stage.counters["llm_busy"] == 1


def test_auto_is_a_language_model_where_there_is_an_address(tmp_path: Path, server: ChatServer) -> None:
    brain = persona()["brain"] | {"url": server.url}
    stage = make(tmp_path)
    sent = run(stage, opened("a", brain=brain), opened("b"), asked("hello", 1, "a"), asked("hello", 2, "b"))
    assert sentences(sent, "a")[0].text == "The library opens at eight."
    assert sentences(sent, "b")[0].text == "Hello!"
    assert stage.engine_name == "knowledge+openai"
    assert "knowledge: a persona's [brain] has no url" in stage.engine_why
    assert "openai: a persona's [brain] has a url" in stage.engine_why


@pytest.mark.parametrize("engine", ["gpt", "no.such.module:Class", "workers.llm.stage:Missing"])
def test_an_unknown_brain_is_an_error_that_names_the_known_ones(tmp_path: Path, engine: str) -> None:
    sent = run(make(tmp_path), opened(brain=persona()["brain"] | {"engine": engine}), asked("hello"))
    (event, failed) = sent
    assert isinstance(event, Event)
    assert engine in event.data["text"]
    assert engine != "gpt" or "knowledge" in event.data["text"]
    assert isinstance(failed, Failed)
    assert failed.code == "llm_missing"


def test_a_third_party_s_engine_is_found_by_module_and_class(tmp_path: Path) -> None:
    brain = persona()["brain"] | {"engine": "workers.llm.knowledge_engine:KnowledgeEngine"}
    assert sentences(run(make(tmp_path), opened(brain=brain), asked("hello")))


def test_a_brain_without_its_library_is_an_engine_error() -> None:
    def nothing(persona: Mapping[str, Any]) -> Brain:
        raise EngineError("Not here: pip install brain.", "missing")

    stage = LlmStage(nothing)
    (event,) = run(stage, opened())
    assert isinstance(event, Event)
    assert event.data == {"code": "llm_missing", "text": "Not here: pip install brain."}


def test_an_installation_s_stage_is_built_past_a_persona_with_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('name = "Good"\n[[small_talk]]\nsay = ["hello"]\nreply = ["Hi."]\n')
    (tmp_path / "bad.toml").write_text("nmae = 3")
    paths = Paths(personas=str(tmp_path), weights=str(tmp_path), cache=str(tmp_path / "cache"))
    settings = replace(load(), paths=paths)
    assert [each.id for each in shipped(settings)] == ["good"]
    stage = build(settings)
    assert stage.due_ns is None
    assert stage.engine_name == "knowledge", "it is known before anybody talks"
    snapshot = personas.load(tmp_path, "good").snapshot()
    stage.accept(Open(session="s", persona=snapshot, language="en", origin_ns=0, peers={}))
    assert [sentence.text for sentence in sentences(run(stage, asked("hello")))] == ["Hi."]


def test_a_stage_that_is_built_has_read_the_usual_persona_s_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "parking.md").write_text("# Parking\n\nParking costs two euros a day.\n")
    for name in ("else", "usual"):
        (tmp_path / f"{name}.toml").write_text(f'name = "{name}"\n[knowledge]\nfolder = "docs"\n')
    load_documents = Library._load

    def slowly(self: Library, persona: dict[str, Any], language: str) -> Knowledge:
        time.sleep(0.3)
        return load_documents(self, persona, language)

    monkeypatch.setattr(Library, "_load", slowly)
    paths = Paths(personas=str(tmp_path), weights=str(tmp_path), cache=str(tmp_path / "cache"))
    settings = load()
    stage = build(replace(settings, paths=paths, sessions=replace(settings.sessions, persona="usual")))
    snapshot = personas.load(tmp_path, "usual").snapshot()
    stage.accept(Open(session="s", persona=snapshot, language="en", origin_ns=0, peers={}))
    stage.accept(asked("what does parking cost"))
    assert sentences(stage.step(now_ns=1)), "it is ready, and does not know yet"


def test_documents_that_cannot_be_read_are_told_to_the_operator_once(tmp_path: Path) -> None:
    shelves = library(tmp_path, weights=tmp_path)
    (tmp_path / "docs" / "broken.docx").write_bytes(b"no zip")
    stage = LlmStage(Brains(shelves).of, shelves)
    said = [m for m in run(stage, opened(), asked("what does parking cost")) if isinstance(m, Event)]
    assert [(event.kind, event.session, event.data["persona"]) for event in said] == [("documents", "", "test")]
    assert "broken.docx" in said[0].data["problems"][0]
    assert stage.counters["documents_unread"] == 1
    assert not [m for m in run(stage, asked("what does parking cost", 2)) if isinstance(m, Event)]


def test_a_paused_session_gets_its_sentences_later_in_order_and_the_others_at_once(tmp_path: Path) -> None:
    stage = make(tmp_path)
    stage.pause(frozenset({"s"}))
    question = "when does the library open on weekdays"
    meanwhile = run(stage, opened("s"), opened("t"), asked(question), asked(question, session="t"))
    assert sentences(meanwhile, "t")
    assert not sentences(meanwhile, "s")
    stage.pause(frozenset())
    later = sentences(run(stage), "s")
    assert [(said.n, said.text) for said in later] == [(said.n, said.text) for said in sentences(meanwhile, "t")]


def test_what_was_cancelled_while_its_session_was_paused_is_not_said(tmp_path: Path) -> None:
    stage = make(tmp_path)
    stage.pause(frozenset({"s"}))
    run(stage, opened(), asked("when does the library open on weekdays", 1), Cancel(session="s", through_turn=1))
    stage.pause(frozenset())
    assert not sentences(run(stage))


# --- what a brain does besides talking ---


class Booking:
    """A brain whose every answer books a table: a third party's with a side effect."""

    name = "booking"

    def __init__(self) -> None:
        self.booked: list[int] = []
        self._answers: list[Said | Trouble] = []
        self._wait: dict[tuple[str, int], Question] = {}

    def prepare(self, persona: Mapping[str, Any], language: str) -> None:
        return

    def submit(self, question: Question) -> None:
        self._wait[question.session, question.turn] = question
        self._answers.append(
            Said(session=question.session, turn=question.turn, text="It is booked.", last=True, language="en")
        )
        if not question.speculative:
            self.commit(question.session, question.turn)

    def commit(self, session: str, turn: int) -> None:
        if self._wait.pop((session, turn), None):
            self.booked.append(turn)

    def poll(self) -> list[Said | Trouble]:
        answers, self._answers = self._answers, []
        return answers

    def cancel(self, session: str, through_turn: int) -> None:
        self._wait = {key: each for key, each in self._wait.items() if key[0] != session or key[1] > through_turn}

    @property
    def waiting(self) -> int | None:
        return 0 if self._answers else None


def guess(turn: int) -> Ask:
    return Ask(session="s", turn=turn, text="a table for two", language="en", speculative=True)


def test_what_a_brain_does_waits_for_the_commit_and_what_it_says_does_not() -> None:
    brain = Booking()
    stage = LlmStage(lambda persona: brain)
    said = sentences(run(stage, opened(), guess(1)))
    assert [(each.text, each.last) for each in said] == [("It is booked.", True)]
    assert brain.booked == []
    run(stage, Commit(session="s", turn=1), Commit(session="s", turn=1))
    assert brain.booked == [1], "once, though the commit came twice"


def test_an_attempt_that_is_cancelled_does_nothing_however_far_its_answer_was() -> None:
    brain = Booking()
    stage = LlmStage(lambda persona: brain)
    run(stage, opened(), guess(1), Cancel(session="s", through_turn=1), asked("a table for three", 2))
    assert brain.booked == [2]


def test_a_commit_that_overtakes_its_question_counts() -> None:
    brain = Booking()
    run(LlmStage(lambda persona: brain), opened(), Commit(session="s", turn=3), guess(3), guess(4))
    assert brain.booked == [3]


def test_what_was_committed_before_a_crash_is_committed_for_the_successor() -> None:
    brain = Booking()
    run(LlmStage(lambda persona: brain), replace(opened(), committed=(5,)), guess(5), guess(6))
    assert brain.booked == [5]


def test_a_brain_that_only_talks_needs_no_commit(tmp_path: Path) -> None:
    stage = make(tmp_path)
    said = sentences(run(stage, opened(), replace(asked("hello", 1), speculative=True), Commit(session="s", turn=1)))
    assert said[-1].last

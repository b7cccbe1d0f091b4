"""Voices are made ready beside the speaking: a slow engine keeps its own session waiting and no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from broker.config import load
from broker.messages import Cancel, Event, Failed, Message, Open, Voice
from tests.tts.test_stage import grant, sentence, voices_of
from tests.tts.test_voices import Humming
from workers.tts import stand_ins
from workers.tts.build import build
from workers.tts.engine import SynthesisFailed, Utterance
from workers.tts.preparing import Preparing
from workers.tts.stage import TtsStage
from workers.tts.voices import Voices
from workers.tts.words import Token

PATIENCE_S = 20
HERE = __name__


class Slow(Humming):
    """A third party's: it is made, and its voice `high` said for the first time, once `gate` is open."""

    name = "slow"
    gate = threading.Event()
    made_in: list[str]

    def __init__(self, options: dict[str, object] | None = None) -> None:
        super().__init__(options)
        self.made_in.append(threading.current_thread().name)
        assert self.gate.wait(PATIENCE_S)


class SlowToSpeak(Humming):
    """One voice of it takes its time; it says so when two threads ask it for something at once."""

    name = "slow to speak"
    gate = threading.Event()
    asked = threading.Event()
    alone = threading.Lock()

    def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Utterance:
        assert self.alone.acquire(blocking=False), "asked by two threads at once"
        try:
            if voice == "high":
                self.asked.set()
                assert self.gate.wait(PATIENCE_S)
            return super().start(clause, language, voice, rate)
        finally:
            self.alone.release()


def noted(options: dict[str, Any]) -> Humming:
    options["order"].append("another engine")
    return Humming()


def broken(options: dict[str, object]) -> None:
    raise RuntimeError("no such device")


def leaving(options: dict[str, object]) -> None:
    raise SystemExit("please read the manual")


@pytest.fixture(autouse=True)
def shut() -> Iterator[None]:
    Slow.made_in = []
    for event in (Slow.gate, SlowToSpeak.gate, SlowToSpeak.asked):
        event.clear()
    yield
    Slow.gate.set()
    SlowToSpeak.gate.set()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_ins, "STAND_INS", ())


def live(**engines: Any) -> TtsStage:
    return TtsStage(Voices(engines={"humming": Humming()} | engines), beside=True)


def opened(session: str, engine: str = "humming", voice: str = "", route: int = 7) -> Open:
    voices = {"en": {"engine": engine, "voice": voice}}
    return Open(session=session, route=route, persona={"voices": voices}, language="en", origin_ns=0, peers={})


def steps(stage: TtsStage, over: Any = lambda sent: False) -> list[Message]:
    """Step, as the shell does, until nothing is due, or `over`."""
    sent: list[Message] = []
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        now_ns = time.monotonic_ns()
        if stage.due_ns is None or over(sent):
            return sent
        if stage.due_ns <= now_ns:
            sent += stage.step(now_ns)
        else:
            time.sleep(0.0005)
    raise AssertionError("it never comes to rest")


def said(sent: Sequence[Message], session: str) -> bool:
    return any(voice.session == session and voice.last for voice in voices_of(sent))


def test_while_a_third_partys_engine_is_made_the_others_speak_and_then_it_does() -> None:
    stage = live()
    stage.accept(opened("quick"))
    steps(stage)
    stage.accept(opened("slow", f"{HERE}:Slow"))
    for turn in range(1, 4):
        for session in ("slow", "quick"):
            stage.accept(sentence("Hello there.", turn=turn, session=session))
        sent = steps(stage, lambda sent: said(sent, "quick"))
        assert {voice.session for voice in voices_of(sent)} == {"quick"}
    steps(stage, lambda sent: bool(Slow.made_in))
    assert Slow.made_in == ["prepare-voices"]
    Slow.gate.set()
    sent = steps(stage)
    assert {(voice.session, voice.turn) for voice in voices_of(sent) if voice.last} == {("slow", n) for n in (1, 2, 3)}
    assert stage.engine_name == f"humming+{HERE}:Slow"


def test_the_shell_is_not_kept_busy_meanwhile() -> None:
    stage = live()
    stage.accept(opened("slow", f"{HERE}:Slow"))
    stage.accept(sentence("Hello.", session="slow"))
    for now_ns in (1_000, 2_000):
        stage.step(now_ns)
    assert stage.due_ns is not None
    assert stage.due_ns > 1_000_000


def test_while_a_voice_is_measured_its_engine_is_asked_by_nobody_else_and_others_speak() -> None:
    engine = SlowToSpeak()
    stage = live(slow=engine)
    stage.accept(opened("low", "slow", "low"))
    stage.accept(opened("quick"))
    steps(stage)
    stage.accept(opened("high", "slow", "high"))
    steps(stage, lambda sent: SlowToSpeak.asked.is_set())
    for session in ("low", "quick"):
        stage.accept(sentence("Hello there.", session=session))
    sent = steps(stage, lambda sent: said(sent, "quick"))
    assert {voice.session for voice in voices_of(sent)} == {"quick"}, "the same engine says one thing after another"
    SlowToSpeak.gate.set()
    stage.accept(sentence("Hello there.", session="high"))
    sent = steps(stage)
    assert said(sent, "low")
    assert said(sent, "high")


def test_a_voice_is_measured_before_another_engine_is_made() -> None:
    order: list[str] = []

    class Noting(Humming):
        def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Utterance:
            order.append(voice)
            return super().start(clause, language, voice, rate)

    stage = TtsStage(Voices({f"{HERE}:noted": {"order": order}}, {"humming": Noting()}), beside=True)
    stage.accept(opened("slow", f"{HERE}:Slow"))
    steps(stage, lambda sent: bool(Slow.made_in))
    stage.accept(opened("slower", f"{HERE}:noted"))
    stage.accept(opened("high", "humming", "high"))
    later_ns = time.monotonic_ns() + 100_000_000
    for n in range(3):  # one look for each session
        stage.step(later_ns + n)
    Slow.gate.set()
    steps(stage)
    assert order == ["high", "another engine"]


def test_who_is_gone_meanwhile_leaves_nothing_behind() -> None:
    stage = live()
    stage.accept(opened("slow", f"{HERE}:Slow"))
    stage.accept(sentence("Hello.", session="slow"))
    stage.step(0)
    stage.accept(Cancel(session="slow", through_turn=1))
    Slow.gate.set()
    assert voices_of(steps(stage)) == []
    stage.accept(sentence("Hello.", turn=2, session="slow"))
    assert said(steps(stage), "slow")


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        ("nope", "no speech engine is called 'nope'; known: flite, espeak"),
        (":x", "cannot be loaded"),
        (f"{HERE}:broken", "RuntimeError: no such device"),
        (f"{HERE}:leaving", "SystemExit: please read the manual"),
        ("json:JSONDecoder", "cannot be loaded"),
    ],
)
def test_an_engine_that_cannot_be_had_is_told_once_when_the_session_opens_and_with_each_turn(
    engine: str, says: str
) -> None:
    stage = live()
    stage.accept(opened("s", engine))
    (failed,) = steps(stage)
    assert isinstance(failed, Failed)
    assert (failed.session, failed.turn, failed.code, failed.kind) == ("s", 0, "tts_engine", "tts")
    assert says in failed.text
    assert "'en'" in failed.text
    stage.accept(opened("s", engine, route=8))
    assert steps(stage) == [], "it was told"
    stage.accept(sentence("Hello."))
    (again,) = steps(stage)
    assert isinstance(again, Failed)
    assert (again.turn, again.code) == (1, "tts_engine")
    assert says in again.text
    stage.accept(opened("t"))
    stage.accept(sentence("Hello.", session="t"))
    assert said(steps(stage), "t")


def test_a_voice_that_the_engine_does_not_have_is_told_and_another_speaks() -> None:
    stage = live()
    stage.accept(opened("s", "humming", "bob"))
    (event,) = steps(stage)
    assert isinstance(event, Event)
    assert (event.kind, event.session) == ("degraded", "s")
    reason = "humming has no voice 'bob' for 'en': low speaks"
    assert event.data == {"kind": "tts", "step": "low", "reason": reason}
    stage.accept(sentence("Hello."))
    assert said(steps(stage), "s")


def test_an_engine_that_breaks_after_a_switch_waits_for_the_new_one_and_loses_no_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Breaking(Humming):
        name = "breaking"

        def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Utterance:
            if any("bad" in token.text for token in clause):
                raise SynthesisFailed("refused")
            return super().start(clause, language, voice, rate)

    stage = live(breaking=Breaking())
    monkeypatch.setattr(stand_ins, "STAND_INS", ("humming",))
    stage.accept(opened("s", "breaking"))
    steps(stage)
    text = "Good things happen to all of us who are here in this house now, then bad things happen."
    stage.accept(sentence(text))
    sent = steps(stage)
    stage.accept(opened("s", f"{HERE}:Slow", route=8))
    grant(stage, 1, 0)
    sent += steps(stage, lambda _: bool(Slow.made_in))
    assert not said(sent, "s")
    Slow.gate.set()
    sent += steps(stage)
    words = [word.text for each in sent if isinstance(each, Voice) for word in each.words]
    assert " ".join(words) == text
    assert said(sent, "s")


def test_the_personas_voices_are_ready_when_the_process_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Slow.gate.set()
    (tmp_path / "ada.toml").write_text(f'[voices.en]\nengine = "{HERE}:Slow"\nvoice = "high"\n')
    (tmp_path / "bad.toml").write_text('[voices.en]\nengine = "nope"\n')
    (tmp_path / "cid.toml").write_text("languages = 3\n")
    stage = build(load(environ={"VISAVIS_PATHS_PERSONAS": str(tmp_path)}))
    assert len(Slow.made_in) == 1

    def refuse(preparing: Preparing, task: object) -> None:
        raise AssertionError(f"{task} was still to be done")

    monkeypatch.setattr(Preparing, "_submit", refuse)
    stage.accept(opened("s", f"{HERE}:Slow", "high"))
    stage.accept(sentence("Hello."))
    assert said(steps(stage), "s")

"""A voice that fails or cannot keep up is stood in for, says so, and comes back."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from broker.clock import NS_PER_S
from broker.messages import Event, Failed, Message, Open, Voice
from tests.tts.test_stage import grant, sentence
from tests.tts.test_voices import Humming
from workers.fallback import AGAIN_NS
from workers.tts import delivery, stand_ins
from workers.tts.stage import TtsStage
from workers.tts.voices import Voices
from workers.tts.words import Token


class Frail(Humming):
    """Fails, hangs or dawdles when told to; `said` is how many clauses it was asked for."""

    name = "frail"
    trouble = ""
    said = 0
    clock_ns = 0

    def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Any:
        self.said += 1
        if self.trouble == "breaks":
            raise ZeroDivisionError("nobody thought of this")
        if self.trouble == "breaks at bad" and any("bad" in token.text for token in clause):
            raise RuntimeError("out of memory")
        if self.trouble == "dawdles":
            self.clock_ns += 1_000_000_000
        return Hanging() if self.trouble == "hangs" else super().start(clause, language, voice, rate)


class Hanging:
    def read(self) -> None:
        return None

    def cancel(self) -> None:
        pass


class Sure(Humming):
    name = "sure"


class Conversation:
    """Sentences, each its own turn, said at a time of the test's own."""

    def __init__(self, *sessions: str) -> None:
        self.frail, self.sure = Frail(), Sure()
        self.stage = TtsStage(Voices(engines={"frail": self.frail, "sure": self.sure}))
        self.now_ns, self.turn = NS_PER_S, 0
        for session in sessions or ("s",):
            self.stage.accept(Open(session=session, persona={}, language="en", origin_ns=0, peers={}))
        self.run()

    def run(self) -> list[Message]:
        said: list[Message] = []
        for _ in range(10_000):
            due_ns = self.stage.due_ns
            if due_ns is None:
                return said
            self.now_ns = max(self.now_ns, due_ns)
            said += self.stage.step(self.now_ns)
        raise AssertionError("it never comes to rest")

    def says(self, text: str, session: str = "s") -> list[Message]:
        self.turn += 1
        self.stage.accept(sentence(text, turn=self.turn, session=session))
        grant(self.stage, 1, 0, turn=self.turn, session=session)
        return self.run()


def steps(messages: list[Message]) -> list[str]:
    return [each.data["step"] for each in messages if isinstance(each, Event)]


def words(messages: list[Message]) -> list[str]:
    return [word.text for each in messages if isinstance(each, Voice) for word in each.words]


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_ins, "STAND_INS", ("sure",))


def test_what_an_engine_fails_at_another_says_whole_and_the_session_is_told() -> None:
    here = Conversation()
    here.frail.trouble = "breaks"
    said = here.says("Hello there, dear friends.")
    assert words(said) == ["Hello", "there,", "dear", "friends."]
    assert said[-1].last if isinstance(said[-1], Voice) else False
    event = said[0]
    assert isinstance(event, Event)
    assert (event.kind, event.session) == ("degraded", "s")
    assert event.data == {"kind": "tts", "step": "sure", "reason": "frail failed; sure stands in"}
    assert not any(isinstance(each, Failed) for each in said)
    asked = here.frail.said
    assert steps(here.says("And again.")) == [], "it is told once"
    assert here.frail.said <= asked + 1, "it is not tried with every sentence"


def test_an_engine_that_breaks_in_mid_sentence_loses_no_word_and_no_sample() -> None:
    here = Conversation()
    here.frail.trouble = "breaks at bad"
    text = "Good things happen to all of us now, then bad things happen."
    said = here.says(text)
    assert " ".join(words(said)) == text
    at = 0
    for voice in (each for each in said if isinstance(each, Voice)):
        assert voice.start_sample == at
        at += len(voice.pcm) // 2
    assert steps(said) == ["sure"]


def test_an_engine_that_says_nothing_is_stood_in_for_before_the_answer_is_given_up() -> None:
    here = Conversation()
    here.frail.trouble = "hangs"
    began_ns = here.now_ns
    said = here.says("Hello there.")
    assert words(said) == ["Hello", "there."]
    assert steps(said) == ["sure"]
    assert here.now_ns - began_ns < 5 * NS_PER_S


def test_an_engine_slower_than_speech_is_stood_in_for_after_a_few_clauses(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Conversation()
    monkeypatch.setattr(delivery, "time", SimpleNamespace(perf_counter_ns=lambda: here.frail.clock_ns))
    here.frail.trouble = "dawdles"
    told = [steps(here.says("Hello there.")) for _ in range(stand_ins.JUDGED + 1)]
    assert told == [[]] * (stand_ins.JUDGED - 1) + [["sure"]] + [[]]
    here.frail.trouble = ""
    asked = here.frail.said
    here.says("Hello there.")
    assert here.frail.said == asked


def test_the_better_voice_comes_back_and_does_not_flap() -> None:
    here = Conversation()
    here.frail.trouble = "breaks"
    changes: list[str] = []
    for _ in range(30):  # ten minutes, a sentence every 20 s
        changes += steps(here.says("Hello."))
        here.now_ns += AGAIN_NS
    assert changes == ["sure"] * 5, "tried again after 20, 40, 80, 160 seconds, and gone before it was told"
    here.frail.trouble = ""
    for _ in range(40):
        changes += steps(here.says("Hello."))
        here.now_ns += AGAIN_NS
    assert changes[5:] == ["full"]


def test_each_session_is_told_when_it_speaks() -> None:
    here = Conversation("s", "t")
    here.frail.trouble = "breaks"
    here.says("Hello.")
    assert steps(here.says("Hello.", "t")) == ["sure"]


def test_without_a_stand_in_the_fault_is_the_processs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_ins, "STAND_INS", ())
    here = Conversation()
    here.frail.trouble = "breaks"
    with pytest.raises(ZeroDivisionError):
        here.says("Hello.")
    here = Conversation()
    here.frail.trouble = "hangs"
    (failed,) = here.says("Hello.")
    assert isinstance(failed, Failed)
    assert failed.code == "tts_failed"

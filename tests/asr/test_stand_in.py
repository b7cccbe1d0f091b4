"""A recogniser that fails or falls behind is stood in for, says so, and comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broker.errors import EngineError
from broker.messages import (
    EndUtterance,
    Event,
    Failed,
    Message,
    MicFrame,
    Open,
    SpeechPaused,
    SpeechStarted,
    Transcript,
)
from tests.asr import tiny_whisper
from tests.asr.test_listener import Counting
from workers.asr.engine import Engines, Hypothesis, Recogniser
from workers.asr.stage import AsrStage
from workers.asr.stand_ins import JUDGED, StandIns
from workers.fallback import AGAIN_NS

MS = 1_000_000
FRAME = 320
FRAIL = f"{__name__}:Frail"


class FrailEar(Counting):
    """Breaks when its engine is told to, or has its words only when `late_ns` of the test's clock have gone by."""

    def __init__(self, engine: Frail) -> None:
        super().__init__()
        self.engine = engine
        self.settled_ns = -1

    def ready(self) -> bool:
        if self.engine.trouble == "cannot load":
            raise EngineError("The weights are broken.", "asr_engine")
        return True

    def feed(self, pcm: bytes) -> None:
        self.engine.fed += len(pcm) // 2
        if self.engine.trouble == "breaks" and self.fed > 8000:
            raise ZeroDivisionError("nobody thought of this")
        super().feed(pcm)

    def settle(self) -> None:
        self.settled_ns = self.engine.clock_ns + self.engine.late_ns

    def busy(self) -> bool:
        return self.engine.clock_ns < self.settled_ns

    def words(self) -> Hypothesis:
        return Hypothesis(f"{self.engine.name} {super().words().text}", 1.0, "en")


class Frail:
    name = "frail"
    trouble = ""
    late_ns = 0
    clock_ns = 0
    fed = 0

    def __init__(self, *where: Path) -> None:
        pass

    def open(self, persona: dict[str, Any], language: str) -> Recogniser:
        return FrailEar(self)

    def close(self) -> None:
        pass


class Sure(Frail):
    name = "sure"


class Conversation:
    """Utterances of two seconds, heard as they are said."""

    def __init__(self, tmp_path: Path, *sessions: str, language: str = "en") -> None:
        engines = Engines(tmp_path, tmp_path, tmp_path)
        self.frail, self.sure = Frail(), Sure()
        engines._made = {FRAIL: self.frail, "pocketsphinx": self.sure}
        self.stage = AsrStage(engines)
        self.now_ns = AGAIN_NS
        self.number = dict.fromkeys(sessions or ("s",), 0)
        self.language = language
        for session in self.number:
            self.opens(session)
        self.opened = self.run(0)

    def opens(self, session: str) -> None:
        persona = {"asr": {"engine": FRAIL}}
        self.number[session] = 0
        self.stage.accept(Open(session=session, persona=persona, language=self.language, origin_ns=0, peers={}))

    def run(self, ms: int) -> list[Message]:
        said: list[Message] = []
        until_ns = self.now_ns + ms * MS
        while True:
            self.frail.clock_ns = self.now_ns
            while self.stage.due_ns is not None and self.stage.due_ns <= self.now_ns:
                said += self.stage.step(self.now_ns)
            if self.now_ns >= until_ns:
                return said
            self.now_ns += 5 * MS

    def hears(self, session: str = "s", wait_ms: int = 300) -> list[Message]:
        number = self.number[session]
        self.number[session] += 1
        self.stage.accept(SpeechStarted(session=session, utterance=number, mic_sample=0))
        said: list[Message] = []
        for n in range(105):
            self.stage.accept(MicFrame(session=session, utterance=number, mic_sample=n * FRAME, pcm=bytes(2 * FRAME)))
            said += self.run(20)
        self.stage.accept(SpeechPaused(session=session, utterance=number, mic_sample=32_000, silence_ms=100, p_end=1.0))
        said += self.run(0)
        self.stage.accept(EndUtterance(session=session, utterance=number, mic_sample=32_000))
        return said + self.run(wait_ms)


def steps(messages: list[Message], session: str = "s") -> list[str]:
    return [each.data["step"] for each in messages if isinstance(each, Event) and each.session == session]


def final(messages: list[Message]) -> str:
    (text,) = [each.text for each in messages if isinstance(each, Transcript) and each.final]
    return text


WHOLE = " ".join(f"w{n}" for n in range(21))


def test_what_an_engine_breaks_at_another_hears_from_its_start(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.frail.trouble = "breaks"
    said = here.hears()
    assert final(said) == f"sure {WHOLE}"
    event = next(each for each in said if isinstance(each, Event))
    assert (event.kind, event.session) == ("degraded", "s")
    assert event.data == {
        "kind": "asr",
        "step": "pocketsphinx",
        "reason": f"{FRAIL} failed; pocketsphinx stands in",
    }
    numbers = [each.n for each in said if isinstance(each, Transcript)]
    assert numbers == list(range(len(numbers))), "newer words have the greater numbers, whoever heard them"
    assert not any(isinstance(each, Failed) for each in said)
    assert final(here.hears()) == f"sure {WHOLE}"


def test_an_engine_that_cannot_load_leaves_nobody_without_ears(tmp_path: Path) -> None:
    here = Conversation(tmp_path, "s", "t")
    here.frail.trouble = "cannot load"
    said = here.hears("s") + here.hears("t")
    assert (steps(said, "s"), steps(said, "t")) == (["pocketsphinx"], ["pocketsphinx"])
    assert not any(isinstance(each, Failed) for each in said)


def test_without_another_engine_for_the_language_the_session_has_no_ears(tmp_path: Path) -> None:
    here = Conversation(tmp_path, language="es")
    here.frail.trouble = "cannot load"
    failed = [each for each in here.hears() if isinstance(each, Failed)]
    assert [(each.code, each.turn) for each in failed] == [("asr_engine", 0)]


def test_an_engine_slower_than_speech_is_stood_in_for_after_some_utterances(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.frail.late_ns = 3000 * MS
    said = [here.hears(wait_ms=3500) for _ in range(JUDGED + 1)]
    assert [final(each).split()[0] for each in said] == ["frail"] * JUDGED + ["sure"]
    assert [steps(each) for each in said] == [[]] * (JUDGED - 1) + [["pocketsphinx"], []]


def test_words_that_come_later_than_at_once_but_in_time_change_nothing(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.frail.late_ns = 1200 * MS
    assert [steps(here.hears(wait_ms=1500)) for _ in range(2 * JUDGED)] == [[]] * 2 * JUDGED


def test_the_better_ear_comes_back_between_two_utterances_and_does_not_flap(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.frail.trouble = "breaks"
    changes: list[str] = []
    for _ in range(20):
        said = here.hears()
        assert final(said) == f"sure {WHOLE}"
        changes += steps(said)
        here.now_ns += AGAIN_NS
    assert changes == ["pocketsphinx", "full"] * 4 + ["pocketsphinx"], "after 20, 40, 80, 160 s"
    here.frail.trouble = ""
    for _ in range(20):
        changes += steps(here.hears())
        here.now_ns += AGAIN_NS
    assert changes[9:] == ["full"]
    assert final(here.hears()) == f"frail {WHOLE}"


def test_a_session_that_begins_meanwhile_is_told(tmp_path: Path) -> None:
    here = Conversation(tmp_path)
    here.frail.trouble = "cannot load"
    here.hears()
    here.opens("t")
    assert steps(here.run(10), "t") == ["pocketsphinx"]


@pytest.mark.parametrize("language", ["en", "en-GB"])
def test_a_whisper_gives_way_to_the_smaller_ones_that_are_there(tmp_path: Path, language: str) -> None:
    for size in ("small", "tiny"):
        tiny_whisper.build(tmp_path / f"whisper-{size}")
    engines = Engines(tmp_path, tmp_path, tmp_path)
    stand_ins = StandIns(engines)
    ear = stand_ins.ear({}, language)
    chain = [ear.name]
    while stand_ins.failed(ear, EngineError("broken", "asr_engine"), 0):
        ear.name = ear.fallback.name
        chain.append(ear.name)
    assert chain == ["whisper", "whisper-tiny", "pocketsphinx"]
    ear = stand_ins.ear({}, "es")
    stand_ins.failed(ear, EngineError("broken", "asr_engine"), 0)
    recogniser: Any = stand_ins.open(ear)
    assert recogniser._engine.folder.name == "whisper-tiny"
    engines.close()
    recogniser._engine.close()

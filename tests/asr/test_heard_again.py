"""What a page sends again, heard a hundred times faster than it was spoken: the same questions as at its own pace.

Real vad and asr with the turn machine, in simulated time; the asr gets a piece done each simulated millisecond.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.spoken import silence, speak, trimmed
from broker.messages import Ask, EndUtterance, Message, MicFrame, Open, Played, Transcript
from broker.turns import Timer, TurnState, due_ns, step
from tests.vad.microphones import frames, stage
from workers.asr.engine import Engines
from workers.asr.stage import AsrStage

ROOT = Path(__file__).resolve().parents[2]
MS = 1_000_000
BATCH, BATCH_MS = 25, 5
"""Frames, and how often, as webrtc/microphone.py hands on what the vad has missed."""

ONE = trimmed(speak("When is the library open?"))
TWO = (trimmed(speak("How do I get there")), silence(450, seed=5), trimmed(speak("from the station?")))


def scene(*pieces: np.ndarray) -> np.ndarray:
    return np.concatenate([silence(700), *pieces, silence(2500, seed=3)]).astype(np.int16)


class Listening:
    """vad, asr and turn machine, wired as in a session."""

    def __init__(self, engines: Engines) -> None:
        opened = Open(session="s", persona={"knowledge": {"folder": ""}}, language="en", origin_ns=0, peers={})
        self.vad, self.asr = stage(), AsrStage(engines)
        self.vad.accept(opened)
        self.asr.accept(opened)
        patience = time.monotonic() + 60
        while any(not one.recogniser.ready() for one in self.asr._listeners.values()):
            assert time.monotonic() < patience
            time.sleep(0.01)
        self.now_ms = 1_000
        self.state = TurnState()
        self.asked: list[str] = []
        self.tell(Played(programme_sample=0))

    @property
    def now_ns(self) -> int:
        return self.now_ms * MS

    def tell(self, event: object) -> None:
        self.state, actions = step(self.state, event, self.now_ns)
        for action in actions:
            if isinstance(action, EndUtterance):
                self.vad.accept(replace(action, session="s"))
                self.asr.accept(replace(action, session="s"))
            elif isinstance(action, Ask) and not action.speculative:
                self.asked.append(action.text)

    def millisecond(self) -> None:
        """Everybody gets a turn; then a millisecond is over."""
        while self.vad.due_ns is not None and self.vad.due_ns <= self.now_ns:
            for message in self.vad.step(self.now_ns):
                self.asr.accept(message)
                if not isinstance(message, MicFrame):
                    self.tell(message)
        if self.asr.due_ns is not None and self.asr.due_ns <= self.now_ns:
            said: list[Message] = self.asr.step(self.now_ns)
            for transcript in said:
                assert isinstance(transcript, Transcript)
                self.tell(transcript)
        due = due_ns(self.state)
        if due is not None and due <= self.now_ns:
            self.tell(Timer())
        self.now_ms += 1

    def hear(self, sound: np.ndarray, late_ms: int) -> list[str]:
        """What was said in the end, when the first `late_ms` of the sound come all at once and then the rest live."""
        waiting: list[Any] = frames(sound)
        spoken_ms, rest_ms = late_ms, 3_000
        while waiting or rest_ms:
            if self.now_ms % BATCH_MS == 0:
                there = [frame for frame in waiting[:BATCH] if frame.mic_sample // 16 + 20 <= spoken_ms]
                waiting = waiting[len(there) :]
                for frame in there:
                    self.vad.accept(frame)
            self.millisecond()
            spoken_ms += 1
            rest_ms -= not waiting
        return [line.text for line in self.state.dialogue if line.role == "user"]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Engines:
    return Engines(tmp_path_factory.mktemp("none"), ROOT / ".cache", ROOT / "etc" / "personas")


@pytest.mark.parametrize(
    "sound",
    [
        scene(ONE),
        scene(*TWO),
        scene(trimmed(speak("Yes."))),
    ],
    ids=["a question", "a question with a pause", "a word"],
)
def test_what_is_heard_late_and_fast_is_the_same(engines: Engines, sound: np.ndarray) -> None:
    live = Listening(engines).hear(sound, late_ms=0)
    assert live
    for late_ms in (1_500, 8_000):
        assert Listening(engines).hear(sound, late_ms) == live, late_ms

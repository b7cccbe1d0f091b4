"""Sound through the vad stage, frame by frame, in media time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.messages import Message, MicFrame, Open
from workers.vad.engine import Question, Verdict
from workers.vad.silero_engine import SileroEngine
from workers.vad.smart_turn_engine import SmartTurnEngine
from workers.vad.stage import VadStage

WEIGHTS = Path(__file__).resolve().parents[2] / ".cache" / "weights"
FRAME = 160
FRAME_NS = 10_000_000


class TurnsAtOnce:
    """The real smart-turn, answering where it is asked, so that media time decides what a test sees."""

    name = "smart-turn"

    def __init__(self) -> None:
        self._engine = SmartTurnEngine(WEIGHTS)
        self.recent_samples = self._engine.recent_samples
        self.asked: list[Question] = []
        self._answers: list[Verdict] = []

    def submit(self, question: Question, pcm: bytes) -> None:
        self.asked.append(question)
        self._answers.append(Verdict(question, self._engine.p_end(pcm), 1))

    def poll(self) -> list[Verdict]:
        answers, self._answers = self._answers, []
        return answers

    def cancel(self, session: str) -> None:
        self._answers = [answer for answer in self._answers if answer.question[0] != session]

    def close(self) -> None:
        self._engine.close()


def stage(turns: TurnsAtOnce | None = None) -> VadStage:
    return VadStage(SileroEngine(WEIGHTS), turns)


def opened(session: str = "s", replaced: tuple[str, ...] = (), mic_from: int = 0, utterance: int = 0) -> Open:
    return Open(
        session=session,
        persona={},
        language="en",
        origin_ns=0,
        peers={},
        replaced=replaced,
        mic_from=mic_from,
        utterance=utterance,
    )


def frames(sound: NDArray[np.int16], session: str = "s", first_sample: int = 0) -> list[MicFrame]:
    return [
        MicFrame(session=session, mic_sample=first_sample + at, pcm=sound[at : at + FRAME].astype("<i2").tobytes())
        for at in range(0, len(sound) - FRAME + 1, FRAME)
    ]


def hear(vad: VadStage, microphone: list[MicFrame]) -> list[Any]:
    """Every message the stage says while these frames come in, one every 10 ms; `Any`: tests read its fields."""
    said: list[Message] = []
    for frame in microphone:
        vad.accept(frame)
        said += until_idle(vad, frame.mic_sample * 62_500)
    return said


def until_idle(vad: VadStage, now_ns: int) -> list[Any]:
    said: list[Message] = []
    while vad.due_ns is not None and vad.due_ns <= now_ns:
        said += vad.step(now_ns)
    return said


def marks(said: list[Any]) -> list[Any]:
    return [message for message in said if not isinstance(message, MicFrame)]

"""What the vad stage needs of its two models, and which there are.

A microphone engine tells speech from everything else; a turn engine tells a finished thought from a pause in one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

ENGINES = {"silero": "workers.vad.silero_engine:SileroEngine"}
TURN_ENGINES = {"smart-turn": "workers.vad.smart_turn_engine:SmartTurnEngine"}
"""Name in `[stages] vad` and `end_of_turn` → class, best first. It is made with the folder of weights and with the
options of `[engines.<name>]` as keywords, and raises MissingError where something of it is not here."""

Question = tuple[str, int, int]
"""(session, utterance, pause): what a verdict answers."""


class Ear(Protocol):
    def hear(self, window: NDArray[np.int16]) -> float:
        """512 samples at 16 kHz to the probability 0..1 of speech in them."""

    def reset(self) -> None:
        """Forget what was heard."""


class VadEngine(Protocol):
    name: str

    def listen(self) -> Ear:
        """A new microphone."""


@dataclass(frozen=True)
class Verdict:
    """`p_end` in 0..1: the belief that the person has finished."""

    question: Question
    p_end: float
    took_ns: int


class TurnEngine(Protocol):
    name: str
    recent_samples: int
    """How much of an utterance's end it looks at."""

    def submit(self, question: Question, pcm: bytes) -> None:
        """Ask about an utterance so far (mono s16le 16 kHz). Only a session's newest question need be answered."""

    def poll(self) -> list[Verdict]:
        """What has been answered since the last call; never waits."""

    def cancel(self, session: str) -> None:
        """Forget the session's question."""

    def close(self) -> None:
        """End its thread."""

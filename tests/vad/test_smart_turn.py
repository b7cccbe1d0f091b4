from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from bench.spoken import silence, speak, trimmed
from broker.errors import MissingError
from tests.vad.microphones import WEIGHTS
from workers.vad.engine import Verdict
from workers.vad.silero_engine import SileroEngine
from workers.vad.smart_turn_engine import NICE, SmartTurnEngine

SENTENCES = (
    "What are the opening hours of the library?",
    "Where can I park my car near the main building?",
    "How do I reset my password?",
)


def test_whole_sentences_sound_more_finished_than_halves() -> None:
    engine = SmartTurnEngine(WEIGHTS)
    whole, half = [], []
    for sentence in SENTENCES:
        for voice in ("slt", "rms"):
            spoken = trimmed(speak(sentence, voice))
            whole.append(engine.p_end(np.concatenate([silence(300), spoken, silence(90)]).tobytes()))
            cut = spoken[: len(spoken) * 55 // 100]
            half.append(engine.p_end(np.concatenate([silence(300), cut, silence(90)]).tobytes()))
    assert np.mean(whole) > np.mean(half) + 0.15, "single verdicts on synthetic voices are unsure; the mean is not"


def test_a_newer_question_of_a_session_replaces_the_older_one() -> None:
    engine = SmartTurnEngine(WEIGHTS)
    pcm = silence(1000).tobytes()
    for pause in range(5):
        engine.submit(("s", 0, pause), pcm)
    verdicts: list[Verdict] = []
    patience = time.monotonic() + 20
    while not any(v.question[2] == 4 for v in verdicts) and time.monotonic() < patience:
        verdicts += engine.poll()
        time.sleep(0.005)
    engine.close()
    assert verdicts[-1].question == ("s", 0, 4)
    assert 0 <= verdicts[-1].p_end <= 1
    assert len(verdicts) < 5


def test_it_thinks_at_a_lower_priority_than_the_ear_beside_it() -> None:
    engine = SmartTurnEngine(WEIGHTS)
    before = os.nice(0)
    engine.submit(("s", 0, 0), silence(1000).tobytes())
    patience = time.monotonic() + 20
    while not engine.poll() and time.monotonic() < patience:
        time.sleep(0.005)
    thread = next(each for each in threading.enumerate() if each.name == "smart-turn")
    assert os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) == max(NICE, before)
    assert os.nice(0) == before
    engine.close()


@pytest.mark.parametrize("engine", [SileroEngine, SmartTurnEngine])
def test_missing_weights_say_what_brings_them(engine: type, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"workers\.weights"):
        engine(tmp_path)

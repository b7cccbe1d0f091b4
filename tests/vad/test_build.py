"""Which engines the vad stage is put together with: by the settings, a third party's too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from broker.config import Settings, load
from broker.errors import EngineError, MissingError
from broker.messages import SpeechPaused, SpeechStarted
from tests.vad.microphones import WEIGHTS, frames, hear, marks, opened
from workers.vad.build import build
from workers.vad.engine import Question, Verdict


class LoudEngine:
    """A third party's: what is loud is speech."""

    name = "loud"

    def __init__(self, weights: Path, threshold: int = 20_000) -> None:
        self.threshold = threshold

    def listen(self) -> LoudEngine:
        return self

    def hear(self, window: NDArray[np.int16]) -> float:
        return float(np.abs(window.astype(np.int32)).max() > self.threshold)

    def reset(self) -> None:
        return


class SureEngine:
    """A third party's: nobody ever has more to say."""

    name = "sure"
    recent_samples = 16_000

    def __init__(self, weights: Path) -> None:
        self._asked: list[Question] = []

    def submit(self, question: Question, pcm: bytes) -> None:
        self._asked.append(question)

    def poll(self) -> list[Verdict]:
        asked, self._asked = self._asked, []
        return [Verdict(question, 0.875, 1) for question in asked]

    def cancel(self, session: str) -> None:
        return

    def close(self) -> None:
        return


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(text: str, weights: Path = WEIGHTS) -> Settings:
        path = tmp_path / "visavis.toml"
        path.write_text(f'{text}\n[paths]\nweights = "{weights}"\n')
        return load(path, {})

    return write


def test_auto_takes_silero_and_smart_turn_and_says_so(written: Any) -> None:
    stage = build(written(""))
    assert stage.engine_name == "silero+smart-turn"
    assert stage.engine_why.startswith("silero: the best")
    assert "smart-turn: the best" in stage.engine_why


def test_a_third_partys_engines_are_used_with_their_options(written: Any) -> None:
    loud, sure = f"{__name__}:LoudEngine", f"{__name__}:SureEngine"
    stage = build(written(f'[stages]\nvad = "{loud}"\nend_of_turn = "{sure}"\n[engines."{loud}"]\nthreshold = 9000\n'))
    assert (stage.engine_name, stage.engine_why) == ("loud+sure", "loud: configured; sure: configured")
    stage.accept(opened())
    noise = np.random.default_rng(0).integers(-10_000, 10_000, 16_000)
    heard = marks(hear(stage, frames(np.concatenate([np.zeros(8000), noise, np.zeros(16_000)]).astype(np.int16))))
    assert isinstance(heard[0], SpeechStarted), "silero hears no speech in this"
    assert 0.875 in [mark.p_end for mark in heard if isinstance(mark, SpeechPaused)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('vad = "webrtcvad"', "no voice activity detector 'webrtcvad'. Known: auto, silero"),
        ('end_of_turn = "dumb"', "no end of turn detector 'dumb'. Known: auto, smart-turn"),
        ('vad = "nowhere.to:be"', "nowhere.to:be cannot be loaded"),
    ],
)
def test_an_unknown_engine_is_answered_with_the_known_ones(written: Any, text: str, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        build(written(f"[stages]\n{text}"))


def test_without_weights_auto_names_what_brings_them(written: Any, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"silero is not there: .*silero_vad.onnx is missing; `python -m"):
        build(written("", weights=tmp_path))

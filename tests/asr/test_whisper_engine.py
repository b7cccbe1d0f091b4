"""Whisper's own ways: the newest hearing is what was said, how a model is loaded, and what fits into it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faster_whisper
import numpy as np
import pytest

from bench.spoken import speak
from tests.asr.tiny_whisper import build
from workers.asr import whisper_engine
from workers.asr.whisper_engine import AGAIN_EVERY, LONGEST, RATE_HZ, WhisperEngine, WhisperRecogniser

WAIT_S = 60


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    build(folder / "whisper-tiny")
    return folder


class Ear:
    """A model that hears what it is told; it keeps the sounds that it was given, and how."""

    def __init__(self, *hearings: str) -> None:
        self.hearings = list(hearings)
        self.heard: list[np.ndarray] = []

    def transcribe(self, sound: np.ndarray, language: str | None, **options: Any) -> tuple[Any, Any]:
        self.heard.append(sound)
        text = self.hearings.pop(0) if self.hearings else ""
        segment = SimpleNamespace(text=f" {text}", avg_logprob=-0.1, no_speech_prob=0.0)
        return iter([segment] if text else []), SimpleNamespace(language=language or "en", all_language_probs=())


@pytest.fixture
def engine(weights: Path) -> Iterator[WhisperEngine]:
    engine = WhisperEngine(weights, weights, weights)
    until(engine.loaded)
    yield engine
    engine.close()


def until(done: Any) -> None:
    patience = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < patience
        time.sleep(0.002)


def open_ear(engine: WhisperEngine, language: str = "en", **persona: Any) -> WhisperRecogniser:
    recogniser = engine.open({"name": "Vera", "languages": ["en"]} | persona, language)
    recogniser.begin()
    return recogniser


def hear(recogniser: WhisperRecogniser, samples: int = AGAIN_EVERY) -> None:
    """One more piece of sound, until it is understood."""
    recogniser.feed(bytes(2 * samples))
    recogniser.settle()
    until(lambda: not recogniser.busy())


# --- what was said ---


@pytest.mark.parametrize(
    "hearings",
    [
        ("I can not find the", "I can not find the key", "I cannot find the key please"),
        ("I cannot find", "I cannot find the", "I can not find the key please"),
        ("what time is", "what time is it", "it is what time"),
        ("图书馆在", "图书馆在哪", "图书馆它在哪里"),
        ("我要去图书馆", "我要去图书馆借书", "我去图书馆借书"),
        ("图书馆WiFi", "图书馆 WiFi 密码", "图书馆的WiFi密码是什么"),
    ],
)
def test_the_words_are_those_of_the_newest_hearing_which_heard_everything(
    engine: WhisperEngine, hearings: tuple[str, ...]
) -> None:
    engine._model = Ear(*hearings)
    recogniser = open_ear(engine)
    for number, words in enumerate(hearings, start=1):
        hear(recogniser)
        assert recogniser.words().text == words
        assert len(engine._model.heard[-1]) == number * AGAIN_EVERY, "all of the utterance, each time"


def test_while_one_speaks_on_what_two_hearings_agree_on_stays(engine: WhisperEngine) -> None:
    engine._model = Ear("I can not find", "I can not find the", "I cannot find the key")
    recogniser = open_ear(engine)
    for _ in range(3):
        recogniser.feed(bytes(2 * AGAIN_EVERY))
        until(lambda: not recogniser.busy())
    assert recogniser.words().text == "I can not find the key"
    recogniser.settle()
    assert recogniser.words().text == "I cannot find the key", "it has heard all there is"


def test_of_an_utterance_a_little_longer_than_fits_the_end_is_heard(engine: WhisperEngine) -> None:
    ear = engine._model = Ear("everything")
    recogniser = open_ear(engine)
    recogniser.feed(np.full(RATE_HZ // 4, 1, "<i2").tobytes())
    recogniser._asked = RATE_HZ // 4
    hear(recogniser, LONGEST)
    assert recogniser.through == LONGEST + RATE_HZ // 4
    assert [len(sound) for sound in ear.heard] == [LONGEST]
    assert not ear.heard[0].any(), "the silence before it is what is left out"


def test_many_hotwords_and_a_long_utterance_fit_the_model(engine: WhisperEngine) -> None:
    recogniser = open_ear(engine, asr={"words": [f"Fermentarium{n}" for n in range(100)]})
    said = speak("Where is the station?").astype("<i2")
    hear_all = np.resize(said, LONGEST).tobytes()
    recogniser.feed(hear_all)
    recogniser.settle()
    until(lambda: not recogniser.busy())  # raises what the library refuses
    assert recogniser.words().text
    assert recogniser.through == LONGEST


@pytest.mark.parametrize(("language", "told"), [("en-GB", "en"), ("es-MX", "es"), ("cmn", "zh"), ("EN_us", "en")])
def test_a_region_is_kept_to_itself_and_comes_back_with_the_words(
    engine: WhisperEngine, language: str, told: str
) -> None:
    engine._model = Ear("hello")
    recogniser = open_ear(engine, language)
    assert (recogniser.language, recogniser.words().language) == (told, language)
    hear(recogniser)
    assert recogniser.words().language == language


# --- loading ---


@pytest.mark.parametrize(
    ("device", "has_gpu", "loaded"),
    [
        ("auto", False, ("cpu", "int8")),
        ("cpu", True, ("cpu", "int8")),
        ("auto", True, ("cuda", "float16")),
        ("cuda", True, ("cuda", "float16")),
    ],
)
def test_weights_are_loaded_as_int8_on_a_cpu_and_as_float16_on_cuda(
    weights: Path, monkeypatch: pytest.MonkeyPatch, device: str, has_gpu: bool, loaded: tuple[str, str]
) -> None:
    made: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(whisper_engine, "_cuda", lambda: has_gpu)
    monkeypatch.setattr(faster_whisper, "WhisperModel", lambda *args, **options: made.append((args, options)) or Ear())
    engine = WhisperEngine(weights, weights, weights, device=device, threads=3)
    until(engine.loaded)
    engine.close()
    ((folder,), options) = made[0]
    assert (options["device"], options["compute_type"]) == loaded
    assert (folder, options["cpu_threads"], options["local_files_only"]) == (str(weights / "whisper-tiny"), 3, True)
    assert engine.device == loaded[0]

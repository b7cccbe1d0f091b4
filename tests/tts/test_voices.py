"""Choosing who speaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest

from broker.errors import MissingError
from workers.tts.engine import ENGINES, Engine, PhoneMark, Ready, Sound, UnknownLanguage, Utterance
from workers.tts.scripts import readable_language
from workers.tts.voices import Voices
from workers.tts.words import Token


class Humming:
    """A scripted engine: each token is 100 ms of tone and one phone."""

    name = "humming"
    alphabet: Literal["arpabet", "ipa"] = "arpabet"

    def __init__(self, options: dict[str, object] | None = None) -> None:
        self.options = options

    def languages(self) -> tuple[str, ...]:
        return ("en",)

    def voices(self, language: str) -> tuple[str, ...]:
        return ("low", "high") if language.startswith("en") else ()

    def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Utterance:
        tone = (3000 * np.sin(np.arange(1600 * len(clause)) / 8)).astype(np.int16)
        marks = tuple(PhoneMark(phone="aa", start=1600 * n, end=1600 * (n + 1), token=n) for n in range(len(clause)))
        return Ready(Sound(pcm=tone, rate_hz=16_000, phones=marks))


class Absent:
    def __init__(self, options: dict[str, object] | None = None) -> None:
        raise MissingError("absent needs libabsent: apt-get install libabsent")


def voices() -> Voices:
    engine: Engine = Humming()
    return Voices(engines={"humming": engine})


def test_auto_takes_the_first_engine_that_speaks_the_language() -> None:
    assert voices().choose({}, "en").engine.name == "humming"


def test_auto_passes_over_an_engine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "flite", f"{__name__}:Absent")
    assert Voices().choose({"en": {"engine": "auto", "voice": "slt"}}, "en").engine.name == "espeak"


def test_what_is_loaded_and_what_is_missing_is_said_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setitem(ENGINES, "flite", f"{__name__}:Absent")
    loaded = voices()
    loaded.warm()
    assert loaded.engine == "humming+espeak"
    assert "auto takes the first that speaks the language: humming (en), then espeak (1" in loaded.why
    assert "flite is not there: absent needs libabsent: apt-get install libabsent" in loaded.why
    (chosen,) = [record.__dict__ for record in caplog.records if record.message == "engine chosen"]
    assert (chosen["engine"], chosen["reason"]) == (loaded.engine, loaded.why)


def test_an_engine_asked_for_by_name_that_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "flite", f"{__name__}:Absent")
    with pytest.raises(MissingError, match="apt-get install libabsent"):
        Voices().choose({"en": {"engine": "flite"}}, "en")


def test_an_unknown_engine_is_answered_with_the_known_ones() -> None:
    with pytest.raises(MissingError, match="flite, espeak"):
        voices().choose({"en": {"engine": "flight"}}, "en")


@pytest.mark.parametrize("name", ["workers.tts.nowhere:Engine", "workers.tts.stage:Nothing", ":", "a:b:c"])
def test_a_third_party_engine_that_cannot_be_loaded_is_named(name: str) -> None:
    with pytest.raises(MissingError):
        voices().choose({"en": {"engine": name}}, "en")


def test_a_third_party_engine_is_loaded_with_its_options() -> None:
    path = f"{__name__}:Humming"
    chosen = Voices({path: {"pitch": 2}}).choose({"en": {"engine": path}}, "en")
    assert chosen.engine.options == {"pitch": 2}  # type: ignore[attr-defined]


def test_a_language_nobody_speaks_is_an_error() -> None:
    with pytest.raises(UnknownLanguage, match="tlh-x-none"):
        voices().choose({}, "tlh-x-none")


def test_an_unknown_voice_becomes_the_engines_first(caplog: pytest.LogCaptureFixture) -> None:
    assert voices().choose({"en": {"voice": "nobody"}}, "en").voice == "low"
    assert "no such voice" in caplog.text


def test_the_persona_chooses_by_language_and_its_primary_tag() -> None:
    assert voices().choose({"en": {"voice": "high"}}, "en-GB").voice == "high"


@pytest.mark.parametrize(("asked", "pace"), [(1.0, 0.8), (0.01, 0.5), (100, 2.0), (float("nan"), 0.8), (True, 0.8)])
def test_the_pace_is_the_personas_times_the_sentences_within_bounds(asked: float, pace: float) -> None:
    from workers.tts.voices import pace_of

    assert voices().choose({"en": {"rate": 0.8}}, "en", rate=pace_of(asked)).rate == pytest.approx(pace)


@pytest.mark.parametrize("rate", ["fast", None, [], {}])
def test_a_pace_that_is_no_number_is_the_voices_own(rate: object) -> None:
    assert voices().choose({"en": {"rate": rate}}, "en").rate == 1.0


@pytest.mark.parametrize(
    ("text", "tagged", "read"),
    [
        ("Hello there", "en", "en"),
        ("你好", "en", "zh"),
        ("こんにちは", "en", "ja"),
        ("Привет", "es", "ru"),
        ("Привет, Bob", "en", "en"),
        ("你好", "ja", "ja"),
        ("hello", "zh", "zh"),
        ("hello", "ru", "en"),
        ("Приве́т", "uk", "uk"),
        ("123 😀", "en", "en"),
        ("", "en", "en"),
    ],
)
def test_a_text_in_another_script_is_read_in_a_language_that_has_it(text: str, tagged: str, read: str) -> None:
    assert readable_language(text, tagged) == read

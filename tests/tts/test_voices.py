"""Choosing who speaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pytest

from broker.errors import MissingError
from tests.tts.voiced import speak
from workers.tts import voices as module
from workers.tts.delivery import Voicing
from workers.tts.engine import ENGINES, Engine, PhoneMark, Ready, Sound, UnknownLanguage, Utterance
from workers.tts.scripts import readable_language
from workers.tts.voices import Load, Measure, Voices
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


class Choir(Humming):
    name = "choir"

    def voices(self, language: str) -> tuple[str, ...]:
        return ("alto", "tenor") if language.startswith("en") else ()


@pytest.mark.parametrize(
    ("voice", "engine", "speaks", "lacking"),
    [
        ("", "humming", "low", ""),
        ("auto", "humming", "low", ""),
        ("high", "humming", "high", ""),
        ("tenor", "choir", "tenor", ""),
        ("nobody", "humming", "low", "nobody"),
    ],
)
def test_auto_takes_the_first_engine_that_has_the_voice(voice: str, engine: str, speaks: str, lacking: str) -> None:
    chosen = Voices(engines={"humming": Humming(), "choir": Choir()}).choose({"en": {"voice": voice}}, "en")
    assert (chosen.engine.name, chosen.voice, chosen.lacking) == (engine, speaks, lacking)


def test_espeak_speaks_as_in_a_region_that_is_chosen_as_a_voice() -> None:
    said = {voice: speak("Cinco zapatos.", "es", "espeak", voice).phones for voice in ("es", "es-419")}
    assert "θ" in {phone.phone for phone in said["es"]}
    assert "θ" not in {phone.phone for phone in said["es-419"]}


def test_what_has_to_be_done_for_a_voice_is_told_before_it_is_chosen() -> None:
    path = f"{__name__}:Humming"
    here, wanted = Voices(), {"en": {"engine": path, "voice": "high"}}
    load = here.resolve(wanted, "en")
    assert load == Load(path, {})
    here.take(load, load.work())
    measure = here.resolve(wanted, "en")
    assert isinstance(measure, Measure)
    assert measure.key == ("humming", "en", "high")
    here.take(measure, measure.work())
    chosen = here.resolve(wanted, "en")
    assert isinstance(chosen, Voicing)
    assert chosen.gain == pytest.approx(here.choose(wanted, "en").gain)


def test_a_voice_that_breaks_or_hangs_while_it_is_measured_is_as_loud_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Breaking(Humming):
        def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Utterance:
            raise ZeroDivisionError

    class Pending:
        cancelled = False

        def read(self) -> None:
            return None

        def cancel(self) -> None:
            self.cancelled = True

    class Hanging(Humming):
        utterance = Pending()

        def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Any:
            return self.utterance

    monkeypatch.setattr(module, "_READS", 2)
    for engine in (Breaking(), Hanging()):
        assert Voices(engines={"humming": engine}).choose({}, "en").gain == 1.0
    assert Hanging.utterance.cancelled


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

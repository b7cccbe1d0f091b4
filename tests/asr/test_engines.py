"""One contract for all engines, on their real loading code; which one `auto` takes; errors that name the remedy."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.spoken import silence, speak, trimmed
from broker.errors import EngineError, MissingError
from broker.messages import MicFrame, Open, SpeechEnded, SpeechStarted
from tests.asr.tiny_whisper import LANGUAGES, build
from workers.asr import pocketsphinx_engine, whisper_engine
from workers.asr.engine import AUTO, ENGINES, PIECE, AsrEngine, Engines, Recogniser
from workers.asr.libpocketsphinx import model_folder
from workers.asr.pocketsphinx_engine import PocketsphinxRecogniser
from workers.asr.stage import AsrStage
from workers.asr.whisper_engine import find_model

ROOT = Path(__file__).resolve().parents[2]
PERSONA = {"name": "Vera", "knowledge": {"folder": ""}, "asr": {"engine": "auto", "words": []}}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    build(folder / "whisper-tiny")
    return folder


@pytest.fixture(scope="module", params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, weights: Path) -> Iterator[AsrEngine]:
    engines = Engines(weights, ROOT / ".cache", ROOT / "etc" / "personas")
    yield engines.get(request.param)
    engines.close()


def prepared(engine: AsrEngine) -> Recogniser:
    recogniser = engine.open(PERSONA, "en")
    patience = time.monotonic() + 60
    while not recogniser.ready():
        assert time.monotonic() < patience
        time.sleep(0.01)
    return recogniser


def feed(recogniser: Recogniser, sound: np.ndarray) -> None:
    pcm = sound.astype("<i2").tobytes()
    for at in range(0, len(pcm), 2 * PIECE):
        recogniser.feed(pcm[at : at + 2 * PIECE])


def settle(recogniser: Recogniser) -> None:
    recogniser.settle()
    patience = time.monotonic() + 60
    while recogniser.busy():
        assert time.monotonic() < patience
        time.sleep(0.002)


SPOKEN = np.concatenate([silence(200), trimmed(speak("Where is the station?")), silence(100)])


def test_after_settling_the_words_account_for_all_sound(engine: AsrEngine) -> None:
    recogniser = prepared(engine)
    recogniser.begin()
    feed(recogniser, SPOKEN)
    settle(recogniser)
    assert recogniser.through == len(SPOKEN)
    assert recogniser.words().text
    assert recogniser.words().language == "en"
    assert 0 <= recogniser.words().confidence <= 1
    assert recogniser.took_ns > 0
    recogniser.close()


def test_hearing_goes_on_after_settling(engine: AsrEngine) -> None:
    recogniser = prepared(engine)
    recogniser.begin()
    for _ in range(2):
        feed(recogniser, SPOKEN)
        settle(recogniser)
    assert recogniser.through == 2 * len(SPOKEN)
    recogniser.close()


def test_an_utterance_forgotten_and_heard_again_has_the_same_words(engine: AsrEngine) -> None:
    recogniser = prepared(engine)
    heard = []
    for _ in range(3):
        recogniser.begin()
        feed(recogniser, SPOKEN)
        settle(recogniser)
        heard.append(recogniser.words().text)
        recogniser.end(keep=False)
    assert heard[0] == heard[1] == heard[2]
    recogniser.close()


@pytest.mark.parametrize("samples", [0, 1, 100])
def test_hardly_any_sound_is_no_error(engine: AsrEngine, samples: int) -> None:
    recogniser = prepared(engine)
    recogniser.begin()
    feed(recogniser, np.zeros(samples, np.int16))
    settle(recogniser)
    assert recogniser.words().text == ""
    recogniser.end()
    recogniser.end()
    recogniser.close()


def test_closing_before_it_is_ready_is_no_error(engine: AsrEngine) -> None:
    engine.open(PERSONA, "en").close()
    after = prepared(engine)
    after.begin()
    assert after.words().text == "", "the next one is as good as any"
    after.close()


def test_pocketsphinx_understands_a_sentence(weights: Path) -> None:
    engines = Engines(weights, ROOT / ".cache", ROOT / "etc" / "personas")
    recogniser = prepared(engines.get("pocketsphinx"))
    recogniser.begin()
    feed(recogniser, SPOKEN)
    assert recogniser.words().text == "where is the station"
    recogniser.close()
    engines.close()


def test_pocketsphinx_says_how_likely_a_sentence_ends_after_its_words(weights: Path) -> None:
    from pocketsphinx import NGramModel

    engines = Engines(weights, ROOT / ".cache", ROOT / "etc" / "personas")
    recogniser = prepared(engines.get("pocketsphinx"))
    assert isinstance(recogniser, PocketsphinxRecogniser)
    assert recogniser._decoder
    ends = recogniser._decoder.ends
    general = NGramModel.readfile(str(model_folder() / "en-us.lm.bin"))
    for words in (("the", "library"), ("of", "the"), ("get", "in"), ("now",)):
        found = ends("where is it " + " ".join(words) if len(words) == 2 else words[0])
        assert found == pytest.approx(general.prob(["</s>", *reversed(words)]) * math.log(1.0001), abs=0.01)
    assert ends("when does the library open") > ends("when does the") + 2
    assert ends("") is None
    recogniser.begin()
    feed(recogniser, SPOKEN)
    assert recogniser.words().ends == ends("where is the station")
    recogniser.close()
    engines.close()


def test_words_of_a_persona_are_understood_only_by_it(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "orchard").mkdir()
    (tmp_path / "orchard" / "a.md").write_text(
        "# Quinces\n\nAsked: do you grow the mirabelles; where is the fermentarium"
    )
    engines = Engines(weights, tmp_path / "cache", tmp_path)
    persona = PERSONA | {"knowledge": {"folder": "orchard"}}
    heard = {}
    for name, who in (("own", persona), ("other", PERSONA)):
        recogniser = engines.open(who, "en", "pocketsphinx")
        while not recogniser.ready():
            time.sleep(0.01)
        recogniser.begin()
        feed(recogniser, np.concatenate([silence(200), trimmed(speak("Where is the fermentarium?")), silence(100)]))
        heard[name] = recogniser.words().text
        recogniser.close()
    engines.close()
    assert "fermentarium" in heard["own"]
    assert "fermentarium" not in heard["other"]


def test_auto_takes_whisper_where_its_weights_are_and_pocketsphinx_elsewhere(weights: Path, tmp_path: Path) -> None:
    assert AUTO[0] == "whisper"
    assert Engines(weights, tmp_path, tmp_path).choose("auto", "es")[0] == "whisper"
    name, why = Engines(tmp_path, tmp_path, tmp_path).choose("auto", "en")
    assert name == "pocketsphinx"
    assert "bin/models pull whisper" in why


@pytest.mark.parametrize("language", ["en-GB", "en-US", "EN", "en_AU"])
def test_english_of_any_region_is_heard_without_whisper(tmp_path: Path, language: str) -> None:
    engines = Engines(tmp_path, ROOT / ".cache", ROOT / "etc" / "personas")
    assert engines.choose("auto", language)[0] == "pocketsphinx"
    recogniser = engines.open(PERSONA | {"languages": [language]}, language)
    patience = time.monotonic() + 60
    while not recogniser.ready():
        assert time.monotonic() < patience
        time.sleep(0.01)
    recogniser.close()
    engines.close()


def test_the_choice_and_its_reason_are_kept_and_logged_once(
    weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    engines = Engines(weights, ROOT / ".cache", ROOT / "etc" / "personas")
    for persona in (PERSONA, PERSONA, PERSONA | {"asr": {"engine": "pocketsphinx"}}):
        engines.open(persona, "en").close()
    engines.close()
    assert engines.reasons.names == "pocketsphinx+whisper"
    assert engines.reasons.words.startswith("pocketsphinx: configured; whisper: its weights are in whisper-tiny; on c")
    chosen = [record.__dict__ for record in caplog.records if record.message == "engine chosen"]
    assert [(each["engine"], each["reason"][:10]) for each in chosen] == [
        ("whisper", "its weight"),
        ("pocketsphinx", "configured"),
    ]


@pytest.mark.parametrize("engine", ["auto", "pocketsphinx"])
@pytest.mark.parametrize("language", ["es", "zh", "fr"])
def test_another_language_without_whisper_says_what_to_pull(tmp_path: Path, engine: str, language: str) -> None:
    engines = Engines(tmp_path, tmp_path, tmp_path)
    with pytest.raises(EngineError, match="bin/models pull whisper") as caught:
        engines.open(PERSONA, language, engine)
    assert caught.value.code == "asr_language"


def test_unknown_engines_are_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="auto, pocketsphinx, whisper"):
        Engines(tmp_path, tmp_path, tmp_path).open(PERSONA, "en", "sphinx5")
    with pytest.raises(MissingError):
        Engines(tmp_path, tmp_path, tmp_path).open(PERSONA, "en", "no.such.module:Engine")


def test_a_whisper_folder_without_its_tokenizer_is_not_taken(tmp_path: Path) -> None:
    folder = build(tmp_path / "whisper-tiny")
    assert find_model(tmp_path) == folder
    (folder / "tokenizer.json").unlink()
    with pytest.raises(MissingError):
        find_model(tmp_path)


def test_broken_whisper_weights_are_told_in_words(tmp_path: Path) -> None:
    folder = build(tmp_path / "whisper-tiny")
    (folder / "model.bin").write_bytes(b"not a model")
    engines = Engines(tmp_path, tmp_path, tmp_path)
    recogniser = engines.open(PERSONA, "en")

    def wait() -> None:
        patience = time.monotonic() + 60
        while not recogniser.ready() and time.monotonic() < patience:
            time.sleep(0.01)

    with pytest.raises(EngineError, match="cannot be loaded"):
        wait()
    engines.close()


def test_ears_that_were_prepared_are_there_at_once(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    class Counted(pocketsphinx_engine.Decoder):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            made.append(self)

    monkeypatch.setattr(pocketsphinx_engine, "Decoder", Counted)
    engines = Engines(weights / "none", ROOT / ".cache", ROOT / "etc" / "personas")
    engines.prepare({**PERSONA, "asr": {"engine": "pocketsphinx"}}, "en")
    patience = time.monotonic() + 60
    while not made and time.monotonic() < patience:
        time.sleep(0.01)
    prepared(engines.get("pocketsphinx"))
    assert len(made) == 1, "the session took the one that was there"
    engines.close()


def test_ears_that_a_session_waits_for_are_made_before_those_prepared_for_sessions_to_come(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    all_wanted = threading.Event()

    def make(self: object, persona: dict[str, Any]) -> None:
        assert all_wanted.wait(60)
        made.append(persona["id"])

    monkeypatch.setattr(pocketsphinx_engine.PocketsphinxEngine, "_decoder", make)
    monkeypatch.setattr(pocketsphinx_engine.PocketsphinxEngine, "take_back", lambda self, decoder: None)
    engines = Engines(weights / "none", ROOT / ".cache", ROOT / "etc" / "personas")
    engine: Any = engines.get("pocketsphinx")
    for name in ("first", "second", "third"):
        engine.prepare({"id": name}, "en")
    engine.open({"id": "awaited"}, "en")
    all_wanted.set()
    patience = time.monotonic() + 60
    while len(made) < 4 and time.monotonic() < patience:
        time.sleep(0.01)
    assert made == ["first", "awaited", "second", "third"], "only the one in hand comes before it"
    engines.close()


def test_what_cannot_be_prepared_is_told_when_it_is_needed(weights: Path) -> None:
    engines = Engines(weights / "none", ROOT / ".cache", ROOT / "etc" / "personas")
    for persona, language in (({**PERSONA, "asr": {"engine": "nonsense"}}, "en"), (PERSONA, "es")):
        engines.prepare(persona, language)
        with pytest.raises(EngineError):
            engines.open(persona, language)
    engines.close()


def test_whisper_told_to_run_on_cuda_says_that_there_is_none(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_engine, "_cuda", lambda: False)
    engines = Engines(weights, ROOT / ".cache", ROOT / "etc" / "personas", {"whisper": {"device": "cuda"}})
    with pytest.raises(MissingError, match="finds no GPU"):
        engines.open(PERSONA, "en", "whisper")


# --- languages told apart ---


def spoken_language(engine: AsrEngine, *languages: str) -> str:
    """What the engine says an utterance is in, of these."""
    recogniser = engine.open(PERSONA | {"languages": list(languages)}, "")
    patience = time.monotonic() + 60
    while not recogniser.ready():
        assert time.monotonic() < patience
        time.sleep(0.01)
    recogniser.begin()
    feed(recogniser, SPOKEN)
    settle(recogniser)
    found = recogniser.words()
    assert found.text
    recogniser.close()
    return found.language


def test_the_language_of_an_utterance_is_detected_among_the_personas(weights: Path) -> None:
    engines = Engines(weights, ROOT / ".cache", ROOT / "etc" / "personas")
    whisper: Any = engines.get("whisper")
    likeliest = spoken_language(whisper, *LANGUAGES)
    own, _, chances = whisper._model.detect_language(SPOKEN.astype(np.float32) / 32768)
    assert likeliest == own
    others = [language for language in LANGUAGES if language != likeliest]
    assert spoken_language(whisper, *others) == max(others, key=dict(chances).get)
    assert spoken_language(whisper, others[0]) == others[0]
    assert spoken_language(whisper, f"{others[0]}-XX") == f"{others[0]}-XX", "the persona's own tag"
    engines.close()


@pytest.mark.parametrize(("wish", "language"), [("detect", "es"), ("es", "es"), ("", "en")])
def test_a_persona_says_whether_its_languages_are_told_apart(weights: Path, wish: str, language: str) -> None:
    engines = Engines(weights, ROOT / ".cache", ROOT / "etc" / "personas")
    persona = PERSONA | {"languages": ["es"] if wish == "detect" else ["en", "es"], "asr": {"language": wish}}
    stage = AsrStage(engines)
    pcm = SPOKEN.astype("<i2").tobytes()
    stage.accept(Open(session="s", persona=persona, language="en", origin_ns=0, peers={}))
    stage.accept(SpeechStarted(session="s", utterance=0, mic_sample=0))
    stage.accept(MicFrame(session="s", utterance=0, mic_sample=0, pcm=pcm))
    stage.accept(SpeechEnded(session="s", utterance=0, mic_sample=len(SPOKEN), reason="length"))
    heard: list[Any] = []
    patience = time.monotonic() + 60
    while not (heard and heard[-1].final):
        assert time.monotonic() < patience
        heard += stage.step(time.monotonic_ns())
        time.sleep(0.001)
    assert heard[-1].confidence > 0, "it was heard: random weights are not sure of their words"
    assert heard[-1].language == language
    engines.close()


def test_an_engine_that_cannot_tell_languages_apart_hears_the_conversations(tmp_path: Path) -> None:
    engines = Engines(tmp_path, ROOT / ".cache", ROOT / "etc" / "personas")
    persona = PERSONA | {"languages": ["en", "es"], "asr": {"language": "detect"}}
    engines.open(persona, "en").close()
    assert "cannot tell languages apart" in engines.reasons.words
    with pytest.raises(EngineError, match="bin/models pull whisper"):
        engines.open(persona, "es")
    engines.close()

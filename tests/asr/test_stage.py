"""Real speech through vad and asr, both with their embedded engines, in media time."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.spoken import silence, speak, trimmed
from broker.messages import Close, EndUtterance, Event, Failed, MicFrame, Open, SpeechPaused, Transcript
from tests.vad.microphones import frames, hear, stage, until_idle
from workers.asr import pocketsphinx_engine
from workers.asr.engine import Engines
from workers.asr.stage import AsrStage

ROOT = Path(__file__).resolve().parents[2]
SECOND = 16_000
SPOKEN = np.concatenate([silence(700), trimmed(speak("Can you help me?")), silence(2200, seed=3)])
WORDS = "can you help me"


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Engines:
    return Engines(tmp_path_factory.mktemp("none"), ROOT / ".cache", ROOT / "etc" / "personas")


def opened(session: str = "s", language: str = "en", replaced: tuple[str, ...] = (), utterance: int = 0) -> Open:
    return Open(
        session=session,
        persona={"knowledge": {"folder": ""}},
        language=language,
        origin_ns=0,
        peers={},
        replaced=replaced,
        utterance=utterance,
    )


def ready(asr: AsrStage) -> AsrStage:
    patience = time.monotonic() + 60
    while any(not one.recogniser.ready() for one in asr._listeners.values()):
        assert time.monotonic() < patience
        time.sleep(0.01)
    return asr


def listen(asr: AsrStage, heard: list[Any], now_ns: int = 0) -> list[Any]:
    said: list[Any] = []
    for message in heard:
        asr.accept(message)
        said += drained(asr, now_ns)
    return said


def drained(asr: AsrStage, now_ns: int) -> list[Any]:
    said: list[Any] = []
    while asr.due_ns is not None and asr.due_ns <= now_ns:
        said += asr.step(now_ns)
    return said


def from_vad(sound: np.ndarray = SPOKEN, utterance: int = 0) -> list[Any]:
    vad = stage()
    vad.accept(Open(session="s", persona={}, language="en", origin_ns=0, peers={}, utterance=utterance))
    return hear(vad, frames(sound))


def untimed(said: list[Any]) -> list[tuple[Any, ...]]:
    return [(t.utterance, t.n, t.text, t.final, t.through_sample) for t in said if isinstance(t, Transcript)]


def test_words_flow_stand_at_the_pause_and_are_the_same_for_good(engines: Engines) -> None:
    asr = AsrStage(engines)
    asr.accept(opened())
    ready(asr)
    heard = from_vad()
    paused = next(m for m in heard if isinstance(m, SpeechPaused))
    said = [m for m in listen(asr, heard) if isinstance(m, Transcript)]
    assert len(said) > 4
    assert [t.n for t in said] == list(range(len(said)))
    assert [t.final for t in said] == [False] * (len(said) - 1) + [True]
    at_pause = next(t for t in said if t.through_sample >= paused.mic_sample + 16 * paused.silence_ms)
    assert at_pause.text == said[-1].text == WORDS


def test_the_end_is_answered_at_once_with_the_words_of_the_pause(engines: Engines) -> None:
    asr = AsrStage(engines)
    asr.accept(opened())
    ready(asr)
    heard = from_vad()
    until = next(n for n, m in enumerate(heard) if isinstance(m, SpeechPaused))
    paused = heard[until]
    assert isinstance(paused, SpeechPaused)
    listen(asr, heard[: until + 2])
    asr.accept(EndUtterance(session="s", utterance=0, mic_sample=paused.mic_sample))
    said = asr.step(0)
    assert [(t.text, t.final) for t in said if isinstance(t, Transcript)] == [(WORDS, True)]
    assert listen(asr, heard[until + 2 :]) == [], "what comes after belongs to nobody"


def test_control_that_overtakes_sound_changes_nothing(engines: Engines) -> None:
    heard = from_vad()
    control = [m for m in heard if not isinstance(m, MicFrame)]
    sound = [m for m in heard if isinstance(m, MicFrame)]
    asr = AsrStage(engines)
    asr.accept(opened())
    ready(asr)
    said = [m for m in listen(asr, control + sound) if isinstance(m, Transcript)]
    assert [(t.text, t.final) for t in said][-1] == (WORDS, True)


def test_a_successor_that_hears_the_same_again_says_the_same(engines: Engines) -> None:
    heard = from_vad(utterance=6)
    asr = AsrStage(engines)
    asr.accept(opened(utterance=6))
    expected = untimed(listen(ready(asr), heard))
    successor = AsrStage(engines)
    successor.accept(opened(replaced=("asr",), utterance=6))
    assert untimed(listen(ready(successor), heard)) == expected
    assert {row[0] for row in expected} == {6}


def test_the_same_stage_that_hears_the_same_again_says_the_same(engines: Engines) -> None:
    heard = from_vad(utterance=2)
    asr = AsrStage(engines)
    asr.accept(opened(utterance=2))
    ready(asr)
    expected = untimed(listen(asr, heard))[-1]
    other = AsrStage(engines)
    other.accept(opened(utterance=2))
    ready(other)
    listen(other, heard[:60])
    other.accept(opened(replaced=("vad",), utterance=2))
    assert untimed(listen(other, heard))[-1] == expected


def test_noise_that_passes_for_speech_has_no_words(engines: Engines) -> None:
    asr = AsrStage(engines)
    asr.accept(opened())
    ready(asr)
    rng = np.random.default_rng(5)
    bang = rng.normal(0, 1, SECOND // 2) * np.exp(-np.arange(SECOND // 2) / 1500) * 9000
    noise = np.concatenate([rng.normal(0, 20, SECOND // 2), bang, rng.normal(0, 20, SECOND // 2)])
    said = listen(
        asr,
        [
            *(
                MicFrame(session="s", mic_sample=f.mic_sample, pcm=f.pcm, utterance=0)
                for f in frames(noise.astype(np.int16))
            ),
            EndUtterance(session="s", utterance=0, mic_sample=SECOND),
        ],
    )
    final = [t for t in said if isinstance(t, Transcript) and t.final]
    assert [t.text for t in final] == [""]


def test_another_language_fails_once_with_the_remedy(engines: Engines) -> None:
    asr = AsrStage(engines)
    asr.accept(opened(language="zh"))
    said = drained(asr, 0)
    assert [(type(m), m.code) for m in said if isinstance(m, Failed)] == [(Failed, "asr_language")]
    assert "bin/models pull whisper" in said[0].text
    assert listen(asr, from_vad()) == []
    assert asr.counters["frames_unknown"] > 0


def test_another_persona_is_heard_for_from_the_next_utterance_on(engines: Engines) -> None:
    asr = AsrStage(engines)
    asr.accept(opened())
    ready(asr)
    listener = asr._listeners["s"]
    before = listener.recogniser
    heard = from_vad()
    said = listen(asr, heard[:60])
    other = replace(
        opened(), persona={"id": "campus", "knowledge": {"folder": "campus"}, "face": {"portrait": "robin"}}
    )
    asr.accept(other)
    said += listen(asr, heard[60:])
    assert [t.text for t in said if isinstance(t, Transcript) and t.final] == [WORDS], (
        "the one in hand is heard to its end"
    )
    assert listener.recogniser is before
    patience = time.monotonic() + 60
    while listener._next is not None and not listener._next[0].ready():
        assert time.monotonic() < patience
        time.sleep(0.01)
    again = listen(asr, from_vad(utterance=1))
    assert [t.text for t in again if isinstance(t, Transcript) and t.final] == [WORDS]
    assert listener.recogniser is not before
    now = listener.recogniser
    asr.accept(replace(other, persona=other.persona | {"face": {"portrait": "sam"}}))
    listen(asr, from_vad(utterance=2))
    assert listener.recogniser is now, "another face needs no other ear"


def test_a_language_nobody_hears_is_told_and_the_way_back_is_open(engines: Engines) -> None:
    asr = AsrStage(engines)
    asr.accept(opened())
    asr.accept(opened(language="zh"))
    assert [m.code for m in drained(asr, 0) if isinstance(m, Failed)] == ["asr_language"]
    asr.accept(opened(utterance=3))
    ready(asr)
    said = listen(asr, from_vad(utterance=3))
    assert [t.text for t in said if isinstance(t, Transcript) and t.final] == [WORDS]


def test_sessions_have_their_own_words(engines: Engines) -> None:
    asr = AsrStage(engines)
    for session in "ab":
        asr.accept(opened(session))
    ready(asr)
    other = np.concatenate([silence(700), trimmed(speak("Where is the station?", "rms")), silence(2200)])
    heard = []
    for session, sound in (("a", SPOKEN), ("b", other)):
        vad = stage()
        vad.accept(Open(session=session, persona={}, language="en", origin_ns=0, peers={}))
        heard.append(hear(vad, frames(sound, session)))
    mixed = [m for pair in zip(*heard, strict=False) for m in pair]
    shortest = min(map(len, heard))
    mixed += [m for each in heard for m in each[shortest:]]
    said = listen(asr, mixed)
    finals = {t.session: t.text for t in said if isinstance(t, Transcript) and t.final}
    assert finals == {"a": WORDS, "b": "where is the station"}


def test_a_persona_whose_words_break_the_preparation_is_heard_without_them_and_the_operator_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = pocketsphinx_engine.persona_sentences

    def breaks(persona: dict[str, Any], knowledge: Path | None) -> list[Any]:
        if persona:
            raise ValueError("no such word \udce9")
        return make(persona, knowledge)

    monkeypatch.setattr(pocketsphinx_engine, "persona_sentences", breaks)
    engines = Engines(tmp_path, ROOT / ".cache", ROOT / "etc" / "personas")
    asr = AsrStage(engines)
    asr.accept(replace(opened(), persona={"id": "host"}))
    said = listen(ready(asr), from_vad())
    told = [message for message in said if isinstance(message, Event)]
    assert [(event.kind, event.session, event.data["persona"]) for event in told] == [("documents", "", "host")]
    assert "no such word ?" in told[0].data["problems"][0]
    assert asr.counters["vocabularies_left_out"] == 1
    assert [message.final for message in said if isinstance(message, Transcript)][-1]
    engines.close()


def test_ears_that_cannot_be_prepared_at_all_are_told_to_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(pocketsphinx_engine, "build", breaks)
    engines = Engines(tmp_path, tmp_path, ROOT / "etc" / "personas")
    asr = AsrStage(engines)
    asr.accept(opened())
    failed = [message for message in listen(asr, from_vad()) if isinstance(message, Failed)]
    patience = time.monotonic() + 60
    while not failed and time.monotonic() < patience:
        time.sleep(0.01)
        failed = [message for message in asr.step(1) if isinstance(message, Failed)]
    assert "disk full" in failed[0].text
    engines.close()


def test_a_closed_session_is_silent(engines: Engines) -> None:
    asr = AsrStage(engines)
    asr.accept(opened())
    ready(asr)
    heard = from_vad()
    listen(asr, heard[:50])
    asr.accept(Close(session="s", reason="bye"))
    assert listen(asr, heard[50:]) == []
    assert until_idle(stage(), 0) == []


def test_a_broker_that_starts_anew_is_told_the_last_words_again(engines: Engines) -> None:
    asr = AsrStage(engines)
    asr.accept(opened())
    ready(asr)
    said = [m for m in listen(asr, from_vad()) if isinstance(m, Transcript)]
    assert asr.report("s") == {"utterance": 0}
    assert drained(asr, 0) == [said[-1]]
    assert said[-1].final
    asr.accept(opened(replaced=("vad", "asr")))
    asr.report("s")
    assert drained(asr, 0) == [], "it will all be heard again"
    assert asr.report("ghost") == {}

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from bench.interjections import noise
from bench.spoken import VOICES, silence, speak, trimmed
from broker.messages import (
    Close,
    EndUtterance,
    MicFrame,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from tests.vad.microphones import FRAME, TurnsAtOnce, frames, hear, marks, opened, stage, until_idle
from webrtc.denoise import BLOCK, Denoiser

SECOND = 16_000
# Trimmed to what is loud: a fading last sound has no end to measure against.
QUESTION = trimmed(speak("What are the opening hours of the library?"), 40)
ANSWER = trimmed(speak("And where can I find it?", "rms"), 40)


def scene(*pieces: np.ndarray) -> np.ndarray:
    return np.concatenate([silence(1000), *pieces, silence(2500, seed=9)]).astype(np.int16)


def kinds(said: list[Any]) -> list[str]:
    return [type(message).__name__ for message in marks(said)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["cough", "click", "thud", "keys"])
def test_noises_are_not_speech(name: str, seed: int) -> None:
    sound = np.concatenate([silence(600, seed), noise(name, seed), silence(600, seed + 1)]).astype("<i2")
    clean = np.frombuffer(Denoiser().clean(sound[: len(sound) // BLOCK * BLOCK].tobytes()), "<i2")
    vad = stage()
    vad.accept(opened())
    assert marks(hear(vad, frames(clean))) == []


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("text", ["no i meant the gym", "stop", "can i pay by card", "okay"])
def test_speech_is_known_of_in_time_to_fall_silent(text: str, voice: str) -> None:
    vad = stage()
    vad.accept(opened())
    known: list[int] = []
    for frame in frames(scene(trimmed(speak(text, voice), 40))):
        vad.accept(frame)
        if any(isinstance(each, SpeechStarted) for each in until_idle(vad, frame.mic_sample * 62_500)):
            known.append(frame.mic_sample + len(frame.pcm) // 2 - SECOND)
    assert known[0] <= 140 * SECOND // 1000


def test_a_sentence_starts_pauses_and_ends() -> None:
    vad = stage()
    vad.accept(opened())
    said = hear(vad, frames(scene(QUESTION)))
    assert kinds(said) == ["SpeechStarted", "SpeechPaused", "SpeechEnded"]
    started, paused, ended = marks(said)
    assert isinstance(started, SpeechStarted)
    assert isinstance(paused, SpeechPaused)
    assert isinstance(ended, SpeechEnded)
    assert abs(started.mic_sample - SECOND) < 0.1 * SECOND
    assert abs(paused.mic_sample - (SECOND + len(QUESTION))) < 0.06 * SECOND
    assert (ended.utterance, ended.reason, ended.mic_sample) == (0, "silence", paused.mic_sample)


@pytest.mark.parametrize("voice", ["slt", "rms", "awb"])
@pytest.mark.parametrize("word", ["Stop.", "Wait a minute!"])
def test_speech_is_reported_soon_enough_to_be_a_barge_in(voice: str, word: str) -> None:
    vad = stage()
    vad.accept(opened())
    spoken = trimmed(speak(word, voice), 40)
    for frame in frames(scene(spoken)):
        if any(isinstance(m, SpeechStarted) for m in hear(vad, [frame])):
            assert frame.mic_sample + FRAME - SECOND <= 0.23 * SECOND
            return
    pytest.fail("nothing was reported")


def test_the_first_word_of_a_pause_comes_after_a_tenth_of_a_second() -> None:
    vad = stage()
    vad.accept(opened())
    paused = next(m for m in hear(vad, frames(scene(QUESTION))) if isinstance(m, SpeechPaused))
    assert 64 <= paused.silence_ms <= 180


def test_the_asr_gets_the_utterance_and_what_was_just_before_it_without_a_hole() -> None:
    vad = stage()
    vad.accept(opened())
    said = hear(vad, frames(scene(QUESTION)))
    forwarded = [m for m in said if isinstance(m, MicFrame)]
    started = next(m for m in said if isinstance(m, SpeechStarted))
    assert {frame.utterance for frame in forwarded} == {0}
    first, last = forwarded[0].mic_sample, forwarded[-1].mic_sample
    assert [f.mic_sample for f in forwarded] == list(range(first, last + 1, FRAME))
    assert 0.28 * SECOND <= started.mic_sample - forwarded[0].mic_sample <= 0.33 * SECOND
    assert said.index(started) < said.index(forwarded[0])
    original = scene(QUESTION)[forwarded[0].mic_sample :][: FRAME * len(forwarded)]
    assert b"".join(f.pcm for f in forwarded) == original.tobytes()


def test_a_pause_in_a_sentence_is_taken_back() -> None:
    vad = stage()
    vad.accept(opened())
    said = hear(vad, frames(scene(QUESTION, silence(600), ANSWER)))
    assert kinds(said) == ["SpeechStarted", "SpeechPaused", "SpeechResumed", "SpeechPaused", "SpeechEnded"]
    resumed = next(m for m in said if isinstance(m, SpeechResumed))
    assert abs(resumed.mic_sample - (1.6 * SECOND + len(QUESTION))) < 0.1 * SECOND
    assert {m.utterance for m in said} == {0}


def test_the_broker_ends_an_utterance_and_the_next_is_a_new_one() -> None:
    vad = stage()
    vad.accept(opened())
    sound = scene(QUESTION, silence(600), ANSWER)
    cut = int(1.3 * SECOND) + len(QUESTION)
    said = hear(vad, frames(sound[:cut]))
    paused = next(m for m in said if isinstance(m, SpeechPaused))
    vad.accept(EndUtterance(session="s", utterance=0, mic_sample=paused.mic_sample))
    ended = marks(until_idle(vad, 0))
    assert ended == [SpeechEnded(session="s", utterance=0, mic_sample=paused.mic_sample, reason="asked")]
    at = len(sound[:cut]) // FRAME * FRAME
    later = hear(vad, frames(sound[at:], first_sample=at))
    assert kinds(later) == ["SpeechStarted", "SpeechPaused", "SpeechEnded"]
    assert {m.utterance for m in later} == {1}


def test_an_end_that_comes_late_makes_what_was_said_since_the_next_utterance() -> None:
    vad = stage()
    vad.accept(opened())
    sound = scene(QUESTION, silence(500), ANSWER)
    cut = int(1.5 * SECOND) + len(QUESTION) + SECOND // 2
    said = hear(vad, frames(sound[:cut]))
    paused = next(m for m in said if isinstance(m, SpeechPaused))
    resumed = next(m for m in said if isinstance(m, SpeechResumed))
    vad.accept(EndUtterance(session="s", utterance=0, mic_sample=paused.mic_sample))
    after = until_idle(vad, 0)
    assert marks(after) == [
        SpeechEnded(session="s", utterance=0, mic_sample=paused.mic_sample, reason="asked"),
        SpeechStarted(session="s", utterance=1, mic_sample=resumed.mic_sample),
    ]
    again = [m for m in after if isinstance(m, MicFrame)]
    assert {m.utterance for m in again} == {1}
    assert paused.mic_sample - FRAME < again[0].mic_sample <= resumed.mic_sample
    assert again[-1].mic_sample == cut // FRAME * FRAME - FRAME


def test_an_end_of_another_utterance_changes_nothing() -> None:
    vad = stage()
    vad.accept(opened())
    hear(vad, frames(scene(QUESTION)[: 2 * SECOND]))
    vad.accept(EndUtterance(session="s", utterance=7, mic_sample=0))
    assert marks(until_idle(vad, 0)) == []


def test_a_successor_that_hears_the_same_again_says_the_same() -> None:
    """To the sample where the model is not in two minds; this voice, unlike the others, has no chance in its noise."""
    first = stage()
    first.accept(opened(utterance=4))
    sound = frames(scene(trimmed(speak("What are the opening hours of the library?", "kal16"), 40)))
    expected = hear(first, sound)
    successor = stage()
    successor.accept(opened(replaced=("vad",), mic_from=8000, utterance=4))
    assert hear(successor, sound[8000 // FRAME :]) == expected


def test_the_same_stage_that_is_sent_the_same_again_says_the_same() -> None:
    vad = stage()
    vad.accept(opened(utterance=4))
    sound = frames(scene(QUESTION))
    half = 240
    hear(vad, sound[:half])
    vad.accept(opened(replaced=("asr",), mic_from=8000, utterance=4))
    assert hear(vad, sound[half : half + 3]) == [], "what was on its way before the replay is not heard twice"
    fresh = stage()
    fresh.accept(opened(utterance=4))
    assert hear(vad, sound[8000 // FRAME :]) == hear(fresh, sound[8000 // FRAME :])


def test_an_open_that_replaces_something_else_changes_nothing() -> None:
    vad = stage()
    vad.accept(opened())
    sound = frames(scene(QUESTION))
    said = hear(vad, sound[:100])
    vad.accept(opened(replaced=("tts",), utterance=9))
    said += hear(vad, sound[100:])
    assert kinds(said) == ["SpeechStarted", "SpeechPaused", "SpeechEnded"]
    assert {m.utterance for m in said} == {0}


def rattle(seed: int, seconds: float) -> np.ndarray:
    """A keyboard: sharp bursts some five times a second."""
    rng = np.random.default_rng(seed)
    sound = rng.normal(0, 20, int(seconds * SECOND))
    for at in rng.integers(0, len(sound) - 600, int(5 * seconds)):
        sound[at : at + 480] += rng.normal(0, 1, 480) * np.exp(-np.arange(480) / 80) * 8000
    return sound.clip(-32768, 32767).astype(np.int16)


def chords(seconds: float) -> np.ndarray:
    t = np.arange(int(seconds * SECOND)) / SECOND
    beat = np.exp(-(t % 0.5) * 5)
    notes = (262, 330, 392, 523)
    return (beat * sum(2000 * np.sin(2 * np.pi * f * t) for f in notes)).astype(np.int16)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(8 * SECOND, np.int16),
        silence(8000),
        np.random.default_rng(1).normal(0, 1500, 8 * SECOND).astype(np.int16),
        rattle(2, 8),
        chords(8),
        np.full(8 * SECOND, 32767, np.int16),
        np.tile(np.array([32767, -32768], np.int16), 4 * SECOND),
    ],
    ids=["zeros", "hush", "white noise", "keyboard", "music", "stuck", "square"],
)
def test_a_microphone_without_speech_makes_no_utterance_that_lasts(sound: np.ndarray) -> None:
    vad = stage()
    vad.accept(opened())
    said = hear(vad, frames(np.concatenate([sound, silence(3000)])))
    assert kinds(said).count("SpeechStarted") <= 1
    assert kinds(said).count("SpeechStarted") == kinds(said).count("SpeechEnded")


def test_lost_frames_are_filled_and_counted_and_repeated_ones_ignored() -> None:
    vad = stage()
    vad.accept(opened())
    sound = frames(scene(QUESTION))
    broken = [f for n, f in enumerate(sound) if n % 20 != 7]
    broken[60:60] = broken[50:60]
    said = hear(vad, broken)
    assert kinds(said) == ["SpeechStarted", "SpeechPaused", "SpeechEnded"]
    forwarded = [m for m in said if isinstance(m, MicFrame)]
    assert all(a.mic_sample + FRAME == b.mic_sample for a, b in pairwise(forwarded))
    assert any(f.concealed for f in forwarded)
    assert vad.counters["frames_filled"] == len(sound) - len([f for n, f in enumerate(sound) if n % 20 != 7])
    assert vad.counters["frames_repeated"] == 10


def test_a_long_hole_ends_the_utterance_and_begins_anew() -> None:
    vad = stage()
    vad.accept(opened())
    sound = scene(QUESTION)
    said = hear(vad, frames(sound[: 2 * SECOND]))
    said += hear(vad, frames(sound, first_sample=100 * SECOND))
    assert kinds(said)[:4] == ["SpeechStarted", "SpeechPaused", "SpeechEnded", "SpeechStarted"]
    assert marks(said)[3].utterance == 1
    assert marks(said)[3].mic_sample > 100 * SECOND


def test_a_microphone_that_stops_in_mid_sentence_ends_the_utterance() -> None:
    vad = stage()
    vad.accept(opened())
    hear(vad, frames(scene(QUESTION)[: 2 * SECOND]))
    due = vad.due_ns
    assert due is not None
    assert kinds(until_idle(vad, due)) == ["SpeechEnded"]
    assert vad.due_ns is None


def test_sessions_do_not_hear_each_other() -> None:
    vad = stage()
    for session in "ab":
        vad.accept(opened(session))
    sounds = zip(frames(scene(QUESTION), "a"), frames(silence(9000), "b"), strict=False)
    said = hear(vad, [frame for pair in sounds for frame in pair])
    assert {m.session for m in said} == {"a"}
    assert kinds(said)[0] == "SpeechStarted"


def test_frames_of_unknown_and_closed_sessions_are_counted_and_dropped() -> None:
    vad = stage()
    vad.accept(opened())
    vad.accept(Close(session="s", reason="bye"))
    assert hear(vad, frames(scene(QUESTION))) == []
    assert vad.counters["frames_unknown"] > 100


def test_odd_frames_do_no_harm() -> None:
    vad = stage()
    vad.accept(opened())
    for pcm in (b"", b"\x01\x02", bytes(6400)):
        vad.accept(MicFrame(session="s", mic_sample=0, pcm=pcm))
    assert until_idle(vad, 0) == []


def test_a_backlog_is_heard_in_bounded_steps_and_to_the_same_words() -> None:
    vad = stage()
    vad.accept(opened())
    sound = frames(scene(QUESTION))
    for frame in sound:
        vad.accept(frame)
    at_once: list[Any] = []
    steps = 0
    while vad.due_ns == 0 or (vad.due_ns is not None and steps == 0) or len(at_once) == 0:
        at_once += vad.step(0)
        steps += 1
    while kinds(at_once)[-1] != "SpeechEnded":
        at_once += vad.step(0)
        steps += 1
    slowly = stage()
    slowly.accept(opened())
    assert at_once == hear(slowly, sound)[: len(at_once)]
    assert steps >= len(sound) // 50 - 3


def test_the_turn_engine_is_asked_once_a_pause_and_its_belief_comes_with_it() -> None:
    turns = TurnsAtOnce()
    vad = stage(turns)
    vad.accept(opened())
    said = hear(vad, frames(scene(QUESTION, silence(600), ANSWER)))
    pauses = [m for m in said if isinstance(m, SpeechPaused)]
    assert len({m.mic_sample for m in pauses}) == 2
    believed = {m.mic_sample: m.p_end for m in pauses}
    assert all(p != 0.5 for p in believed.values())
    assert len(turns.asked) == 2


def test_a_paused_session_is_heard_later_and_the_others_at_once() -> None:
    vad = stage()
    for session in ("s", "t"):
        vad.accept(replace(opened(), session=session))
    sound = frames(scene(QUESTION))
    vad.pause(frozenset({"s"}))
    for session in ("s", "t"):
        for frame in sound:
            vad.accept(replace(frame, session=session))
    meanwhile = until_idle(vad, 0)
    assert {message.session for message in meanwhile} == {"t"}
    vad.pause(frozenset())
    afterwards = until_idle(vad, 0)
    assert [replace(m, session="t") for m in marks(afterwards) if m.session == "s"] == marks(
        [m for m in meanwhile if m.session == "t"]
    )


def test_a_broker_that_starts_anew_is_told_where_the_newest_utterance_stands() -> None:
    vad = stage()
    vad.accept(opened())
    assert vad.report("s") == {"utterance": 0, "open": False}
    assert until_idle(vad, 0) == []
    sound = frames(scene(QUESTION))
    ends = (len(QUESTION) + SECOND) // FRAME
    hear(vad, sound[: ends - 40])
    assert vad.report("s") == {"utterance": 0, "open": True}
    assert kinds(until_idle(vad, 0)) == ["SpeechStarted"]
    hear(vad, sound[ends - 40 : ends + 40])
    vad.report("s")
    assert kinds(until_idle(vad, 0)) == ["SpeechStarted", "SpeechPaused"]
    vad.accept(EndUtterance(session="s", utterance=0, mic_sample=ends * FRAME))
    until_idle(vad, 0)
    assert vad.report("s") == {"utterance": 1, "open": False}
    assert kinds(until_idle(vad, 0)) == ["SpeechStarted", "SpeechEnded"]
    vad.accept(opened(replaced=("vad",), mic_from=0))
    vad.report("s")
    assert until_idle(vad, 0) == [], "it will all be heard again"
    assert vad.report("ghost") == {}

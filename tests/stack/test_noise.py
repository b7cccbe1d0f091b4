"""A microphone without a person: a quiet room, noise, music. No turn comes of it, and nobody else notices."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.spoken import speak, trimmed
from tests.stack.caller import RATE_HZ, Caller, wav_bytes
from tests.stack.running import Stack
from tests.stack.spoken_to import SpokenTo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

SECONDS = 6


def level(sound: NDArray[np.float64], dbfs: float) -> bytes:
    """As a WAV of this RMS."""
    scaled = sound / np.sqrt(np.mean(sound**2)) * 10 ** (dbfs / 20) * 32_768
    return wav_bytes(np.clip(scaled, -32_768, 32_767).astype(np.int16), RATE_HZ)


def silence() -> bytes:
    return wav_bytes(np.zeros(SECONDS * RATE_HZ, np.int16), RATE_HZ)


def hiss() -> bytes:
    """White noise, as loud as a person."""
    return level(np.random.default_rng(1).normal(size=SECONDS * RATE_HZ), -26)


def traffic() -> bytes:
    """Low noise that swells and fades, over a hum."""
    t = np.arange(SECONDS * RATE_HZ) / RATE_HZ
    brown = np.cumsum(np.random.default_rng(2).normal(size=len(t)))
    brown -= np.convolve(brown, np.ones(4800) / 4800, "same")
    swell = 0.3 + 0.7 * np.sin(np.pi * t / 3.1) ** 2
    return level(brown / brown.std() * swell + 0.3 * np.sin(2 * np.pi * 100 * t), -24)


def music() -> bytes:
    """Four chords and a tune over a beat, struck and fading like a piano's."""
    t = np.arange(SECONDS * RATE_HZ) / RATE_HZ
    sound = np.zeros(len(t))

    def strike(semitones: int, at_s: float, loud: float, fades_s: float) -> None:
        after = np.clip(t - at_s, 0, None)
        struck = (t >= at_s) * np.exp(-after / fades_s) * (1 - np.exp(-after / 0.005))
        for part in range(1, 6):
            sound[:] += loud / part**1.5 * struck * np.sin(2 * np.pi * part * 220 * 2 ** (semitones / 12) * after)

    rng, tune = np.random.default_rng(3), (0, 4, 7, 12, 9, 7, 4, 2)
    for bar, root in enumerate((0, -3, 5, 7, 0)):
        for third in (0, 4, 7):
            strike(root + third - 12, bar * 2.0, 0.5, 1.0)
        for beat in range(8):
            strike(root + tune[(beat + bar) % 8], bar * 2.0 + beat * 0.25, 0.4, 0.3)
    for beat in range(SECONDS * 2):
        begin = int(beat * 0.5 * RATE_HZ)
        sound[begin : begin + 2400] += 0.5 * rng.normal(size=2400) * np.exp(-np.arange(2400) / 500)
    return level(sound, -24)


SOUNDS = (silence, hiss, traffic, music)


@pytest.fixture(scope="module")
def call(stack: Stack) -> Iterator[Caller]:
    with Caller(stack.url) as caller:
        caller.open("?persona=campus").start()
        caller.until(lambda: finished(caller), "it did not greet")
        yield caller


def finished(caller: Caller) -> list[dict[str, object]]:
    return [m for m in caller.messages("turn") if m["what"] == "finished"]


def answers(other: SpokenTo) -> list[dict[str, object]]:
    """To its questions, each over."""
    turns = list(other.turns)
    committed = {turn["turn"] for turn in turns if turn["what"] == "committed"}
    return [turn for turn in turns if turn["turn"] in committed and turn["what"] in ("finished", "interrupted")]


def faults(stack: Stack) -> float:
    found = re.findall(r"^visavis_\w*faults\w*\{[^}]*\} ([0-9.]+)", stack.metrics(), re.MULTILINE)
    return sum(float(count) for count in found)


def pids(stack: Stack) -> dict[str, int]:
    return {name: process["pid"] for name, process in stack.processes().items()}


@pytest.mark.parametrize("sound", SOUNDS, ids=lambda sound: sound.__name__)
def test_no_turn_comes_of_it_and_another_conversation_goes_on(stack: Stack, call: Caller, sound) -> None:  # type: ignore[no-untyped-def]
    before, known = pids(stack), len(call.messages("turn"))
    with SpokenTo(stack.url, "campus") as other:
        call.say(sound(), sound.__name__)
        call.wait(SECONDS + 2)
        call.until(lambda: answers(other), "the other one was not answered meanwhile")
        told = answers(other)
    assert call.messages("turn")[known:] == [], "there was nothing to answer"
    assert call.state() == "listening"
    assert all(turn["what"] == "finished" and turn["heard"] == turn["text"] for turn in told), "whole"
    assert pids(stack) == before, "nothing had to be started again"
    assert faults(stack) == 0


def test_music_over_an_answer_does_not_end_it(call: Caller) -> None:
    known, done = len(call.messages("turn")), len(finished(call))
    call.type("How do I apply for a place?")
    call.until(lambda: call.state() == "speaking", "no answer began")
    call.say(music(), "over the answer")
    call.until(lambda: len(finished(call)) > done, "the answer did not come to its end")
    answer = finished(call)[-1]
    assert answer["heard"] == answer["text"], "held or not, no word is lost"
    assert [m for m in call.messages("turn")[known:] if m["what"] == "interrupted"] == []


def test_it_still_hears_a_person(call: Caller) -> None:
    done = len(finished(call))
    call.wait(SECONDS)
    call.say(wav_bytes(trimmed(speak("when is the library open on weekends", "slt")), 16_000), "a question")
    call.until(lambda: len(finished(call)) > done, "it was not answered")
    asked = [m for m in call.messages("turn") if m["what"] == "committed"][-1]
    assert "library" in asked["text"].lower()

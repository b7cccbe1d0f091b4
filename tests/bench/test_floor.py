"""The offline floor bench: what it makes of messages whose meaning is plain."""

from __future__ import annotations

import numpy as np

from bench.floor import Heard, converse
from bench.floor_clips import Clip
from broker.messages import Message, SpeechPaused, SpeechResumed, SpeechStarted, Transcript
from broker.turn_state import TurnSettings


def words(text: str, through_ms: int, n: int) -> Transcript:
    return Transcript(utterance=0, n=n, text=text, final=False, language="en", through_sample=16 * through_ms)


def heard(kind: str, length_ms: int, *messages: tuple[float, Message]) -> Heard:
    """The clip's first sound is at mic_sample 16 000."""
    started = (130.0, SpeechStarted(utterance=0, mic_sample=16_000))
    return Heard(Clip("x", kind, np.zeros(16 * length_ms, np.int16)), (started, *messages))


def paused(at_ms: int, speech_ms: int) -> tuple[float, SpeechPaused]:
    return at_ms, SpeechPaused(utterance=0, mic_sample=16_000 + 16 * speech_ms, silence_ms=100, p_end=0.9)


def test_a_short_misheard_sound_is_resumed_with_the_words_of_its_pause() -> None:
    outcome = converse(heard("backchannel", 400, paused(540, 400), (550, words("i'm calm", 1500, 1))), TurnSettings())
    assert outcome.verdict == "resumed"
    assert [round(ms) for ms in outcome.pauses_ms] == [420]


def test_words_that_mean_it_cancel_without_a_resume() -> None:
    outcome = converse(heard("interruption", 400, paused(540, 400), (550, words("stop", 1500, 1))), TurnSettings())
    assert outcome.verdict == "cancelled"
    assert outcome.cancelled == 550


def test_who_goes_on_after_a_resume_is_a_late_cancel() -> None:
    going_on = (700.0, SpeechResumed(utterance=0, mic_sample=16_000 + 9_600))
    later = (1300.0, words("okay and what about sundays", 2200, 2))
    outcome = converse(
        heard("interruption", 1200, paused(540, 400), (550, words("okay", 1500, 1)), going_on, later),
        TurnSettings(),
    )
    assert outcome.verdict == "cancelled late"
    assert len(outcome.held) == 2


def test_other_numbers_of_turn_taking_decide_sooner() -> None:
    goes_on = heard("interruption", 900, (1000.0, words("uh", 1600, 1)))
    cancelled = [converse(goes_on, TurnSettings.of({"hold_longest_ms": ms})).cancelled for ms in (750, 300)]
    assert cancelled == [130 + 750, 130 + 300]

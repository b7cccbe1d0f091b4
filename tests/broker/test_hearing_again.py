"""From where on a successor of vad or asr hears the microphone again."""

from __future__ import annotations

from broker.messages import Typed
from broker.recovery import PRE_ROLL_SAMPLES, microphone_restart
from tests.broker.talk import Talk


def test_an_open_utterance_is_heard_again_from_before_its_onset() -> None:
    talk = Talk()
    talk.starts(mic_ms=5_000)
    talk.words("when is", through_ms=5_600)
    assert microphone_restart(talk.state) == (5_000 * 16 - PRE_ROLL_SAMPLES, 0)


def test_what_was_answered_is_not_heard_again() -> None:
    talk = Talk()
    spoken_ms = int(talk.ms)
    talk.says("when is the library open")
    assert microphone_restart(talk.state) == ((spoken_ms + 800) * 16, 1)


def test_what_was_overtaken_by_something_typed_is_not_heard_again() -> None:
    talk = Talk()
    talk.starts(mic_ms=5_000)
    talk.words("when is the", through_ms=5_900)
    talk(Typed(text="How do I apply?"))
    assert microphone_restart(talk.state) == (5_900 * 16, 1)


def test_words_awaited_when_something_was_typed_are_not_heard_again() -> None:
    talk = Talk()
    talk.starts(mic_ms=5_000)
    talk.words("when is the library open", through_ms=6_200)
    talk.pauses(mic_ms=6_100)
    talk.wait(1_000)
    assert talk.state.ending
    talk(Typed(text="How do I apply?"))
    assert microphone_restart(talk.state) == (6_100 * 16, 1)

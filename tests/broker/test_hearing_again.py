"""From where on a successor of vad or asr hears the microphone again."""

from __future__ import annotations

from broker.messages import Ask, Speak, Typed
from broker.recovery import PRE_ROLL_SAMPLES, microphone_restart
from tests.broker.talk import Talk, of


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


def test_words_are_waited_for_longer_while_none_are_known() -> None:
    """The successor of a recogniser loads its models first; an answer to nothing would be an apology."""
    talk = Talk()
    talk.starts(mic_ms=1_000)
    talk.pauses(mic_ms=1_800)
    talk.wait(6_000)
    assert talk.state.ending
    talk.words("when is the library open", through_ms=1_900, final=True)
    assert of(talk.actions, Ask)[-1].text == "when is the library open"


def test_without_any_words_it_is_said_in_the_end_that_none_were_caught() -> None:
    talk = Talk()
    talk.starts(mic_ms=1_000)
    talk.pauses(mic_ms=2_800)
    talk.wait(15_000)
    assert talk.state.ending is None
    assert "catch" in of(talk.actions, Speak)[-1].text

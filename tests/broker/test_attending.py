"""What the face is told to attend to: on change only, and a phrase's end once."""

from __future__ import annotations

from broker.messages import Attend, SpeechPaused
from tests.broker.talk import Talk, of


def attends(talk: Talk) -> list[str]:
    return [f"{each.state}{'.' if each.phrase_end else ''}" for each in of(talk.actions, Attend)]


def test_it_listens_while_one_speaks_thinks_until_it_answers_and_then_speaks() -> None:
    talk = Talk()
    talk.says("when do you open")
    assert attends(talk) == ["listening", "listening.", "thinking"]
    turn = talk.state.answer.turn if talk.state.answer else 0
    talk.sentence(turn, 0, "We open at nine.")
    talk.voice(turn, 0, "We open at nine.")
    assert attends(talk) == ["listening", "listening.", "thinking", "idle"]


def test_the_end_of_a_phrase_is_told_once_however_often_the_pause_is() -> None:
    talk = Talk()
    talk.starts()
    talk.words("when do you", through_ms=900)
    for silence_ms in (100, 200, 300):
        talk(SpeechPaused(utterance=0, mic_sample=16_000, silence_ms=silence_ms, p_end=0.1))
    talk.goes_on(mic_ms=1_400)
    talk.pauses(mic_ms=2_000)
    assert attends(talk) == ["listening", "listening.", "listening."]


def test_a_word_over_the_answer_is_listened_to() -> None:
    talk = Talk()
    talk.says("when do you open")
    turn = talk.state.answer.turn if talk.state.answer else 0
    talk.sentence(turn, 0, "We open at nine in the morning every day.")
    talk.voice(turn, 0, "We open at nine in the morning every day.", words=4, last=False)
    before = len(attends(talk))
    talk.starts(1, int(talk.ms))
    assert attends(talk)[before:] == ["listening"]


def test_a_greeting_needs_no_thought() -> None:
    talk = Talk(greeting="Hello.")
    talk.voice(talk.state.turn, 0, "Hello.")
    assert "thinking" not in attends(talk)


def test_nobody_is_attended_to_while_nobody_is_there() -> None:
    talk = Talk(present=False)
    talk.starts()
    talk.pauses()
    assert attends(talk) == []

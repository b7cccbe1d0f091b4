"""The caller's page or edge is lost in mid-sentence: the fragment is not answered; they say it again, or come back."""

from __future__ import annotations

from broker.messages import Ask, EndUtterance, Played, Typed
from broker.recovery import microphone_restart
from broker.turns import Away, Replaced, Returned
from tests.broker.talk import Talk, of, told

NEW_EDGE = Replaced(frozenset({"vad", "asr", "webrtc"}))


def cut_off() -> Talk:
    """Lost in the middle of a question, whose first words are already final."""
    talk = Talk()
    talk.starts(mic_ms=5_000)
    talk.words("when is", through_ms=5_600)
    assert of(talk(Away()), EndUtterance)
    talk.words("when is the", through_ms=5_700, final=True)
    return talk


def asked(talk: Talk) -> list[str]:
    return [ask.text for ask in of(talk.actions, Ask)]


def test_a_fragment_is_not_answered_while_the_caller_is_gone() -> None:
    talk = cut_off()
    talk.wait(30_000, listening=False)
    assert asked(talk) == []
    assert talk.state.dialogue == ()


def test_what_is_heard_again_takes_the_fragments_place() -> None:
    talk = cut_off()
    assert microphone_restart(talk.state)[1] == 0
    talk(NEW_EDGE)
    talk(Returned())
    talk.starts(0, mic_ms=700)
    talk.words("when is the library open", 0, through_ms=2_000)
    talk.pauses(0, mic_ms=2_000)
    talk.wait(1_000)
    talk.words("when is the library open", 0, through_ms=2_000, final=True)
    assert asked(talk)[-1] == "when is the library open"
    assert [line.text for line in talk.state.dialogue] == ["when is the library open"]


def test_a_caller_who_comes_back_to_the_same_edge_is_answered_as_far_as_they_were_heard() -> None:
    talk = cut_off()
    talk(Returned())
    assert asked(talk) == ["when is the"]


def test_without_a_memory_of_the_microphone_the_provisional_words_are_answered() -> None:
    talk = Talk()
    talk.starts(mic_ms=5_000)
    talk.words("when is the library", through_ms=5_600)
    talk(Away())
    talk(Returned(to_new_ears=True))
    talk(NEW_EDGE)
    assert asked(talk) == ["when is the library"]


def test_words_that_follow_on_the_same_edge_are_one_utterance_with_the_fragment() -> None:
    talk = cut_off()
    talk.starts(1, mic_ms=6_000)
    talk(Returned())
    talk.words("library open", 1, through_ms=6_900)
    talk.pauses(1, mic_ms=6_900)
    talk.wait(1_000)
    talk.words("library open", 1, through_ms=6_900, final=True)
    assert asked(talk)[-1] == "when is the library open"


def test_something_typed_overtakes_the_fragment() -> None:
    talk = cut_off()
    talk(Returned())
    talk(Typed(text="How do I apply?"))
    assert asked(talk)[-1] == "How do I apply?"


def test_a_page_that_had_not_played_yet_is_gone_too() -> None:
    talk = Talk(present=False)
    talk.starts(mic_ms=1_000)
    talk(Away())
    talk.words("hello there", through_ms=1_400, final=True)
    talk.wait(10_000, listening=False)
    assert asked(talk) == []


def test_a_new_edges_microphone_counts_from_nought() -> None:
    talk = Talk()
    talk.says("when is the library open")
    talk(Away())
    talk(NEW_EDGE)
    talk(Returned())
    assert microphone_restart(talk.state) == (0, 1)


def test_the_page_is_told_what_it_may_be_asked_to_send_again() -> None:
    talk = Talk()
    talk(Played(programme_sample=0))
    talk.says("when is the library open")
    heard = [(data["what"], data["utterance"]) for data in told(talk.actions, "speech")]
    assert heard == [("started", 0), ("paused", 0), ("over", 0)]


def test_words_over_the_answer_are_as_long_as_its_final_words_say_when_none_came_before_the_line_broke() -> None:
    """Without it they would be of no length, and of so little speech only words that insist are answered."""
    talk = Talk()
    talk.says("when do you open")
    talk.sentence(1, 0, "We open at nine in the morning")
    talk.voice(1, 0, "We open at nine in the morning", 5)
    talk.starts(1, mic_ms=9_000)
    talk(Away())
    talk.words("at noon today", 1, through_ms=10_200, final=True)
    talk(Returned())
    assert asked(talk)[-1] == "at noon today"

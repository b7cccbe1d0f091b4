"""Who has the floor: speculation, the end of a turn, barge-in, joined utterances, what is heard, apologies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.answering import ask_on
from broker.errors import ConfigError
from broker.ledger import Answer
from broker.messages import (
    Ask,
    Cancel,
    Commit,
    EndUtterance,
    Exchange,
    Failed,
    Hold,
    Interrupt,
    Played,
    Resume,
    SetMode,
    Speak,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Typed,
)
from broker.move import Action
from broker.phrases import FAILED, phrase
from broker.turn_state import Presence, phase
from broker.turns import Away, Replaced, Say, TurnSettings
from tests.broker.talk import WORD_SAMPLES, Talk, of, plain, told


def test_an_answer_is_prepared_in_the_pause_and_committed_by_the_final_words() -> None:
    talk = Talk()
    talk.starts()
    talk.words("when do you open", through_ms=1000)
    asked = talk.pauses()
    assert of(asked, Ask) == [Ask(turn=1, text="when do you open", language="en", speculative=True)]
    assert not of(talk.sentence(1, 0, "At nine."), Commit), "nothing sounds before the words are final"
    ended = talk.wait(300)
    assert of(ended, EndUtterance) == [EndUtterance(utterance=0, mic_sample=16000)]
    assert not of(ended, Commit)
    final = talk.words("When do you open?", final=True)
    assert of(final, Commit) == [Commit(turn=1)]
    assert not of(final, Ask)
    committed = next(data for data in told(final, "turn") if data["what"] == "committed")
    assert committed["speculative"]
    assert committed["wasted"] == 0
    assert committed["end_sample"] == 16000


def test_a_recogniser_that_is_behind_is_waited_for_while_more_words_come() -> None:
    talk = Talk()
    talk.starts()
    talk.words("when", through_ms=200)
    talk.pauses()
    assert of(talk.wait(1500), EndUtterance)
    for words in ("when do", "when do you"):
        assert of(talk.wait(1500), Ask) == []
        told_now = told(talk.words(words, through_ms=500), "heard")
        assert [data["text"] for data in told_now] == [words]
    assert of(talk.wait(2500), Ask) == []
    assert [ask.text for ask in of(talk.words("when do you open", final=True), Ask)] == ["when do you open"]


def test_a_recogniser_from_which_no_more_words_come_is_answered_by_those_it_said() -> None:
    talk = Talk()
    talk.starts()
    talk.words("when do", through_ms=200)
    talk.pauses()
    talk.wait(1500)
    talk.wait(2000)
    talk.words("when do you open", through_ms=500)
    assert of(talk.wait(2900), Ask) == []
    assert [ask.text for ask in of(talk.wait(200), Ask)] == ["when do you open"]


def test_words_that_stand_for_the_pause_are_the_final_ones_and_nothing_is_waited_for() -> None:
    talk = Talk()
    talk.starts()
    talk.pauses()
    talk.words("when do you open", through_ms=1100, pause_ms=1000)
    talk.sentence(1, 0, "At nine.")
    ended = talk.wait(300)
    assert of(ended, EndUtterance) == [EndUtterance(utterance=0, mic_sample=16000)], "the asr is told"
    assert of(ended, Commit) == [Commit(turn=1)]
    assert [data["text"] for data in told(ended, "heard") if data["final"]] == ["when do you open"]
    assert not plain(talk.words("when do you open", final=True)), "old news"


def test_words_that_stood_for_an_earlier_pause_do_not_stand_for_this_one() -> None:
    talk = Talk()
    talk.starts()
    talk.pauses(p_end=0.1)
    talk.words("when do you", through_ms=1100, pause_ms=1000)
    talk.goes_on(mic_ms=1200)
    talk.wait(500)
    talk.pauses(mic_ms=1600)
    ended = talk.wait(1000)
    assert of(ended, EndUtterance)
    assert not told(ended, "heard")
    assert of(talk.words("when do you open", final=True), Ask)[-1].text == "when do you open"


def test_other_final_words_cancel_the_attempt_and_are_asked_anew() -> None:
    talk = Talk()
    talk.starts()
    talk.words("when do you", through_ms=1000)
    talk.pauses()
    talk.sentence(1, 0, "What do you mean?")
    talk.wait(1000)
    final = talk.words("when do you close", final=True)
    assert of(final, Cancel) == [Cancel(through_turn=1)]
    assert of(final, Ask) == [Ask(turn=2, text="when do you close", language="en")]
    assert not of(final, Commit)
    assert of(talk.sentence(2, 0, "At six."), Commit) == [Commit(turn=2)]


def test_words_that_do_not_cover_the_pause_are_not_speculated_on() -> None:
    talk = Talk()
    talk.starts()
    talk.words("when do", through_ms=700)
    assert not of(talk.pauses(mic_ms=1000), Ask)
    assert of(talk.words("when do you open", through_ms=1000), Ask)


def test_silence_shorter_than_the_setting_is_waited_out_before_speculating() -> None:
    talk = Talk()
    talk.starts()
    talk.words("when do you open", through_ms=1000)
    assert not of(talk.pauses(silence_ms=40), Ask)
    assert len(of(talk.wait(70), Ask)) == 1


def test_at_most_two_attempts_of_an_utterance_are_wasted() -> None:
    talk = Talk()
    talk.starts()
    asks = []
    for n in range(5):
        talk.words("one two three four five".rsplit(" ", 4 - n)[0], through_ms=1000 * (n + 1))
        asks += of(talk.pauses(mic_ms=1000 * (n + 1), p_end=0.1), Ask)
        talk.wait(150)
        talk.goes_on(mic_ms=1000 * (n + 1) + 150)
    assert len(asks) == 2
    talk.pauses(mic_ms=5000)
    talk.wait(1000)
    final = talk.words("one two three four five", final=True)
    assert [ask.speculative for ask in of(final, Ask)] == [False]
    assert talk.state.wasted == 0


def test_a_pause_with_the_same_words_keeps_its_attempt() -> None:
    talk = Talk()
    talk.starts()
    talk.words("when do you open", through_ms=1000)
    talk.pauses()
    talk.goes_on(mic_ms=1150)
    talk.words("when do you open", through_ms=1400)
    assert not plain(talk.pauses(mic_ms=1300))
    assert talk.state.wasted == 0


def test_an_unsure_pause_waits_longer_than_a_sure_one() -> None:
    waits = {}
    for p_end in (0.05, 0.95):
        talk = Talk()
        talk.starts()
        talk.words("tell me about the library", through_ms=1000)
        talk.pauses(p_end=p_end)
        begin = talk.ms
        while not of(talk.wait(10), EndUtterance):
            pass
        waits[p_end] = talk.ms - begin
    assert waits[0.05] > waits[0.95] + 100


def test_somebody_who_speaks_without_pauses_is_waited_for_less_until_they_pause() -> None:
    talk = Talk()

    def wait_of(utterance: int) -> float:
        talk.starts(utterance, int(talk.ms))
        talk.words("tell me about the library", utterance, int(talk.ms))
        talk.pauses(utterance, int(talk.ms), p_end=0.05)
        begin = talk.ms
        while not of(talk.wait(10), EndUtterance):
            pass
        waited = talk.ms - begin
        talk.words("tell me about the library", utterance, int(talk.ms), final=True)
        turn = talk.state.answer.turn if talk.state.answer else 0
        talk.sentence(turn, 0, "It has books and chairs.")
        talk.voice(turn, 0, "It has books and chairs.")
        talk.wait(500)
        return waited

    waits = [wait_of(n) for n in range(5)]
    assert waits == sorted(waits, reverse=True)
    assert waits[-1] < 0.75 * waits[0]
    talk.starts(5, int(talk.ms))
    talk.words("and", 5, int(talk.ms))
    talk.pauses(5, int(talk.ms), p_end=0.05)
    talk.goes_on(5, int(talk.ms) + 250)
    talk.words("and what about the garden", 5, int(talk.ms) + 900)
    talk.pauses(5, int(talk.ms) + 900)
    talk.wait(1000)
    assert talk.state.fluent == 0, "a pause was made"


def test_words_after_which_no_sentence_ends_are_waited_for_longer() -> None:
    waits = {}
    for ends in (-5.5, -1.5):
        talk = Talk()
        talk.starts()
        heard = Transcript(
            utterance=0,
            n=1,
            text="tell me about the big library",
            final=False,
            language="en",
            through_sample=16_000,
            ends=ends,
        )
        talk(heard)
        talk.pauses(p_end=0.5)
        begin = talk.ms
        while not of(talk.wait(10), EndUtterance):
            pass
        waits[ends] = talk.ms - begin
    assert waits[-5.5] > waits[-1.5] + 100


def test_nothing_is_answered_when_nothing_was_said() -> None:
    talk = Talk()
    talk.starts(mic_ms=0)
    talk.pauses(mic_ms=400)
    talk.wait(1500)
    done = talk.words("", final=True)
    assert not plain(done)
    assert talk.state.dialogue == ()


def test_long_speech_that_was_not_understood_is_admitted_once_in_a_row() -> None:
    talk = Talk()
    spoken = []
    for utterance in range(2):
        talk.starts(utterance, mic_ms=utterance * 10_000)
        talk.pauses(utterance, mic_ms=utterance * 10_000 + 2000)
        talk.wait(1500)
        talk.words("", utterance, final=True)
        talk.wait(500)
        for speak in of(talk.actions, Speak):
            if talk.state.answer and speak.turn == talk.state.answer.turn:
                talk.voice(speak.turn, 0, speak.text)
        spoken = of(talk.actions, Speak)
    assert [speak.text for speak in spoken] == ["Sorry, I did not catch that."]


# --- barge-in --------------------------------------------------------------------------------------------------------

LONG = "We open at nine in the morning and we close at six in the evening."


def speaking(words: int = 5) -> Talk:
    """An avatar in mid-answer."""
    talk = Talk()
    talk.says("when do you open")
    talk.sentence(1, 0, LONG)
    talk.voice(1, 0, LONG, words)
    return talk


def test_speech_over_the_answer_holds_it_at_once() -> None:
    talk = speaking()
    assert of(talk.starts(1, 9000), Hold) == [Hold(reason="barge_in")]
    assert phase(talk.state) == "held"


def test_one_word_of_which_more_may_come_is_no_interruption_yet_and_is_one_when_it_was_all() -> None:
    talk = speaking()
    talk.starts(1, 9000)
    talk.wait(120)
    assert not of(talk.words("stop", 1, 9200), Cancel)
    talk.wait(100)
    done = talk.pauses(1, mic_ms=9250)
    done += talk.words("stop", 1, 9300)
    assert of(done, Cancel) == [Cancel(through_turn=1)]


@pytest.mark.parametrize("text", ["", "mhm", "yeah", "Uh-huh.", "okay yeah", "[NOISE]", "the"])
def test_a_backchannel_resumes_within_the_time_and_makes_no_turn(text: str) -> None:
    talk = speaking()
    talk.starts(1, 9000)
    talk.wait(120)
    done = talk.pauses(1, mic_ms=9250)
    done += talk.words(text, 1, 9300)
    assert len(of(done, Resume)) == 1, "the words account for the whole pause: nothing to wait for"
    done += talk.wait(1000)
    done += talk.words(text, 1, 9300, final=True)
    assert not of(done, Cancel)
    assert not of(done, Ask)
    assert talk.state.turn == 1
    assert [line.role for line in talk.state.dialogue] == ["user"]
    talk.voice(1, 0, LONG)
    talk.wait(500)
    assert talk.state.dialogue[-1] == Exchange(role="avatar", text=LONG)


def test_a_hold_ends_by_its_timer_when_no_word_ever_comes() -> None:
    talk = speaking()
    talk.starts(1, 9000)
    talk.wait(200)
    talk.pauses(1, mic_ms=9250)
    assert not plain(talk.wait(140))
    assert len(of(talk.wait(20), Resume)) == 1, "who has stopped is waited for no longer than words take"


def test_the_avatar_does_not_resume_over_somebody_who_is_still_speaking() -> None:
    talk = speaking()
    talk.starts(1, 9000)
    done = talk.wait(500)
    done += talk.words("okay", 1, 9400)
    done += talk.wait(200)
    assert not of(done, Resume)
    assert phase(talk.state) == "held"


def test_who_speaks_on_takes_the_floor_even_if_the_recogniser_lags_behind() -> None:
    talk = speaking()
    talk.starts(1, 9000)
    talk.words("the", 1, 9200)
    assert of(talk.wait(800), Cancel) == [Cancel(through_turn=1)]


@pytest.mark.parametrize("text", ["", "the", "yeah yeah okay"])
def test_sound_that_goes_on_without_words_of_weight_does_not(text: str) -> None:
    talk = speaking()
    talk.starts(1, 9000)
    talk.wait(700)
    done = talk.words(text, 1, 9700)
    done += talk.wait(100)
    assert len(of(done, Resume)) == 1
    assert not of(done, Cancel)


@pytest.mark.parametrize("misheard", ["i'm not i'm", "i'm calm", "and how", "you'll", "shop", "look you"])
def test_a_backchannel_that_is_misheard_is_told_by_how_short_it_is(misheard: str) -> None:
    talk = speaking()
    talk.starts(1, 9000)
    talk.wait(400)
    talk.words(misheard, 1, 9400)
    talk.wait(150)
    done = talk.pauses(1, mic_ms=9500)
    done += talk.words(misheard, 1, 9600)
    assert len(of(done, Resume)) == 1
    done += talk.wait(1000)
    done += talk.words(misheard, 1, 9600, final=True)
    assert not of(done, Cancel)
    assert not of(done, Ask)


@pytest.mark.parametrize("text", ["stop", "no", "what", "hold on", "parking"])
def test_few_words_that_mean_it_take_the_floor_however_short(text: str) -> None:
    talk = speaking()
    talk.starts(1, 9000)
    talk.wait(400)
    done = talk.pauses(1, mic_ms=9300)
    done += talk.words(text, 1, 9400)
    assert of(done, Cancel) == [Cancel(through_turn=1)]


def test_who_goes_on_after_a_backchannel_is_heard_out_and_then_takes_the_floor() -> None:
    talk = speaking()
    talk.starts(1, 9000)
    talk.wait(400)
    talk.pauses(1, mic_ms=9300)
    assert of(talk.words("okay", 1, 9400), Resume)
    assert of(talk.goes_on(1, mic_ms=9500), Hold)
    talk.wait(500)
    talk.pauses(1, mic_ms=9900)
    assert of(talk.words("okay and sundays", 1, 10000), Cancel) == [Cancel(through_turn=1)]


def test_few_words_over_an_answer_that_is_not_heard_yet_belong_to_the_question() -> None:
    talk = Talk()
    talk.says("when do you open")
    talk.starts(1, 9000)
    talk.wait(300)
    talk.pauses(1, mic_ms=9300)
    assert of(talk.words("at all", 1, 9400), Cancel)
    assert talk.state.carried == "when do you open"


def test_a_resume_says_where_the_page_had_fallen_silent_and_what_came_after_is_not_heard() -> None:
    talk = speaking(words=5)
    silent_at = talk.programme_sample - WORD_SAMPLES // 2
    talk.state = replace(talk.state, acknowledged=silent_at)
    talk.starts(1, 9000)
    talk.wait(250, listening=False)
    done = talk.pauses(1, mic_ms=9200)
    done += talk.words("mhm", 1, 9300)
    assert of(done, Resume) == [Resume(heard_sample=silent_at)]
    talk.acknowledge()
    talk(Interrupt())
    assert talk.state.dialogue[-1] == Exchange(role="avatar", text="We open at nine", interrupted=True)


def test_a_turn_whose_end_left_before_a_hold_is_in_hand_until_it_is_heard() -> None:
    talk = speaking(words=len(LONG.split()) - 1)
    silent_at = talk.programme_sample
    talk.starts(1, 9000)
    talk.voice(1, 0, LONG, listening=False)
    talk.pauses(1, mic_ms=9200)
    assert of(talk.words("mhm", 1, 9300), Resume) == [Resume(heard_sample=silent_at)]
    assert talk.state.answer is not None
    assert [line.role for line in talk.state.dialogue] == ["user"]
    talk.spoken_samples[1, 0] -= WORD_SAMPLES
    talk.voice(1, 0, LONG)
    talk.acknowledge()
    assert talk.state.dialogue[-1] == Exchange(role="avatar", text=LONG)


def test_words_that_take_the_floor_cancel_even_after_a_resume() -> None:
    talk = speaking()
    talk.starts(1, 9000)
    talk.wait(400)
    done = talk.words("yeah but what about", 1, 9500)
    assert of(done, Cancel) == [Cancel(through_turn=1)]
    assert not talk.state.held


def test_an_interruption_keeps_exactly_the_words_that_were_heard() -> None:
    talk = speaking(words=5)
    talk.starts(1, 9000)
    talk.wait(100)
    talk.words("wait what about sunday", 1, 9300)
    talk.wait(300)
    assert talk.state.dialogue[-1] == Exchange(role="avatar", text="We open at nine in", interrupted=True)


def test_the_question_after_an_interruption_waits_for_the_acknowledgement() -> None:
    talk = speaking(words=4)
    talk.voice(1, 0, LONG, words=5, listening=False)
    typed = talk(Typed(text="never mind"))
    assert of(typed, Cancel)
    assert not of(typed, Ask), "the fifth word has left and is not acknowledged"
    done = talk.acknowledge()
    (ask,) = of(done, Ask)
    assert ask.history == (
        Exchange(role="user", text="when do you open"),
        Exchange(role="avatar", text="We open at nine in", interrupted=True),
    )


def test_the_acknowledgement_is_waited_for_300_ms_at_most() -> None:
    talk = speaking(words=3)
    talk.voice(1, 0, LONG, words=5, listening=False)
    talk(Typed(text="never mind"))
    assert not of(talk.wait(295, listening=False), Ask)
    (ask,) = of(talk.wait(10, listening=False), Ask)
    assert ask.history[-1].text == "We open at", "the unacknowledged words are left out"


def test_typed_text_and_the_button_cancel_at_once() -> None:
    assert of(speaking()(Typed(text="stop")), Cancel)
    talk = speaking()
    assert of(talk(Interrupt()), Cancel)
    assert not of(talk.wait(1000), Ask)
    assert not of(talk(Interrupt()), Cancel), "there is nothing left to interrupt"


def test_going_on_before_three_words_joins_the_utterances() -> None:
    talk = Talk()
    talk.says("when do you open")
    talk.sentence(1, 0, LONG)
    talk.voice(1, 0, LONG, words=2)
    talk.starts(1, 3000)
    talk.wait(100)
    done = talk.words("on sundays", 1, 3900)
    assert of(done, Cancel) == [Cancel(through_turn=1)]
    assert talk.state.dialogue == (), "the question and the answer left the dialogue"
    done = talk.pauses(1, mic_ms=3500)
    assert [ask.text for ask in of(done, Ask)] == ["when do you open on sundays"]
    talk.wait(1000)
    talk.words("on sundays", 1, 3500, final=True)
    assert talk.state.dialogue == (Exchange(role="user", text="when do you open on sundays"),)


def test_noise_after_the_question_only_delays_the_answer() -> None:
    talk = Talk()
    talk.says("when do you open")
    talk.starts(1, 3000)
    talk.wait(100)
    done = talk.pauses(1, mic_ms=3200)
    talk.sentence(1, 0, LONG)
    done += talk.wait(400)
    assert of(done, Resume)
    talk.voice(1, 0, LONG)
    talk.wait(1500)
    assert [line.text for line in talk.state.dialogue] == ["when do you open", LONG]


def test_yes_to_a_question_just_asked_is_an_answer_although_it_began_over_it() -> None:
    talk = Talk()
    talk.says("tell me about the library")
    text = "Would you like to hear more?"
    talk.sentence(1, 0, text)
    talk.voice(1, 0, text, words=5)
    talk.starts(1, 9000)
    talk.wait(50)
    talk.voice(1, 0, text)
    talk.acknowledge()
    talk.words("yes", 1, 9500)
    talk.pauses(1, mic_ms=9500)
    talk.wait(1200)
    talk.words("yes", 1, 9500, final=True)
    assert [line.text for line in talk.state.dialogue] == ["tell me about the library", text, "yes"]


def test_the_answer_to_an_utterance_cut_too_early_waits_for_the_rest() -> None:
    """The person goes on after the utterance was ended and before its final words have come."""
    talk = Talk()
    talk.starts()
    talk.words("I would like to know", through_ms=1000)
    talk.pauses()
    talk.wait(1200)
    talk.starts(1, 2500)
    assert not of(talk.words("I would like to know", final=True), Commit)
    talk.words("when you open", 1, 3500)
    talk.pauses(1, mic_ms=3500)
    talk.wait(1200)
    talk.words("when you open", 1, 3500, final=True)
    assert [line.text for line in talk.state.dialogue] == ["I would like to know when you open"]


# --- long thoughts and faults ----------------------------------------------------------------------------------------


def test_a_silent_brain_gets_a_spoken_moment_and_its_answer_comes_after_it() -> None:
    talk = Talk()
    talk(Typed(text="explain everything"))
    done = talk.wait(2600)
    (moment,) = of(done, Speak)
    assert moment.turn == 2
    assert of(done, Commit) == [Commit(turn=2)]
    assert not of(talk.sentence(1, 0, LONG), Commit), "one turn at a time"
    done = talk.voice(2, 0, moment.text)
    assert of(done, Commit) == [Commit(turn=1)]
    talk.voice(1, 0, LONG)
    talk.wait(500)
    assert [line.text for line in talk.state.dialogue] == ["explain everything", LONG]


def test_a_brain_that_stays_silent_ends_in_an_apology() -> None:
    talk = Talk()
    talk(Typed(text="explain everything"))
    talk.wait(2600)
    talk.voice(2, 0, "One moment, please.")
    done = talk.wait(20_000)
    assert [speak.turn for speak in of(done, Speak)] == [3]
    assert [data["code"] for data in told(done, "error")] == ["answer_timeout"]
    assert not of(talk.sentence(1, 0, "Too late."), Commit)


def steps(actions: list[Action]) -> list[str]:
    return [data["step"] for data in told(actions, "degraded")]


def test_a_spoken_moment_is_a_step_down_and_the_answer_the_step_up() -> None:
    talk = Talk()
    talk(Typed(text="explain everything"))
    done = talk.wait(2600)
    assert told(done, "degraded") == [
        {"kind": "answer", "step": "one_moment", "reason": "the answer takes longer than usual"}
    ]
    assert steps(talk.voice(2, 0, "One moment, please.")) == []
    assert steps(talk.sentence(1, 0, LONG, last=False)) == ["full"]
    assert steps(talk.sentence(1, 1, LONG)) == []


def test_an_apology_is_a_step_down_and_the_next_answer_the_step_up() -> None:
    talk = Talk()
    talk(Typed(text="explain"))
    done = talk(Failed(turn=1, code="llm_cut", text="I lost my thread.", kind="llm"))
    assert told(done, "degraded") == [{"kind": "answer", "step": "apology", "reason": "no answer came (llm_cut)"}]
    assert steps(talk.voice(2, 0, "I lost my thread.")) == []
    talk.wait(500)
    talk(Typed(text="explain again"))
    assert steps(talk.sentence(3, 0, LONG)) == ["full"]
    assert steps(talk(Failed(turn=3, code="llm_cut", text="Again.", kind="llm"))) == ["apology"], "in mid-answer"


def test_a_failure_in_mid_answer_lets_the_words_there_finish_before_the_apology() -> None:
    talk = Talk()
    talk(Typed(text="explain"))
    talk.sentence(1, 0, "It is simple.", last=False)
    talk.voice(1, 0, "It is simple.", words=1)
    assert not plain(talk(Failed(turn=1, code="llm_cut", text="I lost my thread.", kind="llm")))
    talk.voice(1, 0, "It is simple.", last=False)
    talk.wait(500)
    assert [speak.text for speak in of(talk.actions, Speak)] == ["I lost my thread."]
    assert talk.state.dialogue[-1].text == "It is simple."
    ends = [each for each in talk.actions if isinstance(each, Cancel | Speak)]
    assert ends[0] == Cancel(through_turn=1), "nothing else tells the programme that no more of it comes"
    assert isinstance(ends[1], Speak)


def test_an_apology_that_waits_is_overtaken_by_the_next_question() -> None:
    talk = Talk()
    talk(Typed(text="explain"))
    talk.starts()
    talk(Failed(turn=1, code="llm_failed", text="I am sorry.", kind="llm"))
    talk.words("when do you open", through_ms=1000)
    talk.pauses()
    talk.wait(1000)
    talk.words("when do you open", final=True)
    asked = of(talk.actions, Ask)[-1]
    talk.sentence(asked.turn, 0, "At nine.")
    talk.voice(asked.turn, 0, "At nine.")
    talk.wait(2000)
    assert talk.state.dialogue[-1].text == "At nine."
    assert not of(talk.actions, Speak), "the apology is for a question that nobody asks any more"


def test_a_voice_that_never_comes_for_a_spoken_moment_is_given_up_in_its_time() -> None:
    talk = Talk()
    talk(Typed(text="explain everything"))
    talk.wait(25_000)  # the page goes on acknowledging what it plays, silence
    assert "no_voice" in [error["code"] for error in told(talk.actions, "error")]


def test_an_answer_without_a_word_is_apologised_for() -> None:
    talk = Talk()
    talk(Typed(text="explain"))
    talk.sentence(1, 0, "", last=True)
    assert len(of(talk.actions, Speak)) == 1


def paused() -> Talk:
    """A question is asked, and an attempt at its answer under way."""
    talk = Talk()
    talk.starts()
    talk.words("when do you open", through_ms=1000)
    talk.pauses()
    return talk


def test_an_attempt_without_a_word_is_tried_again_like_one_that_failed() -> None:
    talk = paused()
    done = talk.sentence(1, 0, "", last=True)
    assert of(done, Cancel) == [Cancel(through_turn=1)]
    assert [(ask.turn, ask.speculative) for ask in of(done, Ask)] == [(2, True)], "the pause goes on"
    assert not told(done, "step"), "no sentence came"
    talk.sentence(2, 0, "At nine.")
    talk.wait(1000)
    assert of(talk.words("when do you open", final=True), Commit) == [Commit(turn=2)]


def test_nobody_waits_for_an_attempt_that_ended_without_a_word() -> None:
    talk = paused()
    talk.sentence(1, 0, "", last=True)
    talk.sentence(2, 0, "", last=True)
    talk.wait(1000)
    asked = of(talk.words("when do you open", final=True), Ask)
    assert [(ask.turn, ask.speculative) for ask in asked] == [(3, False)], "once more, now that it is wanted"
    done = talk.sentence(3, 0, "", last=True)
    assert [data["code"] for data in told(done, "error")] == ["llm_empty"]
    assert len(of(done, Speak)) == 1, "and then there is an apology at once"


def test_an_attempt_that_ends_without_a_word_while_the_final_ones_are_awaited_is_asked_again_by_them() -> None:
    talk = paused()
    talk.wait(1000)
    assert not of(talk.sentence(1, 0, "", last=True), Ask), "the final words are on their way"
    assert [ask.turn for ask in of(talk.words("when do you open", final=True), Ask)] == [2]


ENGLISH, SPANISH = "My brain is busy.", "Estoy ocupado."


@pytest.mark.parametrize(
    ("spoken", "text", "language", "said"),
    [
        ("en", ENGLISH, "en", (ENGLISH, "en")),
        ("en-GB", ENGLISH, "en", (ENGLISH, "en-GB")),
        ("es-MX", SPANISH, "es", (SPANISH, "es-MX")),
        ("de-AT", ENGLISH, "en", (phrase(FAILED, "de")[0], "de-AT")),
        ("fr", SPANISH, "es", (phrase(FAILED, "fr")[0], "fr")),
        ("it", ENGLISH, "en", (ENGLISH, "en")),
        ("it", "Il cervello è occupato.", "", ("Il cervello è occupato.", "it")),
        ("it", "", "", (phrase(FAILED, "en")[0], "en")),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_an_apology_is_in_the_language_spoken_or_is_read_in_its_own(
    begun: bool, spoken: str, text: str, language: str, said: tuple[str, str]
) -> None:
    talk = Talk(languages=(spoken,), language=spoken)
    talk(Typed(text="explain"))
    if begun:
        talk.sentence(1, 0, "One.", last=False)
        talk.voice(1, 0, "One.", last=False)
    done = talk(Failed(turn=1, code="llm_busy", text=text, language=language, kind="llm"))
    assert [data["text"] for data in told(done, "error")] == [said[0]]
    done += talk.wait(500)
    assert [(speak.text, speak.language) for speak in of(done, Speak)] == [said]


def test_a_voice_that_fails_is_told_and_not_apologised_for_by_the_same_voice() -> None:
    talk = Talk()
    talk(Typed(text="explain"))
    talk.sentence(1, 0, LONG)
    done = talk(Failed(turn=1, code="tts_language", text="I have no voice for this.", kind="tts"))
    assert [data["code"] for data in told(done, "error")] == ["tts_language"]
    assert not of(talk.wait(2000), Speak)
    assert phase(talk.state) == "listening"


def test_a_moment_that_cannot_be_voiced_makes_room_for_the_answer() -> None:
    talk = Talk()
    talk(Typed(text="explain everything"))
    talk.wait(2600)
    done = talk(Failed(turn=2, code="tts_language", text="I have no voice for this.", kind="tts"))
    assert of(done, Cancel) == [Cancel(through_turn=2)], "the programme does not wait for it any more"
    assert [(ask.turn, ask.text) for ask in of(done, Ask)] == [(3, "explain everything")]
    assert of(talk.sentence(3, 0, LONG), Commit) == [Commit(turn=3)]
    talk.voice(3, 0, LONG)
    talk.wait(500)
    assert [line.text for line in talk.state.dialogue] == ["explain everything", LONG]


@pytest.mark.parametrize("begun", [False, True])
def test_a_typed_question_that_a_noise_interrupts_before_its_answer_is_heard_is_answered(begun: bool) -> None:
    talk = Talk()
    talk(Typed(text="explain everything"))
    talk(SpeechStarted(utterance=0, mic_sample=16_000))
    if begun:
        talk.sentence(1, 0, LONG)
        talk.voice(1, 0, LONG, words=1, listening=False)
    assert of(talk.wait(800, listening=not begun), Cancel), "it goes on for so long that it takes the floor"
    talk(SpeechEnded(utterance=0, mic_sample=40_000))
    done = talk(Transcript(utterance=0, n=1, text="", final=True, language="en", through_sample=40_000))
    assert [ask.text for ask in of([*done, *talk.wait(3000)], Ask)] == ["explain everything"]


def test_a_voice_that_never_comes_is_given_up() -> None:
    talk = Talk()
    talk(Typed(text="explain"))
    talk.sentence(1, 0, LONG)
    done = talk.wait(9000)
    assert [data["code"] for data in told(done, "error")] == ["no_voice"]
    assert of(done, Cancel)


# --- greeting, presence, modes ---------------------------------------------------------------------------------------


def test_the_greeting_waits_for_the_first_packet_that_plays() -> None:
    talk = Talk(present=False, greeting="Hello, I am Vera.")
    assert not plain(talk.wait(5000, listening=False))
    done = talk(Played(programme_sample=960))
    assert [speak.text for speak in of(done, Speak)] == ["Hello, I am Vera."]
    assert of(done, Commit) == [Commit(turn=1)]
    talk.voice(1, 0, "Hello, I am Vera.")
    talk.wait(500)
    assert talk.state.dialogue == (Exchange(role="avatar", text="Hello, I am Vera."),)


def test_a_question_typed_before_anything_plays_replaces_the_greeting_and_waits() -> None:
    talk = Talk(present=False, greeting="Hello.")
    talk(Typed(text="when do you open"))
    assert not of(talk.sentence(1, 0, LONG), Commit)
    done = talk(Played(programme_sample=960))
    assert of(done, Commit) == [Commit(turn=1)]
    assert not of(done, Speak)


def test_a_page_that_stops_acknowledging_holds_the_answer_and_hears_the_rest_when_it_is_back() -> None:
    talk = speaking(words=3)
    talk.voice(1, 0, LONG, words=5, listening=False)
    done = talk.wait(3000, listening=False)
    assert of(done, Hold) == [Hold(reason="away")]
    assert talk.state.presence is Presence.AWAY
    assert phase(talk.state) == "away"
    done = talk.acknowledge()
    assert of(done, Cancel) == [Cancel(through_turn=1)]
    (speak,) = of(done, Speak)
    assert (speak.turn, speak.n, speak.from_word, speak.text) == (2, 0, 3, LONG)
    assert of(done, Commit) == [Commit(turn=2)]


def test_nothing_is_committed_while_nobody_listens() -> None:
    talk = Talk()
    talk(Away())
    talk(Typed(text="when do you open"))
    assert not of(talk.sentence(1, 0, LONG), Commit)
    assert of(talk.acknowledge(), Commit) == [Commit(turn=1)]


def test_text_sent_twice_is_answered_once() -> None:
    talk = Talk()
    assert of(talk(Typed(text="hello", id="a")), Ask)
    assert not of(talk(Typed(text="hello", id="a")), Ask)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_empty_text_is_ignored(text: str) -> None:
    assert not plain(Talk()(Typed(text=text)))


def test_huge_text_is_refused_with_a_sentence() -> None:
    done = Talk()(Typed(text="x" * 100_000))
    assert [data["code"] for data in told(done, "error")] == ["text_too_long"]
    assert not plain(done)


def test_in_text_mode_the_microphone_is_not_listened_to() -> None:
    talk = Talk()
    talk(SetMode(mode="text"))
    talk.starts()
    talk.words("hello there", through_ms=1000)
    assert not plain(talk.pauses())
    talk(SetMode(mode="voice"))
    talk.starts(1)
    talk.words("hello there", 1, through_ms=1000)
    assert of(talk.pauses(1), Ask)


def test_speech_and_text_share_the_dialogue() -> None:
    talk = Talk()
    talk.says("when do you open")
    talk.sentence(1, 0, LONG)
    talk.voice(1, 0, LONG)
    talk.wait(500)
    (ask,) = of(talk(Typed(text="and on sundays")), Ask)
    assert [line.text for line in ask.history] == ["when do you open", LONG]


def test_something_to_say_waits_until_the_floor_is_free() -> None:
    talk = speaking()
    assert not plain(talk(Say("Dinner is ready.")))
    talk.voice(1, 0, LONG)
    talk.wait(400)
    assert [speak.text for speak in of(talk.actions, Speak)] == ["Dinner is ready."]


def test_a_recording_is_said_like_any_text_and_spoken_again_from_the_word_that_a_crash_cut() -> None:
    talk = Talk()
    said = of(talk(Say(text="Dinner is ready now.", upload="a-name")), Speak)
    assert [(speak.text, speak.upload, speak.from_word) for speak in said] == [("Dinner is ready now.", "a-name", 0)]
    turn = said[0].turn
    talk.voice(turn, 0, "Dinner is ready now.", words=2)
    again = of(talk(Replaced(frozenset({"programme"}))), Speak)
    assert [(speak.upload, speak.from_word) for speak in again] == [("a-name", 2)]
    talk(Typed(text="Thank you."))
    assert not of(talk.wait(500), Speak), "what was interrupted is not said again"
    assert [line.text for line in talk.state.dialogue if line.role == "avatar"] == ["Dinner is"]


def test_vad_may_end_an_utterance_by_itself() -> None:
    talk = Talk()
    talk.starts()
    talk.words("when do you open", through_ms=1000)
    talk(SpeechEnded(utterance=0, mic_sample=16000, reason="length"))
    assert of(talk.words("when do you open", final=True), Ask)


def test_stale_and_unknown_utterances_change_nothing() -> None:
    talk = Talk()
    talk.says("hello")
    state = talk.state
    talk.starts(0)
    talk.pauses(7)
    talk.words("nonsense", 7)
    talk.words("nonsense", 0, final=True)
    talk.goes_on(9)
    assert talk.state == state


def test_an_acknowledgement_from_the_future_or_the_past_moves_nothing() -> None:
    talk = Talk()
    talk(Played(programme_sample=10**15))
    assert talk.state.acknowledged <= talk.programme_sample
    before = talk.state.acknowledged
    talk(Played(programme_sample=5))
    talk(Played(programme_sample=-5))
    assert talk.state.acknowledged == before


def test_turn_numbers_only_grow_and_each_is_given_once() -> None:
    talk = speaking()
    talk(Typed(text="one"))
    talk(Typed(text="two"))
    talk.wait(400)
    turns = [action.turn for action in talk.actions if isinstance(action, Ask | Speak)]
    assert turns == sorted(set(turns))


def test_a_wrong_turn_setting_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="hold_decision_ms"):
        TurnSettings.of({"hold_decison_ms": 200})
    with pytest.raises(ConfigError, match="number"):
        TurnSettings.of({"hold_decision_ms": "soon"})
    assert TurnSettings.of({"hold_decision_ms": 200}).hold_decision_ms == 200


@pytest.mark.parametrize(("turns", "waits_ms"), [({"doubt": -10}, 180), ({"doubt": 10, "patient_ms": 1200}, 1200)])
def test_a_personas_patience_decides_how_long_a_silence_is_waited_for(turns: dict[str, float], waits_ms: int) -> None:
    talk = Talk(settings=TurnSettings.of(turns))
    talk.starts()
    talk.words("when do you open", through_ms=1000)
    talk.pauses(silence_ms=0, p_end=0.5)
    assert not of(talk.wait(waits_ms - 1), EndUtterance)
    assert of(talk.wait(2), EndUtterance)


@pytest.mark.parametrize(("pause_ms", "fluent"), [(200, 0), (400, 2)])
def test_a_persona_says_from_when_on_a_silence_is_a_pause(pause_ms: float, fluent: int) -> None:
    talk = Talk(settings=TurnSettings.of({"pause_ms": pause_ms}), fluent=2)
    talk.starts()
    talk.words("when do", through_ms=1000)
    talk.pauses(mic_ms=1000, p_end=0.1)
    talk.goes_on(mic_ms=1300)
    assert talk.state.fluent == fluent


@pytest.mark.parametrize(
    ("turns", "says"),
    [
        ({"dout": 1}, "Did you mean 'doubt'.*patient_ms"),
        ({"doubt": 100}, "between -20 and 20"),
        ({"fluent_after": 0}, "between 1 and"),
        ({"patient_ms": 5000}, "between 100 and 1500"),
        ({"patient_ms": 300}, r"fluent_ms \(440\) and patient_ms \(300\)"),
        ({"endpoint": 3}, "no key 'endpoint'"),
    ],
)
def test_wrong_patience_is_named(turns: dict[str, float], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        TurnSettings.of(turns)


@pytest.mark.parametrize(("lines", "given"), [(0, []), (1, ["b"]), (2, ["a", "b"]), (9, ["a", "b"])])
def test_a_brain_is_given_as_many_lines_of_the_dialogue_as_the_persona_says(lines: int, given: list[str]) -> None:
    dialogue = (Exchange(role="user", text="a"), Exchange(role="avatar", text="b"))
    talk = Talk(settings=TurnSettings.of({"history_lines": lines}), dialogue=dialogue)
    (ask,) = of(talk(Typed(text="and then?")), Ask)
    assert [line.text for line in ask.history] == given
    assert talk.state.answer
    assert [line.text for line in ask_on(talk.state, talk.state.answer).history] == given


def test_an_answer_is_hashable_so_that_states_can_be_merged() -> None:
    assert hash(Answer(turn=1, kind="answer")) == hash(Answer(turn=1, kind="answer"))
    assert hash(speaking().state)

"""The person speaks while the avatar does: hold at once, then cancel (they take the floor) or resume (they do not).

Words alone cannot tell: a recogniser makes "i'm calm" of an "um hum". What tells most is time. A backchannel is short
and then silent, an interruption goes on. So the hold lasts while somebody speaks; once they stop, little speech takes
the floor only by words that mean to ("stop", "what"), more speech by any words but "yeah, okay" (bench/floor.py).
"""

from __future__ import annotations

from dataclasses import replace

from broker.backchannel import insists, takes_the_floor, words_of
from broker.interrupting import interrupt
from broker.move import Move
from broker.sounding import hold_sound, release_sound
from broker.turn_state import MIC_SAMPLES_PER_MS, Barge, TurnState, Utterance, in_hand, ns
from broker.unfolding import finish

CERTAIN_WORDS = 2
"""Fewer, while the person still speaks, are a guess that the recogniser takes back three times out of four."""


def barge(move: Move) -> None:
    """Speech was found while something is thought or spoken."""
    hold = move.state.hold
    since_ns = hold.since_ns if hold else move.now_ns
    until_ns = move.now_ns + ns(move.state.settings.hold_longest_ms)
    move.set(hold=Barge(since_ns=since_ns, until_ns=until_ns))
    hold_sound(move, "barge_in")


def expect_words(move: Move) -> None:
    """The person has stopped: the words of it are waited for a little, not for ever."""
    hold, settings = move.state.hold, move.state.settings
    if hold:
        soon_ns = max(hold.since_ns + ns(settings.hold_decision_ms), move.now_ns + ns(settings.hold_words_ms))
        move.set(hold=replace(hold, until_ns=min(hold.until_ns, soon_ns)))


def decide(move: Move) -> None:
    """Cancel when the person takes the floor, even after a resume; resume when they have stopped and do not.

    Who speaks on for so long that it is no backchannel takes the floor by that alone when the recogniser lags behind;
    sound that goes on without a word, to a recogniser that keeps up, is no speech.
    """
    state = move.state
    utterance, hold, settings = state.utterance, state.hold, state.settings
    if utterance and in_hand(state) and takes_floor(state, utterance, utterance.text):
        interrupt(move, joins=True)
    elif hold is None:
        return
    elif utterance is None:
        if state.ending is None or move.now_ns >= hold.until_ns:
            let_go(move)
    elif utterance.settled():
        let_go(move)
    elif move.now_ns >= hold.until_ns:
        goes_on = utterance.pause is None
        lags = utterance.through_sample - utterance.onset_sample < settings.backchannel_ms * MIC_SAMPLES_PER_MS
        if goes_on and in_hand(state) and (lags or takes_the_floor(utterance.text, state.language)):
            interrupt(move, joins=True)
        else:
            let_go(move)


def let_go(move: Move) -> None:
    """The avatar goes on."""
    state = move.state
    move.set(hold=None)
    release_sound(move, max(state.acknowledged, state.finished_sample))
    finish(move)


def takes_floor(state: TurnState, utterance: Utterance, text: str) -> bool:
    """Whether these words of it, said over what is in hand, are meant to stop it.

    While nothing of it is heard yet there is nothing to say "mhm" to: few words belong to the question before.
    """
    settings, language = state.settings, state.language
    if utterance.pause is None:
        heard_ms = (utterance.through_sample - utterance.onset_sample) / MIC_SAMPLES_PER_MS
        long = heard_ms >= settings.backchannel_ms + settings.hold_words_ms
        certain = len(words_of(text)) >= CERTAIN_WORDS
    else:
        long = utterance.pause.mic_sample - utterance.onset_sample >= settings.backchannel_ms * MIC_SAMPLES_PER_MS
        certain = utterance.settled()
    audible = any(each and each.hearing.end_sample for each in (state.answer, state.moment))
    if long or not audible:
        return certain and takes_the_floor(text, language)
    return certain and insists(text, language, utterance.pause is not None)

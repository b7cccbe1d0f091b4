"""The person speaks while the avatar does: hold at once, then cancel (they take the floor) or resume (they do not)."""

from __future__ import annotations

from broker.backchannel import takes_the_floor, words_of
from broker.interrupting import interrupt
from broker.move import Move
from broker.sounding import hold_sound, release_sound
from broker.turn_state import Barge, Utterance, in_hand, ns

CERTAIN_WORDS = 2
"""Fewer, while the person still speaks, are a guess that the recogniser takes back three times out of four."""


def barge(move: Move) -> None:
    """Speech was found while something is thought or spoken."""
    until_ns = move.now_ns + ns(move.state.settings.hold_decision_ms)
    move.set(hold=Barge(since_ns=move.now_ns, until_ns=until_ns))
    hold_sound(move, "barge_in")


def decide(move: Move) -> None:
    """Cancel on words that take the floor, even after a resume; resume when there are none or the time is up.

    Continuing sound without a word in it is no interruption: a cough, an "mm", a door. Its words may still come.
    """
    state = move.state
    if state.utterance and in_hand(state) and _takes_the_floor(state.utterance, state.language):
        interrupt(move, joins=True)
        return
    if state.hold is None:
        return
    heard_out = state.utterance is not None and state.utterance.covered()
    gone = state.utterance is None and state.ending is None
    if heard_out or gone or move.now_ns >= state.hold.until_ns:
        let_go(move)


def let_go(move: Move) -> None:
    """The avatar goes on."""
    move.set(hold=None)
    release_sound(move)


def _takes_the_floor(utterance: Utterance, language: str) -> bool:
    """Words that do, and that are likely to stay: more than one, or all there were before a pause."""
    certain = utterance.covered() or len(words_of(utterance.text)) >= CERTAIN_WORDS
    return certain and takes_the_floor(utterance.text, language)

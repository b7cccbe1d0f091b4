"""An answer is cut short: what was heard of it stays, or, when it had hardly begun, question and answer both go."""

from __future__ import annotations

from broker.answering import drop_waiting, settle
from broker.ledger import Answer
from broker.messages import Exchange
from broker.move import Move
from broker.sounding import cancel_all
from broker.turn_state import Settling, TurnState, in_hand, ns

JUST_MS = 40
"""The page's last word on what it has played goes before whatever it asks to be silent for."""


def interrupt(move: Move, joins: bool) -> None:
    """Cancel what is in hand, at once.

    `joins`: the person goes on speaking. Then an answer of which fewer than three words have begun leaves the dialogue
    together with its question, which is carried over to be joined with the words to come. So does any of which no word
    was heard, a typed one, too: should the words turn out to be none, nobody would answer it.
    """
    state = move.state
    drop_waiting(move)
    move.set(says=())
    answer = state.answer
    if not in_hand(state):
        return
    if answer and joins and answer.text and _hardly_begun(state, answer):
        move.set(
            answer=None, moment=None, hold=None, carried=answer.text, dialogue=_without_question(move.state, answer)
        )
        cancel_all(move)
        move.tell("turn", answer.turn, what="cancelled", text=answer.text, speculative=False, joined=True)
        return
    withdraw(move)


def withdraw(move: Move) -> None:
    """Cancel what is in hand; what was heard of it stays.

    A page that was told to hold, or whose person typed or pressed the button, is silent already and has said how far
    it had played: nothing more of it will be heard, and there is nothing to wait for.
    """
    state = move.state
    answer = state.answer
    silent = state.hold is not None or move.now_ns - state.played_ns <= ns(JUST_MS)
    move.set(answer=None, moment=None, hold=None)
    cancel_all(move)
    if answer:
        move.set(settling=Settling(answer=answer, since_ns=move.now_ns, interrupted=True))
        settle(move, at_once=silent)


def _hardly_begun(state: TurnState, answer: Answer) -> bool:
    few = answer.spoken and answer.hearing.begun < state.settings.joined_words
    return few or not answer.hearing.heard(state.acknowledged)


def _without_question(state: TurnState, answer: Answer) -> tuple[Exchange, ...]:
    lines = state.dialogue
    if lines and lines[-1].role == "user" and lines[-1].text == answer.text:
        return lines[:-1]
    return lines

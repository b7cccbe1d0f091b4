"""What the programme is told about who may be heard: commit, hold, resume, cancel.

One rule keeps two turns from being heard at once: a turn is committed only when no other committed one is unfinished.
"""

from __future__ import annotations

from dataclasses import replace

from broker.messages import Cancel, Commit, Hold, Resume
from broker.move import Move
from broker.turn_state import Presence


def let_sound(move: Move) -> None:
    """Commit the answer once it has something to say, nothing else sounds and somebody listens."""
    state = move.state
    answer = state.answer
    if answer and answer.said and not answer.committed and not state.moment and state.presence is Presence.HERE:
        move.set(answer=replace(answer, committed=True, progress_ns=move.now_ns))
        move.do(Commit(turn=answer.turn))


def hold_sound(move: Move, reason: str) -> None:
    """Tell the programme to hold, unless it does."""
    if not move.state.held:
        move.set(held=True)
        move.do(Hold(reason=reason))


def release_sound(move: Move, heard_sample: int = -1) -> None:
    """Tell the programme to go on, if no reason to hold is left.

    `heard_sample`: with the first word that the page had not played by then; -1: where it was.
    """
    state = move.state
    if state.held and not state.hold and state.presence is not Presence.AWAY:
        if state.answer:
            move.set(answer=replace(state.answer.resumed(heard_sample), progress_ns=move.now_ns))
        move.set(held=False, moment=state.moment and state.moment.resumed(heard_sample))
        move.do(Resume(heard_sample=heard_sample))


def cancel_all(move: Move) -> None:
    """Everything given out so far is stale. That ends a hold, too."""
    state = move.state
    if state.cancelled_through < state.turn:
        move.set(cancelled_through=state.turn, held=False)
        move.do(Cancel(through_turn=state.turn))

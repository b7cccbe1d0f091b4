"""The turn machine's side of a crash: what is asked, spoken or heard again, from the broker's ledger alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from broker.answering import acknowledged_whole, ask_on, say_anew, settle, speak_up
from broker.barge_in import let_go
from broker.ledger import Answer
from broker.listening import end_utterance, take_up
from broker.messages import Buffered, Sentence
from broker.move import Accept, Move
from broker.sounding import hold_sound, let_sound, release_sound
from broker.turn_state import Presence, TurnState, Utterance, ns
from broker.unfolding import finish

PRE_ROLL_SAMPLES = 4800
"""300 ms of microphone before an onset, which the vad needs to find it again."""


NOBODY = -1
"""The number of an utterance that no `Transcript` will ever name."""


@dataclass(frozen=True)
class Replaced:
    """Event: other processes now serve the session as these kinds; all have got their `Open`."""

    kinds: frozenset[str]


@dataclass(frozen=True)
class Missed:
    """Event: a sentence whose way to the programme led through a dead process; the ledger has it."""

    sentence: Sentence


def waiting_anew(state: TurnState, now_ns: int) -> TurnState:
    """A killed broker's state in its successor's hands: what came unread comes before any wait is over."""
    settings, hold, settling, ending = state.settings, state.hold, state.settling, state.ending
    utterance = state.utterance
    if utterance and utterance.pause:
        wait_ns = max(0, utterance.end_at_ns - utterance.pause.began_ns)
        pause = replace(utterance.pause, began_ns=now_ns)
        utterance = replace(utterance, pause=pause, end_at_ns=now_ns + wait_ns)
    return replace(
        state,
        utterance=utterance,
        ending=ending and replace(ending, ended_ns=now_ns),
        hold=hold and replace(hold, since_ns=now_ns, until_ns=now_ns + hold.until_ns - hold.since_ns),
        settling=settling and replace(settling, since_ns=now_ns),
        answer=state.answer and _anew(state.answer, now_ns),
        moment=state.moment and _anew(state.moment, now_ns),
        owed_by_ns=now_ns + ns(settings.buffered_ms),
        played_ns=now_ns,
    )


def _anew(answer: Answer, now_ns: int) -> Answer:
    return replace(answer, accepted_ns=answer.accepted_ns and now_ns, progress_ns=now_ns)


def microphone_restart(state: TurnState) -> tuple[int, int]:
    """From which mic_sample the microphone is heard again by a successor, and the number of its first utterance."""
    open_utterance = state.ending or state.utterance
    if open_utterance:
        return max(0, open_utterance.onset_sample - PRE_ROLL_SAMPLES), open_utterance.number
    return state.mic_through, state.next_utterance


def on_replaced(move: Move, event: Replaced) -> None:
    """Give the successors what their predecessors took along."""
    if event.kinds & {"vad", "asr"}:
        _hear_again(move)
    if "webrtc" in event.kinds:
        move.set(mic_through=0)  # its microphone counts from 0 again
    if "programme" in event.kinds:
        move.set(owed=())
        _not_deaf(move)
        for answer in _live(move.state):
            _say_again(move, answer, *answer.first_unsaid())
    elif "tts" in event.kinds:
        owed = tuple(answer.turn for answer in _live(move.state))
        move.set(owed=owed, owed_by_ns=move.now_ns + ns(move.state.settings.buffered_ms))
    if "llm" in event.kinds:
        _ask_again(move)


def _not_deaf(move: Move) -> None:
    """A successor says again what was not heard, and has never been told of a hold's end."""
    state = move.state
    move.set(
        answer=state.answer and replace(state.answer, hearing=replace(state.answer.hearing, deaf_from=-1)),
        moment=state.moment and replace(state.moment, hearing=replace(state.moment.hearing, deaf_from=-1)),
    )


def _hear_again(move: Move) -> None:
    """The utterance begins anew under its number; words carried over stay."""
    _, number = microphone_restart(move.state)
    move.set(utterance=None, ending=None, next_utterance=number)
    if move.state.carried:
        # Should nothing be found again, the words before it must still be answered.
        move.set(ending=Utterance(number=NOBODY, onset_sample=move.state.mic_through, ended_ns=move.now_ns))
    if move.state.hold:
        let_go(move)


def _ask_again(move: Move) -> None:
    for answer in (move.state.attempt, move.state.answer):
        if answer and answer.kind == "answer" and not answer.complete:
            move.do(ask_on(move.state, answer))
            if answer.accepted_ns:
                move.do(Accept(turn=answer.turn))


def on_buffered(move: Move, buffered: Buffered) -> None:
    """The programme keeps what it has of the sentence in hand and nothing else: all after it is spoken again."""
    state = move.state
    move.set(owed=())
    for answer in _live(state):
        if answer.turn not in state.owed:
            continue
        if answer.turn != buffered.turn:
            _say_again(move, answer, *answer.first_unsaid())
        elif buffered.complete:
            _say_again(move, answer, buffered.sentence + 1, 0)
        else:
            _say_again(move, answer, buffered.sentence, buffered.next_word)


def nothing_buffered(move: Move) -> None:
    """The programme that does not say in time what it has is taken to have nothing."""
    on_buffered(move, Buffered(turn=0, sentence=0, next_word=0, complete=False))


def on_missed(move: Move, missed: Missed) -> None:
    """Speak one sentence that got lost in a tts or a programme that died; with a `Buffered` due, that covers it."""
    for answer in _live(move.state):
        if answer.turn == missed.sentence.turn and answer.turn not in move.state.owed:
            move.do(*(each for each in answer.speak_again(missed.sentence.n, 0) if each.n == missed.sentence.n))


def _say_again(move: Move, answer: Answer, sentence: int, word: int) -> None:
    move.do(*answer.speak_again(sentence, word))
    if answer.accepted_ns:
        move.do(Accept(turn=answer.turn))


def _live(state: TurnState) -> Iterator[Answer]:
    """The turns in hand, oldest first."""
    turns = [each for each in (state.moment, state.answer, state.attempt) if each and not each.done]
    return iter(sorted(turns, key=lambda each: each.turn))


# --- nobody listening ------------------------------------------------------------------------------------------------


def go_away(move: Move) -> None:
    """The page has gone or is silent: hold, finish the utterance, write down what was heard until now."""
    if move.state.presence is not Presence.HERE:
        return
    _take_back(move)
    move.set(presence=Presence.AWAY, hold=None)
    settle(move)
    if move.state.utterance:
        end_utterance(move)
    if any(each and each.committed for each in (move.state.answer, move.state.moment)):
        hold_sound(move, "away")


def _take_back(move: Move) -> None:
    """An answer that has left the programme and was not heard to its end is in hand again."""
    state = move.state
    settling = state.settling
    if settling and not settling.interrupted and not acknowledged_whole(state) and not state.waiting:
        move.set(settling=None, answer=settling.answer)


def caller_gone(move: Move) -> None:
    """The page or its edge is lost. What was being said is cut off there and waits, final words and all."""
    go_away(move)
    if move.state.utterance:
        end_utterance(move)
    move.set(gone=True)


def caller_returned(move: Move, to_new_ears: bool) -> None:
    """A page is there again. What is to be heard again was dropped before (`Replaced`); the rest is answered."""
    if move.state.gone:
        move.set(gone=False)
        take_up(move, at_once=to_new_ears)
        speak_up(move)


def come_back(move: Move) -> None:
    """The page plays again: go on from the first word that it did not acknowledge."""
    first = move.state.presence is Presence.NOT_YET
    settle(move)
    move.set(presence=Presence.HERE, played_ns=move.now_ns)
    if first and (move.state.turn or move.state.dialogue):
        move.set(greeting="")
    answer = move.state.answer
    if answer and answer.committed and not _heard_whole(move.state, answer):
        # What the page missed has left the programme, which says nothing twice under one turn. Always, even if all
        # that is known to have left was acknowledged: news of more may still be under way.
        say_anew(move, answer)
    finish(move)
    release_sound(move)
    if move.state.hold:
        hold_sound(move, "barge_in")
    let_sound(move)
    speak_up(move)


def _heard_whole(state: TurnState, answer: Answer) -> bool:
    return answer.finished() and answer.hearing.end_sample <= state.acknowledged

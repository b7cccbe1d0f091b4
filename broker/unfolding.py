"""What comes of an accepted turn: its sentences, its sound, its end; or a fault, and then an apology."""

from __future__ import annotations

from dataclasses import replace

from broker.answering import SAYS_LIMIT, drop_attempt, say_anew, settle, speak, speak_up, tell_sentence
from broker.interrupting import withdraw
from broker.languages import nearest
from broker.ledger import Answer
from broker.messages import Commit, Emitted, Failed, Sentence
from broker.move import Move
from broker.phrases import FAILED, ONE_MOMENT, phrase
from broker.sounding import cancel_all, hold_sound, let_sound, release_sound
from broker.turn_state import Presence, Settling, ToSay, TurnState, in_hand


def on_sentence(move: Move, sentence: Sentence) -> None:
    """A sentence of a turn in hand; others are stale."""
    state = move.state
    if state.attempt and sentence.turn == state.attempt.turn:
        attempt = state.attempt.with_sentence(sentence, move.now_ns)
        move.set(attempt=attempt)
        if attempt.came_to_nothing:
            drop_attempt(move)  # as one that failed: the next may come to something
            return
    elif state.answer and sentence.turn == state.answer.turn and not state.answer.complete:
        known = len(state.answer.said)
        move.set(answer=state.answer.with_sentence(sentence, move.now_ns))
        assert move.state.answer
        if len(move.state.answer.said) > known:
            tell_sentence(move, move.state.answer, sentence.n)
        _nothing_said(move)
        let_sound(move)
        finish(move)
    else:
        return
    if sentence.n == 0:
        move.tell("step", sentence.turn, name="first_sentence", took_ns=sentence.took_ns)


def _nothing_said(move: Move) -> None:
    """An answer that ended without a word becomes an apology."""
    answer = move.state.answer
    if answer and answer.came_to_nothing:
        give_up(move, "llm_empty", "")


def on_failed(move: Move, failed: Failed) -> None:
    """A stage cannot serve a turn: what was said so far stands, then an apology; a session-wide fault is told."""
    state = move.state
    if state.attempt and failed.turn == state.attempt.turn:
        drop_attempt(move)
        return
    if state.moment and failed.turn == state.moment.turn:
        move.set(moment=None)
        if state.answer:  # the programme still waits for the moment, which only a cancel ends; that ends a hold, too
            say_anew(move, state.answer)
            if state.hold:
                hold_sound(move, "barge_in")
        let_sound(move)
        return
    if state.answer is None or failed.turn != state.answer.turn:
        if failed.turn == 0:
            move.tell("error", 0, code=failed.code, text=failed.text, stage=failed.kind)
        return
    if failed.kind == "tts" or not state.answer.said:
        give_up(move, failed.code, failed.text, failed.language, speakable=failed.kind != "tts")
        return
    apology = _apology(state, failed.text, failed.language)
    move.tell("error", failed.turn, code=failed.code, text=apology.text, stage=failed.kind)
    _ease(move, failed.turn, "apology", f"the answer broke off ({failed.code})")
    move.set(answer=replace(state.answer, complete=True, broke_off=True), says=(apology, *state.says))
    finish(move)


def give_up(move: Move, code: str, text: str, language: str = "", speakable: bool = True) -> None:
    """The turn in hand comes to nothing: say so, once; an apology that fails is only shown."""
    answer = move.state.answer
    assert answer
    apology = _apology(move.state, text, language)
    move.tell("error", answer.turn, code=code, text=apology.text)
    _ease(move, answer.turn, "apology", f"no answer came ({code})")
    withdraw(move)
    if speakable and answer.kind != "apology":
        move.set(says=(apology, *move.state.says)[:SAYS_LIMIT])
    speak_up(move)


def _ease(move: Move, turn: int, step: str, reason: str) -> None:
    """A step down that is spoken, too."""
    move.set(eased=True)
    move.tell("degraded", turn, kind="answer", step=step, reason=reason)


def _apology(state: TurnState, text: str, language: str) -> ToSay:
    """A worker's kind sentence, which knows more; the broker's own where only that is in the language spoken."""
    words, own = phrase(FAILED, state.language)
    spoken = nearest(language or state.language, (state.language,))
    if text.strip() and (spoken or not nearest(own, (state.language,))):
        return ToSay(kind="apology", text=text, language=spoken or language)
    return ToSay(kind="apology", text=words, language=own)


def one_moment(move: Move) -> None:
    """Bridge a long thought. Kept out of the dialogue: it is no part of the answer."""
    answer = move.state.answer
    assert answer
    text, language = phrase(ONE_MOMENT, move.state.language)
    moment = speak(move, ToSay(kind="moment", text=text, language=language))
    move.do(Commit(turn=moment.turn))
    _ease(move, answer.turn, "one_moment", "the answer takes longer than usual")
    move.set(moment=replace(moment, committed=True), answer=replace(answer, moment_given=True))


def on_emitted(move: Move, segment: Emitted) -> None:
    """Something has left the programme, perhaps just before it read of a cancel."""
    state = move.state
    if state.answer and segment.turn == state.answer.turn:
        answer = _emitted(move, state.answer, segment)
        if not state.answer.hearing.end_sample:
            move.tell("step", segment.turn, name="first_sound", took_ns=0)
        move.set(answer=answer)
        finish(move)
    elif state.moment and segment.turn == state.moment.turn:
        move.set(moment=_emitted(move, state.moment, segment))
        finish(move)
    elif state.settling and segment.turn == state.settling.answer.turn:
        answer = _emitted(move, state.settling.answer, segment)
        move.set(settling=replace(state.settling, answer=answer))


def _emitted(move: Move, answer: Answer, segment: Emitted) -> Answer:
    hearing = answer.hearing.emitted(segment)
    over = segment.turn_last and hearing.end_sample >= segment.programme_sample + segment.samples
    return replace(answer, hearing=hearing, done=answer.done or over, progress_ns=move.now_ns)


def finish(move: Move) -> None:
    """Let go of turns whose last sample has left the programme.

    They are kept to be said again while nobody listens, and in a hold, which may have kept their end from being heard.
    """
    if move.state.presence is Presence.AWAY or move.state.hold:
        return
    if move.state.moment and move.state.moment.finished():
        move.set(moment=None, finished_sample=move.state.moment.hearing.end_sample)
        if move.state.answer:
            move.set(answer=replace(move.state.answer, progress_ns=move.now_ns))
        let_sound(move)
    answer = move.state.answer
    if answer and answer.finished():
        if answer.broke_off and not answer.done:
            cancel_all(move)
        move.set(answer=None, finished_sample=answer.hearing.end_sample)
        move.set(settling=Settling(answer=answer, since_ns=move.now_ns, interrupted=False))
        settle(move)
    if not in_hand(move.state):
        release_sound(move)

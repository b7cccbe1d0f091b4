"""The avatar's side of the turn machine: asking, accepting, letting sound, interrupting, and what was heard of it.

One rule keeps two turns from being heard at once: a turn is committed only when no other committed one is unfinished.
"""

from __future__ import annotations

from dataclasses import replace

from broker.backchannel import same_words
from broker.ledger import Answer
from broker.messages import (
    Ask,
    Cancel,
    Commit,
    Emitted,
    Exchange,
    Failed,
    Hold,
    Played,
    Resume,
    Sentence,
    Speak,
)
from broker.move import Accept, Move
from broker.phrases import FAILED, ONE_MOMENT, phrase
from broker.turn_state import Presence, Settling, ToSay, TurnState, Waiting, in_hand, ns

SAYS_LIMIT = 8
"""Things that may wait to be said."""


# --- asking ----------------------------------------------------------------------------------------------------------


def speculate(move: Move, text: str) -> None:
    """Prepare an answer to words that may be the last; an attempt at other words is wasted."""
    state = move.state
    if state.attempt:
        if same_words(state.attempt.text, text):
            return
        drop_attempt(move)
    state = move.state
    if state.wasted < state.settings.wasted_attempts and not state.settling and not state.waiting:
        move.set(attempt=_ask(move, text, speculative=True))


def accept(move: Move, wanted: Waiting) -> None:
    """Answer `wanted`: by the attempt if it was asked with the same words, else anew. Interrupt first, if need be."""
    assert not in_hand(move.state), "an answer in hand is interrupted before the next is accepted"
    move.set(carried="", greeting="", apologised=False)
    drop_waiting(move)
    if move.state.settling:
        move.set(waiting=wanted)
        settle(move)
        return
    attempt = move.state.attempt
    if attempt and not same_words(attempt.text, wanted.text):
        drop_attempt(move)
        attempt = None
    if attempt is None:
        attempt = _ask(move, wanted.text, speculative=False)
    remember(move, wanted.text)
    answer = replace(attempt, accepted_ns=move.now_ns, progress_ns=move.now_ns, text=wanted.text, spoken=wanted.spoken)
    wasted = move.state.wasted
    move.set(attempt=None, answer=answer, wasted=0)
    move.do(Accept(turn=answer.turn))
    move.tell(
        "turn",
        answer.turn,
        what="committed",
        text=wanted.text,
        speculative=answer.speculative,
        saved_ms=_saved_ms(answer),
        wasted=wasted,
        utterance=wanted.utterance,
        end_sample=wanted.end_sample,
    )
    for said in answer.said:
        _tell_sentence(move, answer, said.n)
    let_sound(move)


def drop_waiting(move: Move) -> None:
    """Words that wait to be answered are overtaken: they stay in the dialogue, after what was heard before them."""
    waiting = move.state.waiting
    if waiting:
        move.set(waiting=None)
        settle(move, at_once=True)
        remember(move, waiting.text)


def drop_attempt(move: Move) -> None:
    """The prepared answer is not wanted."""
    attempt = move.state.attempt
    if attempt:
        move.set(attempt=None, wasted=move.state.wasted + 1)
        _cancel(move)
        move.tell("turn", attempt.turn, what="cancelled", text=attempt.text, speculative=True)


def say(move: Move, wanted: ToSay) -> None:
    """Say something of the broker's own as soon as nobody speaks; past a limit the newest is refused."""
    if wanted.text.strip() and len(move.state.says) < SAYS_LIMIT:
        move.set(says=(*move.state.says, wanted))
    speak_up(move)


def speak_up(move: Move) -> None:
    """Start what waits to be said, if the floor is free and somebody listens."""
    state = move.state
    if in_hand(state) or state.waiting or state.utterance or state.ending or state.presence is not Presence.HERE:
        return
    if not state.says and not state.greeting:
        return
    settle(move)
    if move.state.settling or in_hand(move.state):
        return
    if state.greeting:
        wanted = ToSay(kind="greeting", text=state.greeting, language=state.language)
        move.set(greeting="")
    else:
        wanted = state.says[0]
        move.set(says=state.says[1:])
    drop_attempt(move)
    move.set(answer=_speak(move, wanted))
    let_sound(move)


def _ask(move: Move, text: str, speculative: bool) -> Answer:
    state = move.state
    turn = state.turn + 1
    move.set(turn=turn)
    history = state.dialogue[-int(state.settings.history_lines) :]
    move.do(Ask(turn=turn, text=text, language=state.language, history=history, speculative=speculative))
    move.tell("turn", turn, what="asked", text=text, speculative=speculative)
    return Answer(
        turn=turn, kind="answer", text=text, speculative=speculative, asked_ns=move.now_ns, progress_ns=move.now_ns
    )


def _speak(move: Move, wanted: ToSay) -> Answer:
    """Give out a turn for words of the broker's own."""
    turn = move.state.turn + 1
    now_ns = move.now_ns
    move.set(turn=turn)
    sentence = Sentence(turn=turn, n=0, text=wanted.text, language=wanted.language, last=True, kind=wanted.kind)
    answer = Answer(turn=turn, kind=wanted.kind, asked_ns=now_ns, accepted_ns=now_ns).with_sentence(sentence, now_ns)
    move.do(Speak(turn=turn, n=0, text=wanted.text, language=wanted.language, last=True), Accept(turn=turn))
    _tell_sentence(move, answer, 0)
    return answer


def remember(move: Move, text: str) -> None:
    """The person said this."""
    move.set(dialogue=(*move.state.dialogue, Exchange(role="user", text=text)))


def _saved_ms(answer: Answer) -> float:
    """How much sooner the first sentence is there than had it been asked at acceptance."""
    ready_ns = min(answer.first_ns or answer.accepted_ns, answer.accepted_ns)
    return (ready_ns - answer.asked_ns) / 1e6 if answer.speculative else 0.0


# --- what comes of it ------------------------------------------------------------------------------------------------


def on_sentence(move: Move, sentence: Sentence) -> None:
    """A sentence of a turn in hand; others are stale."""
    state = move.state
    if state.attempt and sentence.turn == state.attempt.turn:
        move.set(attempt=state.attempt.with_sentence(sentence, move.now_ns))
    elif state.answer and sentence.turn == state.answer.turn and not state.answer.complete:
        known = len(state.answer.said)
        move.set(answer=state.answer.with_sentence(sentence, move.now_ns))
        assert move.state.answer
        if len(move.state.answer.said) > known:
            _tell_sentence(move, move.state.answer, sentence.n)
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
    if answer and answer.complete and not answer.said:
        give_up(move, "llm_empty", "")


def _tell_sentence(move: Move, answer: Answer, n: int) -> None:
    said = next(each for each in answer.said if each.n == n)
    move.tell(
        "sentence",
        answer.turn,
        n=said.n,
        text=said.text,
        language=said.language,
        passage=said.passage,
        kind=said.kind if answer.kind == "answer" else answer.kind,
    )


def on_failed(move: Move, failed: Failed) -> None:
    """A stage cannot serve a turn: what was said so far stands, then an apology; a session-wide fault is told."""
    state = move.state
    if state.attempt and failed.turn == state.attempt.turn:
        drop_attempt(move)
        return
    if state.moment and failed.turn == state.moment.turn:
        move.set(moment=None)
        let_sound(move)
        return
    if state.answer is None or failed.turn != state.answer.turn:
        if failed.turn == 0:
            move.tell("error", 0, code=failed.code, text=failed.text, stage=failed.kind)
        return
    if failed.kind == "tts" or not state.answer.said:
        give_up(move, failed.code, failed.text, speakable=failed.kind != "tts")
        return
    move.tell("error", failed.turn, code=failed.code, text=failed.text, stage=failed.kind)
    move.set(answer=replace(state.answer, complete=True), says=(_apology(state, failed.text), *state.says))
    finish(move)


def give_up(move: Move, code: str, text: str, speakable: bool = True) -> None:
    """The turn in hand comes to nothing: say so, once; an apology that fails is only shown."""
    answer = move.state.answer
    assert answer
    apology = _apology(move.state, text)
    move.tell("error", answer.turn, code=code, text=apology.text)
    withdraw(move)
    if speakable and answer.kind != "apology":
        move.set(says=(apology, *move.state.says)[:SAYS_LIMIT])
    speak_up(move)


def _apology(state: TurnState, text: str) -> ToSay:
    if text.strip():
        return ToSay(kind="apology", text=text, language=state.language)
    words, language = phrase(FAILED, state.language)
    return ToSay(kind="apology", text=words, language=language)


def one_moment(move: Move) -> None:
    """Bridge a long thought. Kept out of the dialogue: it is no part of the answer."""
    answer = move.state.answer
    assert answer
    text, language = phrase(ONE_MOMENT, move.state.language)
    moment = _speak(move, ToSay(kind="moment", text=text, language=language))
    move.do(Commit(turn=moment.turn))
    move.set(moment=replace(moment, committed=True), answer=replace(answer, moment_given=True))


# --- sounding --------------------------------------------------------------------------------------------------------


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


def release_sound(move: Move) -> None:
    """Tell the programme to go on, if no reason to hold is left."""
    state = move.state
    if state.held and not state.hold and state.presence is not Presence.AWAY:
        if state.answer:
            move.set(answer=replace(state.answer, progress_ns=move.now_ns))
        move.set(held=False)
        move.do(Resume())


def interrupt(move: Move, joins: bool) -> None:
    """Cancel what is in hand, at once.

    `joins`: the person goes on speaking. Then an answer of which fewer than three words have begun leaves the dialogue
    together with its question, which is carried over to be joined with the words to come.
    """
    state = move.state
    drop_waiting(move)
    move.set(says=())
    answer = state.answer
    if not in_hand(state):
        return
    if answer and joins and answer.spoken and answer.hearing.begun < state.settings.joined_words:
        move.set(
            answer=None, moment=None, hold=None, carried=answer.text, dialogue=_without_question(move.state, answer)
        )
        _cancel(move)
        move.tell("turn", answer.turn, what="cancelled", text=answer.text, speculative=False, joined=True)
        return
    withdraw(move)


def withdraw(move: Move) -> None:
    """Cancel what is in hand; what was heard of it stays."""
    answer = move.state.answer
    move.set(answer=None, moment=None, hold=None)
    _cancel(move)
    if answer:
        move.set(settling=Settling(answer=answer, since_ns=move.now_ns, interrupted=True))
        settle(move)


def _without_question(state: TurnState, answer: Answer) -> tuple[Exchange, ...]:
    lines = state.dialogue
    if lines and lines[-1].role == "user" and lines[-1].text == answer.text:
        return lines[:-1]
    return lines


def _cancel(move: Move) -> None:
    """Everything given out so far is stale. That ends a hold, too."""
    state = move.state
    if state.cancelled_through < state.turn:
        move.set(cancelled_through=state.turn, held=False)
        move.do(Cancel(through_turn=state.turn))


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
    return replace(answer, hearing=hearing, done=answer.done or segment.turn_last, progress_ns=move.now_ns)


def finish(move: Move) -> None:
    """Let go of turns whose last sample has left the programme; while nobody listens they are kept to be said again."""
    if move.state.presence is Presence.AWAY:
        return
    if move.state.moment and move.state.moment.finished():
        move.set(moment=None)
        if move.state.answer:
            move.set(answer=replace(move.state.answer, progress_ns=move.now_ns))
        let_sound(move)
    answer = move.state.answer
    if answer and answer.finished():
        move.set(answer=None, hold=None)
        move.set(settling=Settling(answer=answer, since_ns=move.now_ns, interrupted=False))
        settle(move)
    if not in_hand(move.state):
        move.set(hold=None)
        release_sound(move)


# --- heard -----------------------------------------------------------------------------------------------------------


def on_played(move: Move, played: Played) -> None:
    """The page's speaker is here now. Never taken back, never past what can have left the programme."""
    now_sample = (move.now_ns - move.state.origin_ns) * 48 // 1_000_000
    acknowledged = max(move.state.acknowledged, min(played.programme_sample, now_sample))
    move.set(acknowledged=acknowledged, played_ns=move.now_ns)
    settle(move)


def acknowledged_whole(state: TurnState) -> bool:
    """Whether the page has played everything that left the programme of the turn that is settling."""
    assert state.settling
    return state.acknowledged >= state.settling.answer.hearing.end_sample


def settle_by_ns(state: TurnState) -> int:
    """Until when a missing acknowledgement is waited for: shortly if something waits for it, else until away."""
    assert state.settling
    demand = state.waiting or state.says or state.utterance or state.ending or state.carried
    patience = state.settings.ack_wait_ms if demand else state.settings.away_ms
    return state.settling.since_ns + ns(patience)


def settle(move: Move, at_once: bool = False) -> None:
    """Write down what was heard of the turn that ended, once that is known; then go on with what waited for it.

    While nobody listens nothing more will be heard; what a page that is back acknowledges then is no proof.
    """
    state = move.state
    settling = state.settling
    at_once = at_once or state.presence is Presence.AWAY
    if settling and not at_once and not acknowledged_whole(state) and move.now_ns < settle_by_ns(state):
        return
    if settling:
        line = settling.answer.line(state.acknowledged)
        move.set(settling=None)
        if line:
            move.set(dialogue=(*state.dialogue, line))
        cut = settling.interrupted or bool(line and line.interrupted)
        move.tell(
            "turn",
            settling.answer.turn,
            what="interrupted" if cut else "finished",
            text=settling.answer.full_text(),
            heard=line.text if line else "",
        )
    waiting = move.state.waiting
    if waiting and not in_hand(move.state):
        move.set(waiting=None)
        accept(move, waiting)

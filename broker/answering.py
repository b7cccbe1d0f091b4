"""The avatar's side of the turn machine: what is asked, accepted and said, and what was heard of it in the end."""

from __future__ import annotations

from dataclasses import replace

from broker.backchannel import same_words
from broker.expressions import expressed
from broker.ledger import Answer
from broker.messages import Ask, Cancel, Exchange, Played, Sentence, Speak
from broker.move import Accept, Move
from broker.sounding import cancel_all, let_sound
from broker.turn_state import Presence, ToSay, TurnState, Waiting, in_hand, ns

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
    says = tuple(each for each in move.state.says if each.kind != "apology")  # what it is for is overtaken
    move.set(carried="", greeting="", apologised=False, says=says)
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
        tell_sentence(move, answer, said.n)
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
        cancel_all(move)
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
    move.set(answer=speak(move, wanted))
    let_sound(move)


def _ask(move: Move, text: str, speculative: bool) -> Answer:
    state = move.state
    turn = state.turn + 1
    move.set(turn=turn)
    history = _newest(state, state.dialogue)
    move.do(Ask(turn=turn, text=text, language=state.language, history=history, speculative=speculative))
    move.tell("turn", turn, what="asked", text=text, speculative=speculative)
    return Answer(
        turn=turn, kind="answer", text=text, speculative=speculative, asked_ns=move.now_ns, progress_ns=move.now_ns
    )


def speak(move: Move, wanted: ToSay) -> Answer:
    """Give out a turn for words of the broker's own."""
    turn = move.state.turn + 1
    now_ns = move.now_ns
    move.set(turn=turn)
    tags = expressed(move.state.expressions, wanted.kind, wanted.text)
    sentence = Sentence(
        turn=turn, n=0, text=wanted.text, language=wanted.language, last=True, kind=wanted.kind, tags=tags
    )
    answer = Answer(turn=turn, kind=wanted.kind, asked_ns=now_ns, accepted_ns=now_ns).with_sentence(sentence, now_ns)
    answer = answer.voiced_by(wanted.upload)
    spoken = Speak(
        turn=turn, n=0, text=wanted.text, language=wanted.language, last=True, tags=tags, upload=wanted.upload
    )
    move.do(spoken, Accept(turn=turn))
    tell_sentence(move, answer, 0)
    return answer


def ask_on(state: TurnState, answer: Answer) -> Ask:
    """The question again; an accepted one already stands at the end of the dialogue."""
    history = state.dialogue
    if answer.accepted_ns and history and history[-1].role == "user":
        history = history[:-1]
    return Ask(
        turn=answer.turn,
        text=answer.text,
        language=state.language,
        history=_newest(state, history),
        said_so_far=tuple(said.text for said in answer.said),
        speculative=not answer.accepted_ns,
    )


def _newest(state: TurnState, lines: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """The lines that a brain is given; of none to be given, `lines[-0:]` would be all."""
    return lines[max(0, len(lines) - int(state.settings.history_lines)) :]


def say_anew(move: Move, answer: Answer) -> None:
    """Answer under a new turn, from the first word that was not heard; everything given out before is stale."""
    turn = move.state.turn + 1
    rest = replace(
        answer,
        turn=turn,
        committed=False,
        done=False,
        hearing=answer.hearing.only_heard(move.state.acknowledged),
        progress_ns=move.now_ns,
    )
    move.do(Cancel(through_turn=turn - 1))
    move.set(turn=turn, answer=rest, moment=None, cancelled_through=turn - 1, held=False)
    move.tell("turn", answer.turn, what="cancelled", text=answer.text, speculative=False, again=turn)
    if not rest.complete:
        move.do(ask_on(move.state, rest))
    move.do(*rest.speak_again(*rest.first_unsaid()), Accept(turn=turn))


def remember(move: Move, text: str) -> None:
    """The person said this."""
    move.set(dialogue=(*move.state.dialogue, Exchange(role="user", text=text)))


def _saved_ms(answer: Answer) -> float:
    """How much sooner the first sentence is there than had it been asked at acceptance."""
    ready_ns = min(answer.first_ns or answer.accepted_ns, answer.accepted_ns)
    return (ready_ns - answer.asked_ns) / 1e6 if answer.speculative else 0.0


def tell_sentence(move: Move, answer: Answer, n: int) -> None:
    """Let the page know the text of a sentence that is to come; of an answer, that answers come again."""
    if answer.kind == "answer" and move.state.eased:
        move.set(eased=False)
        move.tell("degraded", answer.turn, kind="answer", step="full", reason="answers come again")
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
    """Until when a missing acknowledgement is waited for: shortly if something waits for it, else until away.

    Shortly, too, after an interruption: a page that is silent on its own account plays on in half a second.
    """
    assert state.settling
    demand = (
        state.settling.interrupted or state.waiting or state.says or state.utterance or state.ending or state.carried
    )
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

"""The turn machine: who has the floor. A pure function from state and event to state and actions.

Its parts: listening (utterances), answering and unfolding (turns), sounding, barge_in and interrupting (who is heard),
recovery (crashes, absence), handover (another persona).
Turn integers are given out here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from broker.answering import accept, on_played, say, settle, settle_by_ns, speak_up
from broker.barge_in import decide
from broker.handover import Leaving, Taken, on_leaving, on_taken
from broker.interrupting import interrupt
from broker.listening import (
    ask_final_again,
    conclude,
    consider,
    drop_speech,
    end_utterance,
    on_ended,
    on_paused,
    on_resumed,
    on_started,
    on_transcript,
)
from broker.messages import (
    Attend,
    Buffered,
    Emitted,
    Failed,
    Interrupt,
    Played,
    Sentence,
    SetMode,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    Transcript,
    Typed,
)
from broker.move import Accept, Action, Move
from broker.recovery import (
    Missed,
    Replaced,
    caller_gone,
    caller_returned,
    come_back,
    go_away,
    nothing_buffered,
    on_buffered,
    on_missed,
    on_replaced,
)
from broker.turn_state import (
    Presence,
    ToSay,
    TurnSettings,
    TurnState,
    Utterance,
    Waiting,
    attention,
    final_by_ns,
    in_hand,
    ns,
    phase,
)
from broker.unfolding import give_up, on_emitted, on_failed, on_sentence, one_moment

__all__ = [
    "Accept",
    "Action",
    "Away",
    "Leaving",
    "Missed",
    "Replaced",
    "Restarted",
    "Returned",
    "Say",
    "Taken",
    "Timer",
    "TurnSettings",
    "TurnState",
    "due_ns",
    "step",
]

TYPED_IDS = 32
"""Typed texts remembered by id, so that one sent twice is answered once."""


@dataclass(frozen=True)
class Timer:
    """Event: `due_ns` has come."""


@dataclass(frozen=True)
class Away:
    """Event: the caller's page, or its edge, has gone."""


@dataclass(frozen=True)
class Returned:
    """Event: the caller's page is there again. `to_new_ears`: vad and asr begin anew right after this."""

    to_new_ears: bool = False


@dataclass(frozen=True)
class Restarted:
    """Event: this process took the session over from one that died; what that was about to send may not have gone."""


@dataclass(frozen=True)
class Say:
    """Event: somebody with the right to wants this said."""

    text: str
    language: str = ""
    upload: str = ""
    """The name of a recording that is the voice."""


def step(state: TurnState, event: object, now_ns: int) -> tuple[TurnState, tuple[Action, ...]]:
    """The state after `event`, and what is to be done about it. Unknown events are a KeyError."""
    move = Move(state, now_ns)
    _HANDLERS[type(event)](move, event)
    before, after = phase(state), phase(move.state)
    if before != after:
        move.tell("state", 0, state=after)
    attends = attention(move.state)
    if attends != attention(state):
        move.do(Attend(state=attends))
    return move.state, tuple(move.actions)


def due_ns(state: TurnState) -> int | None:
    """When the next `Timer` is due; None: only after the next event."""
    return min(_deadlines(state), default=None)


def _deadlines(state: TurnState) -> Iterator[int]:
    settings = state.settings
    if state.hold:
        yield state.hold.until_ns
    utterance = state.utterance
    if utterance and utterance.pause and not state.hold and not state.gone:
        yield utterance.end_at_ns
        early_ns = utterance.pause.began_ns + ns(settings.speculation_after_ms)
        if early_ns < utterance.end_at_ns and _may_speculate(state, utterance):
            yield early_ns
    if state.ending and not state.gone:
        yield final_by_ns(state, state.ending)
    if state.settling:
        yield settle_by_ns(state)
    if state.owed:
        yield state.owed_by_ns
    if _silent_thought(state):
        assert state.answer
        yield state.answer.accepted_ns + ns(settings.answer_timeout_ms)
        if _may_bridge(state):
            yield state.answer.accepted_ns + ns(settings.one_moment_ms)
    if _voice_expected(state):
        yield _progress_ns(state) + ns(settings.voice_timeout_ms)
        yield state.played_ns + ns(settings.away_ms)


def _on_timer(move: Move, _: Timer) -> None:
    """Whatever is due, each once; later parts see what earlier ones did."""
    now_ns, settings = move.now_ns, move.state.settings
    if move.state.hold and now_ns >= move.state.hold.until_ns:
        decide(move)
    if move.state.utterance:
        consider(move)
    ending = move.state.ending
    if ending and not move.state.gone and now_ns >= final_by_ns(move.state, ending):
        move.set(ending=None)
        conclude(move, ending, ending.text)
    if move.state.settling:
        settle(move)
    if move.state.owed and now_ns >= move.state.owed_by_ns:
        nothing_buffered(move)
    if _voice_expected(move.state) and now_ns >= move.state.played_ns + ns(settings.away_ms):
        go_away(move)
    answer = move.state.answer
    if answer and _silent_thought(move.state):
        if now_ns >= answer.accepted_ns + ns(settings.answer_timeout_ms):
            give_up(move, "answer_timeout", "")
        elif _may_bridge(move.state) and now_ns >= answer.accepted_ns + ns(settings.one_moment_ms):
            one_moment(move)
    if _voice_expected(move.state) and now_ns >= _progress_ns(move.state) + ns(settings.voice_timeout_ms):
        _no_voice(move)
    speak_up(move)


def _may_speculate(state: TurnState, utterance: Utterance) -> bool:
    """An attempt will be made as soon as the silence is long enough."""
    free = not in_hand(state) and not state.attempt and not state.settling and not state.waiting
    return free and utterance.covered() and bool(utterance.text) and state.wasted < state.settings.wasted_attempts


def _silent_thought(state: TurnState) -> bool:
    """An accepted question has no sentence yet."""
    return state.answer is not None and not state.answer.said


def _may_bridge(state: TurnState) -> bool:
    answer = state.answer
    quiet = not state.utterance and not state.ending and not state.hold and not state.moment
    return answer is not None and quiet and not answer.moment_given and state.presence is Presence.HERE


def _voice_expected(state: TurnState) -> bool:
    """Something committed should be leaving the programme now."""
    committed = state.moment or (state.answer if state.answer and state.answer.committed else None)
    return committed is not None and not state.held and state.presence is Presence.HERE


def _progress_ns(state: TurnState) -> int:
    return max(each.progress_ns for each in (state.moment, state.answer) if each)


def _no_voice(move: Move) -> None:
    """No sound comes of it. Speaking an apology would fail the same way once nothing was heard at all."""
    state = move.state
    if state.moment:
        move.set(moment=None)
    if state.answer:
        give_up(move, "no_voice", "", speakable=bool(state.answer.hearing.end_sample))


def _on_typed(move: Move, typed: Typed) -> None:
    state = move.state
    text = " ".join(typed.text.split())
    if not text or (typed.id and typed.id in state.typed_ids):
        return
    if typed.id:
        move.set(typed_ids=(*state.typed_ids, typed.id)[-TYPED_IDS:])
    if len(text) > state.settings.text_limit:
        limit = int(state.settings.text_limit)
        move.tell("error", 0, code="text_too_long", text=f"Please keep it under {limit} characters.")
        return
    interrupt(move, joins=False)
    drop_speech(move)
    accept(move, Waiting(text=text, spoken=False))


def _on_interrupt(move: Move, _: Interrupt) -> None:
    interrupt(move, joins=False)
    move.set(says=())


def _on_mode(move: Move, mode: SetMode) -> None:
    """In text mode the microphone is not listened to; what was being said is answered as far as it came."""
    if mode.mode not in ("voice", "text"):
        move.tell("error", 0, code="mode", text="The mode is either voice or text.")
        return
    move.set(mode=mode.mode)
    if mode.mode == "text" and move.state.utterance:
        end_utterance(move)
        decide(move)


def _on_sentence(move: Move, sentence: Sentence) -> None:
    on_sentence(move, sentence)
    consider(move)


def _on_emitted(move: Move, emitted: Emitted) -> None:
    on_emitted(move, emitted)
    consider_after(move)


def _on_played(move: Move, played: Played) -> None:
    """Presence first: what was not acknowledged before an absence was not heard."""
    if played.programme_sample < 0:
        return
    if move.state.presence is not Presence.HERE:
        come_back(move)
    on_played(move, played)
    consider_after(move)


def consider_after(move: Move) -> None:
    """A settled dialogue or a free floor may let a pause be answered, or something be said."""
    if move.state.settling is None:
        consider(move)
        speak_up(move)


def _on_say(move: Move, wanted: Say) -> None:
    language = wanted.language or move.state.language
    say(move, ToSay(kind="say", text=wanted.text, language=language, upload=wanted.upload))


def _on_away(move: Move, _: Away) -> None:
    caller_gone(move)


def _on_returned(move: Move, returned: Returned) -> None:
    caller_returned(move, returned.to_new_ears)


def _on_restarted(move: Move, _: Restarted) -> None:
    ask_final_again(move)


_HANDLERS: dict[type, Callable[[Move, Any], None]] = {
    SpeechStarted: on_started,
    SpeechPaused: on_paused,
    SpeechResumed: on_resumed,
    SpeechEnded: on_ended,
    Transcript: on_transcript,
    Typed: _on_typed,
    Interrupt: _on_interrupt,
    SetMode: _on_mode,
    Played: _on_played,
    Sentence: _on_sentence,
    Failed: on_failed,
    Emitted: _on_emitted,
    Buffered: on_buffered,
    Replaced: on_replaced,
    Missed: on_missed,
    Timer: _on_timer,
    Away: _on_away,
    Returned: _on_returned,
    Restarted: _on_restarted,
    Say: _on_say,
    Leaving: on_leaving,
    Taken: on_taken,
}

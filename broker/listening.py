"""The person's side of the turn machine: utterances, their pauses and words, and when one is over.

An utterance is over when its pause has lasted as long as `endpoint.wait_ms` says. An attempt is accepted only by the
final words: an answer to words that were not said costs more than the milliseconds of asking. Where the asr has said
that the words of this very pause stand (`Transcript.pause_sample`), they are the final ones and nothing is asked.
"""

from __future__ import annotations

from dataclasses import replace

from broker import endpoint
from broker.answering import accept, drop_attempt, remember, say, settle, speak_up, speculate
from broker.backchannel import affirms, joined, takes_the_floor
from broker.barge_in import barge, decide, expect_words, let_go, takes_floor
from broker.interrupting import interrupt
from broker.languages import nearest
from broker.messages import Attend, EndUtterance, SpeechEnded, SpeechPaused, SpeechResumed, SpeechStarted, Transcript
from broker.move import Move
from broker.phrases import NOT_CAUGHT, phrase
from broker.turn_state import MIC_SAMPLES_PER_MS, Pause, Presence, ToSay, TurnState, Utterance, Waiting, in_hand, ns

TELLING_WORDS = 3
"""Shorter utterances have no room for a pause, and tell nothing of their speaker."""


def on_started(move: Move, started: SpeechStarted) -> None:
    """A new utterance. One still open is over; what is being said is held."""
    state = move.state
    if state.mode != "voice" or started.utterance < state.next_utterance:
        return
    if state.utterance:
        _to_ending(move, state.utterance)
    over = state.answer.turn if state.answer else 0
    utterance = Utterance(number=started.utterance, onset_sample=started.mic_sample, over=over)
    move.set(utterance=utterance, next_utterance=started.utterance + 1)
    _tell_speech(move, "started", utterance.number, started.mic_sample)
    if in_hand(move.state):
        barge(move)


def on_paused(move: Move, paused: SpeechPaused) -> None:
    """A silence, or news of the same one."""
    utterance = move.state.utterance
    if utterance is None or paused.utterance != utterance.number:
        return
    if move.state.presence is Presence.HERE and (
        not utterance.pause or utterance.pause.mic_sample != paused.mic_sample
    ):
        move.do(Attend(state="listening", phrase_end=True))
    began_ns = move.now_ns - ns(paused.silence_ms)
    before_n = utterance.n
    if utterance.pause and utterance.pause.mic_sample == paused.mic_sample:
        began_ns, before_n = min(began_ns, utterance.pause.began_ns), utterance.pause.before_n
    else:
        _tell_speech(move, "paused", utterance.number, paused.mic_sample)
    pause = Pause(mic_sample=paused.mic_sample, began_ns=began_ns, p_end=paused.p_end, before_n=before_n)
    move.set(utterance=replace(utterance, pause=pause))
    move.tell("step", 0, name="pause", took_ns=paused.took_ns)
    expect_words(move)
    decide(move)
    consider(move)


def on_resumed(move: Move, resumed: SpeechResumed) -> None:
    """The person goes on within the utterance; over the avatar's voice that is a new reason to hold."""
    utterance = move.state.utterance
    if utterance is None or resumed.utterance != utterance.number:
        return
    silent = resumed.mic_sample - utterance.pause.mic_sample if utterance.pause else 0
    if silent >= move.state.settings.endpoint.pause_ms * MIC_SAMPLES_PER_MS:
        move.set(fluent=0)
    move.set(utterance=replace(utterance, pause=None, end_at_ns=0))
    _tell_speech(move, "resumed", utterance.number, resumed.mic_sample)
    if in_hand(move.state):
        barge(move)


def on_transcript(move: Move, transcript: Transcript) -> None:
    """Words so far, or for good. A recogniser that is behind says its words so far of what is over, too."""
    state = move.state
    if transcript.final:
        _on_final(move, transcript)
        return
    utterance = _of(state, transcript)
    if utterance is None or utterance.final or transcript.n < utterance.n:
        return
    changed = transcript.text != utterance.text
    awaited = utterance is state.ending
    utterance = replace(
        utterance,
        text=transcript.text,
        n=transcript.n,
        ends=transcript.ends,
        stands_at=transcript.pause_sample,
        through_sample=max(utterance.through_sample, transcript.through_sample),
    )
    move.set(language=_language(state, transcript))
    if changed:
        move.tell("heard", 0, utterance=utterance.number, text=joined(state.carried, transcript.text), final=False)
    if awaited:
        move.set(ending=replace(utterance, heard_ns=move.now_ns))
        return
    move.set(utterance=utterance)
    decide(move)
    consider(move)


def consider(move: Move) -> None:
    """In a pause: prepare an answer to the words so far, and see when the utterance will be over."""
    state = move.state
    utterance = state.utterance
    if utterance is None or utterance.pause is None or state.gone:
        return
    pause = utterance.pause
    text = joined(state.carried, utterance.text)
    silent_long_enough = move.now_ns >= pause.began_ns + ns(state.settings.speculation_after_ms)
    if text and utterance.covered() and silent_long_enough:
        settle(move)
        if not in_hand(move.state):
            speculate(move, text)
    state = move.state
    hit = state.attempt.hit() if state.attempt else None
    wait_ms = endpoint.wait_ms(
        pause.p_end, text, state.language, hit, utterance.ends, state.settings.endpoint, state.fluent
    )
    end_at_ns = pause.began_ns + ns(wait_ms)
    move.set(utterance=replace(utterance, end_at_ns=end_at_ns))
    if move.now_ns >= end_at_ns and state.hold is None:
        end_utterance(move)
        _take_what_stands(move)


def end_utterance(move: Move) -> None:
    """Ask for the final words: the utterance is over where speech stopped (or, without a pause, where it is now)."""
    utterance = move.state.utterance
    assert utterance
    mic_sample = (
        utterance.pause.mic_sample if utterance.pause else max(utterance.through_sample, utterance.onset_sample)
    )
    move.set(utterance=None)
    _to_ending(move, utterance)
    move.do(EndUtterance(utterance=utterance.number, mic_sample=mic_sample))
    move.tell("step", 0, name="end_of_turn", took_ns=0, utterance=utterance.number, end_sample=mic_sample)


def _take_what_stands(move: Move) -> None:
    """The words of the pause are the final ones. The asr was told of the end, too; what it says then is old news."""
    ending = move.state.ending
    if ending and ending.stands():
        move.set(ending=None)
        move.tell("step", 0, name="final_words", took_ns=0, utterance=ending.number)
        conclude(move, ending, ending.text)


def ask_final_again(move: Move) -> None:
    """Whoever asked for the final words died with it, perhaps before it was sent. Asked twice it is answered once."""
    ending = move.state.ending
    if ending and ending.number >= 0 and not ending.final:
        mic_sample = ending.pause.mic_sample if ending.pause else max(ending.through_sample, ending.onset_sample)
        move.do(EndUtterance(utterance=ending.number, mic_sample=mic_sample))


def drop_speech(move: Move) -> None:
    """What is being said is overtaken by something typed; words cut off before it stay in the dialogue."""
    if move.state.utterance:
        end_utterance(move)
    if move.state.ending:
        _dealt_with(move, move.state.ending)
    carried = move.state.carried
    move.set(ending=None, carried="", says=())
    if carried:
        settle(move, at_once=True)
        remember(move, carried)


def on_ended(move: Move, ended: SpeechEnded) -> None:
    """vad says that the utterance is over: by itself, or as it was asked."""
    utterance = move.state.utterance
    if utterance is None or ended.utterance != utterance.number:
        return
    pause = utterance.pause or Pause(mic_sample=ended.mic_sample, began_ns=move.now_ns, p_end=1.0)
    move.set(utterance=None)
    _to_ending(move, replace(utterance, pause=pause))


def _to_ending(move: Move, utterance: Utterance) -> None:
    """Wait for the final words of `utterance`; an older one that still waited lends its provisional words."""
    older = move.state.ending
    if older and not (older.over and not takes_the_floor(older.text, move.state.language)):
        move.set(carried=joined(move.state.carried, older.text))
    move.set(ending=replace(utterance, ended_ns=move.now_ns, end_at_ns=0))


def _on_final(move: Move, transcript: Transcript) -> None:
    state = move.state
    utterance = _of(state, transcript)
    if utterance is None:
        return
    if state.gone:
        _put_aside(move, utterance, transcript)
        return
    if utterance is state.ending:
        move.set(ending=None)
    else:
        move.set(utterance=None)
    move.set(language=_language(state, transcript))
    utterance = replace(utterance, through_sample=max(utterance.through_sample, transcript.through_sample))
    move.tell("step", 0, name="final_words", took_ns=transcript.took_ns, utterance=utterance.number)
    conclude(move, utterance, transcript.text)


def _of(state: TurnState, transcript: Transcript) -> Utterance | None:
    """The utterance that the words are of; None once it is dealt with."""
    return next((u for u in (state.ending, state.utterance) if u and u.number == transcript.utterance), None)


def _put_aside(move: Move, utterance: Utterance, transcript: Transcript) -> None:
    """The caller is gone, perhaps in mid-sentence: an answer to a fragment would be an answer to nothing said."""
    if utterance is move.state.utterance:
        move.set(utterance=None)
        _to_ending(move, utterance)
    text, through_sample = transcript.text, max(utterance.through_sample, transcript.through_sample)
    move.set(ending=replace(utterance, text=text, through_sample=through_sample, final=True, ended_ns=move.now_ns))


def take_up(move: Move, at_once: bool) -> None:
    """The caller is back and will not say it again: what was put aside is answered, with the words there are."""
    ending = move.state.ending
    if ending and (ending.final or at_once):
        move.set(ending=None)
        conclude(move, ending, ending.text)
    elif ending:
        move.set(ending=replace(ending, ended_ns=move.now_ns))


def conclude(move: Move, utterance: Utterance, text: str) -> None:
    """The words of an utterance are known: answer them, unless they only said "I am listening" or it goes on."""
    end_sample = _dealt_with(move, utterance)
    state = move.state
    if _only_listens(state, utterance, text):
        move.tell("heard", 0, utterance=utterance.number, text="", final=True)
        _give_floor_back(move)
        return
    if in_hand(state):
        if not state.carried and not _said_enough(state, utterance, text):
            _give_floor_back(move)
            return
        interrupt(move, joins=True)
    words = joined(move.state.carried, text)
    move.tell("heard", 0, utterance=utterance.number, text=words, final=True)
    if move.state.utterance or move.state.ending:
        move.set(carried=words)
        consider(move)
    elif words:
        _learn_fluency(move, words)
        accept(move, Waiting(text=words, spoken=True, utterance=utterance.number, end_sample=end_sample))
    else:
        _nothing_understood(move, utterance, end_sample)


def _learn_fluency(move: Move, words: str) -> None:
    """Who says whole questions without a pause is waited for less; a pause, or a false cut, takes that back."""
    fluent = move.state.fluent
    if move.state.carried:
        fluent = 0
    elif len(words.split()) >= TELLING_WORDS:
        fluent = min(fluent + 1, int(move.state.settings.endpoint.fluent_after))
    move.set(fluent=fluent)


def _dealt_with(move: Move, utterance: Utterance) -> int:
    """Nobody hears it again, whoever may die: returns the mic_sample where it ended."""
    end_sample = utterance.pause.mic_sample if utterance.pause else utterance.through_sample
    move.set(mic_through=max(move.state.mic_through, end_sample))
    _tell_speech(move, "over", utterance.number, end_sample)
    return end_sample


def _tell_speech(move: Move, what: str, utterance: int, mic_sample: int) -> None:
    """The page keeps its microphone's last half minute, and with this knows from where it may be asked for again."""
    move.tell("speech", 0, what=what, utterance=utterance, mic_sample=mic_sample)


def _only_listens(state: TurnState, utterance: Utterance, text: str) -> bool:
    """A backchannel over the avatar's voice; but "yes" to a question it has finished asking is an answer."""
    if not utterance.over or state.carried or _said_enough(state, utterance, text):
        return False
    question = next((line.text for line in reversed(state.dialogue) if line.role == "avatar"), "")
    if state.settling:
        question = state.settling.answer.full_text()
    asked = not in_hand(state) and question.rstrip("\"'”» ").endswith(("?", "？"))
    return not (asked and affirms(text, state.language))


def _said_enough(state: TurnState, utterance: Utterance, text: str) -> bool:
    """Whether its final words take the floor; while the avatar speaks it takes more than when it has finished."""
    if not in_hand(state):
        return takes_the_floor(text, state.language)
    return takes_floor(state, utterance.understood(), text)


def _give_floor_back(move: Move) -> None:
    """The person did not mean to speak."""
    if not move.state.utterance and not move.state.ending:
        if move.state.hold:
            let_go(move)
        drop_attempt(move)
    speak_up(move)


def _nothing_understood(move: Move, utterance: Utterance, end_sample: int) -> None:
    drop_attempt(move)
    long_ms = (end_sample - utterance.onset_sample) / MIC_SAMPLES_PER_MS
    if long_ms >= move.state.settings.not_caught_ms and not move.state.apologised and not utterance.over:
        text, language = phrase(NOT_CAUGHT, move.state.language)
        move.set(apologised=True)
        say(move, ToSay(kind="apology", text=text, language=language))
    speak_up(move)


def _language(state: TurnState, transcript: Transcript) -> str:
    """The language spoken, if the persona speaks it."""
    spoken = nearest(transcript.language, (state.language, *state.languages)) if transcript.text else ""
    return spoken or state.language

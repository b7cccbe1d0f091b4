"""What is heard of a session, tick by tick: the voice that the gate lets through, faded where it is broken off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.messages import Buffered, Voice
from workers.programme.answer import Answer, Segment
from workers.programme.fade import FADE_SAMPLES, faded_in, tail, to_pcm
from workers.programme.gate import Gate
from workers.programme.ticks import TICK_SAMPLES
from workers.programme.track import Track
from workers.programme.trail import Sent, Trail

ON_ITS_WAY_SAMPLES = 80 * 48
"""A page that did not say how far it had heard is silent at once; what left up to 80 ms before may not have sounded."""

MOST_BUFFERED_SAMPLES = 120 * 48_000
"""A session's voice beyond this is refused: some sixty times what credit allows."""


@dataclass(frozen=True)
class TickSound:
    """20 ms: the samples to encode, and which of them are voice."""

    pcm: NDArray[np.int16]
    segments: list[Segment]
    fresh: bool
    """The voice begins here, or goes on after a break."""
    loudness: float
    """Root mean square of the voice, 0..1."""
    underrun: bool
    """The voice ran out in the middle of a sentence."""

    @property
    def voiced(self) -> bool:
        """Whether any voice is in it."""
        return bool(self.segments) and any(segment.samples for segment in self.segments)


class Sound:
    """Gate and voice of one session."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.answers: dict[int, Answer] = {}
        self.sounding = False
        """Whether voice ran to the very end of the last tick."""
        self.resumed_from = -1
        """How far the page had heard it at the last hold that is over; -1: there was none, or it did not say."""
        self._broken = False
        self._trail = Trail()
        self._over: Answer | None = None
        """The turn that finished last: a hold may come while its end is on its way."""
        self._start = 0
        self._last = np.zeros(FADE_SAMPLES, np.float32)
        self._carry = np.zeros(FADE_SAMPLES, np.float32)

    # --- what the broker and the synthesiser say ----------------------------------------------------------------------

    def feed(self, voice: Voice) -> str:
        """File a piece of voice. Returns what was wrong with it, or nothing."""
        if self.gate.stale(voice.turn):
            return "stale"
        if self.buffered_samples > MOST_BUFFERED_SAMPLES:
            return "beyond_credit"
        answer = self.answers.setdefault(voice.turn, Answer(voice.turn))
        return answer.feed(voice)

    def commit(self, turn: int) -> None:
        self.gate = self.gate.commit(turn)

    def hold(self) -> None:
        if not self.gate.held:
            self._broken = True
        self.gate = self.gate.hold()

    def resume(self, heard_sample: int = -1) -> None:
        """Go on from the first word that was not wholly heard before `heard_sample` (-1: the page did not say)."""
        self.resumed_from = max(self.resumed_from, heard_sample)
        if not self.gate.held:
            return
        self.gate = self.gate.resume()
        turn = self._trail.turn
        answer = self.answers.get(turn)
        if answer is None and heard_sample >= 0 and self._over and self._over.turn == turn in self.gate.finished:
            answer = self._over
        if answer is None:
            return
        heard_sample = heard_sample if heard_sample >= 0 else self._trail.through - ON_ITS_WAY_SAMPLES
        self._go_back(answer, heard_sample)

    def _go_back(self, answer: Answer, heard_sample: int) -> None:
        place = self._trail.unheard(answer.turn, heard_sample)
        if place is None:  # all that left was heard; a word may be cut all the same
            if answer.current:
                answer.current.rewind(answer.current.position)
            return
        for track in answer.tracks.values():
            if track.sentence > place[0].sentence:
                track.rewind(0)
        answer.go_back(*place)
        self._trail.forget_after(heard_sample)
        if answer.tracks and answer.turn not in self.answers:
            self.answers[answer.turn] = answer
            self.gate = self.gate.unfinish(answer.turn)

    def cancel(self, through_turn: int) -> None:
        if 0 < self.gate.turn <= through_turn:
            self._broken = True
        self.gate = self.gate.cancel(through_turn)
        self._forget_stale()

    def reopen(self, committed: tuple[int, ...], cancelled_through: int, held: bool) -> None:
        """What an `Open` says of the gate, as if its messages had come one by one."""
        self.cancel(cancelled_through)
        for turn in committed:
            self.commit(turn)
        if held:
            self.hold()
        else:
            self.resume()

    def cut(self) -> Buffered:
        """The synthesiser died. Keep what is whole of the sentence in hand; the broker has all else said again."""
        turn = self.gate.turn if self.gate.turn in self.answers else min(self.answers, default=0)
        if not turn:
            return Buffered(turn=0, sentence=0, next_word=0, complete=False)
        self.answers = {turn: self.answers[turn]}
        sentence, word, complete = self.answers[turn].cut()
        return Buffered(turn=turn, sentence=sentence, next_word=word, complete=complete)

    def facts(self) -> dict[str, Any]:
        """What a `Holding` says of it."""
        return {
            "turn": self.gate.turn,
            "committed": sorted(self.gate.committed),
            "finished": sorted(self.gate.finished),
            "cancelled_through": self.gate.cancelled_through,
            "held": self.gate.held,
            "sentences": [fact for turn in sorted(self.answers) for fact in self.answers[turn].facts()],
        }

    def skip(self) -> None:
        """Ticks were left out: what comes next does not join what was sent last."""
        self.sounding = False
        self._carry = np.zeros(FADE_SAMPLES, np.float32)

    # --- looking ahead ------------------------------------------------------------------------------------------------

    @property
    def buffered_samples(self) -> int:
        return sum(answer.buffered_samples for answer in self.answers.values())

    def ahead(self, offset: int) -> tuple[Track, int] | None:
        """The sentence and its sample that will sound `offset` samples after the start of the next tick, if any."""
        answer = self.answers.get(self.gate.sounding)
        if answer is None or not (self.sounding or answer.ready()):
            return None
        return answer.at(offset)

    # --- the clock ----------------------------------------------------------------------------------------------------

    def next_tick(self, start: int | None = None) -> TickSound:
        """The next 20 ms; `start`: its programme_sample, by default that after the last tick's."""
        self._start = self._start + TICK_SAMPLES if start is None else start
        joined = self.sounding and not self._broken
        voice, segments, underrun = self._take(joined)
        count = len(voice)
        mix = np.zeros(TICK_SAMPLES + FADE_SAMPLES, np.float32)
        mix[:FADE_SAMPLES] = self._carry
        if self.sounding and (self._broken or not count):
            mix[:FADE_SAMPLES] += tail(self._last)
        if count:
            mix[:count] += voice if joined else faded_in(voice)
            if count < TICK_SAMPLES:
                sent = np.concatenate([self._last, mix[:count]])
                mix[count : count + FADE_SAMPLES] += tail(sent[-FADE_SAMPLES:])
        self.sounding, self._broken = count == TICK_SAMPLES, False
        self._last, self._carry = mix[TICK_SAMPLES - FADE_SAMPLES : TICK_SAMPLES], mix[TICK_SAMPLES:]
        pcm = to_pcm(mix[:TICK_SAMPLES])
        return TickSound(pcm, segments, bool(count) and not joined, _loudness(voice), underrun)

    def _take(self, joined: bool) -> tuple[NDArray[np.int16], list[Segment], bool]:
        answer = self.answers.get(self.gate.sounding)
        if answer is None or not (joined or answer.ready()):
            return np.zeros(0, np.int16), [], False
        was_starved = answer.starved
        voice, segments = answer.take(TICK_SAMPLES)
        for segment in segments:
            self._trail.note(Sent(segment.track, segment.start_sample, self._start + segment.offset, segment.samples))
        if answer.finished:
            self.gate = self.gate.finish(answer.turn)
            self._over = self.answers.pop(answer.turn)
        return voice, segments, answer.starved and not was_starved

    def _forget_stale(self) -> None:
        self.answers = {turn: answer for turn, answer in self.answers.items() if not self.gate.stale(turn)}


def _loudness(voice: NDArray[np.int16]) -> float:
    if not len(voice):
        return 0.0
    level = voice.astype(np.float32)
    return float(np.sqrt(np.dot(level, level) / len(level)) / 32768)

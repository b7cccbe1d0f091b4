"""One sentence on its way from text to voice, by clauses: trimmed, levelled sound with words, phones and mouth."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import soxr

from broker.messages import Phone, Word
from broker.visemes import MOUTH_FRAME_SAMPLES
from workers.tts.clauses import Clause, clauses
from workers.tts.engine import Engine, PhoneMark, Sound, Utterance
from workers.tts.loudness import RATE_HZ, Samples, limited
from workers.tts.marks import phone_of, shapes_of, word_of, words_of
from workers.tts.mouth import mouth_track
from workers.tts.text import spoken

_LEAD_S = 0.020
_RELEASE_S = 0.060
"""How much is kept after the last phone's end for the sound to die away."""
_FADE_IN_S, _FADE_OUT_S = 0.005, 0.030
_SENTENCE_PAUSE_S, _LEAST_PAUSE_S = 0.26, 0.10
_UNSETTLED_S = 0.05
"""The end of an unfinished clause that what follows still changes: by resampling, limiting and smoothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Voicing:
    """Who speaks and how: an engine's voice, its pace, and the gain that brings it to the common loudness."""

    engine: Engine
    voice: str
    language: str
    rate: float = 1.0
    gain: float = 1.0
    lacking: str = ""
    """The voice that was asked for and that the engine does not have: `voice` is another."""
    guard: threading.Lock = field(default_factory=threading.Lock)
    """Held by whoever asks the engine for something: a voice of it may be measured beside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A clause's voice or a part of it: s16le mono 48 kHz, whole mouth frames; times count from the sentence's start.

    `took_ns` is the wall time from taking up the clause to having this of it.
    """

    start_sample: int
    pcm: bytes
    words: tuple[Word, ...]
    phones: tuple[Phone, ...]
    mouth: bytes
    last: bool
    took_ns: int = 0


class Delivery:
    """A text being spoken from word `from_word`. `read` until a piece says `last`.

    A clause comes whole, or, from an engine that can begin before it has finished, in two pieces: the first has the
    clause's words and phones, each has the mouth of its own sound.
    """

    def __init__(self, text: str, voicing: Voicing, from_word: int = 0) -> None:
        self._voicing = voicing
        self._clauses: Iterator[Clause] = clauses(spoken(text, voicing.language, from_word))
        self._clause = next(self._clauses, Clause((), 0.0))
        self._utterance: Utterance | None = None
        self._lead_s = _LEAD_S
        self._start_sample = 0
        self._began_ns = 0
        self._given = 0
        """Samples of the present clause that were read already."""

    def read(self) -> Piece | None:
        """The next piece; None while the engine is still at it. Raises EngineError."""
        if not self._clause.sounding:
            return self._silent()
        sound = self._sound()
        if sound is None:
            return None
        marks = [mark for mark in sound.phones if mark.phone]
        if not marks:
            return self._silent() if sound.complete else None
        return self._whole(sound, marks) if sound.complete else self._beginning(sound, marks)

    def _sound(self) -> Sound | None:
        """What the engine has of the clause by now."""
        voicing = self._voicing
        if not voicing.guard.acquire(blocking=False):
            return None
        try:
            if self._utterance is None:
                self._began_ns = time.perf_counter_ns()
                clause = self._clause.tokens
                self._utterance = voicing.engine.start(clause, voicing.language, voicing.voice, voicing.rate)
            return self._utterance.read()
        finally:
            voicing.guard.release()

    @property
    def engine_name(self) -> str:
        """Who speaks."""
        return self._voicing.engine.name

    def hand_over(self, voicing: Voicing) -> bool:
        """Another voice says the clause in hand and the rest; False when something of the clause has been read."""
        if self._given:
            return False
        self.cancel()
        self._voicing, self._utterance = voicing, None
        return True

    def cancel(self) -> None:
        if self._utterance:
            self._utterance.cancel()

    def _beginning(self, sound: Sound, marks: Sequence[PhoneMark]) -> Piece | None:
        """What of an unfinished clause cannot change any more."""
        samples, shift = _placed(sound, marks, self._lead_s, None)
        frames = (len(samples) - round(_UNSETTLED_S * RATE_HZ)) // MOUTH_FRAME_SAMPLES
        return self._piece(samples, marks, sound.rate_hz, shift, frames, False) if frames > 0 else None

    def _whole(self, sound: Sound, marks: Sequence[PhoneMark]) -> Piece:
        """The clause, or what is left of it, and the pause after it."""
        following = next(self._clauses, None)
        pause_s = self._pause_s(following)
        lead_s, self._lead_s = self._lead_s, min(0.10, 0.45 * pause_s)
        samples, shift = _placed(sound, marks, lead_s, pause_s - (self._lead_s if following else 0.0))
        frames = len(samples) // MOUTH_FRAME_SAMPLES
        piece = self._piece(samples, marks, sound.rate_hz, shift, frames, following is None)
        self._move_on(len(samples), following)
        return piece

    def _piece(
        self, samples: Samples, marks: Sequence[PhoneMark], rate_hz: int, shift: int, frames: int, last: bool
    ) -> Piece:
        """The frames of the clause up to `frames` that were not given yet."""
        start, alphabet = self._start_sample, self._voicing.engine.alphabet
        samples = limited(samples * np.float32(self._voicing.gain))
        placed = [_at_48k(mark, rate_hz, shift) for mark in marks]
        track = mouth_track(list(shapes_of(placed, alphabet)), samples, len(samples) // MOUTH_FRAME_SAMPLES)
        begin, end = self._given, frames * MOUTH_FRAME_SAMPLES
        self._given = end
        return Piece(
            start_sample=start + begin,
            pcm=np.rint(samples[begin:end] * 32767).astype("<i2").tobytes(),
            words=() if begin else tuple(words_of(self._clause.tokens, placed, start)),
            phones=() if begin else tuple(phone_of(mark, start, alphabet) for mark in placed),
            mouth=track[begin // MOUTH_FRAME_SAMPLES : frames].tobytes(),
            last=last,
            took_ns=time.perf_counter_ns() - self._began_ns,
        )

    def _silent(self) -> Piece:
        """A clause of which nothing is heard keeps its words."""
        start, following = self._start_sample, next(self._clauses, None)
        words = tuple(word_of(token, start, start) for token in self._clause.tokens)
        self._move_on(0, following)
        return Piece(start_sample=start, pcm=b"", words=words, phones=(), mouth=b"", last=following is None)

    def _move_on(self, samples: int, following: Clause | None) -> None:
        self._start_sample += samples
        self._given, self._utterance = 0, None
        if following:
            self._clause = following

    def _pause_s(self, following: Clause | None) -> float:
        """The silence after this clause; after the last one enough to sound finished."""
        pause_s = self._clause.pause_s / self._voicing.rate
        return pause_s if following else min(max(pause_s, _LEAST_PAUSE_S), _SENTENCE_PAUSE_S)


def _placed(sound: Sound, marks: Sequence[PhoneMark], lead_s: float, tail_s: float | None) -> tuple[Samples, int]:
    """The clause at 48 kHz with exactly this much before its first phone and after its last, and the shift of times.

    The shift is what to add to a time of the engine's, in 48 kHz samples. The length is whole mouth frames. Without
    `tail_s` the clause is not finished: all there is of it, and its end is not faded.
    """
    rate_hz = sound.rate_hz
    begin = marks[0].start - round(_LEAD_S * rate_hz)
    end = len(sound.pcm)
    if tail_s is not None:
        end = min(marks[-1].end + round(min(_RELEASE_S, tail_s) * rate_hz), end)
    cut: Samples = sound.pcm[max(begin, 0) : end].astype(np.float32) / np.float32(32768)
    _fade(cut, round(_FADE_IN_S * rate_hz), round(_FADE_OUT_S * rate_hz) if tail_s is not None else 0)
    voiced = np.asarray(soxr.resample(cut, rate_hz, RATE_HZ, quality="HQ"), np.float32)
    shift = round(lead_s * RATE_HZ) - round(marks[0].start * RATE_HZ / rate_hz)
    at = max(begin, 0) * RATE_HZ // rate_hz + shift
    length = at + len(voiced)
    if tail_s is not None:
        length = max(length, round(marks[-1].end * RATE_HZ / rate_hz) + shift + round(tail_s * RATE_HZ))
    frames = length // MOUTH_FRAME_SAMPLES if tail_s is None else -(-length // MOUTH_FRAME_SAMPLES)
    samples = np.zeros(frames * MOUTH_FRAME_SAMPLES, np.float32)
    skip = max(-at, 0)
    kept = voiced[skip : skip + len(samples) - at - skip]
    samples[at + skip : at + skip + len(kept)] = kept
    return samples, shift


def _fade(samples: Samples, fade_in: int, fade_out: int) -> None:
    fade_in, fade_out = min(fade_in, len(samples)), min(fade_out, len(samples))
    samples[:fade_in] *= np.linspace(0, 1, fade_in, dtype=np.float32)
    samples[len(samples) - fade_out :] *= np.linspace(1, 0, fade_out, dtype=np.float32)


def _at_48k(mark: PhoneMark, rate_hz: int, shift: int) -> PhoneMark:
    start, end = (max(0, round(time * RATE_HZ / rate_hz) + shift) for time in (mark.start, mark.end))
    return PhoneMark(phone=mark.phone, start=start, end=end, token=mark.token)

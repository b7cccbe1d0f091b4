"""The voice of one turn: its sentences in order, taken sample by sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker.messages import Voice, Word
from workers.programme.track import Track

START_SAMPLES = 960
"""A sentence starts as soon as one tick of it is here."""

RESTART_SAMPLES = 1920
"""After an underrun it goes on once two are, so that a slow voice stutters less."""


@dataclass(frozen=True)
class Segment:
    """Samples of a sentence that leave in a tick, `offset` samples after its beginning."""

    track: Track
    start_sample: int
    samples: int
    offset: int
    words: tuple[Word, ...]
    last: bool
    turn_last: bool


class Answer:
    """One turn's voice. `starved`: the voice ran out in the middle of a sentence."""

    def __init__(self, turn: int) -> None:
        self.turn = turn
        self.starved = False
        self.finished = False
        self.tracks: dict[int, Track] = {}
        self._done: dict[int, int] = {}

    @property
    def current(self) -> Track | None:
        """The sentence that is played or comes next; none when no more of it is here."""
        return self.tracks[min(self.tracks)] if self.tracks else None

    @property
    def next_sentence(self) -> int:
        """The one after the last that is known."""
        return max([*self._done, *self.tracks], default=-1) + 1

    @property
    def buffered_samples(self) -> int:
        """Samples received and not played."""
        return sum(track.available for track in self.tracks.values())

    def feed(self, voice: Voice) -> str:
        """Take a piece in. Returns what was wrong with it (`Track.feed`, or `order`), or nothing."""
        if voice.sentence in self._done:
            return "duplicate"
        if self._done and voice.sentence < max(self._done):
            return "order"
        track = self.tracks.get(voice.sentence)
        if track is None:
            current = self.current
            if current and voice.sentence < current.sentence and current.position:
                return "order"
            track = self.tracks[voice.sentence] = Track(self.turn, voice.sentence)
        return track.feed(voice)

    def ready(self) -> bool:
        """Whether there is enough to begin, or to begin again."""
        track = self.current
        if track is None:
            return False
        return track.complete or track.available >= (RESTART_SAMPLES if self.starved else START_SAMPLES)

    def take(self, count: int) -> tuple[NDArray[np.int16], list[Segment]]:
        """Up to `count` samples, over the ends of sentences, and which samples of which sentence they are."""
        pieces: list[NDArray[np.int16]] = []
        segments: list[Segment] = []
        taken = 0
        self.starved = False
        while track := self.current:
            if track.position == 0 and not track.complete and track.available < START_SAMPLES:
                break
            start = track.position
            pcm = track.take(count - taken)
            if len(pcm) or track.finished:
                pieces.append(pcm)
                segments.append(self._segment(track, start, len(pcm), taken))
                taken += len(pcm)
            if not track.finished:
                self.starved = taken < count
                break
            del self.tracks[track.sentence]
            self._done[track.sentence] = track.end
            if track.turn_last:
                self.finished = True
                break
            if taken == count:
                break
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int16), segments

    def go_back(self, track: Track, heard: int) -> None:
        """To where `track`, one of its sentences, was heard up to sample `heard`; later ones begin anew."""
        track.rewind(heard)
        if track.available:
            self.tracks[track.sentence] = track
            self._done.pop(track.sentence, None)
            self.finished = False
        self.starved = False

    @staticmethod
    def _segment(track: Track, start: int, samples: int, offset: int) -> Segment:
        over = track.finished
        return Segment(track, start, samples, offset, track.words_started(), over, over and track.turn_last)

    def at(self, offset: int) -> tuple[Track, int] | None:
        """The sentence, and the sample of it, that sounds `offset` samples after the next one to be played."""
        for number in sorted(self.tracks):
            track = self.tracks[number]
            left = track.available
            if offset < left or not track.complete:
                return track, track.position + offset
            offset -= left
        return None

    def cut(self) -> tuple[int, int, bool]:
        """The synthesiser died: keep the whole words of the sentence in hand, forget what comes after it.

        Returns that sentence, the word to go on from, and whether the sentence is all here.
        """
        track = self.current
        if track is None:
            return max(self._done, default=-1) + 1, 0, False
        self.tracks = {track.sentence: track}
        if track.complete:
            return track.sentence, max(track.words, default=-1) + 1, True
        return track.sentence, track.cut(), False

    def facts(self) -> list[list[int]]:
        """Turn, sentence, samples, complete (1 or 0), emitted samples: of each sentence that is not forgotten."""
        done = [[self.turn, number, samples, 1, samples] for number, samples in sorted(self._done.items())]
        here = [[self.turn, n, t.end, int(t.complete), t.position] for n, t in sorted(self.tracks.items())]
        return [*done, *here]

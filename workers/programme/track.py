"""The voice of one sentence: its sound, words, phones and mouth, and how far it has been played.

Samples count from the start of the sentence. When the synthesiser dies in the middle, the sentence is cut back to whole
words and its successor's samples, which begin at 0 again, are moved to where the cut was made (`_base`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from broker.messages import Phone, Voice, Word
from broker.visemes import CLOSED_MOUTH, MOUTH_FRAME_SAMPLES, VISEMES

WIDEST_GAP_SAMPLES = 48_000
"""A hole in a sentence's sound up to this is filled with silence; a wider one is nonsense and its piece is dropped."""

LONGEST_SAMPLES = 120 * 48_000
"""No sentence is longer than two minutes."""

FRAME_BYTES = len(VISEMES)

Mark = TypeVar("Mark", Word, Phone)


class Track:
    """One sentence. `position` is the next sample to play; everything before it went out."""

    def __init__(self, turn: int, sentence: int) -> None:
        self.turn = turn
        self.sentence = sentence
        self.position = 0
        self.complete = False
        self.turn_last = False
        self.tags: dict[str, Any] = {}
        """What the face is to do with the sentence: emotion, strength, gesture, gaze."""
        self.words: dict[int, Word] = {}
        self.phones: list[Phone] = []
        self.announced = 0
        """Phones that listeners were told of."""
        self.captioned: set[int] = set()
        """Words (by index) that listeners were told of, once each."""
        self._pcm = bytearray()
        self._mouth = bytearray()
        self._started: set[int] = set()
        self._base = 0
        self._cut = False

    @property
    def end(self) -> int:
        """Samples received, silence in place of holes."""
        return len(self._pcm) // 2

    @property
    def available(self) -> int:
        """Samples received and not played."""
        return self.end - self.position

    @property
    def finished(self) -> bool:
        """Everything of it went out."""
        return self.complete and self.available == 0

    @property
    def base(self) -> int:
        """Where sample 0 of the present speaking lies; other than 0 after a cut."""
        return self._base

    # --- arriving -----------------------------------------------------------------------------------------------------

    def feed(self, voice: Voice) -> str:
        """Take a piece in. Returns what was wrong with it: `duplicate`, `gap`, `malformed`, or nothing."""
        if self._cut and voice.start_sample != 0:
            return "gap"
        if self.complete:
            return "duplicate"
        self._cut = False
        start = voice.start_sample + self._base
        fault = "malformed" if len(voice.pcm) % 2 or len(voice.mouth) % FRAME_BYTES else ""
        pcm = voice.pcm[: len(voice.pcm) // 2 * 2]
        if start - self.end > WIDEST_GAP_SAMPLES or start < self._base or start + len(pcm) // 2 > LONGEST_SAMPLES:
            return "malformed"
        if start > self.end:
            fault = "gap"
            self._pcm += bytes(2 * (start - self.end))
        elif pcm and start < self.end:
            fault = "duplicate"
            pcm = pcm[2 * (self.end - start) :]
        self._pcm += pcm
        self._feed_marks(voice)
        self.complete = voice.last
        self.turn_last = voice.turn_last
        self.tags |= voice.tags
        return fault

    def _feed_marks(self, voice: Voice) -> None:
        for word in voice.words:
            if word.index not in self._started:
                self.words[word.index] = _moved(word, self._base)
        known = {(phone.start_sample, phone.phone) for phone in self.phones}
        for phone in voice.phones:
            moved = _moved(phone, self._base)
            if (moved.start_sample, moved.phone) not in known:
                self.phones.append(moved)
        frames = voice.mouth[: len(voice.mouth) // FRAME_BYTES * FRAME_BYTES]
        first = max(0, voice.mouth_from) + self._base // MOUTH_FRAME_SAMPLES
        if not frames or first > LONGEST_SAMPLES // MOUTH_FRAME_SAMPLES:
            return
        missing = first - len(self._mouth) // FRAME_BYTES
        if missing > 0:
            self._mouth += CLOSED_MOUTH * missing
        self._mouth[first * FRAME_BYTES : first * FRAME_BYTES + len(frames)] = frames

    # --- leaving ------------------------------------------------------------------------------------------------------

    def take(self, count: int) -> NDArray[np.int16]:
        """The next `count` samples, or as many as there are."""
        count = min(count, self.available)
        pcm = np.frombuffer(bytes(self._pcm[2 * self.position : 2 * (self.position + count)]), np.int16)
        self.position += count
        return pcm

    def window(self, middle: int, samples: int) -> bytes:
        """`samples` of sound around `middle`, silence where there is none yet."""
        start = middle - samples // 2
        kept = bytes(self._pcm[2 * max(0, start) : 2 * max(0, start + samples)])
        before = bytes(2 * min(samples, max(0, -start)))
        return (before + kept).ljust(2 * samples, b"\0")

    def words_started(self) -> tuple[Word, ...]:
        """The words whose start went out since the last call, each with bounds inside the sentence."""
        over = self.finished
        fresh = sorted(
            (w for i, w in self.words.items() if i not in self._started and (over or w.start_sample < self.position)),
            key=lambda word: word.start_sample,
        )
        self._started.update(word.index for word in fresh)
        return tuple(self._inside(word) for word in fresh) if over else tuple(fresh)

    def _inside(self, word: Word) -> Word:
        if word.end_sample <= self.end:
            return word
        return replace(word, start_sample=min(word.start_sample, self.end), end_sample=self.end)

    def mouth_frame(self, sample: int) -> bytes | None:
        """The mouth at this sample; none where the track has not arrived (or the sentence is over)."""
        offset = sample // MOUTH_FRAME_SAMPLES * FRAME_BYTES
        frame = bytes(self._mouth[offset : offset + FRAME_BYTES])
        return frame if len(frame) == FRAME_BYTES else None

    # --- interruptions ------------------------------------------------------------------------------------------------

    def rewind(self, heard: int) -> None:
        """Back to the first sound that was not heard, whose samples before `heard` were: the start of the word in it.

        A word that was wholly heard is not said again; in a pause between words the pause goes on.
        """
        cut = (word.start_sample for word in self.words.values() if word.start_sample < heard < word.end_sample)
        self.position = min(self.position, heard, *cut)
        self._started = {i for i in self._started if self.words[i].start_sample < self.position}

    def cut(self) -> int:
        """Forget all that is not a whole word. Returns the index of the first word to be spoken again."""
        whole, next_word = self._whole_words()
        keep = max(whole, self.position)
        frame_end = -(-keep // MOUTH_FRAME_SAMPLES) * MOUTH_FRAME_SAMPLES
        self._pcm = self._pcm[: 2 * keep] + bytes(2 * (frame_end - keep))
        self._mouth = self._mouth[: frame_end // MOUTH_FRAME_SAMPLES * FRAME_BYTES]
        self.words = {i: word for i, word in self.words.items() if i < next_word}
        self._started = {i for i in self._started if i < next_word}
        self.phones = [phone for phone in self.phones if phone.end_sample <= keep]
        self._base, self._cut = frame_end, True
        return next_word

    def _whole_words(self) -> tuple[int, int]:
        end, next_word = 0, 0
        for word in self._in_order():
            if word.index != next_word and next_word:
                break
            if word.end_sample > self.end:
                return end, word.index
            end, next_word = word.end_sample, word.index + 1
        return end, next_word

    def _in_order(self) -> Iterator[Word]:
        return iter(sorted(self.words.values(), key=lambda word: word.index))


def _moved(mark: Mark, base: int) -> Mark:
    if not base:
        return mark
    return replace(mark, start_sample=mark.start_sample + base, end_sample=mark.end_sample + base)

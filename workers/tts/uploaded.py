"""A sentence whose voice exists already, made of a recording: it takes the place of a `Delivery`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from broker.messages import Phone, Voice, Word
from broker.visemes import MOUTH_FRAME_SAMPLES, VISEMES
from workers.tts.delivery import Piece

Mark = TypeVar("Mark", Word, Phone)


class Uploaded:
    """The voice from its word `from_word` on; times count from where that begins."""

    def __init__(self, voice: Sequence[Voice], from_word: int = 0) -> None:
        self._begin = _beginning(voice, from_word)
        self._from_word = from_word
        self._pieces = [piece for piece in voice if piece.last or _end(piece) > self._begin]

    def read(self) -> Piece:
        """The next piece; not again after the one that says `last`."""
        piece, begin = self._pieces.pop(0), self._begin
        cut = max(0, begin - piece.start_sample)
        words = tuple(_moved(word, begin) for word in piece.words if word.index >= self._from_word)
        phones = tuple(_moved(phone, begin) for phone in piece.phones if phone.end_sample > begin)
        return Piece(
            start_sample=max(0, piece.start_sample - begin),
            pcm=piece.pcm[2 * cut :],
            words=words,
            phones=phones,
            mouth=piece.mouth[len(VISEMES) * (cut // MOUTH_FRAME_SAMPLES) :],
            last=piece.last,
        )

    def cancel(self) -> None:
        """Nobody will read it."""


def _beginning(voice: Sequence[Voice], from_word: int) -> int:
    """Where a word begins, on a mouth frame; after all words, where the last one ends."""
    words = [word for piece in voice for word in piece.words]
    starts = [word.start_sample for word in words if word.index >= from_word]
    begin = min(starts, default=max((word.end_sample for word in words), default=0)) if from_word else 0
    return min(begin, _end(voice[-1])) // MOUTH_FRAME_SAMPLES * MOUTH_FRAME_SAMPLES


def _end(piece: Voice) -> int:
    return piece.start_sample + len(piece.pcm) // 2


def _moved(mark: Mark, begin: int) -> Mark:
    return replace(mark, start_sample=max(0, mark.start_sample - begin), end_sample=max(0, mark.end_sample - begin))

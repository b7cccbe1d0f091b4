"""A recording spoken by the face: the place of the tts stage, with sound that exists already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from broker.messages import Credit, Message, Voice, Word
from broker.visemes import MOUTH_FRAME_SAMPLES
from workers.production.alignment import aligned, recognised
from workers.production.recording import Passage, passages
from workers.tts.engine import PhoneMark
from workers.tts.loudness import Samples
from workers.tts.marks import phone_of, shapes_of, words_of
from workers.tts.mouth import mouth_track
from workers.tts.text import spoken
from workers.tts.words import Token

CHUNK_SAMPLES = 4_800
_FIRST_GRANT = (0, 48_000)


@dataclass(frozen=True, eq=False)
class Marked:
    """A passage with what is known of it; times count from the passage's start."""

    passage: Passage
    phones: tuple[PhoneMark, ...]
    words: tuple[Word, ...]


def marked(samples: Samples, text: str, language: str) -> list[Marked]:
    """The recording in passages with its sounds: by its text if that fits, else by what is recognised in it."""
    parts = passages(samples)
    tokens = list(spoken(text, language)) if text else []
    phones = aligned(samples, tokens, language) if tokens else None
    if phones is None:
        return [Marked(part, tuple(recognised(part.samples)), ()) for part in parts]
    words = list(words_of(tokens, phones, 0)) if phones else []
    return [_share(part, phones, words, tokens) for part in parts]


def _share(part: Passage, phones: Sequence[PhoneMark], words: Sequence[Word], tokens: Sequence[Token]) -> Marked:
    """What of the whole begins in this passage, counted from its start."""
    first, after = part.start_sample, part.start_sample + len(part.samples)
    return Marked(
        part,
        tuple(
            PhoneMark(phone=mark.phone, start=mark.start - first, end=min(mark.end, after) - first, token=mark.token)
            for mark in phones
            if first <= mark.start < after
        ),
        tuple(
            Word(
                index=word.index,
                text=word.text,
                start_sample=word.start_sample - first,
                end_sample=min(word.end_sample, after) - first,
            )
            for word in words
            if first <= word.start_sample < after
        ),
    )


class Playback:
    """One turn's voice, a sentence per passage, given out as `Credit` allows. A stage of one session."""

    def __init__(self, session: str, turn: int, parts: Sequence[Marked], text: str, language: str) -> None:
        self._pieces = list(_pieces(session, turn, parts, text, language))
        self._next = 0
        self._granted = _FIRST_GRANT

    @property
    def due_ns(self) -> int | None:
        """At once while something may be given out."""
        return 0 if self._ready() else None

    def accept(self, message: Message) -> None:
        """A `Credit`; nothing else concerns a recording."""
        if isinstance(message, Credit):
            self._granted = (message.sentence, message.through_sample)

    def step(self, now_ns: int) -> list[Message]:
        """All that is granted."""
        pieces: list[Message] = []
        while self._ready():
            pieces.append(self._pieces[self._next])
            self._next += 1
        return pieces

    def _ready(self) -> bool:
        if self._next == len(self._pieces):
            return False
        piece = self._pieces[self._next]
        return (piece.sentence, piece.start_sample) < self._granted


def _pieces(session: str, turn: int, parts: Sequence[Marked], text: str, language: str) -> Iterator[Voice]:
    for number, part in enumerate(parts):
        samples = part.passage.samples
        frames = len(samples) // MOUTH_FRAME_SAMPLES
        mouth = mouth_track(list(shapes_of(part.phones, "arpabet")), samples, frames).tobytes()
        pcm = np.rint(samples * 32767).astype("<i2").tobytes()
        for start in range(0, len(samples), CHUNK_SAMPLES):
            opens, last = start == 0, start + CHUNK_SAMPLES >= len(samples)
            yield Voice(
                session=session,
                turn=turn,
                sentence=number,
                start_sample=start,
                pcm=pcm[2 * start : 2 * (start + CHUNK_SAMPLES)],
                words=part.words if opens else (),
                phones=tuple(phone_of(mark, 0, "arpabet") for mark in part.phones) if opens else (),
                mouth=mouth if opens else b"",
                last=last,
                turn_last=last and number == len(parts) - 1,
                text=text if opens else "",
                language=language,
            )

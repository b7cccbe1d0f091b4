"""English by flite 2.2: the CMU voices slt, rms and awb (clustergen, 16 kHz) and the small diphone voice kal16."""

from __future__ import annotations

import ctypes
import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Literal

import numpy as np

from broker.errors import MissingError
from workers.tts import flite_library as native
from workers.tts.engine import PhoneMark, Sound, SynthesisFailed, UnknownLanguage, primary
from workers.tts.english import LETTER_NAMES
from workers.tts.words import Token

_VOICES = ("slt", "rms", "awb", "kal16")
_BEGINNING_S = 0.24
"""How much of a clause after its first phone's start is enough to begin with: some 190 ms can be played of it."""
_WAIT_S = 0.008
_UNSAID = re.compile(r"[^a-z']+")


class FliteEngine:
    """flite as an `Engine`. It analyses a clause in some 9 ms and makes a second of sound in 6, in its own thread."""

    name = "flite"
    alphabet: Literal["arpabet", "ipa"] = "arpabet"

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        """Load the library and every voice that is installed. `options` are unused. Raises MissingError."""
        native.library()
        self._voices = {name: handle for name in _VOICES if (handle := _installed(name))}
        if not self._voices:
            raise MissingError("flite has no voice: apt-get install libflite1")

    def languages(self) -> tuple[str, ...]:
        return ("en",)

    def voices(self, language: str) -> tuple[str, ...]:
        return tuple(self._voices) if primary(language) == "en" else ()

    def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> FliteUtterance:
        if primary(language) != "en":
            raise UnknownLanguage(f"flite speaks English only, not {language!r}")
        words = [(position, word) for position, token in enumerate(clause) for word in lexical_words(token)]
        utterance = FliteUtterance([position for position, _ in words])
        _speaker().submit(utterance, _punctuated(clause, words), self._voices[voice], rate)
        return utterance


@cache
def _speaker() -> _Speaker:
    """The process's one: the library's voices, and what is set on them, are shared by all who use them."""
    return _Speaker()


class _Speaker:
    """The thread in which flite speaks, clause after clause, and hears its own sound as it grows."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="flite")
        self._stream = native.stream(self._hear)
        self._streaming: set[int] = set()
        self._saying: FliteUtterance | None = None

    def submit(self, utterance: FliteUtterance, text: str, voice: int, rate: float) -> None:
        self._thread.submit(self._say, utterance, text, voice, rate)

    def _say(self, utterance: FliteUtterance, text: str, voice: int, rate: float) -> None:
        if utterance.cancelled:
            return
        self._saying = utterance
        native.set_pace(voice, 1.0 / rate)
        if voice not in self._streaming:  # setting it again would free it first
            native.set_stream(voice, self._stream)
            self._streaming.add(voice)
        native.begin_alike()
        made = native.library().flite_synth_text(text.encode("ascii"), voice)
        if made:
            native.library().delete_utterance(made)
        utterance.finish(failed=not made)

    def _hear(self, wave: Any, start: int, size: int, last: int, info: Any) -> int:
        """The library's callback (ctypes pointers): files a piece of sound; STOP ends the synthesis."""
        saying = self._saying
        if saying is None or saying.cancelled:
            return native.STOP
        if not saying.phones and info.contents.utt:
            rate_hz = wave.contents.sample_rate
            saying.begin(rate_hz, tuple(_marks(info.contents.utt, saying.owners, rate_hz)))
        if size > 0:
            saying.hear(ctypes.string_at(ctypes.addressof(wave.contents.samples.contents) + 2 * start, 2 * size))
        return native.CONTINUE


class FliteUtterance:
    """A clause flite is saying in its thread: its beginning can be read as soon as speech can start with it."""

    def __init__(self, owners: list[int]) -> None:
        self.owners = owners
        """For each word given to flite, the token of the clause it belongs to."""
        self.phones: tuple[PhoneMark, ...] = ()
        self.cancelled = False
        self._rate_hz = 16_000
        self._pcm = bytearray()
        self._finished = self._failed = self._begun = False
        self._changed = threading.Condition()

    def read(self) -> Sound | None:
        """The beginning (once), then all of it; waits up to 8 ms for either."""
        with self._changed:
            if not self._changed.wait_for(self._readable, _WAIT_S):
                return None
            if self._failed and not self.cancelled:
                raise SynthesisFailed("flite could not say a clause")
            self._begun = True
            pcm = np.frombuffer(bytes(self._pcm), np.int16)
            ended = tuple(_within(self.phones, len(pcm))) if self._finished else self.phones
            return Sound(pcm=pcm, rate_hz=self._rate_hz, phones=ended, complete=self._finished)

    def cancel(self) -> None:
        self.cancelled = True

    def begin(self, rate_hz: int, phones: tuple[PhoneMark, ...]) -> None:
        self._rate_hz, self.phones = rate_hz, phones

    def hear(self, pcm: bytes) -> None:
        with self._changed:
            self._pcm += pcm
            if not self._begun and self._readable():
                self._changed.notify_all()

    def finish(self, failed: bool) -> None:
        with self._changed:
            self._finished, self._failed = True, failed
            self._changed.notify_all()

    def _readable(self) -> bool:
        if self._finished or self._begun:
            return self._finished
        first = next((mark.start for mark in self.phones if mark.phone), None)
        return first is not None and len(self._pcm) // 2 >= first + round(_BEGINNING_S * self._rate_hz)


def _within(phones: Sequence[PhoneMark], length: int) -> Iterator[PhoneMark]:
    """The diphone voice places its last phones beyond its sound."""
    for mark in phones:
        if mark.start < length:
            yield PhoneMark(phone=mark.phone, start=mark.start, end=min(mark.end, length), token=mark.token)


def _installed(name: str) -> int | None:
    try:
        return native.voice(name)
    except MissingError:
        return None


def lexical_words(token: Token) -> Iterator[str]:
    """A token's spoken words in the only alphabet flite reads: letters without accents, and apostrophes."""
    for word in token.spoken:
        spelt = LETTER_NAMES.get(word)
        if spelt is not None:
            yield from spelt.split("-")
            continue
        plain = unicodedata.normalize("NFKD", word.lower().replace("’", "'")).translate(_FOLDED)
        if letters := _UNSAID.sub("", plain).strip("'"):
            yield letters + ("," if word.endswith(",") else "")


_FOLDED = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"})


def _punctuated(clause: Sequence[Token], words: list[tuple[int, str]]) -> str:
    """The clause as one line: each word is one token of flite's, since it holds nothing flite would take apart."""
    parts = []
    for place, (position, word) in enumerate(words):
        ends_token = place + 1 == len(words) or words[place + 1][0] != position
        parts.append(
            word.rstrip(",")
            + ("," if word.endswith(",") and not ends_token else "")
            + (_mark(clause, position, place + 1 < len(words)) if ends_token else "")
        )
    return " ".join(parts)


def _mark(clause: Sequence[Token], position: int, more: bool) -> str:
    """The punctuation after a token. Within a clause flite must not see an end of sentence."""
    stop = clause[position].stop
    return "," if stop and more else stop


def _marks(utterance: int, owners: list[int], rate_hz: int) -> Iterator[PhoneMark]:
    """The segments of an utterance. They say only where they end; pauses are the ones no word owns."""
    flite = native.library()
    owned = iter(_owners(utterance, owners))
    start = 0
    for segment in native.items(flite.relation_head(flite.utt_relation(utterance, b"Segment"))):
        phone = flite.item_feat_string(segment, b"name").decode()
        end = round(flite.item_feat_float(segment, b"end") * rate_hz)
        pause = phone == "pau"
        yield PhoneMark(phone="" if pause else phone, start=start, end=end, token=-1 if pause else next(owned, -1))
        start = end


def _owners(utterance: int, owners: list[int]) -> Iterator[int]:
    """For each sounding segment in order, the clause's token: flite's tokens are the words it was given, in order."""
    flite = native.library()
    tokens = native.items(flite.relation_head(flite.utt_relation(utterance, b"Token")))
    for place, token in enumerate(tokens):
        owner = owners[min(place, len(owners) - 1)]
        for word in native.items(flite.item_daughter(token)):
            syllables = flite.item_as(word, b"SylStructure")
            for syllable in native.items(flite.item_daughter(syllables) if syllables else None):
                for _ in native.items(flite.item_daughter(syllable)):
                    yield owner

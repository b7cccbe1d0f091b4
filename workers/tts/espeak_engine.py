"""Every other language, and English where flite is missing, by espeak-ng 1.52: plain formant synthesis, 22 kHz."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import numpy as np

from workers.tts import espeak_library as native
from workers.tts.engine import PhoneMark, Ready, Sound, SynthesisFailed, UnknownLanguage, primary
from workers.tts.words import Token

_NAMES = {"en": "en-us", "zh": "cmn", "no": "nb"}
"""Where the tag people write is not the one espeak knows."""
_SPELLS_KANJI = ("ja", "ko")
"""In these it says "Chinese letter" for each Chinese character."""
_KANJI = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff々〇]")
_NO_KANJI = (
    "espeak-ng cannot read Chinese characters in it (Japanese it reads in kana, Korean in hangul):"
    " have answers written so, or name an engine that can in the persona's [voices]"
)
_WORDS_PER_MINUTE = 165
"""Its own 175 is a little hurried for conversation."""
_STOPS = tuple("pbtdkɡgcɟqʈɖ")
_CLOSURE_S = 0.045
"""A stop's event is its burst; the closure is the silence before it (measured: research/probe-speech.md, section 1)."""


@dataclass
class _Heard:
    """What the callback of one synthesis collects: sound, and (kind, sample, text position, phone) of each event."""

    pcm: list[bytes] = field(default_factory=list)
    events: list[tuple[int, int, int, str]] = field(default_factory=list)


class EspeakEngine:
    """espeak-ng as an `Engine`: about 2 ms for a clause of 3 s, within the call."""

    name = "espeak"
    alphabet: Literal["arpabet", "ipa"] = "ipa"

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        """Initialise the library. `options` are unused. Raises MissingError."""
        self._native = native.library()
        self.guard = self._native.guard
        self._heard = _Heard()
        self._callback = native.Callback(self._collect)  # the library keeps only its address

    def languages(self) -> tuple[str, ...]:
        return tuple(sorted({primary(tag) for tag in native.voice_files()}))

    def voices(self, language: str) -> tuple[str, ...]:
        """The language's own, then as it is spoken elsewhere (`es-419`), then other speakers of its own (`f2`)."""
        tag = language_tag(language)
        return _voices(tag) if tag else ()

    def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Ready:
        tag = language_tag(language)
        if not tag:
            raise UnknownLanguage(f"espeak has no voice for {language!r}")
        if primary(language) in _SPELLS_KANJI and any(_KANJI.search(token.text) for token in clause):
            raise UnknownLanguage(_NO_KANJI)
        tag, variant = (voice, "") if voice in native.voice_files() else (tag, voice)
        if not self._native.choose(tag, variant):
            raise SynthesisFailed(f"espeak has no voice {voice!r}")
        self._native.lib.espeak_SetParameter(native.RATE, round(_WORDS_PER_MINUTE * rate), 0)
        text, spans = _line(clause, {"A": "eigh"} if primary(language) == "en" else {})
        return Ready(self._say(text, spans))

    def _say(self, text: str, spans: list[tuple[int, int]]) -> Sound:
        lib, encoded = self._native.lib, text.encode("utf-8")
        self._heard = heard = _Heard()
        lib.espeak_SetSynthCallback(self._callback)
        if lib.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, native.CHARS_UTF8, None, None):
            raise SynthesisFailed("espeak could not say a clause")
        pcm = np.frombuffer(b"".join(heard.pcm), np.int16)
        marks = _with_closures(list(_marks(heard.events, spans, len(pcm))), round(_CLOSURE_S * self._native.rate_hz))
        return Sound(pcm=pcm, rate_hz=self._native.rate_hz, phones=tuple(marks))

    def _collect(self, wave: Any, length: int, events: Any) -> int:
        """The library's callback (its arguments are ctypes pointers): files a chunk of sound and its events."""
        if wave and length > 0:
            self._heard.pcm.append(ctypes.string_at(wave, 2 * length))
        index = 0
        while events[index].type != native.LIST_END:
            event = events[index]
            if event.type in (native.WORD, native.PHONEME):
                phone = native.phoneme(event) if event.type == native.PHONEME else ""
                self._heard.events.append((event.type, event.sample, event.text_position, phone))
            index += 1
        return 0


@cache
def _voices(tag: str) -> tuple[str, ...]:
    elsewhere = sorted(each for each in native.voice_files() if primary(each) == primary(tag) and each != tag)
    return (tag, *elsewhere, *native.variants())


def language_tag(language: str) -> str:
    """espeak's tag for a language tag: the exact one if it has it, else the language's own, else one of its regions.

    Empty if it has none.
    """
    tags = native.voice_files()
    exact, plain = language.replace("_", "-").lower(), primary(language)
    regions = sorted(tag for tag in tags if tag.startswith(plain + "-"))
    return next((tag for tag in (_NAMES.get(exact, exact), _NAMES.get(plain, plain), *regions) if tag in tags), "")


def _line(clause: Sequence[Token], respelt: dict[str, str]) -> tuple[str, list[tuple[int, int]]]:
    """The clause as one line, and for each spoken token (its first character from 1, its position in the clause).

    `respelt`: within a sentence espeak takes the English letter A for the article.
    """
    text, spans = "", []
    for position, token in enumerate(clause):
        if token.spoken:
            spans.append((len(text) + 1, position))
            text += (
                " ".join(respelt.get(word, word) for word in token.spoken)
                + _mark(token, position + 1 == len(clause))
                + _gap(token)
            )
    return text.rstrip(), spans


def _mark(token: Token, final: bool) -> str:
    """Punctuation in espeak's sense. A clause cut without any still goes on: a comma keeps its tone up."""
    if final:
        return token.stop or ","
    return "," if token.stop else ""


def _gap(token: Token) -> str:
    """Chinese and Japanese characters follow each other without spaces, so that espeak finds the words they make."""
    return "" if ord(token.spoken[-1][-1]) >= 0x3040 and not token.stop else " "


def _marks(events: list[tuple[int, int, int, str]], spans: list[tuple[int, int]], length: int) -> Iterator[PhoneMark]:
    """Phones with the token they belong to; each lasts until the next event. `(en)` marks a change of language."""
    phones = list(_placed(events, spans))
    for place, (phone, start, token) in enumerate(phones):
        end = phones[place + 1][1] if place + 1 < len(phones) else length
        if end > start:
            yield PhoneMark(phone=phone, start=start, end=end, token=token if phone else -1)


def _placed(events: list[tuple[int, int, int, str]], spans: list[tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
    token = spans[0][1] if spans else -1
    for kind, sample, position, phone in events:
        if kind == native.WORD:
            token = next((owner for first, owner in reversed(spans) if first <= position), token)
        elif not phone.startswith("("):
            yield phone, sample, token


def _with_closures(marks: list[PhoneMark], closure: int) -> list[PhoneMark]:
    """Stops begin with their closure: it is taken from the end of what comes before, leaving that at least a third."""
    moved: list[PhoneMark] = []
    for mark in marks:
        if mark.phone.strip("ˈˌ").startswith(_STOPS) and mark.start:
            floor = moved[-1].end - (moved[-1].end - moved[-1].start) * 2 // 3 if moved else 0
            start = max(mark.start - closure, floor, 0)
            if moved:
                last = moved[-1]
                moved[-1] = PhoneMark(phone=last.phone, start=last.start, end=start, token=last.token)
            moved.append(PhoneMark(phone=mark.phone, start=start, end=mark.end, token=mark.token))
        else:
            moved.append(mark)
    return moved

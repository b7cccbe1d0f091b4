"""What a speech synthesiser must offer, and the table of those there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from broker import languages
from broker.errors import EngineError
from workers.tts.words import Token

ENGINES = {
    "flite": "workers.tts.flite_engine:FliteEngine",
    "espeak": "workers.tts.espeak_engine:EspeakEngine",
}
"""Config name → class, best first: `auto` takes the first that loads and speaks the language."""

Pcm = npt.NDArray[np.int16]


class UnknownLanguage(EngineError):
    """Nothing here speaks that language."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "tts_language")


class SynthesisFailed(EngineError):
    """The library returned an error for a clause."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "tts_failed")


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneMark:
    """One phone in a `Sound`, in samples of its rate. Stops begin with their closure. `phone` is empty for a pause.

    `token` is the position, in the clause, of the token it belongs to; -1 for a pause.
    """

    phone: str
    start: int
    end: int
    token: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sound:
    """A clause as the engine made it, silence at both ends included: mono samples, and phones in order.

    All phones are known from the first; `pcm` may at first be only the beginning (`complete` is then False).
    """

    pcm: Pcm
    rate_hz: int
    phones: tuple[PhoneMark, ...]
    complete: bool = True


class Utterance(Protocol):
    """One clause on its way. An engine that works within the call answers the first `read` with the whole of it."""

    def read(self) -> Sound | None:
        """The clause; None while an engine that runs on its own time is still at it (it may wait a few ms).

        It may be given once incomplete, as soon as speech can begin with it; it is read again until complete.
        """

    def cancel(self) -> None:
        """Nobody will read it."""


class Engine(Protocol):
    """A loaded synthesiser. It serves many sessions, one clause at a time; nothing of a session stays in it.

    It is imported, made and first heard in a thread beside the stage's, and from then on never asked by two threads at
    once: it need not be thread-safe. One whose library has its state for the whole process has `guard` too, a lock that
    all its objects share.
    """

    name: str
    alphabet: Literal["arpabet", "ipa"]
    """What `PhoneMark.phone` is written in."""

    def languages(self) -> tuple[str, ...]:
        """Language tags (`en`, `es`, `zh`, …) it speaks."""

    def voices(self, language: str) -> tuple[str, ...]:
        """Voice names for a language, the default first; empty if it does not speak it."""

    def start(self, clause: Sequence[Token], language: str, voice: str, rate: float) -> Utterance:
        """Begin to say a clause; at least one token has something spoken. `rate` 1.0 is the voice's own pace.

        Raises UnknownLanguage; reading raises SynthesisFailed.
        """


class Ready:
    """An utterance that was finished when it began: what engines return that work within the call."""

    def __init__(self, sound: Sound) -> None:
        self._sound = sound

    def read(self) -> Sound:
        return self._sound

    def cancel(self) -> None:
        pass


def primary(language: str) -> str:
    """The primary subtag by which front ends and voices are chosen: `en-US` → `en`, `cmn` and `zh-CN` → `zh`."""
    return languages.primary(language) or "en"

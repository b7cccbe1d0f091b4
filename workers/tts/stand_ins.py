"""Who speaks in place of an engine that fails or is slower than the speech it makes, and for how long."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from broker.errors import EngineError, MissingError
from workers.fallback import Change, Fallback
from workers.tts.delivery import Piece, Voicing
from workers.tts.engine import UnknownLanguage, primary
from workers.tts.loudness import RATE_HZ
from workers.tts.preparing import Preparing
from workers.tts.voices import Voices

logger = logging.getLogger(__name__)

STAND_INS = ("flite", "espeak")
"""Engines that are many times faster than speech on any CPU, the better voice first."""
JUDGED = 4
"""Clauses that an engine is judged by."""
TOO_SLOW = 0.75
"""Where so large a part of them took longer to make than they take to hear, another engine speaks."""


class StandIns:
    """One judgement for each engine and language; an engine that is slow in one is left alone in the others."""

    def __init__(self, voices: Voices | Preparing) -> None:
        self._voices = voices
        self._fallbacks: dict[tuple[tuple[str, ...], str], Fallback] = {}

    def choose(
        self, wanted: Mapping[str, Any], language: str, text: str, rate: float, now_ns: int
    ) -> tuple[Voicing, Fallback]:
        """As `Voices.choose`, but an engine in trouble is passed over. The judgement is that of the first choice.

        Those who would stand in are made ready with it: there is no time for that when they have to.
        """
        first = self._voices.choose(wanted, language, text, rate)
        rungs = {first.engine.name: first}
        for name in STAND_INS:
            if name != first.engine.name and (voicing := self._instead(name, first)):
                rungs[name] = voicing
        key = tuple(rungs), primary(first.language)
        if key not in self._fallbacks:
            self._fallbacks[key] = Fallback(tuple(rungs), JUDGED, TOO_SLOW)
        fallback = self._fallbacks[key]
        _log(fallback.poll(now_ns))
        return rungs[fallback.name], fallback

    def judge(self, fallback: Fallback, name: str, piece: Piece, now_ns: int) -> None:
        """Only the first piece of a clause tells how fast it is made; later ones wait to be asked for."""
        seconds = len(piece.pcm) / 2 / RATE_HZ
        if piece.words and seconds:
            slow = piece.took_ns > seconds * 1e9
            _log(fallback.note(name, slow, now_ns, f"{name} makes speech more slowly than it is heard"))

    def failed(self, fallback: Fallback, name: str, error: Exception, now_ns: int) -> bool:
        """Whether another engine can say what `name` could not; not where it lacks the language or its weights."""
        if isinstance(error, UnknownLanguage | MissingError):
            return False
        logger.warning("engine failed", extra={"engine": name, "reason": f"{type(error).__name__}: {error}"})
        _log(fallback.fail(name, now_ns, f"{name} failed"))
        return fallback.name != name

    def _instead(self, name: str, first: Voicing) -> Voicing | None:
        """The voice of a stand-in, where it speaks the language."""
        try:
            return self._voices.choose({first.language: {"engine": name}}, first.language, "", first.rate)
        except EngineError:
            return None


def _log(change: Change | None) -> None:
    if change:
        logger.warning("engine changed", extra={"step": change.step, "reason": change.reason})

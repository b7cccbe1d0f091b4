"""Who hears in place of a recogniser that fails or falls behind: a smaller Whisper, then pocketsphinx."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.errors import EngineError, MissingError
from broker.languages import primary
from workers.asr.engine import AsrEngine, Engines, Recogniser, heard_in, told_apart
from workers.asr.listener import SAMPLES_PER_MS
from workers.asr.whisper_engine import WhisperEngine, find_model
from workers.fallback import Change, Fallback

logger = logging.getLogger(__name__)

JUDGED = 3
"""Utterances in a row, of whichever sessions, that are heard too slowly before another engine hears."""
LEAST_MS = 1000
"""Who waits less than this for the words does not mind, however short the utterance."""
SIZES = ("large-v3", "large-v3-turbo", "distil-large-v3", "medium", "small", "base", "tiny")
"""Sizes of Whisper, each quicker than the one before."""


@dataclass
class Ear:
    """What a session hears with, and the judgement of what it should hear with."""

    persona: dict[str, Any]
    language: str
    name: str
    fallback: Fallback

    @property
    def outdated(self) -> bool:
        """Another engine than the one in use serves now."""
        return self.name != self.fallback.name


class StandIns:
    """One judgement for each engine and language."""

    def __init__(self, engines: Engines, engine: str = "auto") -> None:
        self._engines, self._engine = engines, engine
        self._fallbacks: dict[tuple[str, str], Fallback] = {}
        self._smaller: dict[str, AsrEngine] = {}

    def ear(self, persona: dict[str, Any], language: str) -> Ear:
        """For a new session or another persona. Raises EngineError when there is nothing to hear with."""
        wished = persona.get("asr", {}).get("engine") or "auto"
        heard = heard_in(persona, language)
        name, _ = self._engines.choose(wished if wished != "auto" else self._engine, heard)
        if (name, heard) not in self._fallbacks:
            self._fallbacks[name, heard] = Fallback((name, *self._simpler(name, heard)), JUDGED, 1.0)
        fallback = self._fallbacks[name, heard]
        return Ear(persona, language, fallback.name, fallback)

    def open(self, ear: Ear) -> Recogniser:
        """A recogniser of the engine that serves the ear now. Raises EngineError."""
        ear.name = ear.fallback.name
        if not ear.fallback.reduced:
            return self._engines.open(ear.persona, ear.language, self._engine)
        engine = self._get(ear.name)
        told = told_apart(engine, ear.persona)
        return engine.open(ear.persona, "" if told else heard_in(ear.persona, ear.language))

    def poll(self, now_ns: int) -> None:
        """Try again what failed, where it is time."""
        for fallback in self._fallbacks.values():
            _log(fallback.poll(now_ns))

    def judge(self, ear: Ear, lag_ns: int, samples: int, now_ns: int) -> None:
        """The words of an utterance of so many samples came so long after its end."""
        slow = lag_ns > max(LEAST_MS, samples // SAMPLES_PER_MS) * 1_000_000
        reason = f"{ear.name} takes longer to understand than it takes to speak"
        _log(ear.fallback.note(ear.name, slow, now_ns, reason))

    def failed(self, ear: Ear, error: Exception, now_ns: int) -> bool:
        """Whether another engine can hear what the ear's could not."""
        logger.warning("engine failed", extra={"engine": ear.name, "reason": f"{type(error).__name__}: {error}"})
        _log(ear.fallback.fail(ear.name, now_ns, f"{ear.name} failed"))
        return ear.outdated

    def _simpler(self, name: str, language: str) -> list[str]:
        """Engines that are there and quicker than `name`, best first."""
        engines = []
        if name == "whisper":
            with contextlib.suppress(EngineError):
                engines = [f"whisper-{size}" for size in self._sizes_below(self._folder(name))]
        return engines + (["pocketsphinx"] if primary(language) == "en" and name != "pocketsphinx" else [])

    def _folder(self, name: str) -> Path:
        engine = self._engines.get(name)
        assert isinstance(engine, WhisperEngine)
        return engine.folder

    def _sizes_below(self, folder: Path) -> Iterator[str]:
        at = SIZES.index(size) if (size := folder.name.removeprefix("whisper-")) in SIZES else len(SIZES)
        for smaller in SIZES[at + 1 :]:
            with contextlib.suppress(MissingError):
                find_model(self._engines.weights, smaller)
                yield smaller

    def _get(self, name: str) -> AsrEngine:
        """The engine, loaded when it is first needed: `whisper-<size>` is one of that size."""
        kind, _, size = name.partition("-")
        if not size:
            return self._engines.get(name)
        if name not in self._smaller:
            engines = self._engines
            options = {**engines.options.get(kind, {}), "model": size}
            self._smaller[name] = WhisperEngine(engines.weights, engines.cache, engines.knowledge, **options)
        return self._smaller[name]


def _log(change: Change | None) -> None:
    if change:
        logger.warning("engine changed", extra={"step": change.step, "reason": change.reason})

"""Choosing the engine and voice for a language from what a persona asks for and what is installed."""

from __future__ import annotations

import contextlib
import importlib
import logging
import math
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soxr

from broker.errors import EngineError, MissingError
from workers.tts.delivery import Voicing
from workers.tts.engine import ENGINES, Engine, Sound, SynthesisFailed, UnknownLanguage, primary
from workers.tts.loudness import RATE_HZ, gain_to_target
from workers.tts.scripts import readable_language
from workers.tts.text import spoken
from workers.tts.words import Token

logger = logging.getLogger(__name__)

_READS, _READ_AGAIN_S = 500, 0.005
"""How often an engine that runs on its own time is asked for the sentence, and how soon again."""
_SLOWEST, _FASTEST = 0.5, 2.0
_MEASURED_ON = {
    "en": "The people who know this place well will gladly show you around it.",
    "es": "La gente que conoce bien este lugar se lo enseñará con mucho gusto.",
    "zh": "熟悉这个地方的人很乐意带你四处看看。",
}
"""What a voice says once so that its loudness is known. Any sentence of some 4 s does."""


@dataclass(frozen=True)
class Load:
    """An engine to be imported and made: of a third party's that takes what it takes."""

    name: str
    options: Mapping[str, Any] = field(compare=False)

    def work(self) -> Engine | MissingError:
        """In any thread. Whatever goes wrong there, the engine is missing."""
        try:
            engine: Engine = _imported(self.name)(dict(self.options))
            engine.languages()
            return engine
        except MissingError as exc:
            return exc
        except (Exception, SystemExit) as exc:
            logger.warning("engine not loaded", extra={"engine": self.name}, exc_info=True)
            return MissingError(f"the speech engine {self.name!r} cannot be loaded: {type(exc).__name__}: {exc}")


@dataclass(frozen=True)
class Measure:
    """A voice to say one sentence, so that its loudness is known (flite 40 ms, espeak 8 ms)."""

    key: tuple[str, str, str]
    engine: Engine = field(compare=False)
    guard: threading.Lock = field(compare=False)
    language: str = field(compare=False)

    def work(self) -> float:
        """The voice's gain. In any thread; the engine is asked by one at a time."""
        text = _MEASURED_ON.get(primary(self.language), _MEASURED_ON["en"])
        try:
            sound = self._said(tuple(spoken(text, self.language)))
        except Exception:  # it fails again with the sentence, which another engine may say
            logger.warning("voice not measured", extra={"engine": self.engine.name}, exc_info=True)
            return 1.0
        if sound is None:
            return 1.0
        samples = soxr.resample(sound.pcm.astype(np.float32) / 32768, sound.rate_hz, RATE_HZ, quality="LQ")
        return gain_to_target(samples)

    def _said(self, clause: tuple[Token, ...]) -> Sound | None:
        """The clause whole; None of an engine so slow that it must bring its own level."""
        with self.guard:
            utterance = self.engine.start(clause, self.language, self.key[2], 1.0)
        for _ in range(_READS):
            with self.guard:
                sound = utterance.read()
            if sound and sound.complete:
                return sound
            time.sleep(_READ_AGAIN_S)
        utterance.cancel()
        return None


class Voices:
    """The engines at hand, loaded when first asked for, and the gain of each voice, measured once."""

    def __init__(self, options: Mapping[str, Any] | None = None, engines: Mapping[str, Engine] | None = None) -> None:
        """`options`: engine name → its options. `engines`: some already loaded (the tests' own, for instance)."""
        self._options = dict(options or {})
        self._engines: dict[str, Engine] = {}
        self._guards: dict[str, threading.Lock] = {}
        self._missing: dict[str, MissingError] = {}
        self._gains: dict[tuple[str, str, str], float] = {}
        for name, engine in (engines or {}).items():
            self._add(name, engine)
        self._known = tuple(dict.fromkeys((*self._engines, *ENGINES)))

    @property
    def engine(self) -> str:
        """What is loaded, for the registry: `flite+espeak`."""
        return "+".join(self._engines)

    @property
    def why(self) -> str:
        """Which engine `auto` takes for which language, and what is missing, in words."""
        order = ", then ".join(f"{name} ({_spoken_by(engine)})" for name, engine in self._engines.items())
        return "; ".join(
            [
                f"auto takes the first that speaks the language: {order}",
                *(f"{name} is not there: {missing}" for name, missing in self._missing.items()),
            ]
        )

    def warm(self, wishes: Iterable[tuple[Mapping[str, Any], str]] = ()) -> None:
        """Load what is installed and measure the usual voices, and those of `wishes` (a persona's voices, a language).

        Raises MissingError when there is no engine at all.
        """
        missing = []
        for name in self._known:
            try:
                self.load(name)
            except MissingError as exc:
                logger.warning("engine missing", extra={"engine": name, "reason": str(exc)})
                missing.append(str(exc))
        if not self._engines:
            raise MissingError("; ".join(missing))
        for language in _MEASURED_ON:
            with contextlib.suppress(EngineError):
                self.choose({}, language)
        for wanted, language in wishes:
            try:
                self.choose(wanted, language)
            except EngineError as exc:
                logger.warning("voice not ready", extra={"language": language, "reason": str(exc)})
        logger.info("engine chosen", extra={"what": "voice", "engine": self.engine, "reason": self.why})

    def load(self, name: str) -> Engine:
        """An engine by its name in `ENGINES` or as `package.module:Class`. Raises MissingError."""
        if name not in self._engines and name not in self._missing:
            task = Load(name, self._options.get(name, {}))
            self.take(task, task.work())
        if name in self._missing:
            raise self._missing[name]
        return self._engines[name]

    def choose(self, wanted: Mapping[str, Any], language: str, text: str = "", rate: float = 1.0) -> Voicing:
        """As `resolve`; what is lacking for it is done first, here and now."""
        while not isinstance(found := self.resolve(wanted, language, text, rate), Voicing):
            self.take(found, found.work())
        return found

    def resolve(
        self, wanted: Mapping[str, Any], language: str, text: str = "", rate: float = 1.0
    ) -> Voicing | Load | Measure:
        """The voice for a sentence, or what has to be done, and given to `take`, before there is one.

        `wanted` is a persona's `voices`: language → {engine, voice, rate}. The text decides the language when the tag's
        own cannot read it. An unknown voice is replaced by the engine's first, with a warning. Raises MissingError or
        UnknownLanguage.
        """
        language = readable_language(text, language) if text else language
        entry = wanted.get(language) or wanted.get(primary(language)) or {}
        asked = str(entry.get("voice") or "auto")
        name = self._engine_for(str(entry.get("engine") or "auto"), language, asked)
        if name not in self._engines:
            return Load(name, self._options.get(name, {}))
        engine, guard = self._engines[name], self._guards[name]
        names = self._voices_of(name, language)
        voice = asked if asked in names else names[0]
        key = (engine.name, primary(language), voice)
        if key not in self._gains:
            return Measure(key, engine, guard, language)
        lacking = asked if asked not in (voice, "auto") else ""
        if lacking:
            logger.warning("no such voice", extra={"voice": lacking, "engine": engine.name, "language": language})
        pace = min(max(rate * pace_of(entry.get("rate", 1.0)), _SLOWEST), _FASTEST)
        return Voicing(
            engine=engine,
            voice=voice,
            language=language,
            rate=pace,
            gain=self._gains[key],
            lacking=lacking,
            guard=guard,
        )

    def take(self, task: Load | Measure, result: Engine | MissingError | float) -> None:
        """What a task's `work` came to."""
        if isinstance(task, Measure):
            assert isinstance(result, float)
            self._gains[task.key] = result
        elif isinstance(result, MissingError):
            self._missing[task.name] = result
        else:
            assert not isinstance(result, float)
            self._add(task.name, result)

    def _add(self, name: str, engine: Engine) -> None:
        self._engines[name] = engine
        self._guards[name] = getattr(engine, "guard", None) or threading.Lock()

    def _engine_for(self, name: str, language: str, voice: str) -> str:
        """The engine called `name`; for `auto` the first that speaks the language and has the voice, or else the first
        that speaks it. It may be one that is still to be loaded."""
        if name != "auto":
            if name in self._missing:
                raise self._missing[name]
            if name in self._engines and not self._voices_of(name, language):
                raise UnknownLanguage(f"{name} does not speak {language!r}")
            return name
        speaking = []
        for candidate in self._known:
            if candidate in self._missing:
                continue
            if candidate not in self._engines:
                return candidate
            names = self._voices_of(candidate, language)
            if names and voice in ("auto", *names):
                return candidate
            if names:
                speaking.append(candidate)
        if speaking:
            return speaking[0]
        raise next(iter(self._missing.values()), UnknownLanguage(f"no engine here speaks {language!r}"))

    def _voices_of(self, name: str, language: str) -> tuple[str, ...]:
        try:
            return self._engines[name].voices(language)
        except Exception as exc:  # a third party's engine raises what it likes
            raise SynthesisFailed(f"{name} does not tell its voices ({type(exc).__name__}: {exc})") from exc


def _spoken_by(engine: Engine) -> str:
    languages = engine.languages()
    return ", ".join(languages) if len(languages) <= 3 else f"{len(languages)} languages"


def _imported(name: str) -> Any:
    """The class (of whatever type: a third party's may be any callable) behind an engine's name."""
    path = ENGINES.get(name, name)
    module, _, attribute = path.partition(":")
    if not attribute:
        raise MissingError(f"no speech engine is called {name!r}; known: {', '.join(ENGINES)}, or package.module:Class")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as exc:
        raise MissingError(f"the speech engine {name!r} cannot be loaded: {exc}") from exc


def pace_of(value: object) -> float:
    """A pace from config or tags; anything that is not one is 1."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 1.0

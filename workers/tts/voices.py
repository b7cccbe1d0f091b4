"""Choosing the engine and voice for a language from what a persona asks for and what is installed."""

from __future__ import annotations

import contextlib
import importlib
import logging
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import soxr

from broker.errors import EngineError, MissingError
from workers.tts.delivery import Voicing
from workers.tts.engine import ENGINES, Engine, Sound, UnknownLanguage, Utterance, primary
from workers.tts.loudness import RATE_HZ, gain_to_target
from workers.tts.scripts import readable_language
from workers.tts.text import spoken

logger = logging.getLogger(__name__)

_READS = 200
_SLOWEST, _FASTEST = 0.5, 2.0
_MEASURED_ON = {
    "en": "The people who know this place well will gladly show you around it.",
    "es": "La gente que conoce bien este lugar se lo enseñará con mucho gusto.",
    "zh": "熟悉这个地方的人很乐意带你四处看看。",
}
"""What a voice says once so that its loudness is known. Any sentence of some 4 s does."""


class Voices:
    """The engines at hand, loaded when first asked for, and the gain of each voice, measured once."""

    def __init__(self, options: Mapping[str, Any] | None = None, engines: Mapping[str, Engine] | None = None) -> None:
        """`options`: engine name → its options. `engines`: some already loaded (the tests' own, for instance)."""
        self._options = dict(options or {})
        self._engines: dict[str, Engine] = dict(engines or {})
        self._known = tuple(dict.fromkeys((*self._engines, *ENGINES)))
        self._missing: dict[str, MissingError] = {}
        self._gains: dict[tuple[str, str, str], float] = {}

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

    def warm(self) -> None:
        """Load what is installed and measure the usual voices. Raises MissingError when there is no engine at all."""
        missing = []
        for name in self._known:
            try:
                self.load(name)
            except MissingError as exc:
                logger.warning("engine missing", extra={"engine": name, "reason": str(exc)})
                missing.append(str(exc))
        if not self._engines:
            raise MissingError("; ".join(missing))
        logger.info("engine chosen", extra={"what": "voice", "engine": self.engine, "reason": self.why})
        for language in _MEASURED_ON:
            with contextlib.suppress(EngineError):
                self.choose({}, language)

    def load(self, name: str) -> Engine:
        """An engine by its name in `ENGINES` or as `package.module:Class`. Raises MissingError."""
        if name in self._missing:
            raise self._missing[name]
        if name not in self._engines:
            try:
                self._engines[name] = _imported(name)(dict(self._options.get(name, {})))
            except MissingError as exc:
                self._missing[name] = exc
                raise
        return self._engines[name]

    def choose(self, wanted: Mapping[str, Any], language: str, text: str = "", rate: float = 1.0) -> Voicing:
        """The voice for a sentence. `wanted` is a persona's `voices`: language → {engine, voice, rate}.

        The text decides the language when the tag's own cannot read it. An unknown voice is replaced by the engine's
        first, with a warning. Raises MissingError or UnknownLanguage.
        """
        language = readable_language(text, language) if text else language
        entry = wanted.get(language) or wanted.get(primary(language)) or {}
        engine = self._engine_for(str(entry.get("engine", "auto")), language)
        names = engine.voices(language)
        voice = str(entry.get("voice", ""))
        if voice not in names:
            if voice and voice != "auto":
                logger.warning("no such voice", extra={"voice": voice, "engine": engine.name, "language": language})
            voice = names[0]
        pace = min(max(rate * pace_of(entry.get("rate", 1.0)), _SLOWEST), _FASTEST)
        gain = self._gain(engine, language, voice)
        return Voicing(engine=engine, voice=voice, language=language, rate=pace, gain=gain)

    def _engine_for(self, name: str, language: str) -> Engine:
        """The engine called `name`; for `auto` the first that loads and speaks the language."""
        names = self._known if name == "auto" else (name,)
        reason: EngineError = UnknownLanguage(f"no engine here speaks {language!r}")
        for candidate in names:
            try:
                engine = self.load(candidate)
            except MissingError as exc:
                reason = exc if isinstance(reason, UnknownLanguage) else reason
                continue
            if engine.voices(language):
                return engine
            reason = UnknownLanguage(f"{candidate} does not speak {language!r}") if name != "auto" else reason
        raise reason

    def _gain(self, engine: Engine, language: str, voice: str) -> float:
        """The factor for a voice, from one sentence it says at first use (flite 40 ms, espeak 8 ms)."""
        key = (engine.name, primary(language), voice)
        if key not in self._gains:
            text = _MEASURED_ON.get(primary(language), _MEASURED_ON["en"])
            try:
                sound = _whole(engine.start(tuple(spoken(text, language)), language, voice, 1.0))
            except Exception:  # it fails again with the sentence, which another engine may say
                logger.warning("voice not measured", extra={"engine": engine.name}, exc_info=True)
                return 1.0
            if sound is None:
                return 1.0
            samples = soxr.resample(sound.pcm.astype(np.float32) / 32768, sound.rate_hz, RATE_HZ, quality="LQ")
            self._gains[key] = gain_to_target(samples)
        return self._gains[key]


def _spoken_by(engine: Engine) -> str:
    languages = engine.languages()
    return ", ".join(languages) if len(languages) <= 3 else f"{len(languages)} languages"


def _whole(utterance: Utterance) -> Sound | None:
    """A clause read to its end; None of an engine so slow that it must bring its own level."""
    for _ in range(_READS):
        sound = utterance.read()
        if sound and sound.complete:
            return sound
    utterance.cancel()
    return None


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

"""What the asr stage needs of an engine, which engines there are, and which one serves whom.

An engine prepares a recogniser for each session beside everything else; the stage feeds it sound in small pieces and
reads the words.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from broker.errors import EngineError, MissingError
from broker.languages import primary
from workers import engines

ENGINES = {
    "pocketsphinx": "workers.asr.pocketsphinx_engine:PocketsphinxEngine",
    "whisper": "workers.asr.whisper_engine:WhisperEngine",
}
AUTO = ("whisper", "pocketsphinx")
"""Best first."""

DETECT: Final = "detect"
"""A persona's `[asr] language` for telling its languages apart."""

PIECE: Final = 256
"""Samples (16 ms at 16 kHz) a recogniser is fed at most at once: a step stays short even where its search is wide."""


@dataclass(frozen=True)
class Hypothesis:
    """Words as heard. `confidence` 0..1; below `junk.DOUBTFUL` they are taken for noise. `ends`: natural logarithm of
    the chance that a sentence ends after them, where the engine knows."""

    text: str
    confidence: float
    language: str
    ends: float | None = None


class Recogniser(Protocol):
    """One session's. Between `begin` and `end` lies one utterance; `feed` and `words` are for that time only."""

    through: int
    """Samples of the utterance that `words` accounts for."""
    took_ns: int
    """Time spent recognising, in all."""

    def ready(self) -> bool:
        """It can be begun. Raises EngineError when it never will."""

    def begin(self) -> None:
        """A new utterance."""

    def feed(self, pcm: bytes) -> None:
        """At most `PIECE` samples, mono s16le 16 kHz."""

    def settle(self) -> None:
        """Speech has paused: account for all that was fed, soon."""

    def busy(self) -> bool:
        """Something that was fed or settled is still being worked on elsewhere: look again soon."""

    def words(self) -> Hypothesis:
        """What was heard through `through`."""

    def end(self, keep: bool = True) -> None:
        """The utterance is over. Without `keep` it is forgotten as if it had never been: it will be heard again."""

    def close(self) -> None:
        """Give back what it holds."""


class AsrEngine(Protocol):
    name: str

    # One that runs on a device of its choice has `device` too, for people: "cpu", "cuda".
    # One that can tell languages apart has `detects = True`, and may then be opened without a language: each utterance
    # is heard in the likeliest of the persona's `languages`, which its hypotheses name.

    def open(self, persona: dict[str, Any], language: str) -> Recogniser:
        """Begin to prepare a session's recogniser; returns at once. Raises EngineError (code `asr_language`)."""

    def close(self) -> None:
        """End its threads."""

    # An engine whose recognisers take long to prepare has `prepare(persona, language)` too: begin to make one beside.


def heard_in(persona: dict[str, Any], language: str) -> str:
    """The language that is spoken where the session's is `language`: the persona may have fixed another."""
    fixed = persona.get("asr", {}).get("language") or DETECT
    return language if fixed == DETECT else fixed


def told_apart(engine: AsrEngine, persona: dict[str, Any]) -> bool:
    """Whether the persona wants its languages told apart, and the engine can."""
    return persona.get("asr", {}).get("language") == DETECT and bool(getattr(engine, "detects", False))


class Engines:
    """The engines of this process, each made when first chosen."""

    def __init__(
        self, weights: Path, cache: Path, knowledge: Path, options: dict[str, dict[str, Any]] | None = None
    ) -> None:
        """`knowledge`: where the personas' knowledge folders are. `options`: keyword arguments by engine name."""
        self.weights, self.cache, self.knowledge = weights, cache, knowledge
        self.options = options or {}
        self.reasons = engines.Reasons("speech recogniser")
        self._made: dict[str, AsrEngine] = {}

    def open(self, persona: dict[str, Any], language: str, engine: str = "auto") -> Recogniser:
        """A recogniser for the session: by the persona's choice, else by `engine`. Raises EngineError.

        A persona may have its languages told apart (`[asr] language`); an engine that cannot hears the session's.
        """
        ears = persona.get("asr", {})
        wished = ears.get("engine") or "auto"
        heard = heard_in(persona, language)
        chosen = self.chosen(wished if wished != "auto" else engine, heard, ears.get("language") == DETECT)
        return chosen.open(persona, "" if told_apart(chosen, persona) else heard)

    def chosen(self, name: str, language: str, detect: bool = False) -> AsrEngine:
        """The engine of that name, or the best for `auto`, with its reason noted. Raises EngineError."""
        name, why = self.choose(name, language)
        engine = self.get(name)
        if device := getattr(engine, "device", ""):
            why += f"; on {device}"
        if detect and not getattr(engine, "detects", False):
            why += "; it cannot tell languages apart and hears the conversation's"
        self.reasons.add(engine.name, why)
        return engine

    def prepare(self, persona: dict[str, Any], language: str) -> None:
        """Make ready beside what a session of this persona would need; what is missing is told when one does."""
        wished = persona.get("asr", {}).get("engine") or "auto"
        with contextlib.suppress(EngineError):
            engine = self.chosen(wished, language)
            if prepare := getattr(engine, "prepare", None):
                prepare(persona, language)

    def choose(self, name: str, language: str) -> tuple[str, str]:
        """The engine for a language and why it is that one. Raises EngineError naming what would bring one."""
        if name != "auto":
            return name, engines.CONFIGURED
        from .whisper_engine import find_model

        try:
            return "whisper", f"its weights are in {find_model(self.weights).name}"
        except MissingError as missing:
            if primary(language) != "en":
                raise EngineError(
                    f"Spoken {language!r} needs the whisper engine: {missing} Typing works.", "asr_language"
                ) from missing
            return "pocketsphinx", f"whisper is not there: {missing}"

    def get(self, name: str) -> AsrEngine:
        if name not in self._made:
            kind = engines.find(name, ENGINES, "speech recogniser")
            self._made[name] = kind(self.weights, self.cache, self.knowledge, **self.options.get(name, {}))
        return self._made[name]

    def close(self) -> None:
        for engine in self._made.values():
            engine.close()
        self._made.clear()

"""Puts the llm stage together from the settings: the library of knowledge, and each engine when it is first needed."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from broker.config import Settings
from broker.errors import EngineError
from workers.llm.engine import ENGINES, Brain
from workers.llm.library import Library
from workers.llm.stage import LlmStage


def build(settings: Settings) -> LlmStage:
    """The stage of this installation."""
    library = Library(settings.path("personas"), settings.path("weights") / "minilm", settings.path("cache"))
    return LlmStage(Brains(library).of)


class Brains:
    """One engine object per name, made when a persona first asks for it."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._made: dict[str, Brain] = {}

    def of(self, persona: Mapping[str, Any]) -> Brain:
        """The persona's engine; `auto` is a language model where an address is given, else knowledge.

        Raises EngineError naming the known engines.
        """
        brain = persona.get("brain", {})
        name = brain.get("engine") or "auto"
        if name == "auto":
            name = "openai" if brain.get("url") else "knowledge"
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Brain:
        target = ENGINES.get(name, name)
        module, _, attribute = target.partition(":")
        if not attribute:
            raise EngineError(f"There is no brain {name!r}. Known: auto, {', '.join(sorted(ENGINES))}.", "unknown")
        try:
            engine = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise EngineError(f"The brain {name!r} cannot be imported: {error}.", "missing") from error
        brain: Brain = engine(self._library)
        return brain

"""Puts the llm stage together from the settings: the library of knowledge, and each engine when it is first needed."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from typing import Any

from broker import personas
from broker.config import Settings
from broker.errors import ConfigError, EngineError
from broker.personas import Persona
from workers import engines
from workers.llm.engine import ENGINES, Brain
from workers.llm.library import Library
from workers.llm.stage import LlmStage
from workers.llm.stand_in import WithStandIn

logger = logging.getLogger(__name__)


STAND_IN = "knowledge"
"""Answers from the persona's documents while another engine cannot."""
FIRST_WITHIN_S = 120.0
"""Where documents were never read before, the usual persona's take some seconds; then it answers without them."""


def build(settings: Settings) -> LlmStage:
    """The stage of this installation, once the usual persona knows its documents; the others' are read beside."""
    library = Library(settings.path("personas"), settings.path("weights") / "minilm", settings.path("cache"))
    everybody = shipped(settings)
    for persona in everybody:
        for language in persona.languages:
            library.prepare(persona.snapshot(), language)
    for persona in everybody[:1]:
        with contextlib.suppress(TimeoutError):
            library.wait(persona.snapshot(), persona.languages[0], FIRST_WITHIN_S)
    brains = Brains(library)
    for persona in everybody[:1]:
        with contextlib.suppress(EngineError):  # told when somebody talks to it
            brains.of(persona.snapshot())
    return LlmStage(brains.of, library, brains.reasons)


def shipped(settings: Settings) -> list[Persona]:
    """The installation's personas, the default one first; those with a mistake in their file are left to the broker."""
    folder = settings.path("personas")
    found = []
    for name in sorted(personas.known(folder), key=lambda name: name != settings.sessions.persona):
        try:
            found.append(personas.load(folder, name))
        except ConfigError as error:
            logger.warning("persona left out", extra={"reason": str(error)})
    return found


class Brains:
    """One engine object per name, made when a persona first asks for it."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._made: dict[str, Brain] = {}
        self.reasons = engines.Reasons("brain")

    def of(self, persona: Mapping[str, Any]) -> Brain:
        """The persona's engine; `auto` is a language model where an address is given, else knowledge.

        Raises EngineError naming the known engines.
        """
        name, why = chosen(persona)
        if name not in self._made:
            made = self._make(name)
            self._made[name] = made if name == STAND_IN else WithStandIn(made, self._make(STAND_IN))
        brain = self._made[name]
        self.reasons.add(brain.name, why)
        return brain

    def _make(self, name: str) -> Brain:
        brain: Brain = engines.find(name, ENGINES, "brain")(self._library)
        return brain


def chosen(persona: Mapping[str, Any]) -> tuple[str, str]:
    """The name of a persona's engine, and why it is that one."""
    brain = persona.get("brain", {})
    name = brain.get("engine") or "auto"
    if name != "auto":
        return name, engines.CONFIGURED
    if brain.get("url"):
        return "openai", "a persona's [brain] has a url"
    return "knowledge", "a persona's [brain] has no url: it answers from its documents"

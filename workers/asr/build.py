"""Puts the asr stage together from the settings; called beside the shell's loop."""

from __future__ import annotations

from broker import personas
from broker.config import Settings
from broker.errors import EngineError
from workers.asr.engine import Engines
from workers.asr.stage import AsrStage

MOST_PREPARED = 4
"""Personas for which ears are kept ready, the usual one first: with pocketsphinx each takes 0.3 s and 40 MB."""


def build(settings: Settings) -> AsrStage:
    """The usual engine is made now, and the personas' ears beside: who takes over from the dead has no time for it.

    Others are made when a persona first needs one; what is missing is told then.
    """
    engines = Engines(settings.path("weights"), settings.path("cache"), settings.path("personas"), settings.engines)
    try:
        engines.chosen("auto", "en")
    except EngineError:
        return AsrStage(engines)
    usual = settings.sessions.persona
    known = sorted(personas.readable(settings.path("personas")), key=lambda persona: persona.id != usual)
    for persona in known[:MOST_PREPARED]:
        engines.prepare(persona.snapshot(), persona.languages[0])
    return AsrStage(engines)

"""Puts the lipsync stage together from the settings; called beside the shell's loop."""

from __future__ import annotations

from broker import personas
from broker.clock import now_ns
from broker.config import Settings
from workers.lipsync.engine import choose
from workers.lipsync.stage import LipsyncStage

SIMPLEST = "portrait"
"""What stands in for an engine that is too slow or breaks."""


def build(settings: Settings) -> LipsyncStage:
    """Raises EngineError naming what is missing."""
    engine, why = choose(settings.stages.face, settings)
    simpler = [choose(SIMPLEST, settings)[0]] if engine.name != SIMPLEST else []
    stage = LipsyncStage(engine, settings.media.size, now_ns, why, simpler=simpler)
    for portrait in sorted({persona.face.portrait for persona in personas.readable(settings.path("personas"))}):
        stage.warm(portrait)
    return stage

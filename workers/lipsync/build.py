"""Puts the lipsync stage together from the settings; called beside the shell's loop."""

from __future__ import annotations

from broker import personas
from broker.clock import now_ns
from broker.config import Settings
from workers.lipsync.engine import choose
from workers.lipsync.preparing import KEPT
from workers.lipsync.stage import LipsyncStage

SIMPLEST = "portrait"
"""What stands in for an engine that is too slow or breaks."""
MOST_WARMED = KEPT // 2
"""Faces made ready at start: they must not push each other out, and leave room for those that are asked for."""


def build(settings: Settings) -> LipsyncStage:
    """The personas' faces are made ready beside, the usual one's first: its first visitor does not wait for it.

    Raises EngineError naming what is missing.
    """
    engine, why = choose(settings.stages.face, settings)
    simpler = [choose(SIMPLEST, settings)[0]] if engine.name != SIMPLEST else []
    stage = LipsyncStage(engine, settings.media.size, now_ns, why, simpler=simpler)
    usual = settings.sessions.persona
    known = sorted(personas.readable(settings.path("personas")), key=lambda persona: persona.id != usual)
    for portrait in list(dict.fromkeys(persona.face.portrait for persona in known))[:MOST_WARMED]:
        stage.warm(portrait)
    return stage

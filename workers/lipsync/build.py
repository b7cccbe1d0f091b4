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
FIRST_WITHIN_S = 10.0
"""A start waits no longer for the usual face: half a second of work, several on a busy machine."""


def build(settings: Settings) -> LipsyncStage:
    """The usual persona's face is there with the stage, so that its first visitor need not wait; others come beside.

    Raises EngineError naming what is missing.
    """
    engine, why = choose(settings.stages.face, settings)
    simpler = [choose(SIMPLEST, settings)[0]] if engine.name != SIMPLEST else []
    stage = LipsyncStage(engine, settings.media.size, now_ns, why, simpler=simpler)
    usual = settings.sessions.persona
    known = sorted(personas.readable(settings.path("personas")), key=lambda persona: persona.id != usual)
    portraits = list(dict.fromkeys(persona.face.portrait for persona in known))
    for n, portrait in enumerate(portraits[:MOST_WARMED]):
        stage.warm(portrait, 0 if n else FIRST_WITHIN_S)
    return stage

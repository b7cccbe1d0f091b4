"""Puts the lipsync stage together from the settings; called beside the shell's loop."""

from __future__ import annotations

import logging

from broker import personas
from broker.clock import now_ns
from broker.config import Settings
from workers.lipsync.engine import choose
from workers.lipsync.stage import LipsyncStage

logger = logging.getLogger(__name__)


def build(settings: Settings) -> LipsyncStage:
    """Raises EngineError naming what is missing."""
    engine = choose("auto", settings)
    logger.info("engine chosen", extra={"engine": engine.name})
    stage = LipsyncStage(engine, settings.media.size, now_ns)
    for portrait in sorted({persona.face.portrait for persona in personas.readable(settings.path("personas"))}):
        stage.warm(portrait)
    return stage

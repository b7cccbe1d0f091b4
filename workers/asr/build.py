"""Puts the asr stage together from the settings; called beside the shell's loop."""

from __future__ import annotations

from broker.config import Settings
from workers.asr.engine import Engines
from workers.asr.stage import AsrStage


def build(settings: Settings) -> AsrStage:
    """Engines are made when a persona first needs one."""
    return AsrStage(
        Engines(settings.path("weights"), settings.path("cache"), settings.path("personas"), settings.engines)
    )

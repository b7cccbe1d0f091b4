"""Puts the vad stage together from the settings; called beside the shell's loop."""

from __future__ import annotations

from broker.config import Settings
from workers.vad.silero_engine import SileroEngine
from workers.vad.smart_turn_engine import SmartTurnEngine
from workers.vad.stage import VadStage


def build(settings: Settings) -> VadStage:
    """Raises MissingError naming the weights that are not here."""
    weights = settings.path("weights")
    return VadStage(SileroEngine(weights), SmartTurnEngine(weights))

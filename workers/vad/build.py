"""Puts the vad stage together from the settings; called beside the shell's loop."""

from __future__ import annotations

from typing import Any

from broker.config import Settings
from workers import engines
from workers.vad.engine import ENGINES, TURN_ENGINES, TurnEngine, VadEngine
from workers.vad.stage import VadStage


def build(settings: Settings) -> VadStage:
    """Raises EngineError naming the known engines, MissingError naming what one of them lacks."""

    def make(name: str, kind: Any) -> Any:
        return kind(settings.path("weights"), **settings.engines.get(name, {}))

    vad: VadEngine
    turns: TurnEngine
    wished = settings.stages
    vad, why = engines.choose(wished.vad, ENGINES, tuple(ENGINES), make, "voice activity detector")
    turns, why_turns = engines.choose(
        wished.end_of_turn, TURN_ENGINES, tuple(TURN_ENGINES), make, "end of turn detector"
    )
    return VadStage(vad, turns, why=f"{vad.name}: {why}; {turns.name}: {why_turns}")

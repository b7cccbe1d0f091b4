"""Puts the asr stage together from the settings; called beside the shell's loop."""

from __future__ import annotations

import contextlib

from broker.config import Settings
from broker.errors import EngineError
from workers.asr.engine import Engines
from workers.asr.stage import AsrStage


def build(settings: Settings) -> AsrStage:
    """The usual engine is made now: who takes over from a dead process has no time to load a library.

    Others are made when a persona first needs one; what is missing is told then.
    """
    engines = Engines(settings.path("weights"), settings.path("cache"), settings.path("personas"), settings.engines)
    with contextlib.suppress(EngineError):
        engines.get(engines.choose("auto", "en")[0])
    return AsrStage(engines)

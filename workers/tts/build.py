"""Puts the tts stage together from the settings; called beside the shell's loop."""

from __future__ import annotations

from broker.config import Settings
from broker.uploads import Uploads
from workers.tts.stage import TtsStage
from workers.tts.voices import Voices


def build(settings: Settings) -> TtsStage:
    """The stage with every installed engine loaded. Raises MissingError when there is none."""
    voices = Voices(settings.engines)
    voices.warm()
    return TtsStage(voices, Uploads(settings.path("uploads")))

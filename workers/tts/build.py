"""Puts the tts stage together from the settings; called beside the shell's loop."""

from __future__ import annotations

from broker import personas
from broker.config import Settings
from broker.uploads import Uploads
from workers.tts.stage import TtsStage
from workers.tts.voices import Voices


def build(settings: Settings) -> TtsStage:
    """The stage with every installed engine loaded, and every persona's voices. Raises MissingError when there is none.

    Of personas that are changed or come later, what is lacking is made ready beside.
    """
    voices = Voices(settings.engines)
    everybody = sorted(
        personas.readable(settings.path("personas")), key=lambda one: one.id != settings.sessions.persona
    )
    voices.warm((one.snapshot()["voices"], language) for one in everybody for language in one.languages)
    return TtsStage(voices, Uploads(settings.path("uploads")), beside=True)


def build_offline(settings: Settings) -> TtsStage:
    """The same for who is in no hurry and needs one persona's voices: they are made ready when they are needed."""
    voices = Voices(settings.engines)
    voices.warm()
    return TtsStage(voices)

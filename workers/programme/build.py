"""Puts the programme stage together from the settings; called beside the shell's loop."""

from __future__ import annotations

from broker.config import Settings
from workers.programme.settings import ProgrammeSettings
from workers.programme.stage import ProgrammeStage


def build(settings: Settings) -> ProgrammeStage:
    """The stage, for square pictures as faces are."""
    media = settings.media
    return ProgrammeStage(
        ProgrammeSettings(
            fps=media.fps,
            width=media.size,
            height=media.size,
            video_kbps=media.video_kbps,
            audio_kbps=media.audio_kbps,
        )
    )

"""What an installation chooses about the programme."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ProgrammeSettings:
    """Picture size and rate, and what the encoders may spend. Width and height are multiples of 16."""

    fps: int = 25
    width: int = 512
    height: int = 512
    video_kbps: int = 900
    audio_kbps: int = 40
    voice_window_samples: int = 0
    """48 kHz samples of voice sent with each `Draw`, centred on the picture: 0 where the face needs only the mouth."""

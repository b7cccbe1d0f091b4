"""What a film is to be: what is said, by whom, how large."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from broker.config import Settings
from broker.errors import EngineError
from broker.personas import load

LONGEST_TEXT = 20_000
"""Characters; some twenty minutes."""

LONGEST_RECORDING_S = 900

SIZES = range(128, 1025, 16)


class OrderError(EngineError):
    """A film that cannot be made as it is wanted; the text says what to change."""

    def __init__(self, text: str, code: str = "order") -> None:
        super().__init__(text, code)


@dataclass(frozen=True, kw_only=True)
class Order:
    """`text` is voiced; or `recording`, a sound file, is spoken by the face, and `text`, if given, is its words."""

    text: str = ""
    recording: Path | None = None
    persona: dict[str, Any] = field(default_factory=dict)
    """A persona's snapshot."""
    language: str = "en"
    size: int = 512
    """Pixels, square, a multiple of 16."""
    fps: int = 25
    sound: Literal["aac", "opus"] = "aac"
    """AAC plays everywhere; Opus is the programme's own packets."""
    captions: bool = False
    """A caption track in the file; words are needed for it."""


def order(settings: Settings, persona: str = "", portrait: str = "", language: str = "", **fields: Any) -> Order:
    """An order in names as people give them. Raises OrderError or ConfigError naming what there is."""
    snapshot = load(settings.path("personas"), persona or settings.sessions.persona).snapshot()
    if portrait:
        snapshot["face"] = {**snapshot["face"], "portrait": portrait}
    if language and language not in snapshot["languages"]:
        raise OrderError(f"{snapshot['name']} speaks {', '.join(snapshot['languages'])}, not {language[:20]!r}.")
    wanted = Order(persona=snapshot, language=language or snapshot["languages"][0], **fields)
    check(wanted)
    return dataclasses.replace(wanted, text=wanted.text.strip())


def check(wanted: Order) -> None:
    """Raises OrderError for what can be seen before anything is made."""
    if not wanted.text.strip() and wanted.recording is None:
        raise OrderError("There is nothing to say: give a text or a recording.")
    if len(wanted.text) > LONGEST_TEXT:
        raise OrderError(f"The text has {len(wanted.text)} characters; {LONGEST_TEXT} is the most for one film.")
    if wanted.size not in SIZES:
        raise OrderError(f"The size is {wanted.size}; it must be a multiple of 16 between 128 and 1024.")
    if not 5 <= wanted.fps <= 50:
        raise OrderError(f"{wanted.fps} pictures a second were asked for; 5 to 50 can be made.")
    if wanted.sound not in ("aac", "opus"):
        raise OrderError(f"The sound is {wanted.sound!r}; it must be aac or opus.")

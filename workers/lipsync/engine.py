"""What the lipsync stage needs of an engine, and which engines there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from broker.config import Settings
from workers import engines
from workers.lipsync.face import FaceState

ENGINES = {"portrait": "workers.lipsync.portrait_engine:PortraitEngine"}
"""Name in `[stages] face` → class, made with the Settings; it raises MissingError where something of it is not here."""
AUTO = ("portrait",)
"""Best first."""


@dataclass(frozen=True)
class Wanted:
    """One picture to draw. `avatar` is what `prepare` gave; `voice` mono s16le 48 kHz around it, may be empty.

    `backdrop` is what `prepare_backdrop` gave, None for the portrait's own.
    """

    avatar: Any  # the engine's own
    face: FaceState
    voice: bytes = b""
    backdrop: Any = None
    at_ns: int = 0
    """When it is shown, on any clock that runs evenly: which picture of a film it is."""


class FaceEngine(Protocol):
    """Draws many sessions' faces with one set of weights. `batch`: the most pictures it draws at once."""

    name: str
    batch: int

    def find(self, portrait: str) -> Path:
        """The picture of a portrait by name, quickly. Raises AvatarError naming the known ones."""

    def prepare(self, portrait_path: Path, size: int) -> Any:
        """A face ready to be drawn; takes its time, in a thread. Raises AvatarError."""

    def draw(self, wanted: list[Wanted]) -> list[bytes]:
        """Planar yuv420p, one for each, in order."""


@runtime_checkable
class CutsOut(Protocol):
    """What an engine has besides if its figures can stand before another background, or before none."""

    def find_backdrop(self, name: str) -> Path:
        """A picture or a colour by name, quickly. Raises AvatarError naming the known ones."""

    def prepare_backdrop(self, path: Path, size: int) -> Any:
        """Ready to be stood before, for `Wanted.backdrop`; in a thread. Raises AvatarError."""

    def cut_out(self, wanted: Wanted) -> bytes:
        """Planar yuv420p of twice the width: left the figure on black, right its alpha as grey."""


def choose(name: str, settings: Settings) -> tuple[FaceEngine, str]:
    """The engine of that name (see `ENGINES`; `auto` for the best), and why it is that one. Raises EngineError."""
    engine: FaceEngine
    engine, why = engines.choose(name, ENGINES, AUTO, lambda _, kind: kind(settings), "face engine")
    return engine, why

"""One engine at work in the stage: the faces and backdrops that it has made ready, and those it is making."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from workers.lipsync.engine import CutsOut, FaceEngine, Wanted
from workers.lipsync.errors import AvatarError
from workers.lipsync.preparing import FaceKey, Preparing

logger = logging.getLogger(__name__)


class Painter:
    """What belongs to an engine and to no session. `name` is the engine's."""

    def __init__(self, engine: FaceEngine) -> None:
        self.engine = engine
        self.name = engine.name
        self.faces = Preparing(engine.prepare)
        self.backdrops = Preparing(engine.prepare_backdrop) if isinstance(engine, CutsOut) else None

    def poll(self) -> bool:
        """Take over what has become ready; whether a face has."""
        if self.backdrops:
            self.backdrops.poll()
        return self.faces.poll()

    def find_backdrop(self, name: str, size: int) -> FaceKey | None:
        """Which backdrop is meant; None where the engine knows none. Raises AvatarError or OSError."""
        if not isinstance(self.engine, CutsOut):
            return None
        path: Path = self.engine.find_backdrop(name)
        return FaceKey(path, path.stat().st_mtime_ns if path.is_file() else 0, size)

    def backdrop(self, key: FaceKey, size: int) -> Any:
        """A backdrop for `Wanted.backdrop`; None while it is being made ready, or cannot be."""
        assert self.backdrops is not None
        key = replace(key, size=size)
        ready = self.backdrops.get(key)
        if ready is None:
            self.backdrops.submit(key)
        return None if isinstance(ready, AvatarError) else ready

    def draw(self, wanted: list[Wanted], cut_out: list[bool]) -> list[tuple[bytes, bytes]]:
        """Of each picture itself and, where wanted and possible, its figure alone. Raises what the engine raises."""
        pictures = self.engine.draw(wanted)
        return [
            (picture, self.engine.cut_out(each) if cut and isinstance(self.engine, CutsOut) else b"")
            for picture, each, cut in zip(pictures, wanted, cut_out, strict=True)
        ]

    def close(self) -> None:
        """End the preparing threads."""
        self.faces.close()
        if self.backdrops:
            self.backdrops.close()

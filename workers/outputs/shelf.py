"""The folder of all recordings: names, how much room there is, what is old enough to go."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from broker.errors import VisavisError
from workers.outputs.recording import ABOUT

GB = 1_000_000_000
MB = 1_000_000
DAY_S = 86_400.0


class NoRoomError(VisavisError):
    """Nothing more is recorded; the sentence says what to do."""


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """`quota_gb`: what all recordings together may take; `keep_days`: 0 keeps them for ever."""

    folder: Path
    quota_gb: float
    min_free_mb: int
    keep_days: float

    def place(self, session: str, persona: str, now: datetime | None = None) -> Path:
        """A new folder for a recording. Raises NoRoomError or OSError."""
        self.check()
        name = f"{now or datetime.now(UTC):%Y%m%d-%H%M%S}-{safe(persona, 24)}-{safe(session, 24)}"
        for number in range(1, 1000):
            place = self.folder / (name if number == 1 else f"{name}-{number}")
            try:
                place.mkdir(mode=0o700, parents=True)
            except FileExistsError:
                continue
            return place
        raise FileExistsError(str(self.folder / name))

    def check(self) -> None:
        """Raises NoRoomError where the quota is used up or the disk nearly full."""
        used = self.used()
        if used >= self.quota_gb * GB:
            raise NoRoomError(
                f"The recordings fill their quota ({used / GB:.1f} of {self.quota_gb:g} GB): delete some of "
                "them, or raise recording.quota_gb."
            )
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < self.min_free_mb * MB:
            raise NoRoomError(
                f"The disk is nearly full ({free // MB} MB free, recording.min_free_mb keeps {self.min_free_mb}): "
                "make room before recording."
            )

    def used(self) -> int:
        """Bytes of all recordings."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def expire(self, now_s: float, busy: frozenset[Path]) -> list[Path]:
        """Remove recordings that are older than `keep_days`, but not those being made. Returns what went."""
        if not self.keep_days or not self.folder.is_dir():
            return []
        old = [
            place
            for place in sorted(self.folder.iterdir())
            if place not in busy and _is_recording(place) and now_s - _newest_s(place) > self.keep_days * DAY_S
        ]
        for place in old:
            shutil.rmtree(place)
        return old


def safe(name: str, longest: int) -> str:
    """A part of a file name made of any text: letters, digits, - and _ only."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:longest] or "_"


def _is_recording(place: Path) -> bool:
    """Nothing else that lies in the folder is ever removed."""
    try:
        return "session" in json.loads((place / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def _newest_s(place: Path) -> float:
    return max((path.stat().st_mtime for path in place.iterdir()), default=0.0)

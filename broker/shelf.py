"""The folder of all recordings: names, what is in each, how much room there is, what is old enough to go.

Written by the process that records, listed and emptied by the edge; a recording is its folder, as a film's job is.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict, cast

from broker.config import RecordingSettings
from broker.errors import VisavisError
from broker.noted import Note

ABOUT = "recording.json"
"""What a recording says of itself; a folder without it is none."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,60}\.(mp4|webm|vtt|jsonl|json)")

GB = 1_000_000_000
MB = 1_000_000
DAY_S = 86_400.0


class PartTold(TypedDict):
    """A part of a recording; another one begins when pictures change their size or the recorder died."""

    files: list[str]
    captions: str
    start_ms: int
    duration_ms: NotRequired[int]


class TapeTold(TypedDict):
    """A recording: what it says of itself, and its files. What is not known yet, or was not then, is left out."""

    name: str
    session: str
    complete: Annotated[bool, Note("It has been finished.")]
    bytes: Annotated[int, Note("Of all its files.")]
    files: Annotated[dict[str, int], Note("The bytes of each.")]
    persona: NotRequired[str]
    formats: NotRequired[list[str]]
    sound: NotRequired[str]
    begun: NotRequired[Annotated[str, Note("ISO 8601.")]]
    ended: NotRequired[Annotated[str, Note("ISO 8601.")]]
    reason: NotRequired[Annotated[str, Note("Why it ended.")]]
    start_sample: NotRequired[Annotated[int, Note("The programme sample it begins with, 48 kHz.")]]
    duration_ms: NotRequired[int]
    parts: NotRequired[list[PartTold]]


class NoRoomError(VisavisError):
    """Nothing more is recorded; the sentence says what to do."""


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """`quota_gb`: what all recordings together may take; `keep_days`: 0 keeps them for ever."""

    folder: Path
    quota_gb: float
    min_free_mb: int
    keep_days: float

    @classmethod
    def of(cls, folder: Path, settings: RecordingSettings) -> Shelf:
        """As the settings have it."""
        rules = {key: getattr(settings, key) for key in ("quota_gb", "min_free_mb", "keep_days")}
        return cls(folder=folder, **rules)

    # --- room ---

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
        return _bytes(self.folder)

    # --- what is there ---

    def find(self, name: str) -> Path | None:
        """The recording of that name; None when there is none (any more)."""
        place = self.folder / name
        return place if NAME.fullmatch(name) and _about(place) is not None else None

    def file(self, name: str, file: str) -> Path | None:
        """One of its files."""
        place = self.find(name)
        path = place / file if place and FILE.fullmatch(file) else None
        return path if path and path.is_file() and not path.is_symlink() else None

    def told(self, place: Path) -> TapeTold:
        """A recording for a list: what it says of itself, its files with their bytes, whether it was finished."""
        about = _about(place) or {}
        files = {path.name: path.stat().st_size for path in sorted(place.iterdir()) if FILE.fullmatch(path.name)}
        own = {"name": place.name, "complete": "ended" in about, "bytes": sum(files.values()), "files": files}
        return cast(TapeTold, about | own)  # what is in the file, workers/outputs/recording.py wrote

    def every(self) -> list[TapeTold]:
        """All of them, the newest first."""
        found = []
        for place in sorted(self.folder.iterdir(), reverse=True) if self.folder.is_dir() else ():
            with contextlib.suppress(OSError):  # deleted meanwhile
                if self.find(place.name):
                    found.append(self.told(place))
        return found

    def newest_s(self, place: Path) -> float:
        """When something was written into a recording last."""
        return max((path.stat().st_mtime for path in place.iterdir()), default=0.0)

    def remove(self, place: Path) -> None:
        """A recording, for good. One that is being made ends with it."""
        (place / ABOUT).unlink(missing_ok=True)
        shutil.rmtree(place, ignore_errors=True)

    def expire(self, now_s: float | None = None, busy: frozenset[Path] = frozenset()) -> list[Path]:
        """Remove recordings that are older than `keep_days`, but not those being made. Returns what went."""
        if not self.keep_days or not self.folder.is_dir():
            return []
        oldest_s = (time.time() if now_s is None else now_s) - self.keep_days * DAY_S
        old = [
            place
            for place in sorted(self.folder.iterdir())
            if place not in busy and _about(place) is not None and self.newest_s(place) < oldest_s
        ]
        for place in old:
            self.remove(place)
        return old


def safe(name: str, longest: int) -> str:
    """A part of a file name made of any text: letters, digits, - and _ only."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:longest] or "_"


def _about(place: Path) -> dict[str, Any] | None:
    """What it says of itself. Nothing else that lies in the folder is ever shown or removed."""
    try:
        table = json.loads((place / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return table if isinstance(table, dict) and "session" in table else None


def _bytes(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(root) / name).stat().st_size
    return total

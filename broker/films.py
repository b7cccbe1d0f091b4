"""The files of films: a folder a job, named like it: `recording` (an upload, if any), `film.mp4`, `film.vtt`.

The edge makes the folder and hands films out, the maker writes them; what is to be made and how far it is, the broker
knows (broker/jobs.py). A file that is there is whole.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Collection
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9_-]{22}")

PARTLY = ".new-"
"""Beginning of the name of a job's folder while its upload comes."""

ABANDONED_S = 3600.0


class FilmFiles:
    """What there is of one job on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name.removeprefix(PARTLY)
        self.film = folder / "film.mp4"
        self.captions = folder / "film.vtt"
        self.recording = folder / "recording"


class Films:
    """All films of an installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self) -> FilmFiles:
        """A folder for a job that is being uploaded; `finish` it, or `drop` it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        files = FilmFiles(self.folder / f"{PARTLY}{secrets.token_urlsafe(16)}")
        files.folder.mkdir(mode=0o700)
        return files

    def finish(self, begun: FilmFiles) -> FilmFiles:
        """All of it is there."""
        files = FilmFiles(self.folder / begun.name)
        begun.folder.rename(files.folder)
        return files

    def of(self, name: str) -> FilmFiles:
        """The files of a job, whether there are any or not. Raises ValueError for what cannot be the name of one."""
        if not NAME.fullmatch(name):
            raise ValueError("not the name of a job")
        return FilmFiles(self.folder / name)

    def drop(self, name: str) -> None:
        """Remove all files of a job."""
        for folder in (self.folder / name, self.folder / f"{PARTLY}{name}"):
            shutil.rmtree(folder, ignore_errors=True)

    def size_bytes(self) -> int:
        """All files of all jobs."""
        total = 0
        for root, _, names in os.walk(self.folder):
            for name in names:
                with contextlib.suppress(OSError):
                    total += (Path(root) / name).stat().st_size
        return total

    def sweep(self, known: Collection[str], keep_s: float) -> None:
        """Remove uploads nobody finished, and what is older than `keep_s` and belongs to none of the `known` jobs."""
        now_s = time.time()
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.name in known:
                continue
            with contextlib.suppress(OSError):
                if now_s - path.stat().st_mtime > (ABANDONED_S if path.name.startswith(PARTLY) else keep_s):
                    shutil.rmtree(path, ignore_errors=True)

"""The folder of avatars: a new part is put in whole or not at all, and nothing is replaced that was not named.

An avatar has up to two parts, its face (portrait and film) and its 3D model. They share a folder and are replaced
apart.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from broker.personas import IDENTIFIER
from workers.lipsync.adding import manifest
from workers.lipsync.adding.manifest import Origin
from workers.lipsync.errors import AvatarError

FACE_FILES = re.compile(r"portrait\.\w+|poster\.jpg|preview\.png|clip\.(mp4|json)")
MODEL_FILES = re.compile(r".+\.(glb|vrm)")
PARTS = {"photo": "face", "clip": "face", "model": "model"}
STALE_S = 86_400
"""A half-filled folder that old was left by a machine that lost power."""


def check_name(name: str) -> None:
    """Raises AvatarError for what cannot be a name."""
    if not IDENTIFIER.fullmatch(name):
        text = f"{name[:60]!r} cannot be a name: use small letters, digits, - and _, at most 40, such as alice."
        raise AvatarError("name", text)


class Shelf:
    """`avatars`: where each avatar's folder is; made when it is missing."""

    def __init__(self, avatars: Path) -> None:
        self._avatars = avatars

    def names(self) -> list[str]:
        """Every avatar, sorted."""
        folders = (path for path in self._avatars.glob("*") if path.is_dir() and IDENTIFIER.fullmatch(path.name))
        return sorted(path.name for path in folders if self.parts(path.name))

    def folder(self, name: str) -> Path:
        return self._avatars / name

    def parts(self, name: str) -> list[str]:
        """Of `face` and `model`, those an avatar has."""
        found = {part for path in self.folder(name).glob("*") if (part := _part(path.name)) is not None}
        return sorted(found) if found != {"face"} or self.portrait(name) else []

    def portrait(self, name: str) -> Path | None:
        each = (path for path in self.folder(name).glob("portrait.*") if path.suffix != ".json")
        return next(iter(sorted(each)), None)

    def check_free(self, name: str, kind: str, replace: bool) -> None:
        """Raises AvatarError when this part of `name` exists and may not be replaced."""
        check_name(name)
        folder = self.folder(name)
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise AvatarError("exists", f"{folder.name} is a link or a file among the avatars; choose another name.")
        if PARTS[kind] in self.parts(name) and not replace:
            what = "a face" if PARTS[kind] == "face" else "a 3D model"
            text = f"There is {what} called {name} already; choose another --name, or say --replace to put it aside."
            raise AvatarError("exists", text)

    @contextlib.contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """An empty folder on the same disk; what is in it at the end and was not put on the shelf is removed."""
        self._avatars.mkdir(parents=True, exist_ok=True)
        self._tidy()
        folder = Path(tempfile.mkdtemp(prefix=f".adding-{name}-", dir=self._avatars))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, staged: Path, name: str, kind: str, origin: Origin, replace: bool) -> Path:
        """Make `staged` the avatar's folder, together with the part it has besides. Raises AvatarError."""
        with self._locked():
            self.check_free(name, kind, replace)
            target = self.folder(name)
            noted = manifest.read(target)
            if target.is_dir():
                for path in sorted(target.iterdir()):
                    if _part(path.name) != PARTS[kind] and path.name != manifest.FILE and path.is_file():
                        shutil.copy2(path, staged / path.name)
            manifest.write(staged, name, noted | {PARTS[kind]: origin})
            staged.chmod(0o755)
            self._swap(staged, target)
        return target

    def remove(self, name: str) -> None:
        """Raises AvatarError when there is none, or it came with the project."""
        check_name(name)
        folder = self.folder(name)
        if folder.is_symlink() or not self.parts(name):
            known = ", ".join(self.names()) or "none yet"
            raise AvatarError("face_unknown", f"There is no avatar called {name}. Known avatars: {known}.")
        if not manifest.read(folder):
            raise AvatarError("not_ours", f"{name} was not added by this command; remove {folder} by hand.")
        with self._locked():
            gone = self._aside(name)
            os.rename(folder, gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _swap(self, staged: Path, target: Path) -> None:
        if not target.exists():
            os.rename(staged, target)
            return
        before = self._aside(target.name)
        os.rename(target, before)
        try:
            os.rename(staged, target)
        except OSError:
            os.rename(before, target)
            raise
        shutil.rmtree(before, ignore_errors=True)

    def _aside(self, name: str) -> Path:
        return self._avatars / f".before-{name}-{os.getpid()}"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One at a time, whoever adds."""
        with (self._avatars / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _tidy(self) -> None:
        """What a process that was killed has left: an avatar that was put aside comes back, drafts go."""
        with self._locked():
            for path in self._avatars.glob(".before-*"):
                target = self.folder(path.name.removeprefix(".before-").rpartition("-")[0])
                if target.exists():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    os.rename(path, target)
        for path in self._avatars.glob(".adding-*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > STALE_S:
                    shutil.rmtree(path, ignore_errors=True)


def _part(file: str) -> str | None:
    if FACE_FILES.fullmatch(file):
        return "face"
    return "model" if MODEL_FILES.fullmatch(file) else None

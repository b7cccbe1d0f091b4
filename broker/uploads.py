"""Recordings that are to be spoken in a conversation: a folder a session, a file each, which all processes can read.

A file holds the voice as a tts would have sent it (`Voice` messages), made of the recording before anybody is asked to
say it. Only its name travels: whoever has to speak it, or to speak it again after a crash, reads it here.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

import msgpack

from broker.codec import decode, encode
from broker.errors import EngineError, WireError
from broker.messages import Voice

NAME = re.compile(r"[A-Za-z0-9_-]{16}")

KEPT = 16
"""Of a session; more than can be waiting to be said, being said, and being written down as heard."""

LARGEST_BYTES = 64 * 1024 * 1024


class Uploads:
    """All that is kept. Session ids come from outside, so that folders are called by their hashes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, session: str) -> Path:
        """Where a new one may be written, its name that of the file. The session's oldest make room."""
        folder = self._of(session)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
        older = sorted((path for path in folder.iterdir() if NAME.fullmatch(path.name)), key=_age)
        for path in older[: max(0, len(older) - KEPT + 1)]:
            path.unlink(missing_ok=True)
        return folder / secrets.token_urlsafe(12)

    def voice(self, session: str, name: str) -> list[Voice]:
        """Its pieces in order. Raises EngineError when there is none (any more)."""
        path = self._of(session) / name
        try:
            if not NAME.fullmatch(name) or path.stat().st_size > LARGEST_BYTES:
                raise EngineError("the recording is not known", "upload")
            return read(path)
        except (OSError, ValueError, WireError, msgpack.UnpackException) as error:
            raise EngineError("the recording is gone", "upload") from error

    def forget(self, session: str) -> None:
        """The session has ended; nothing of it is kept."""
        shutil.rmtree(self._of(session), ignore_errors=True)

    def keep(self, sessions: Collection[str]) -> None:
        """Forget what belongs to none of these."""
        kept = {self._of(session) for session in sessions}
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _of(self, session: str) -> Path:
        return self._folder / hashlib.sha256(session.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def write(path: Path, voice: Iterable[Voice]) -> None:
    """All of it or nothing."""
    part = path.with_suffix(".part")
    try:
        part.write_bytes(msgpack.packb([encode(piece) for piece in voice]))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path) -> list[Voice]:
    """Raises OSError, ValueError or WireError for what `write` has not written."""
    pieces = [decode(frames) for frames in msgpack.unpackb(path.read_bytes())]
    voice = [piece for piece in pieces if isinstance(piece, Voice)]
    if not voice or len(voice) != len(pieces):
        raise ValueError("not a voice")
    return voice


def _age(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0

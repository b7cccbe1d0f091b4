"""Faces and backdrops made ready beside the drawing: one thread behind submit and poll, the few used last are kept.

What somebody waits for is made before what somebody may want, and that only while nobody is here to be drawn for.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.clock import now_ns
from workers.lipsync.errors import AvatarError

logger = logging.getLogger(__name__)

KEPT = 12
"""Prepared faces, those made beforehand among them; one takes 8 MB at 512 pixels, 30 at 1024."""
BROKEN = "face_failed"
"""The code of what nobody thought of. It may pass, so it is tried again when the face is wanted again."""


@dataclass(frozen=True)
class FaceKey:
    """A portrait as it is on disk now, at one size: a changed picture is another face."""

    path: Path
    changed_ns: int
    size: int


class Preparing:
    """`make(path, size)` runs in a thread of its own; what it raises is kept in place of what it would have made."""

    def __init__(self, make: Callable[[Path, int], Any]) -> None:
        self._make = make
        self._waiting: dict[FaceKey, bool] = {}
        """Whether it is made beforehand; in the order asked for."""
        self._guard = threading.Condition()
        """Guards `_waiting`, `_occupied` and `_closed`."""
        self._occupied = False
        self._closed = False
        self._done: queue.SimpleQueue[tuple[FaceKey, Any]] = queue.SimpleQueue()
        self._pending: set[FaceKey] = set()
        self._faces: collections.OrderedDict[FaceKey, Any] = collections.OrderedDict()
        self._thread: threading.Thread | None = None

    def submit(self, key: FaceKey, beforehand: bool = False) -> None:
        """Make a face ready unless it is, or is being made. `beforehand`: nobody waits for it yet."""
        known = self._faces.get(key)
        if isinstance(known, AvatarError) and known.code == BROKEN:
            del self._faces[key]
        if key in self._faces:
            return
        with self._guard:
            if key not in self._pending:
                self._pending.add(key)
                self._waiting[key] = beforehand
            elif key in self._waiting:
                self._waiting[key] &= beforehand
            self._guard.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="prepare-faces", daemon=True)
            self._thread.start()

    def poll(self) -> bool:
        """Take over what has become ready; whether anything has."""
        came = False
        while not self._done.empty():
            came = True
            self._take(*self._done.get())
        return came

    def wait(self, key: FaceKey, within_s: float) -> None:
        """Return once a face that was submitted is ready or cannot be made, or when the time is over."""
        ends = time.monotonic() + within_s
        while key in self._pending and (left := ends - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                self._take(*self._done.get(timeout=left))

    def get(self, key: FaceKey) -> Any:
        """The face, an AvatarError, or None while it is being made or when it was never asked for."""
        face = self._faces.get(key)
        if face is not None:
            self._faces.move_to_end(key)
        return face

    def occupy(self, occupied: bool) -> None:
        """Whether pictures are drawn meanwhile: what nobody waits for yet would delay them, and is not begun then."""
        with self._guard:
            self._occupied = occupied
            self._guard.notify()

    @property
    def busy(self) -> bool:
        """Something is being made, or is next."""
        with self._guard:
            return len(self._pending) > len(self._waiting) - len(self._eligible())

    def close(self) -> None:
        """End the thread after the face in hand."""
        if self._thread is not None:
            with self._guard:
                self._closed = True
                self._guard.notify()
            self._thread.join(timeout=10)
            self._thread = None

    def _take(self, key: FaceKey, face: Any) -> None:
        self._pending.discard(key)
        self._faces[key] = face
        while len(self._faces) > KEPT:
            self._faces.popitem(last=False)

    def _work(self) -> None:
        while (key := self._next()) is not None:
            started_ns = now_ns()
            try:
                face: Any = self._make(key.path, key.size)
            except AvatarError as error:
                face = error
            except Exception:  # a picture nobody thought of must not end the thread for all others
                logger.exception("preparing a face failed", extra={"portrait": key.path.parent.name})
                face = AvatarError(BROKEN, f"The portrait {key.path.parent.name} cannot be used; try another picture.")
            else:
                facts = {"portrait": key.path.parent.name, "size": key.size, "took_ns": now_ns() - started_ns}
                logger.info("face ready", extra=facts)
            self._done.put((key, face))

    def _next(self) -> FaceKey | None:
        """The one to make now, waited for; None at the end."""
        with self._guard:
            self._guard.wait_for(lambda: self._eligible() or self._closed)
            if self._closed:
                return None
            key = min(self._eligible(), key=self._waiting.__getitem__)
            del self._waiting[key]
            return key

    def _eligible(self) -> list[FaceKey]:
        return [key for key, beforehand in self._waiting.items() if not (beforehand and self._occupied)]

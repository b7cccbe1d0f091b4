"""The lipsync stage: pictures on request, in time or not at all, for all sessions of this process."""

from __future__ import annotations

import collections
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from broker.clock import NS_PER_MS
from broker.messages import Close, Draw, Failed, Message, Open, Picture
from broker.visemes import VISEMES
from workers.lipsync.backdrops import OWN
from workers.lipsync.engine import CutsOut, FaceEngine, Wanted
from workers.lipsync.errors import AvatarError
from workers.lipsync.face import face_from_wire
from workers.lipsync.preparing import FaceKey, Preparing

logger = logging.getLogger(__name__)

WAITING_LIMIT = 8
"""Pictures asked for and not drawn, per session; beyond it the oldest is skipped."""
POLL_NS = 10 * NS_PER_MS
"""How often to look whether a face has become ready."""


@dataclass
class _Session:
    """`path` and `changed_ns` are the portrait as it was when the session opened."""

    portrait: str
    path: Path | None = None
    """None: there is no face, which was said once; no pictures are drawn."""
    changed_ns: int = 0
    sizes: set[int] = field(default_factory=set)
    """In which the face was asked for and not found wanting."""
    background: str = ""
    """The one asked for last."""
    backdrop: FaceKey | None = None
    """What it is, in some size; None: the portrait's own."""
    waiting: dict[int, Draw] = field(default_factory=dict)
    """By deadline: a picture asked for again replaces the one before it."""
    next: _Session | None = None
    """Another face, being made ready; until then this one goes on being drawn."""

    def key(self, size: int) -> FaceKey:
        assert self.path is not None
        return FaceKey(self.path, self.changed_ns, size)


class LipsyncStage:
    """`size` is what faces are prepared for when a session opens. `clock` only measures how long drawing took. `why`
    it has this engine, in words."""

    def __init__(
        self, engine: FaceEngine, size: int = 512, clock: Callable[[], int] = lambda: 0, why: str = ""
    ) -> None:
        self.engine = engine
        self.engine_name = engine.name
        self.engine_why = f"{engine.name}: {why}" if why else ""
        self.counters: collections.Counter[str] = collections.Counter()
        self._size = size
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        self._preparing = Preparing(engine.prepare)
        self._backdrops = Preparing(engine.prepare_backdrop) if isinstance(engine, CutsOut) else None
        self._outbox: list[Message] = []
        self._paused: frozenset[str] = frozenset()
        self._looked_ns = 0

    def accept(self, message: Message) -> None:
        """File an Open, a Close or a Draw."""
        if isinstance(message, Open):
            self._open(message)
        elif isinstance(message, Close):
            self._sessions.pop(message.session, None)
        elif isinstance(message, Draw):
            self._file(message)

    def pause(self, sessions: frozenset[str]) -> None:
        """Nothing is drawn for these for now; what is then too late is skipped."""
        self._paused = sessions

    def step(self, now_ns: int) -> list[Message]:
        """At most one batch of pictures, those due first. Late ones are skipped and counted."""
        self._looked_ns = now_ns
        if self._backdrops:
            self._backdrops.poll()
        if self._preparing.poll():
            self._take_next()
            self._find_failures()
        outgoing, self._outbox = self._outbox, []
        self._skip_late(now_ns)
        return outgoing + self._draw(self._most_urgent())

    @property
    def due_ns(self) -> int | None:
        """At once while something can be drawn or said, soon while a face is being made ready."""
        if self._outbox or any(session.waiting for session in self._unpaused()):
            return 0
        return self._looked_ns + POLL_NS if self._preparing.busy else None

    def warm(self, portrait: str) -> None:
        """Begin to make a face ready that somebody will ask for; one that cannot be is told when they do."""
        try:
            path = self.engine.find(portrait)
            self._preparing.submit(FaceKey(path, path.stat().st_mtime_ns, self._size))
        except (AvatarError, OSError):
            self.counters["faces_not_warmed"] += 1

    def close(self) -> None:
        """End the preparing threads."""
        self._preparing.close()
        if self._backdrops:
            self._backdrops.close()

    def _open(self, message: Open) -> None:
        face = message.persona.get("face")
        portrait = str(face.get("portrait", "")) if isinstance(face, dict) else ""
        known = self._sessions.get(message.session)
        if known is not None and known.portrait == portrait:
            known.next = None
            return
        if known is not None and known.next is not None and known.next.portrait == portrait:
            return
        session = _Session(portrait, sizes=set(known.sizes) if known else set())
        if known is None or known.path is None:
            known = self._sessions[message.session] = session
        try:
            session.path = self.engine.find(portrait)
            session.changed_ns = session.path.stat().st_mtime_ns
        except AvatarError as error:
            self._fail(message.session, session, error)
            return
        except OSError:
            self._fail(message.session, session, AvatarError("face_unknown", f"The portrait '{portrait}' has gone."))
            return
        for size in session.sizes or {self._size}:
            self._want(session, size)
        if known is not session:
            known.next = session
            self._take_next()

    def _take_next(self) -> None:
        """Switch to faces that have become ready, between two pictures; what was asked for is drawn with the new one.

        One that cannot be made ready is told, and the face before it stays.
        """
        for name, session in self._sessions.items():
            if session.next is None:
                continue
            found = [self._preparing.get(session.next.key(size)) for size in session.next.sizes]
            error = next((each for each in found if isinstance(each, AvatarError)), None)
            if error is not None:
                self._fail(name, session.next, error)
                session.next = None
            elif all(each is not None for each in found):
                session.next.waiting = session.waiting
                self._sessions[name] = session.next
                self.counters["faces_switched"] += 1

    def _want(self, session: _Session, size: int) -> None:
        session.sizes.add(size)
        self._preparing.submit(session.key(size))

    def _fail(self, name: str, session: _Session, error: AvatarError) -> None:
        session.path = None
        session.waiting.clear()
        self.counters["faces_failed"] += 1
        self._outbox.append(Failed(session=name, turn=0, code=error.code, text=str(error), kind="lipsync"))

    def _file(self, draw: Draw) -> None:
        session = self._sessions.get(draw.session)
        if session is None or session.path is None:
            self.counters["pictures_without_face"] += 1
        elif draw.width != draw.height:
            text = f"A portrait is square; {draw.width} × {draw.height} was asked for."
            self._fail(draw.session, session, AvatarError("size", text))
        elif len(draw.mouth) != len(VISEMES):
            self.counters["pictures_malformed"] += 1
        elif self._preparing.get(session.key(draw.width)) is None:
            self._want(session, draw.width)
            self.counters["pictures_unprepared"] += 1
        else:
            self._queue(session, draw)

    def _queue(self, session: _Session, draw: Draw) -> None:
        if draw.deadline_ns in session.waiting:
            self.counters["pictures_replaced"] += 1
        elif len(session.waiting) >= WAITING_LIMIT:
            del session.waiting[min(session.waiting)]
            self.counters["pictures_crowded"] += 1
        session.waiting[draw.deadline_ns] = draw

    def _find_failures(self) -> None:
        for name, session in self._sessions.items():
            for size in session.sizes if session.path is not None else ():
                found = self._preparing.get(session.key(size))
                if isinstance(found, AvatarError):
                    self._fail(name, session, found)
                    break

    def _skip_late(self, now_ns: int) -> None:
        for session in self._sessions.values():
            for deadline in [each for each in session.waiting if 0 < each <= now_ns]:
                del session.waiting[deadline]
                self.counters["pictures_late"] += 1

    def _most_urgent(self) -> list[Draw]:
        """The next batch, taken from the sessions' waiting pictures by deadline."""
        pending = [draw for session in self._unpaused() for draw in session.waiting.values()]
        pending.sort(key=lambda draw: draw.deadline_ns)
        batch = pending[: self.engine.batch]
        for draw in batch:
            del self._sessions[draw.session].waiting[draw.deadline_ns]
        return batch

    def _unpaused(self) -> list[_Session]:
        return [session for name, session in self._sessions.items() if name not in self._paused]

    def _draw(self, batch: list[Draw]) -> list[Message]:
        wanted, drawn = [], []
        for draw in batch:
            avatar = self._preparing.get(self._sessions[draw.session].key(draw.width))
            if avatar is None:  # made room for others meanwhile; it is made again when asked for again
                self.counters["pictures_unprepared"] += 1
                continue
            face = face_from_wire(draw.mouth, draw.face, draw.emotion)
            wanted.append(Wanted(avatar, face, draw.voice, self._backdrop(draw), draw.deadline_ns))
            drawn.append(draw)
        if not wanted:
            return []
        started_ns = self._clock()
        pictures = self.engine.draw(wanted)
        cutouts = [self._cut_out(draw, each) for draw, each in zip(drawn, wanted, strict=True)]
        took_ns = (self._clock() - started_ns) // len(wanted)
        self.counters["pictures_drawn"] += len(wanted)
        return [
            Picture(
                session=draw.session,
                picture=draw.picture,
                width=draw.width,
                height=draw.height,
                yuv=yuv,
                took_ns=took_ns,
                cutout=cutout,
            )
            for draw, yuv, cutout in zip(drawn, pictures, cutouts, strict=True)
        ]

    def _backdrop(self, draw: Draw) -> Any:
        """What the figure is to stand before; its own background while that is being made ready, or is unknown."""
        session = self._sessions[draw.session]
        if self._backdrops is None or not isinstance(self.engine, CutsOut):
            return None
        if draw.background != session.background:
            session.background, session.backdrop = draw.background, None
            if draw.background not in OWN:
                try:
                    path = self.engine.find_backdrop(draw.background)
                    session.backdrop = FaceKey(path, path.stat().st_mtime_ns if path.is_file() else 0, draw.width)
                except (AvatarError, OSError) as error:
                    self.counters["backdrops_unknown"] += 1
                    logger.warning("background not found", extra={"session": draw.session, "reason": str(error)})
        if session.backdrop is None:
            return None
        key = replace(session.backdrop, size=draw.width)
        ready = self._backdrops.get(key)
        if ready is None:
            self._backdrops.submit(key)
        return None if isinstance(ready, AvatarError) else ready

    def _cut_out(self, draw: Draw, wanted: Wanted) -> bytes:
        return self.engine.cut_out(wanted) if draw.cutout and isinstance(self.engine, CutsOut) else b""

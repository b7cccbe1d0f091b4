"""The lipsync stage: pictures on request, in time or not at all, for all sessions of this process.

An engine that is late again and again, or breaks, gives way to a simpler one for a while.
"""

from __future__ import annotations

import collections
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.clock import NS_PER_MS
from broker.messages import Close, Draw, Failed, Message, Open, Picture
from broker.visemes import VISEMES
from workers.fallback import Change, Fallback
from workers.lipsync.backdrops import OWN
from workers.lipsync.engine import FaceEngine, Wanted
from workers.lipsync.errors import AvatarError
from workers.lipsync.face import face_from_wire
from workers.lipsync.painter import Painter
from workers.lipsync.preparing import BROKEN, FaceKey

logger = logging.getLogger(__name__)

WAITING_LIMIT = 8
"""Pictures asked for and not drawn, per session; beyond it the oldest is skipped."""
POLL_NS = 10 * NS_PER_MS
"""How often to look whether a face has become ready."""
JUDGED = 75
"""Pictures that an engine is judged by: three seconds of one session. Half the rate, which the programme goes down to
first, must have had the time to help."""
TOO_LATE = 0.5
"""Where so large a part of them is late a simpler engine draws."""


@dataclass
class _Session:
    """`path` and `changed_ns` are the portrait as it was when the session opened."""

    portrait: str
    painter: Painter
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
    """Another face, or the same by another engine, being made ready; until then this one goes on being drawn."""

    def key(self, size: int) -> FaceKey:
        assert self.path is not None
        return FaceKey(self.path, self.changed_ns, size)


class LipsyncStage:
    """`size` is what faces are prepared for when a session opens. `clock` only measures how long drawing took. `why`
    it has this engine, in words. `simpler`: engines that stand in when `engine` is too slow or breaks, best first."""

    def __init__(
        self,
        engine: FaceEngine,
        size: int = 512,
        clock: Callable[[], int] = lambda: 0,
        why: str = "",
        *,
        simpler: Sequence[FaceEngine] = (),
    ) -> None:
        self._why = why
        self.counters: collections.Counter[str] = collections.Counter()
        self._size = size
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        self._painters = {each.name: Painter(each) for each in (engine, *simpler)}
        self._fallback = Fallback(tuple(self._painters), JUDGED, TOO_LATE)
        self._outbox: list[Message] = []
        self._paused: frozenset[str] = frozenset()
        self._looked_ns = 0

    @property
    def engine_why(self) -> str:
        change = self._fallback.newest
        why = change.reason if change and self._fallback.reduced else self._why
        return f"{self.engine_name}: {why}" if why else ""

    @property
    def engine_name(self) -> str:
        """The engine that draws now, for the console."""
        return self._fallback.name

    def accept(self, message: Message) -> None:
        """File an Open, a Close or a Draw."""
        if isinstance(message, Draw):
            self._file(message)
            return
        if isinstance(message, Open):
            self._open(message)
        elif isinstance(message, Close):
            self._sessions.pop(message.session, None)
        for painter in self._painters.values():
            painter.faces.occupy(bool(self._sessions))

    def pause(self, sessions: frozenset[str]) -> None:
        """Nothing is drawn for these for now; what is then too late is skipped."""
        self._paused = sessions

    def step(self, now_ns: int) -> list[Message]:
        """At most one batch of pictures, those due first. Late ones are skipped and counted."""
        self._looked_ns = now_ns
        came = [painter.poll() for painter in self._painters.values()]
        if any(came):
            self._take_next()
            self._find_failures()
        self._change(self._fallback.poll(now_ns))
        self._skip_late(now_ns)
        pictures = self._draw(self._most_urgent(), now_ns)
        outgoing, self._outbox = self._outbox, []
        return outgoing + pictures

    @property
    def due_ns(self) -> int | None:
        """At once while something can be drawn or said, soon while a face is being made ready."""
        if self._outbox or any(session.waiting for session in self._unpaused()):
            return 0
        busy = any(painter.faces.busy for painter in self._painters.values())
        return self._looked_ns + POLL_NS if busy else None

    def warm(self, portrait: str, within_s: float = 0) -> None:
        """Begin to make a face ready that somebody may ask for; one that cannot be is told when they do.

        `within_s`: wait for it, so long at most. Only while the stage is not served yet.
        """
        painter = self._painter
        try:
            path = painter.engine.find(portrait)
            key = FaceKey(path, path.stat().st_mtime_ns, self._size)
            painter.faces.submit(key, beforehand=True)
            painter.faces.wait(key, within_s)
        except Exception as error:  # a third party's engine may raise anything; nobody has asked for this face yet
            self.counters["faces_not_warmed"] += 1
            logger.warning("face not made ready", extra={"portrait": portrait, "reason": str(error)})

    def close(self) -> None:
        """End the preparing threads."""
        for painter in self._painters.values():
            painter.close()

    @property
    def _painter(self) -> Painter:
        return self._painters[self._fallback.name]

    def _open(self, message: Open) -> None:
        face = message.persona.get("face")
        portrait = str(face.get("portrait", "")) if isinstance(face, dict) else ""
        if message.session not in self._sessions and self._fallback.reduced and self._fallback.newest:
            self._outbox.append(self._fallback.newest.event(message.session, "lipsync"))
        self._show(message.session, portrait)

    def _show(self, name: str, portrait: str) -> None:
        """A session is to have this face, drawn by the engine that serves now, as soon as it is ready."""
        known = self._sessions.get(name)
        if known is not None and (known.portrait, known.painter) == (portrait, self._painter):
            known.next = None
            return
        coming = known.next if known is not None else None
        if coming is not None and (coming.portrait, coming.painter) == (portrait, self._painter):
            return
        session = _Session(portrait, self._painter, sizes=set(known.sizes) if known else set())
        if known is None or known.path is None:
            known = self._sessions[name] = session
        try:
            session.path = session.painter.engine.find(portrait)
            session.changed_ns = session.path.stat().st_mtime_ns
        except AvatarError as error:
            self._fail(name, session, error)
            return
        except OSError:
            self._fail(name, session, AvatarError("face_unknown", f"The portrait '{portrait}' has gone."))
            return
        for size in session.sizes or {self._size}:
            self._want(session, size)
        if known is not session:
            known.next = session
            self._take_next()
        else:
            self._find_failure(name, session)

    def _take_next(self) -> None:
        """Switch to faces that have become ready, between two pictures; what was asked for is drawn with the new one.

        One that cannot be made ready is told, and the face before it stays.
        """
        for name, session in self._sessions.items():
            if session.next is None:
                continue
            found = [session.next.painter.faces.get(session.next.key(size)) for size in session.next.sizes]
            error = next((each for each in found if isinstance(each, AvatarError)), None)
            if error is not None:
                failed = session.next
                self._unmade(name, failed, error)
                if session.next is failed:
                    session.next = None
            elif all(each is not None for each in found):
                session.next.waiting = session.waiting
                self._sessions[name] = session.next
                self.counters["faces_switched"] += 1

    def _want(self, session: _Session, size: int) -> None:
        session.sizes.add(size)
        session.painter.faces.submit(session.key(size))

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
        elif not self._prepared(draw.session, session, draw.width):
            self.counters["pictures_unprepared"] += 1
        else:
            self._queue(session, draw)

    def _prepared(self, name: str, session: _Session, size: int) -> bool:
        """Whether the face is ready in this size. If not it is made so; one that cannot be is told."""
        ready = session.painter.faces.get(session.key(size)) is not None
        if ready and size in session.sizes:
            return True
        self._want(session, size)
        self._find_failure(name, session)
        return session.path is not None and session.painter.faces.get(session.key(size)) is not None

    def _queue(self, session: _Session, draw: Draw) -> None:
        if draw.deadline_ns in session.waiting:
            self.counters["pictures_replaced"] += 1
        elif len(session.waiting) >= WAITING_LIMIT:
            del session.waiting[min(session.waiting)]
            self.counters["pictures_crowded"] += 1
        session.waiting[draw.deadline_ns] = draw

    def _find_failures(self) -> None:
        for name, session in self._sessions.items():
            self._find_failure(name, session)

    def _find_failure(self, name: str, session: _Session) -> None:
        for size in session.sizes if session.path is not None else ():
            found = session.painter.faces.get(session.key(size))
            if isinstance(found, AvatarError):
                self._unmade(name, session, found)
                break

    def _unmade(self, name: str, session: _Session, error: AvatarError) -> None:
        """A face cannot be made ready: the picture's fault is told, the engine's lets another draw where one can."""
        reason = f"{session.painter.name} could not make a face ready"
        ours = error.code == BROKEN
        change = self._fallback.fail(session.painter.name, self._looked_ns, reason) if ours else None
        if change:
            self._change(change)
        elif not ours or session.painter is self._painter:
            self._fail(name, session, error)

    def _skip_late(self, now_ns: int) -> None:
        """Forget what can only come too late. It counts against the engine, unless the session was paused."""
        for name, session in self._sessions.items():
            for deadline in [each for each in session.waiting if 0 < each <= now_ns]:
                del session.waiting[deadline]
                self.counters["pictures_late"] += 1
                if name not in self._paused:
                    self._judge(session.painter, True, now_ns)

    def _judge(self, painter: Painter, late: bool, now_ns: int) -> None:
        reason = f"{painter.name} is too slow here: its pictures come late"
        self._change(self._fallback.note(painter.name, late, now_ns, reason))

    def _change(self, change: Change | None) -> None:
        """Another engine is to draw from now on: every session's face is made ready by it."""
        if change is None:
            return
        logger.warning("engine changed", extra={"engine": self.engine_name, "reason": change.reason})
        self.counters["engine_changes"] += 1
        for name, session in list(self._sessions.items()):
            self._outbox.append(change.event(name, "lipsync"))
            self._show(name, (session.next or session).portrait)

    def _most_urgent(self) -> list[Draw]:
        """The next batch, taken from the waiting pictures of one engine's sessions by deadline."""
        pending = [draw for session in self._unpaused() for draw in session.waiting.values()]
        if not pending:
            return []
        pending.sort(key=lambda draw: draw.deadline_ns)
        painter = self._sessions[pending[0].session].painter
        batch = [draw for draw in pending if self._sessions[draw.session].painter is painter][: painter.engine.batch]
        for draw in batch:
            del self._sessions[draw.session].waiting[draw.deadline_ns]
        return batch

    def _unpaused(self) -> list[_Session]:
        return [session for name, session in self._sessions.items() if name not in self._paused]

    def _draw(self, batch: list[Draw], now_ns: int) -> list[Message]:
        wanted, drawn = [], []
        for draw in batch:
            session = self._sessions[draw.session]
            avatar = session.painter.faces.get(session.key(draw.width))
            if avatar is None:  # made room for others meanwhile; it is made again when asked for again
                self.counters["pictures_unprepared"] += 1
                continue
            face = face_from_wire(draw.mouth, draw.face, draw.emotion)
            wanted.append(Wanted(avatar, face, draw.voice, self._backdrop(draw), draw.deadline_ns))
            drawn.append(draw)
        if not wanted:
            return []
        painter = self._sessions[drawn[0].session].painter
        started_ns = self._clock()
        try:
            pictures = painter.draw(wanted, [draw.cutout for draw in drawn])
        except Exception as error:  # whatever it was, another engine may still draw
            if not self._stands_in(painter, error, now_ns):
                raise
            return []
        took_ns = self._clock() - started_ns
        self.counters["pictures_drawn"] += len(wanted)
        for draw in drawn:
            self._judge(painter, 0 < draw.deadline_ns < now_ns + took_ns, now_ns)
        return [
            Picture(
                session=draw.session,
                picture=draw.picture,
                width=draw.width,
                height=draw.height,
                yuv=yuv,
                took_ns=took_ns // len(wanted),
                cutout=cutout,
            )
            for draw, (yuv, cutout) in zip(drawn, pictures, strict=True)
        ]

    def _stands_in(self, painter: Painter, error: Exception, now_ns: int) -> bool:
        """An engine broke: whether another draws instead, now or already. Without one the process starts afresh."""
        reason = f"{painter.name} broke ({type(error).__name__})"
        if change := self._fallback.fail(painter.name, now_ns, reason):
            logger.error("engine broke", extra={"engine": painter.name}, exc_info=error)
            self._change(change)
        self.counters["draws_failed"] += 1
        return painter is not self._painter

    def _backdrop(self, draw: Draw) -> Any:
        """What the figure is to stand before; its own background while that is being made ready, or is unknown."""
        session = self._sessions[draw.session]
        if draw.background != session.background:
            session.background, session.backdrop = draw.background, None
            if draw.background not in OWN:
                try:
                    session.backdrop = session.painter.find_backdrop(draw.background, draw.width)
                except (AvatarError, OSError) as error:
                    self.counters["backdrops_unknown"] += 1
                    logger.warning("background not found", extra={"session": draw.session, "reason": str(error)})
        return session.painter.backdrop(session.backdrop, draw.width) if session.backdrop else None

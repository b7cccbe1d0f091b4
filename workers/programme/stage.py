"""The programme stage: every session's clock, one tick or one small piece of work a step."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from broker.messages import Close, Message, Open
from workers.programme.session import Session
from workers.programme.settings import ProgrammeSettings


class ProgrammeStage:
    """Sessions by name. Messages of unknown sessions are dropped and counted."""

    def __init__(self, settings: ProgrammeSettings) -> None:
        self._settings = settings
        self._sessions: dict[str, Session] = {}
        self._counters: Counter[str] = Counter()

    def accept(self, message: Message) -> None:
        """File a message; nothing is sent before the next step."""
        session = self._sessions.get(message.session)
        if isinstance(message, Open):
            if session:
                session.open(message)
            else:
                self._sessions[message.session] = Session(message, self._settings, self._counters)
        elif isinstance(message, Close):
            self._sessions.pop(message.session, None)
        elif session:
            session.accept(message)
        else:
            self._counters["unknown_session"] += 1

    def pause(self, sessions: frozenset[str]) -> None:
        """For these no pictures are asked for: lipsync does not take what was asked last. Their clocks go on."""
        for name, session in self._sessions.items():
            session.without_pictures = name in sessions

    def step(self, now_ns: int) -> list[Message]:
        """The tick that has been due longest; if none is, one piece of the work between ticks."""
        if not self._sessions:
            return []
        for session in self._sessions.values():
            if session.next_tick is None:
                session.start(now_ns)
        latest = min(self._sessions.values(), key=lambda session: session.tick_due_ns)
        if latest.tick_due_ns <= now_ns:
            return _addressed(latest.tick(now_ns), latest.name)
        waiting = min(self._sessions.values(), key=lambda session: session.due_ns)
        return _addressed(waiting.between(now_ns), waiting.name) if waiting.due_ns <= now_ns else []

    @property
    def due_ns(self) -> int | None:
        """When `step` is wanted again; none while there is no session."""
        return min((session.due_ns for session in self._sessions.values()), default=None)

    def report(self, session: str) -> dict[str, object]:
        """The facts of a `Holding`; empty for a session that is not here."""
        return self._sessions[session].report() if session in self._sessions else {}

    @property
    def counters(self) -> dict[str, float]:
        """Totals since the process started."""
        return dict(self._counters)


def _addressed(messages: list[Message], session: str) -> list[Message]:
    return [replace(message, session=session) if message.session != session else message for message in messages]

"""What is written down of the sessions and of the films, and read again by this process's successor."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import replace

from broker.errors import StoreError
from broker.jobs import Job, News
from broker.messages import Event
from broker.recovery import waiting_anew
from broker.sessions import Record, Session, essence
from broker.snapshot import dump, restore
from broker.store import Store, StoredSession, StoredTurn

logger = logging.getLogger(__name__)

TURNS_SKIPPED = 100
"""More than are given out while a failing database is left alone."""


class Journal:
    """Knows what is in the database already. `boot` tells this start of the machine from others.

    Written before the messages of the moment are sent: about 0.2 ms, and a killed broker's successor knows of them all.
    """

    def __init__(self, store: Store, boot: str) -> None:
        self._store = store
        self._boot = boot
        self._written: dict[str, tuple[object, ...]] = {}
        self._turns: dict[tuple[str, int], StoredTurn] = {}
        self._ended: list[str] = []

    def note_turn(self, event: Event) -> None:
        """Keep what became of a turn, from its `turn` event."""
        self._turns[event.session, event.turn] = StoredTurn(
            session=event.session,
            turn=event.turn,
            outcome=str(event.data.get("what", "")),
            text=str(event.data.get("text", "")),
            heard=str(event.data.get("heard", "")),
        )

    def forget(self, session: str) -> None:
        """The session has ended; nothing of it is kept."""
        self._written.pop(session, None)
        self._ended.append(session)

    def write_down(self, sessions: Collection[Session]) -> None:
        """Write what changed since the last time that worked. Raises StoreError."""
        news = {
            session.id: (
                essence(session.state),
                session.route,
                session.record.persona,
                session.record.act,
                session.record.questions,
                session.record.outputs,
            )
            for session in sessions
        }
        changed = [session for session in sessions if self._written.get(session.id) != news[session.id]]
        if not changed and not self._ended and not self._turns:
            return
        self._store.save(
            sessions=[self._row(session.record) for session in changed],
            lines=[(session.id, session.state.dialogue) for session in changed],
            turns=[turn for turn in self._turns.values() if turn.session not in self._ended],
            ended=self._ended,
        )
        self._written.update({session.id: news[session.id] for session in changed})
        self._turns, self._ended = {}, []

    def write_jobs(self, news: News) -> None:
        """Write what changed of the films. Raises StoreError."""
        if news.written:
            self._store.save_jobs({name: dump(job) if job else None for name, job in news.written.items()})
            news.written.clear()

    def jobs(self) -> Iterator[Job]:
        """The films of a predecessor; those that cannot be read are left alone."""
        for name, record in self._store.jobs().items():
            try:
                yield restore(Job, record)
            except StoreError as error:
                logger.warning("film not restored", extra={"job": name, "reason": str(error)})

    def restored(self, now_ns: int) -> Iterator[Record]:
        """The sessions of a predecessor, their clocks set to now; those that cannot be read are forgotten."""
        for row in self._store.load():
            try:
                yield self._record(row, now_ns)
            except StoreError as error:
                logger.warning("session not restored", extra={"session": row.id, "reason": str(error)})
                self.forget(row.id)

    def _row(self, record: Record) -> StoredSession:
        # The dialogue has a table of its own, where a line is written once.
        bare = replace(record, state=replace(record.state, dialogue=()))
        return StoredSession(id=record.id, token_hash=record.token_hash, boot=self._boot, record=dump(bare))

    def _record(self, row: StoredSession, now_ns: int) -> Record:
        if row.boot != self._boot:
            raise StoreError("The machine was restarted since; its clock means something else now.")
        record = restore(Record, row.record)
        state = waiting_anew(record.state, now_ns)
        # With a failing database the predecessor may have given out turns unknown here: none is given twice.
        turn = state.turn + TURNS_SKIPPED
        return replace(record, state=replace(state, turn=turn, dialogue=self._store.dialogue(row.id)))

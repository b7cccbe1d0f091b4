"""SQLite: what a broker's successor needs of each session and each film, written down whenever it changes.

A finished session is deleted, dialogue and all: nothing that was said outlives its conversation.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from broker.errors import StoreError
from broker.messages import Exchange

SCHEMA_VERSION = 1
BUSY_S = 2.0
"""At the start a predecessor may still be closing the file …"""
BUSY_MS = 50
"""… later nobody else should use it, and conversations must not wait for somebody who does."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, token_hash TEXT NOT NULL, boot TEXT NOT NULL, record BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dialogue (
    session TEXT NOT NULL, n INTEGER NOT NULL, role TEXT NOT NULL, text TEXT NOT NULL, passage TEXT NOT NULL,
    interrupted INTEGER NOT NULL, PRIMARY KEY (session, n)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS turns (
    session TEXT NOT NULL, turn INTEGER NOT NULL, outcome TEXT NOT NULL, text TEXT NOT NULL, heard TEXT NOT NULL,
    PRIMARY KEY (session, turn)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (name TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, kw_only=True)
class StoredSession:
    """One row: who may resume it, since which boot its instants count, and the rest as `snapshot` bytes."""

    id: str
    token_hash: str
    boot: str
    record: bytes


@dataclass(frozen=True, kw_only=True)
class StoredTurn:
    """What became of a turn."""

    session: str
    turn: int
    outcome: str
    text: str = ""
    heard: str = ""


class Store:
    """The database file. Every method raises StoreError, saying what to do, when it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[str, tuple[Exchange, ...]] = {}
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            path.chmod(0o600)
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA_VERSION):
                raise StoreError(f"{path} was written by another version ({version}): move it away and start again.")
            self._database.execute("PRAGMA journal_mode=WAL")
            # A killed process loses nothing this way; only a power cut may take the last moments.
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.executescript(_SCHEMA)
            self._database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            self._database.execute(f"PRAGMA busy_timeout={BUSY_MS}")

    def save(
        self,
        sessions: Iterable[StoredSession] = (),
        lines: Iterable[tuple[str, tuple[Exchange, ...]]] = (),
        turns: Iterable[StoredTurn] = (),
        ended: Iterable[str] = (),
    ) -> None:
        """All of it or nothing, in one transaction. `lines` are whole dialogues; what `ended` is forgotten."""
        with self._explained(), self._transaction() as database:
            database.executemany(
                "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?)",
                [(each.id, each.token_hash, each.boot, each.record) for each in sessions],
            )
            for session, dialogue in lines:
                self._save_lines(database, session, dialogue)
            database.executemany(
                "INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?, ?)",
                [(each.session, each.turn, each.outcome, each.text, each.heard) for each in turns],
            )
            for session in ended:
                self._lines.pop(session, None)
                for table, key in (("sessions", "id"), ("dialogue", "session"), ("turns", "session")):
                    database.execute(f"DELETE FROM {table} WHERE {key} = ?", (session,))

    def save_jobs(self, changed: Mapping[str, bytes | None]) -> None:
        """Films by name, as `snapshot` bytes; None: it is forgotten. All of it or nothing."""
        with self._explained(), self._transaction() as database:
            for name, record in changed.items():
                if record is None:
                    database.execute("DELETE FROM jobs WHERE name = ?", (name,))
                else:
                    database.execute("INSERT OR REPLACE INTO jobs VALUES (?, ?)", (name, record))

    def jobs(self) -> dict[str, bytes]:
        """What `save_jobs` has kept."""
        with self._explained():
            return dict(self._database.execute("SELECT name, record FROM jobs").fetchall())

    def load(self) -> list[StoredSession]:
        """Every session that has not ended."""
        with self._explained():
            rows = self._database.execute("SELECT id, token_hash, boot, record FROM sessions ORDER BY id").fetchall()
        return [StoredSession(id=row[0], token_hash=row[1], boot=row[2], record=row[3]) for row in rows]

    def dialogue(self, session: str) -> tuple[Exchange, ...]:
        """The conversation as heard."""
        query = "SELECT role, text, passage, interrupted FROM dialogue WHERE session = ? ORDER BY n"
        with self._explained():
            rows = self._database.execute(query, (session,)).fetchall()
        return tuple(Exchange(role=r[0], text=r[1], passage=r[2], interrupted=bool(r[3])) for r in rows)

    def turns(self, session: str) -> list[StoredTurn]:
        """What became of each turn, in their order."""
        query = "SELECT session, turn, outcome, text, heard FROM turns WHERE session = ? ORDER BY turn"
        with self._explained():
            rows = self._database.execute(query, (session,)).fetchall()
        return [StoredTurn(session=r[0], turn=r[1], outcome=r[2], text=r[3], heard=r[4]) for r in rows]

    def close(self) -> None:
        self._database.close()

    def _save_lines(self, database: sqlite3.Connection, session: str, lines: tuple[Exchange, ...]) -> None:
        """Write the lines that differ from those written before; a withdrawn question makes the dialogue shorter."""
        before = self._lines.get(session)
        if before is lines:
            return
        before = before or ()
        same = next((n for n, (old, new) in enumerate(zip(before, lines, strict=False)) if old != new), None)
        first = min(len(before), len(lines)) if same is None else same
        database.execute("DELETE FROM dialogue WHERE session = ? AND n >= ?", (session, first))
        database.executemany(
            "INSERT OR REPLACE INTO dialogue VALUES (?, ?, ?, ?, ?, ?)",
            [
                (session, n, line.role, line.text, line.passage, int(line.interrupted))
                for n, line in enumerate(lines[first:], first)
            ],
        )
        self._lines[session] = lines

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except BaseException:
            self._lines.clear()
            if self._database.in_transaction:  # a full disk may have rolled it back already
                self._database.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.path}: {_remedy(error)} ({error}).") from error
        except OSError as error:
            raise StoreError(f"{self.path} cannot be used: {error.strerror or error}.") from error


def _remedy(error: sqlite3.DatabaseError) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return "another process is using the database; is a second broker running on it?"
    if "not a database" in text or "malformed" in text or "corrupt" in text:
        return "this is not a database, or a damaged one: move it away and start again"
    if "readonly" in text or "unable to open" in text:
        return "the file or its folder cannot be written: set paths.store to one that can"
    return "the database failed"

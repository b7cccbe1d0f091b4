"""Vectors of texts that were embedded before, in an SQLite file: a changed line of a document costs one embedding."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

logger = logging.getLogger(__name__)

MOST_KEPT = 40_000
"""Texts kept on disk (4.6 kB each, what goes with a passage 140 kB); those used longest ago go first."""
BUSY_S = 5.0
"""Two processes may prepare at the same time."""
AT_ONCE = 500
"""Keys in one query: any SQLite takes 999."""

_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL, used INTEGER NOT NULL)"


class KeptVectors:
    """The file, opened for each use. One that cannot be read or written only costs time."""

    def __init__(self, path: Path, most: int = MOST_KEPT) -> None:
        self._path, self._most = path, most

    def of(self, texts: list[str], model: str, size: int, embed_all: Callable[[list[str]], Vectors]) -> Vectors:
        """Vectors of the texts, shape [texts, size]; `embed_all` is asked for those not kept under `model`."""
        kept = self.tables_of(texts, model, size, lambda missing: list(embed_all(missing)))
        return np.concatenate(kept).reshape(len(texts), size) if kept else np.zeros((0, size), np.float32)

    def tables_of(
        self, texts: list[str], model: str, size: int, make: Callable[[list[str]], list[Vectors]]
    ) -> list[Vectors]:
        """The same for what has more rows than one, each of shape [rows, size]."""
        keys = [hashlib.sha256(f"{model}\0{size}\0{text}".encode()).digest()[:16] for text in texts]
        known = self._read(sorted(set(keys)), size)
        wanted = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if wanted:
            made = dict(zip(wanted, make(list(wanted.values())), strict=True))
            self._write(made)
            known |= made
        return [known[key].reshape(-1, size) for key in keys]

    def _read(self, keys: list[bytes], size: int) -> dict[bytes, Vectors]:
        found: dict[bytes, Vectors] = {}
        try:
            with self._opened() as file:
                for some in (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE)):
                    these = f"key IN ({','.join('?' * len(some))})"
                    rows = file.execute(f"SELECT key, vector FROM vectors WHERE {these}", some).fetchall()
                    found |= {key: np.frombuffer(kept, np.float32) for key, kept in rows if len(kept) % (4 * size) == 0}
                    file.execute(f"UPDATE vectors SET used = ? WHERE {these}", [time.time_ns(), *some])
        except sqlite3.DatabaseError as error:
            logger.warning("kept vectors not read", extra={"reason": str(error)})
            if not isinstance(error, sqlite3.OperationalError):  # not a database: made anew
                self._path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("kept vectors not read", extra={"reason": str(error)})
        return found

    def _write(self, made: dict[bytes, Vectors]) -> None:
        rows = [(key, np.asarray(vector, np.float32).tobytes(), time.time_ns()) for key, vector in made.items()]
        longest_ago = "SELECT key FROM vectors ORDER BY used DESC LIMIT -1 OFFSET ?"
        try:
            with self._opened() as file:
                file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
                file.execute(f"DELETE FROM vectors WHERE key IN ({longest_ago})", [self._most])
        except (OSError, sqlite3.Error) as error:
            logger.warning("vectors not kept on disk", extra={"reason": str(error)})

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """The file, all that is done with it being one transaction."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(self._path, timeout=BUSY_S)) as file, file:
            file.execute(_SCHEMA)
            yield file

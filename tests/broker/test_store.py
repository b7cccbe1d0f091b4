"""The database: survives a kill, keeps exactly the dialogue, and says what to do when it cannot be used."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from broker.errors import StoreError
from broker.messages import Exchange
from broker.snapshot import dump, restore
from broker.store import Store, StoredSession, StoredTurn
from broker.turn_state import TurnState
from tests.broker.talk import Talk

ROOT = Path(__file__).resolve().parents[2]


def row(name: str = "s1", record: bytes = b"state") -> StoredSession:
    return StoredSession(id=name, token_hash="0" * 64, boot="b", record=record)


LINES = (Exchange(role="user", text="hi"), Exchange(role="avatar", text="Hel", passage="p", interrupted=True))


def test_what_is_saved_is_loaded_by_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "v.sqlite"
    Store(path).save([row()], [("s1", LINES)], [StoredTurn(session="s1", turn=1, outcome="interrupted", heard="Hel")])
    store = Store(path)
    assert store.load() == [row()]
    assert store.dialogue("s1") == LINES
    assert [turn.outcome for turn in store.turns("s1")] == ["interrupted"]
    assert path.stat().st_mode & 0o077 == 0


def test_a_withdrawn_question_leaves_the_stored_dialogue_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "v.sqlite")
    for lines in (LINES, LINES[:1], (Exchange(role="user", text="hi there"),)):
        store.save(lines=[("s1", lines)])
        assert store.dialogue("s1") == lines


def test_what_was_saved_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    script = (
        "import sys, time; from pathlib import Path; from broker.store import Store, StoredSession\n"
        f"store = Store(Path({str(path)!r}))\n"
        "for n in range(1000000):\n"
        "    store.save([StoredSession(id='s1', token_hash='t', boot='b', record=str(n).encode())])\n"
        "    print(n, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    seen = [int(process.stdout.readline()) for _ in range(50)]
    os.kill(process.pid, signal.SIGKILL)
    seen += [int(line) for line in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    (stored,) = Store(path).load()
    assert int(stored.record) >= seen[-1]


def test_a_file_that_is_no_database_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    path.write_text("This is a letter, not a database. " * 100)
    with pytest.raises(StoreError, match=r"v\.sqlite.*move it away"):
        Store(path)


def test_a_locked_database_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    store = Store(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="second broker"):
        store.save([row()])
    other.execute("ROLLBACK")
    store.save([row()])
    assert store.load() == [row()]
    other.close()


def test_a_folder_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "v.sqlite").mkdir()
    with pytest.raises(StoreError, match=r"v\.sqlite"):
        Store(tmp_path / "v.sqlite")


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    Store(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(StoreError, match="another version"):
        Store(path)


def test_nothing_is_saved_when_part_of_it_fails(tmp_path: Path) -> None:
    store = Store(tmp_path / "v.sqlite")
    store.save(lines=[("s1", LINES)])
    with pytest.raises(StoreError):
        store.save([row()], turns=[StoredTurn(session="s1", turn=object(), outcome="x")])  # type: ignore[arg-type]
    assert store.load() == []
    assert store.dialogue("s1") == LINES


def test_what_a_full_disk_refused_is_written_when_there_is_room_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "v.sqlite")
    store.save([row()], [("s1", LINES[:1])])
    no_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    full = (tmp_path / "v.sqlite-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (full, no_limit[1]))
    try:
        with pytest.raises(StoreError):
            store.save([row(record=b"later")], [("s1", LINES)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, no_limit)
    assert store.dialogue("s1") == LINES[:1]
    store.save([row(record=b"later")], [("s1", LINES)])
    assert store.dialogue("s1") == LINES
    assert store.load() == [row(record=b"later")]


def test_a_state_comes_back_as_it_was() -> None:
    talk = Talk(greeting="Hello.")
    talk.says("when do you open")
    talk.sentence(1, 0, "We open at nine.", last=False, tags={"emotion": "happy", "rate": 0.9}, passage="hours")
    talk.voice(1, 0, "We open at nine.", words=2, last=False)
    talk.starts(1, 9000)
    assert restore(TurnState, dump(talk.state)) == talk.state


def test_rubbish_is_not_restored() -> None:
    for data in (b"", b"\xc1", dump(TurnState())[:-3], b"\x93\x01\x02\x03"):
        with pytest.raises(StoreError):
            restore(TurnState, data)

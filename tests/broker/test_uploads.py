"""Recordings to be spoken: whose they are, how many are kept, and that nothing of them outlives its conversation."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.errors import EngineError
from broker.messages import Voice
from broker.uploads import KEPT, Uploads, write

VOICE = [Voice(turn=0, sentence=0, start_sample=0, pcm=b"\1\0" * 480, mouth=bytes(15), last=True)]


def kept(uploads: Uploads, session: str) -> str:
    place = uploads.place(session)
    write(place, VOICE)
    return place.name


def test_it_is_read_by_its_session_and_name_only(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    name = kept(uploads, "a")
    assert uploads.voice("a", name) == VOICE
    for session, other in (("b", name), ("a", "x" * 16), ("a", f"../{'x' * 13}"), ("../a", name), ("a", "")):
        with pytest.raises(EngineError):
            uploads.voice(session, other)
    assert (tmp_path / "uploads").stat().st_mode & 0o077 == 0


def test_the_oldest_make_room(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    names = [kept(uploads, "a") for _ in range(KEPT + 4)]
    assert sum(1 for _ in tmp_path.rglob("*") if _.is_file()) <= KEPT
    assert uploads.voice("a", names[-1]) == VOICE


def test_nothing_outlives_its_session(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    for session in ("a", "b", "c"):
        kept(uploads, session)
    uploads.forget("a")
    uploads.keep({"b"})
    assert sum(1 for _ in tmp_path.rglob("*") if _.is_file()) == 1
    uploads.forget("b")
    assert not list(tmp_path.iterdir())

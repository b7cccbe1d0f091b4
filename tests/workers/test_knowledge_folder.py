"""A folder's documents are read in a process of its own; whatever one of them does, the others are read."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from broker.codec import decode, encode
from broker.messages import Event
from tests.workers.test_documents import BROKEN, HOURS
from workers.documents import DocumentError
from workers.knowledge_folder import Reader, read_folder


def test_broken_documents_do_not_keep_the_others_from_loading(tmp_path: Path) -> None:
    for name in ("junk.md", "cut.pdf", "junk.docx", "picture.jpeg", "locked.docx"):
        BROKEN[name](tmp_path / name)
    (tmp_path / "good.md").write_text(f"# Good\n\n{HOURS}\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "also.txt").write_text("Parking is free.")
    (tmp_path / "questions.toml").write_text("questions = []")
    (tmp_path / ".hidden.md").write_text("# Hidden\n\nText.")
    documents, errors = read_folder(tmp_path)
    assert [document.name for document in documents] == ["good", "more/also"]
    assert {error.path.name for error in errors} == {"junk.md", "cut.pdf", "junk.docx", "picture.jpeg", "locked.docx"}


def test_a_document_that_is_never_finished_is_given_up_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "endless.html").write_text("<h3>Item" * 200_000)
    (tmp_path / "good.md").write_text(HOURS)
    began = time.monotonic()
    with Reader(cpu_s=0.5) as reader:
        with pytest.raises(DocumentError, match=r"endless\.html: takes too long to read"):
            reader.read(tmp_path / "endless.html")
        assert reader.read(tmp_path / "good.md")[0].text == HOURS
    assert time.monotonic() - began < 30


def test_a_document_that_needs_too_much_memory_is_given_up_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "wide.html").write_text("<p>x" * 300_000)
    (tmp_path / "good.md").write_text(HOURS)
    with Reader(memory=200_000_000) as reader:
        with pytest.raises(DocumentError, match="needs too much memory"):
            reader.read(tmp_path / "wide.html")
        assert reader.read(tmp_path / "good.md")[0].text == HOURS


def test_what_ends_the_process_is_told_and_the_next_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nread line\nkill -SEGV $$\n")
    fake.chmod(0o755)
    path = tmp_path / "good.md"
    path.write_text(HOURS)
    with Reader() as reader:
        with monkeypatch.context() as patched:
            patched.setattr("sys.executable", str(fake))
            with pytest.raises(DocumentError, match="ends the program that reads it"):
                reader.read(path)
            patched.setattr("sys.executable", str(tmp_path / "nothing"))
            with pytest.raises(DocumentError, match="cannot be read just now"):
                reader.read(path)
        assert reader.read(path)[0].text == HOURS


def test_names_that_are_not_utf_8_can_be_told(tmp_path: Path) -> None:
    for name in (b"caf\xe9.md", b"caf\xe9.jpg"):
        (tmp_path / os.fsdecode(name)).write_text(HOURS)
    documents, errors = read_folder(tmp_path)
    assert [document.name for document in documents] == ["caf?"]
    event = Event(kind="documents", data={"problems": [str(error) for error in errors]})
    assert decode(encode(event)) == event
    assert "caf?.jpg" in event.data["problems"][0]


@pytest.mark.parametrize("name", ["a" * 300, "\0", "nowhere", "file"])
def test_what_is_no_folder_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    documents, (error,) = read_folder(tmp_path / name)
    assert documents == []
    assert "this knowledge folder does not exist" in str(error)

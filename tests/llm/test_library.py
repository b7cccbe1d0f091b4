"""Whatever happens while a persona's knowledge is prepared, it has some, and the operator is told."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from broker.config import Paths, load
from broker.messages import Event
from tests.llm.known import DOCUMENT, ask, library, persona, texts
from tests.workers.test_documents import BROKEN
from workers.llm import library as library_module
from workers.llm.build import build
from workers.llm.library import Library


def full(documents: object) -> None:
    raise OSError("disk full \udce9")


def test_a_locked_document_leaves_the_others(tmp_path: Path) -> None:
    shelves = library(tmp_path, weights=tmp_path)
    BROKEN["locked.docx"](tmp_path / "docs" / "locked.docx")
    known = shelves.wait(persona(), "en")
    assert known.index.passages
    assert shelves.unread() == [("test", known.problems)]
    assert "locked.docx" in known.problems[0]


def test_what_fails_while_it_is_prepared_leaves_a_persona_without_documents_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelves = library(tmp_path, weights=tmp_path)
    sound = shelves.wait(persona(), "en")
    monkeypatch.setattr(library_module, "passages_of", full)
    (tmp_path / "docs" / "house.md").write_text(DOCUMENT + "More.")
    again = shelves.wait(persona(), "en")
    assert again.index is sound.index, "what was known before is known still"
    new = shelves.wait(persona(id="new"), "en")
    assert new.index.passages == ()
    assert texts(ask(new, "when does the library open"))
    for known, name in ((again, "test"), (new, "new")):
        assert known is shelves.get(persona(id=name), "en")
        assert "OSError: disk full ?" in known.problems[0]
    assert shelves.unread() == [("test", again.problems), ("new", new.problems)]


def test_a_stage_is_built_whatever_the_usual_persona_s_documents_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    BROKEN["sector.docx"](tmp_path / "docs" / "sector.docx")
    (tmp_path / "usual.toml").write_text('name = "usual"\n[knowledge]\nfolder = "docs"\n')
    paths = Paths(personas=str(tmp_path), weights=str(tmp_path), cache=str(tmp_path / "cache"))
    settings = load()
    settings = replace(settings, paths=paths, sessions=replace(settings.sessions, persona="usual"))
    for problem in ("sector.docx: damaged", "disk full"):
        (event,) = build(settings).step(now_ns=1)
        assert isinstance(event, Event)
        assert problem in event.data["problems"][0]
        monkeypatch.setattr(library_module, "passages_of", full)


@pytest.mark.parametrize("folder", ["a" * 300, "\0"])
def test_a_folder_that_cannot_be_named_is_told(tmp_path: Path, folder: str) -> None:
    known = Library(tmp_path, tmp_path, tmp_path).wait(persona(knowledge={"folder": folder}), "en")
    assert "does not exist" in known.problems[0]


def test_a_name_that_is_not_utf_8_is_known_with_a_question_mark(tmp_path: Path) -> None:
    shelves = library(tmp_path, weights=tmp_path)
    (tmp_path / "docs" / "house.md").rename(tmp_path / "docs" / os.fsdecode(b"caf\xe9.md"))
    known = shelves.wait(persona(), "en")
    assert known.index.passages[0].id.startswith("caf?#")

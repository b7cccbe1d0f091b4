"""What bin/doctor says of a persona's documents, and of the profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broker import profile
from broker.config import load
from workers.doctor import _documents, _gpu


def said(folder: Path, name: str = "house") -> list[str]:
    persona: dict[str, Any] = {"knowledge": {"folder": name}}
    return [finding.words for finding in _documents("ada", folder, persona)]


def test_documents_that_can_be_read_are_not_mentioned(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "a.md").write_text("# House\n\nIt stands.")
    assert said(tmp_path) == []


@pytest.mark.parametrize(("name", "content"), [("a.xyz", b"text"), ("b.docx", b"no zip"), ("c.txt", b"")])
def test_a_document_that_cannot_be_read_is_named_with_a_remedy(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / name).write_bytes(content)
    (words,) = said(tmp_path)
    assert words.startswith(f"{name}: ")
    assert words.count(". ") >= 1, "a problem, and what to do about it"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert "does not exist" in said(tmp_path, "nowhere")[0]


@pytest.mark.parametrize(
    ("name", "gpus", "good", "says"),
    [
        ("auto", 0, True, "auto: "),
        ("cpu", 1, True, "cpu: no engine uses a GPU"),
        ("gpu", 1, True, "gpu: "),
        ("gpu", 0, False, "there is none: bin/up --profile auto"),
    ],
)
def test_the_profile_is_told_and_whether_it_can_be_kept(
    monkeypatch: pytest.MonkeyPatch, name: str, gpus: int, good: bool, says: str
) -> None:
    monkeypatch.setattr(profile, "gpus", lambda: gpus)
    finding = next(_gpu(load(environ={"VISAVIS_STAGES_PROFILE": name})))
    assert (finding.what, finding.good) == ("profile", good)
    assert says in finding.words

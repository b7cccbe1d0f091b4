"""What bin/doctor says of a persona's documents, and of the profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broker import profile
from broker.config import load
from workers.doctor import _documents, _engines, _gpu, _personas


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


def test_every_stages_engine_is_told_with_its_reason() -> None:
    told = {finding.what: finding for finding in _engines(load(environ={}))}
    assert [*told] == [f"engine {stage}" for stage in ("vad", "asr", "llm", "tts", "lipsync")]
    assert all(finding.good for finding in told.values())
    assert told["engine vad"].words.startswith("silero: ")
    assert told["engine llm"].words.startswith("knowledge: ")
    assert "espeak" in told["engine tts"].words


def test_an_engine_that_is_not_there_is_told_in_its_own_words() -> None:
    told = {finding.what: finding for finding in _engines(load(environ={"VISAVIS_STAGES_FACE": "hologram"}))}
    assert not told["engine lipsync"].good
    assert "Known: auto, portrait" in told["engine lipsync"].words


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


def test_a_personas_wrong_patience_is_told(tmp_path: Path) -> None:
    (tmp_path / "ada.toml").write_text("[turns]\npatient_ms = 9000\n")
    (finding,) = _personas(load(environ={"VISAVIS_PATHS_PERSONAS": str(tmp_path)}))
    assert not finding.good
    assert "[turns].patient_ms is 9000.0; it must be a number between 100 and 1500" in finding.words

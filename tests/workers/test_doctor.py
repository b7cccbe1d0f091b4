"""What bin/doctor says of a persona's documents, and of the profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broker import profile
from broker.config import load
from workers.doctor import Finding, _documents, _engines, _gpu, _personas


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


PARTY = "tests.tts.test_voices:Humming"


def told(tmp_path: Path, *files: tuple[str, str], usual: str = "ada") -> list[Finding]:
    for name, text in files:
        (tmp_path / f"{name}.toml").write_text(text)
    return [*_personas(load(environ={"VISAVIS_PATHS_PERSONAS": str(tmp_path), "VISAVIS_SESSIONS_PERSONA": usual}))]


@pytest.mark.parametrize(
    ("text", "key", "says", "needed"),
    [
        (
            '[brain]\nengine = "nope"',
            "[brain] engine",
            "There is no brain 'nope'. Known: auto, knowledge, openai",
            True,
        ),
        ('[brain]\nengine = "json:Nothing"', "[brain] engine", "cannot be loaded", True),
        ('[voices.en]\nengine = "nope"', "[voices.en] engine", "known: flite, espeak, or package.module:Class", True),
        ('[voices.en]\nengine = "json:JSONDecoder"', "[voices.en] engine", "cannot be loaded", True),
        ('[voices.en]\nvoice = "bob"', "[voices.en] voice", "has no voice 'bob', ", False),
        (
            f'[voices.en]\nengine = "{PARTY}"\nvoice = "bob"',
            "[voices.en] voice",
            "low speaks. Known: low, high.",
            False,
        ),
        (f'languages = ["es"]\n[voices.es]\nengine = "{PARTY}"', "[voices.es] engine", "does not speak 'es'", True),
        ('languages = ["qqq"]', "languages", "no engine here speaks 'qqq'", True),
        ('[asr]\nengine = "nope"', "[asr] engine", "Known: auto, pocketsphinx, whisper", False),
        ('languages = ["es"]\n[asr]\nengine = "pocketsphinx"', "[asr] engine", "English only, not 'es'", False),
        ('[face]\nportrait = "nobody"', "[face] portrait", "no portrait called 'nobody'. Known portraits: ", True),
        ('[face]\nbackground = "nowhere"', "[face] background", "no background called 'nowhere'", False),
        ('[face]\nfront = "avatar3d"\nmodel = "nobody"', "[face] model", "put a .glb or .vrm file into", False),
    ],
)
def test_what_a_persona_asks_for_in_vain_is_told_with_its_file_and_key(
    tmp_path: Path, text: str, key: str, says: str, needed: bool
) -> None:
    found = told(tmp_path, ("ada", text), ("bea", text), ("cid", ""))
    wrong = [(each.what, each.needed) for each in found if not each.good and says in each.words]
    assert wrong == [("persona ada", needed), ("persona bea", False)]
    starts = [each.words.partition(f": {key}: ")[0] for each in found if says in each.words]
    assert starts == ["ada.toml", "bea.toml"]
    assert [(each.good, each.words) for each in found if each.what == "persona cid"] == [(True, "in order")]


@pytest.mark.parametrize(
    "text",
    [
        f'[voices.en]\nengine = "{PARTY}"\nvoice = "high"',
        '[voices.en]\nvoice = "slt"',
        '[voices.en]\nvoice = "f3"',
        '[brain]\nengine = "workers.llm.knowledge_engine:KnowledgeEngine"',
        '[asr]\nengine = "pocketsphinx"',
        '[face]\nbackground = "none"',
    ],
)
def test_what_a_persona_asks_for_and_gets_is_in_order(tmp_path: Path, text: str) -> None:
    assert [(each.good, each.words) for each in told(tmp_path, ("ada", text))] == [(True, "in order")]


def test_a_personas_wrong_patience_is_told(tmp_path: Path) -> None:
    (tmp_path / "ada.toml").write_text("[turns]\npatient_ms = 9000\n")
    (finding,) = _personas(load(environ={"VISAVIS_PATHS_PERSONAS": str(tmp_path)}))
    assert not finding.good
    assert "[turns].patient_ms is 9000.0; it must be a number between 100 and 1500" in finding.words

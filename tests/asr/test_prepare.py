"""What set-up leaves on disk for the recogniser."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.asr import prepare


def test_every_persona_s_vocabulary_is_on_disk_and_the_second_time_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VISAVIS_PATHS_CACHE", str(tmp_path))
    assert prepare.main() == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"campus", "helpdesk", "host"}
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert sum(path.suffix == ".dic" or path.suffix == ".dict" for path in made) == 3
    assert prepare.main() == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == made


def test_a_persona_of_another_language_or_with_another_recogniser_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    personas = tmp_path / "personas"
    personas.mkdir()
    (personas / "ana.toml").write_text('name = "Ana"\nlanguages = ["es"]\n[face]\nportrait = "vera"\n')
    monkeypatch.setenv("VISAVIS_PATHS_PERSONAS", str(personas))
    monkeypatch.setenv("VISAVIS_PATHS_CACHE", str(tmp_path / "cache"))
    assert prepare.main() == 0
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "cache" / "asr").exists()

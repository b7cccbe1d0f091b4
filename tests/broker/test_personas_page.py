"""docs/personas.md: every key with its default, and personas that load as they stand there."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from broker import personas
from broker.config import ROOT
from broker.endpoint import EndpointSettings
from broker.expressions import Expression
from broker.personas import Brain, Face, Hearing, Knowledge, Persona, SmallTalk, VoiceChoice
from broker.tables import read_toml
from broker.turn_state import TurnSettings
from workers.tts.voices import Voices

PAGE = (ROOT / "docs" / "personas.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([^`]+)` \| `([^`]*)` \|", PAGE, re.MULTILINE))
TABLES: dict[str, type[Any]] = {
    "": Persona,
    "[face] ": Face,
    "[voices.<tag>] ": VoiceChoice,
    "[brain] ": Brain,
    "[knowledge] ": Knowledge,
    "[asr] ": Hearing,
    "[[small_talk]] ": SmallTalk,
    "[[expressions]] ": Expression,
    "[turns] ": TurnSettings,
}


def expected() -> dict[str, Any]:
    """Key as the page writes it → its default."""
    rows: dict[str, Any] = {}
    for before, cls in TABLES.items():
        for each in dataclasses.fields(cls):
            default = each.default if each.default is not dataclasses.MISSING else each.default_factory()  # type: ignore[misc]
            if not (dataclasses.is_dataclass(default) or isinstance(default, dict)) and each.name != "id":
                rows[before + each.name] = default
    for each in dataclasses.fields(EndpointSettings):
        rows[f"[turns] {each.name}"] = each.default
    for tables in ("small_talk", "expressions"):
        del rows[tables]
    return rows


def test_the_page_has_every_key_with_its_default_and_no_other() -> None:
    written = {key: read_value(text) for key, text in ROWS.items()}
    assert written == {key: list(value) if isinstance(value, tuple) else value for key, value in expected().items()}


def read_value(text: str) -> Any:
    return tomllib.loads(f"value = {text}")["value"]


EXAMPLES = dict(re.findall(r"```toml\n# etc/personas/(\w+)\.toml\n(.*?)```", PAGE, re.DOTALL))


def test_there_is_a_spanish_and_a_mandarin_persona() -> None:
    assert [read(text)["languages"][0] for text in EXAMPLES.values()] == ["es", "zh"]


def read(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_persona_of_the_page_loads_and_its_voices_are_there(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.toml").write_text(EXAMPLES[name], encoding="utf-8")
    persona = personas.load(tmp_path, name)
    assert persona.greeting
    assert persona.snapshot()["turns"] == read(EXAMPLES[name]).get("turns", {})
    voices = Voices()
    for language, wanted in persona.voices.items():
        chosen = voices.choose(persona.snapshot()["voices"], language)
        assert wanted.engine in ("auto", chosen.engine.name)
        assert chosen.engine.name != "flite" or wanted.voice == chosen.voice
        if wanted.engine != "auto":
            assert chosen.voice == wanted.voice
    assert {*persona.voices} == {*persona.languages}


def test_the_shipped_example_of_patience_is_right_when_it_is_taken(tmp_path: Path) -> None:
    text = (ROOT / "etc" / "personas" / "host.toml").read_text(encoding="utf-8")
    block = re.search(r"^# \[turns\]\n(?:# \w+ = .*\n)+", text, re.MULTILINE)
    assert block
    (tmp_path / "ada.toml").write_text(re.sub(r"^# ", "", block[0], flags=re.MULTILINE))
    settings = TurnSettings.of(personas.load(tmp_path, "ada").turns)
    assert settings == TurnSettings(), "it shows the defaults"
    assert read_toml(tmp_path / "ada.toml")["turns"].keys() == {"doubt", "patient_ms", "quick_ms"}

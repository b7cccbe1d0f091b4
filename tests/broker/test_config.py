"""Settings and personas: defaults, overrides, and errors that say what to write instead."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from broker import personas
from broker.config import ROOT, Settings, load
from broker.errors import ConfigError


def written(tmp_path: Path, text: str, name: str = "visavis.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_holds_every_key_with_its_default() -> None:
    assert load(ROOT / "etc" / "visavis.toml", {}) == Settings()
    text = (ROOT / "etc" / "visavis.toml").read_text(encoding="utf-8")
    for section in dataclasses.fields(Settings):
        assert f"[{section.name}]" in text
        if dataclasses.is_dataclass(section.type) or section.name in ("engines",):
            continue
    for section in ("server", "bus", "workers", "media", "sessions", "paths", "log"):
        for key in dataclasses.fields(getattr(Settings(), section)):
            assert f"\n{key.name} = " in text or f"\n# {key.name}" in text, f"{section}.{key.name}"


def test_the_environment_overrides_single_values(tmp_path: Path) -> None:
    path = written(tmp_path, "[server]\nport = 1\n")
    env = {
        "VISAVIS_SERVER_PORT": "9090",
        "VISAVIS_SERVER_HOSTS": "a.example, b.example",
        "VISAVIS_SESSIONS_AWAY_S": "3",
    }
    settings = load(path, env)
    assert settings.server.port == 9090
    assert settings.server.hosts == ("a.example", "b.example")
    assert settings.sessions.away_s == 3.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[server]\nprot = 1", "Did you mean 'port'"),
        ("[sever]\nport = 1", "Known keys: server"),
        ("[server]\nport = 'x'", "must be a whole number"),
        ("[server]\nport = true", "must be a whole number"),
        ("[recording]\nformats = ['avi']", "must name mp4, webm or both"),
        ("[recording]\nformats = []", "must name mp4, webm or both"),
        ("[recording]\nformats = ['mp4', 'mp4']", "each once"),
        ("[recording]\nsessions = 'always'", "every"),
        ("[recording]\nquota_gb = -1.0", "between 0 and"),
        ("[server]\nport = 70000", "between 0 and 65535"),
        ("server = 3", "must be a table"),
        ("[server\n", "not valid TOML"),
        ("[media]\nsize = 500", "multiple of 16"),
        ("[media]\nfps = 500", "between 5 and 50"),
        ("[bus]\ntransport = 'udp'", "one of 'ipc', 'tcp'"),
        ("[workers]\ninstances = 0", "between 1 and 64"),
        ("[server]\ntls_cert = 'x.pem'", "go together"),
        ("[bus]\nrun_folder = '/" + "x" * 120 + "'", "too long"),
    ],
)
def test_a_wrong_setting_says_what_is_known(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(written(tmp_path, text), {})


def test_a_wrong_override_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="VISAVIS_SERVER_PORT"):
        load(written(tmp_path, ""), {"VISAVIS_SERVER_PORT": "many"})


def test_the_operator_token_is_not_printed(tmp_path: Path) -> None:
    settings = load(written(tmp_path, ""), {"VISAVIS_SERVER_OPERATOR_TOKEN": "secret-word"})
    assert settings.server.operator_token == "secret-word"
    assert "secret-word" not in repr(settings)


SHIPPED = personas.known(ROOT / "etc" / "personas")


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_personas_load(name: str) -> None:
    persona = personas.load(ROOT / "etc" / "personas", name)
    assert persona.greeting
    assert persona.suggestions
    assert persona.snapshot()["voices"].keys() <= set(persona.languages)


def test_three_personas_are_shipped() -> None:
    assert {"host", "campus", "helpdesk"} <= set(SHIPPED)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("langages = ['en']", "Did you mean 'languages'"),
        ("languages = []", "at least one"),
        ("recording = 'yes'", "every"),
        ("[voices.fr]\nvoice='x'", "does not list"),
        ("[voices.en]\nrate=9.0", "between 0.5 and 2"),
        ("[knowledge]\nanswer=0.1\nask_back=0.5", "ask_back"),
        ("[[small_talk]]\nsay='hello'", "must be a list"),
        ("[turns]\npatiant_ms=900", "p.toml: .turns. has no key 'patiant_ms'. Did you mean 'patient_ms'"),
        ("[turns]\ndoubt=99", "between -20 and 20"),
        ("[turns]\ndoubt='much'", "must be a number"),
        ("[asr]\nlanguage='fr'", "must be one of '', 'detect', 'en'"),
    ],
)
def test_a_wrong_persona_says_what_to_write(tmp_path: Path, text: str, says: str) -> None:
    written(tmp_path, text, "p.toml")
    with pytest.raises(ConfigError, match=says):
        personas.load(tmp_path, "p")


@pytest.mark.parametrize("name", ["nobody", "../visavis", "", "host.toml", "a" * 999, "hos\x00t"])
def test_an_unknown_persona_is_answered_with_the_known_ones(tmp_path: Path, name: str) -> None:
    written(tmp_path, "", "host.toml")
    with pytest.raises(ConfigError, match="Known personas: host"):
        personas.load(tmp_path, name)


@pytest.mark.parametrize(
    "line",
    [
        'ice_servers = [{ urls = "https://stun.example" }]',
        'ice_servers = [{ url = "stun:stun.example" }]',
        'ice_servers = [{ urls = ["stun:stun.example", 5] }]',
        'turn_urls = ["turn.example:3478"]',
        'turn_urls = ["turn:turn.example?transport=sctp"]',
    ],
)
def test_a_server_that_browsers_would_refuse_the_call_for_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match="stun:host:port"):
        load(written(tmp_path, f'[server]\nturn_secret = "sixteen letters!"\n{line}\n'), {})


def test_servers_that_browsers_can_read_are_taken(tmp_path: Path) -> None:
    lines = [
        'ice_servers = [{ urls = ["stun:[2001:db8::1]:3478", "turn:a.example"], username = "a", credential = "b" }]'
    ]
    lines.append('turn_urls = ["turns:turn.example:443?transport=tcp", "turn:192.0.2.1:3478?transport=udp"]')
    settings = load(written(tmp_path, '[server]\nturn_secret = "sixteen letters!"\n' + "\n".join(lines)), {})
    assert len(settings.server.turn_urls) == 2

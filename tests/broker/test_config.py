"""Settings and personas: defaults, overrides, and errors that say what to write instead."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pocketsphinx
import pytest

from broker import personas
from broker.arpabet import PHONES
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
        ('[bus]\nrun_folder = "\\u0000"', "bus.run_folder has a zero byte"),
        ("[bus]\nport = 0", "between 1 and 65532"),
        ("[bus]\nhigh_water_mark = 0", "between 1 and"),  # to ZeroMQ: no limit
        ("[bus]\nhigh_water_mark = 99999999999999999999999", "more than 64 bits"),
        ("[bus]\noutbox = -1", "between 4 and"),
        ("[bus]\ntransport = 'tcp'\nhost = '0.0.0.0'", "bus.host = '0.0.0.0' can be reached .*trusted_network"),
        ("[bus]\ntransport = 'tcp'\nhost = ''", "bus.host = '' can be reached"),
        ("[bus]\ntransport = 'tcp'\nown_host = 'tts.example'", "bus.own_host = 'tts.example' can be reached"),
        ("[sessions]\naway_s = -1", "between 0 and"),
        ("[sessions]\naway_s = nan", "away_s is nan; it must be a finite number"),
        ("[sessions]\naway_s = inf", "away_s is inf; it must be a finite number"),
        ("[films]\nkeep_h = -inf", "keep_h is -inf; it must be a finite number"),
        ("[films]\nkeep_h = -0.5", "between 0 and"),
        ("[log]\nlevel = 0x" + "f" * 5000, "more than 64 bits"),
        ("[log]\nlevel" + ".a" * 2000 + " = 1", "log.level is …; it must be one of"),
    ],
)
def test_a_wrong_setting_says_what_is_known(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(written(tmp_path, text), {})


def test_a_bus_beyond_loopback_is_taken_in_a_network_that_is_said_to_be_trusted(tmp_path: Path) -> None:
    text = "[bus]\ntransport = 'tcp'\nhost = 'broker'\nown_host = 'tts'\n"
    assert load(written(tmp_path, text + "trusted_network = true"), {}).bus.host == "broker"
    assert load(written(tmp_path, text.replace("tcp", "ipc")), {}).bus.host == "broker", "nothing is bound there"
    assert load(written(tmp_path, "[bus]\ntransport = 'tcp'\nhost = 'localhost'\nown_host = '127.0.0.2'"), {})


@pytest.mark.parametrize("name", ["\0", "no\udcffwhere", "/"])
def test_a_settings_file_that_cannot_be_one_is_an_error_in_words(name: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read|does not exist"):
        load(None, {"VISAVIS_CONFIG": name})


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
        ("languages = ['english']", "languages has 'english'; each is a tag"),
        ("languages = ['en', '']", "languages has ''"),
        ("[voices.en]\nrate=nan", "rate is nan"),
        ("a = " + "[" * 5000, "p.toml is not valid TOML: it nests too deeply"),
        ("name = 1" + "0" * 5000, "p.toml is not valid TOML: Exceeds the limit"),
        ("name" + ".a" * 2000 + " = 1", "p.toml.name must be text, not dict …"),
        ("[face]\nbackground='#zzz'", "p.toml: .face. background is '#zzz'; it must be a colour"),
        ("[face]\nbackground='a/b'", "the name of a picture"),
        ("[face]\nportrait=''", "portrait is ''; it must be the name of a folder"),
        ("[face]\nmodel='../etc'", "model is '../etc'"),
        ("[brain]\nmax_tokens=-1", "p.toml: .brain. max_tokens is -1; it must be between 1 and"),
        ("[brain]\ntimeout_s=-1", "timeout_s is -1.0; it must be between"),
        ("[brain]\ntemperature=nan", "temperature is nan"),
        ("[brain]\nurl='nonsense'", "url is 'nonsense'; it must be a server's address"),
        ("[brain]\nurl='ftp://host'", "server's address"),
        ("[brain]\nurl='http://host:99999'", "server's address"),
        ("[brain]\nurl='http://a b/'", "server's address"),
        ("[brain]\nengine='openai'", "engine = 'openai' needs a url"),
        ("[brain]\napi_key_env='sk-a key'", "the name of an environment variable"),
        ("[asr]\nwords=['a: XX YY']", "p.toml: .asr. words has 'a: XX YY'.* no 'XX', 'YY'. Known: AA AE"),
        ("[asr]\nwords=['Visavis: V IY0']", "without stress, which has no 'IY0'"),
        ("[asr]\nwords=['Visavis:']", "how the word sounds"),
        ("[asr]\nwords=['Saint Ives: S EY N T']", "given to one word"),
        ("[asr]\nwords=['']", "names no word"),
        ("[[small_talk]]\nsay=['hello']", "number 1 needs both"),
    ],
)
def test_a_wrong_persona_says_what_to_write(tmp_path: Path, text: str, says: str) -> None:
    written(tmp_path, text, "p.toml")
    with pytest.raises(ConfigError, match=says):
        personas.load(tmp_path, "p")


@pytest.mark.parametrize(
    "text",
    [
        "languages = ['en_US', 'es-419', 'zh-Hant-TW', 'yue']",
        "[face]\nbackground='#10aAfF'",
        "[face]\nbackground='reading-room'",
        "[brain]\nengine='openai'\nurl='http://[::1]:11434/v1'\napi_key_env='HOUSE_KEY'\ntimeout_s=0.5\nmax_tokens=1",
        "[brain]\nengine='house.brain:Brain'",
        "[voices.en]\nengine='house.voice:Voice'\nvoice='bob'",
        "[asr]\nwords=['Visavis: V IY Z AA V IY', \"O'Hara: OW HH EH R AH\", 'Saint Ives', 'Zoë', '名前']",
    ],
)
def test_a_persona_in_order_loads(tmp_path: Path, text: str) -> None:
    written(tmp_path, text, "p.toml")
    assert personas.load(tmp_path, "p").id == "p"


def test_a_key_that_was_pasted_in_place_of_its_name_is_not_repeated(tmp_path: Path) -> None:
    written(tmp_path, "[brain]\napi_key_env='sk-secret-word'", "p.toml")
    with pytest.raises(ConfigError) as caught:
        personas.load(tmp_path, "p")
    assert "secret" not in str(caught.value)


def test_words_are_spelt_in_the_recognisers_phones() -> None:
    dictionary = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")).read_text(encoding="utf-8")
    assert {phone for line in dictionary.splitlines() for phone in line.split()[1:]} == PHONES


def test_a_broken_persona_does_not_take_the_others_from_the_list(tmp_path: Path) -> None:
    written(tmp_path, "", "host.toml")
    written(tmp_path, "a = " + "[" * 5000, "deep.toml")
    written(tmp_path, "name = 1" + "0" * 5000, "long.toml")
    assert [each.id for each in personas.readable(tmp_path)] == ["host"]


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
        "ice_servers = [{ urls = 5 }]",
        "ice_servers = [{ urls = [] }]",
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

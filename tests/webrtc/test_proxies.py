"""Limits per address behind a reverse proxy: whose word counts, and what a stranger can make of X-Forwarded-For."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from broker import config
from broker.config import Server
from broker.errors import ConfigError
from tests.webrtc.scene import scene
from webrtc import signaling, whep
from webrtc.security import SETTINGS, address_of

OURS = ("127.0.0.1", "10.1.0.0/16", "fd00::/8")


class Line:
    """A connection from somewhere, as far as aiohttp asks it."""

    def __init__(self, remote: str) -> None:
        self._remote = remote

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self._remote, 5) if name == "peername" else default


def asked(remote: str, *forwarded: str, proxies: tuple[str, ...] = OURS) -> str:
    app = web.Application()
    app[SETTINGS] = Server(proxies=proxies)
    headers = [("X-Forwarded-For", value) for value in forwarded]
    request = make_mocked_request("GET", "/", headers=headers, app=app, transport=Line(remote))  # type: ignore[arg-type]
    return address_of(request)


@pytest.mark.parametrize(
    ("remote", "forwarded", "wanted"),
    [
        ("192.0.2.9", [], "192.0.2.9"),
        ("127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("::ffff:127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["192.0.2.7, 10.1.2.3"], "192.0.2.7"),
        ("127.0.0.1", ["192.0.2.7", "10.1.2.3"], "192.0.2.7"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("127.0.0.1", ["10.1.0.1, 10.1.0.2"], "10.1.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
    ],
)
def test_the_last_address_that_is_no_proxy_asks(remote: str, forwarded: list[str], wanted: str) -> None:
    assert asked(remote, *forwarded) == wanted


@pytest.mark.parametrize("invented", ["198.51.100.1", "127.0.0.1", "10.1.9.9", "10.1.9.9, 127.0.0.1", "x", ", ,", "é"])
def test_what_a_stranger_invents_does_not_count(invented: str) -> None:
    """A proxy appends whom it saw; a stranger without one says what it likes."""
    assert asked("127.0.0.1", f"{invented}, 192.0.2.7") == "192.0.2.7"
    assert asked("192.0.2.7", invented) == "192.0.2.7"
    assert asked("127.0.0.1", invented, proxies=()) == "127.0.0.1"


@pytest.mark.parametrize("nonsense", ["unknown", "_hidden", "", "192.0.2.7:1234", "999.1.1.1"])
def test_where_a_proxy_names_nobody_it_is_the_proxy_itself(nonsense: str) -> None:
    assert asked("127.0.0.1", f"198.51.100.1, {nonsense}") == "127.0.0.1"


@pytest.mark.parametrize("proxies", [("127.0.0.1",), ()], ids=["trusted", "unnamed"])
def test_viewers_behind_a_proxy_have_a_limit_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxies: tuple[str, ...]
) -> None:
    monkeypatch.setattr(whep, "JOIN_BURST", 2)
    monkeypatch.setattr(whep, "JOINS_PER_S", 0)
    monkeypatch.setattr(signaling, "CONNECTION_BURST", 2)
    monkeypatch.setattr(signaling, "CONNECTIONS_PER_S", 0)

    async def run() -> None:
        async with scene(tmp_path, proxies=proxies) as world:
            for path, method in (("/whep/session-1", "POST"), ("/ws", "GET")):
                came = []
                for address in ("192.0.2.1", "192.0.2.1", "198.51.100.9, 192.0.2.1", "192.0.2.2"):
                    headers = {"X-Forwarded-For": address, "Content-Type": "text/plain"}
                    async with world.http.request(method, world.url + path, headers=headers) as response:
                        came.append(response.status == 429)
                assert came == ([False, False, True, False] if proxies else [False, False, True, True]), path

    asyncio.run(run())


def test_a_proxy_that_is_no_address_is_refused_at_start(tmp_path: Path) -> None:
    path = tmp_path / "visavis.toml"
    path.write_text("")
    assert config.load(path, {"VISAVIS_SERVER_PROXIES": "127.0.0.1, 10.0.0.0/8"}).server.proxies == (
        "127.0.0.1",
        "10.0.0.0/8",
    )
    for wrong in ("nginx", "10.0.0.1/8", "10.0.0.0/99"):
        with pytest.raises(ConfigError, match=r"server\.proxies"):
            config.load(path, {"VISAVIS_SERVER_PROXIES": wrong})

"""Credentials for a relay, and what the doctor says of STUN and TURN servers; with Debian's coturn where it is."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection

from broker.clock import now_ns
from broker.config import Server
from tests.stack.running import free_port
from tests.webrtc.relay import SECRET, relay
from tests.webrtc.scene import Scene, scene, until
from tests.webrtc.viewer import Viewer
from webrtc.path_check import Verdict, parsed, summary, verdicts
from webrtc.turn_credentials import credentials, minted

coturn = pytest.mark.skipif(not shutil.which("turnserver"), reason="needs coturn: apt-get install coturn")


def test_credentials_are_those_of_the_rest_scheme() -> None:
    # openssl: printf 1700000000:visavis | openssl dgst -sha1 -hmac secret -binary | base64
    assert credentials("secret", "visavis", 1_700_000_000) == (
        "1700000000:visavis",
        subprocess.run(
            "printf 1700000000:visavis | openssl dgst -sha1 -hmac secret -binary | base64",
            shell=True,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip(),
    )


def test_nothing_is_minted_without_a_server() -> None:
    assert minted(Server(), 0.0) == ()
    (entry,) = minted(Server(turn_urls=("turn:x",), turn_secret=SECRET, turn_ttl_s=60), 1000.0)
    assert entry["username"].startswith("1060:")
    assert entry["urls"] == ["turn:x"]
    assert SECRET not in str(entry)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("stun:a.example", ("stun", "a.example", 3478, "udp")),
        ("turn:a.example:443?transport=tcp", ("turn", "a.example", 443, "tcp")),
        ("turns:a.example", ("turns", "a.example", 5349, "tcp")),
        ("turn:[::1]:3479", ("turn", "::1", 3479, "udp")),
    ],
)
def test_addresses_are_read(url: str, wanted: tuple[str, str, int, str]) -> None:
    assert parsed(url) == wanted


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="stun:host:port"):
        parsed("https://a.example")


def test_the_summary_says_for_whom_it_works() -> None:
    public, here = Server(host="192.0.2.1"), Server()
    turn, stun = (Verdict(url=url, good=True, words="") for url in ("turn:x", "stun:x"))
    dead = Verdict(url="turn:x", good=False, words="")
    assert "relayed" in summary(public, [turn, stun])
    assert "no relay answers" in summary(public, [stun, dead])
    assert "reflexive" in summary(public, [stun])
    assert "direct paths only" in summary(public, [])
    assert "loopback" in summary(here, [])


@coturn
def test_the_shipped_relay_is_on_one_port_and_takes_our_credentials_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    with relay(tmp_path, port):
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "relay.pem"))
        place = f"127.0.0.1:{port}"
        urls = (*(f"turn:{place}?transport={each}" for each in ("udp", "tcp")), f"turns:{place}?transport=tcp")
        asked = Server(turn_urls=urls, turn_secret=SECRET, ice_servers=({"urls": f"stun:{place}"},))
        found = asyncio.run(verdicts(asked))
        assert [verdict.good for verdict in found] == [True] * 4, found
        assert "sees this machine as 127.0.0.1" in found[0].words
        assert [verdict.words.split(",")[0] for verdict in found[1:]] == [
            "relays over UDP",
            "relays over TCP",
            "relays over TLS",
        ]
        (wrong,) = asyncio.run(verdicts(replace(asked, turn_secret="another secret of the tests", turn_urls=urls[:1])))[
            1:
        ]
        assert not wrong.good
        assert "secret" in wrong.words
        listening = subprocess.run(["ss", "-lnptu"], capture_output=True, text=True, check=True).stdout
        ports = {line.split()[4] for line in listening.splitlines() if '"turnserver"' in line and f":{port}" in line}
        assert ports == {place}, "nothing but the one port"


@coturn
def test_credentials_that_have_expired_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    with relay(tmp_path, port):
        monkeypatch.setattr(time, "time", lambda now=time.time: now() - 7200)
        server = Server(turn_urls=(f"turn:127.0.0.1:{port}?transport=udp",), turn_secret=SECRET, turn_ttl_s=3600)
        (verdict,) = asyncio.run(verdicts(server))
        assert not verdict.good
        assert "refuses" in verdict.words


@coturn
def test_a_certificate_that_nobody_vouches_for_is_named(tmp_path: Path) -> None:
    port = free_port()
    with relay(tmp_path, port):
        server = Server(turn_urls=(f"turns:127.0.0.1:{port}?transport=tcp",), turn_secret=SECRET)
        (verdict,) = asyncio.run(verdicts(server))
        assert not verdict.good
        assert "certificate" in verdict.words


def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    port = free_port()
    server = Server(turn_urls=(f"turn:127.0.0.1:{port}?transport=tcp",), turn_secret=SECRET)
    (found,) = asyncio.run(verdicts(server))
    assert not found.good
    assert "reached" in found.words or "answer" in found.words


@coturn
@pytest.mark.parametrize("url", ["turn:{place}?transport=udp", "turn:{place}?transport=tcp", "turns:{place}"])
def test_a_viewer_without_any_other_way_is_served_over_the_relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    async def story(world: Scene, url: str) -> None:
        world.origins["session-1"] = now_ns()
        user, password = credentials(SECRET, "visavis", int(time.time()) + 600)
        server = RTCIceServer(urls=url, username=user, credential=password)
        viewer = Viewer(world, (), connection=RTCPeerConnection(RTCConfiguration([server])))
        viewer.add("audio")
        _relay_only(viewer.connection)
        await viewer.watch("session-1")
        playing = asyncio.ensure_future(world.play("session-1", 1000))
        await until(lambda: len(viewer.packets["audio"]) > 20)
        playing.cancel()
        await viewer.close()

    async def run(port: int) -> None:
        async with scene(tmp_path / "static") as world:
            await story(world, url.format(place=f"127.0.0.1:{port}"))

    port = free_port()
    with relay(tmp_path, port):
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "relay.pem"))
        asyncio.run(run(port))


def _relay_only(connection: RTCPeerConnection) -> None:
    """As a firewall that lets nothing through but the relay's TCP port."""
    ice = connection.getTransceivers()[0].receiver.transport.transport.iceGatherer._connection
    gather = ice.get_component_candidates

    def without_hosts(component: int, addresses: list[str], timeout: int = 5) -> Coroutine[Any, Any, Any]:
        return gather(component, [], timeout)

    ice.get_component_candidates = without_hosts  # type: ignore[method-assign]

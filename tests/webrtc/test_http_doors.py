"""Who may open which page of the edge, and under which name; where the edge may listen at all."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from broker.config import ROOT, Server
from broker.errors import ConfigError
from broker.loopback import is_loopback
from tests.webrtc.scene import Page, Scene, scene, until
from webrtc.security import check_bind


def at_an_edge(tmp_path: Path, story: Callable[[Scene], Awaitable[None]], **server: Any) -> None:
    async def run() -> None:
        async with scene(tmp_path, **server) as world:
            await story(world)

    asyncio.run(run())


async def status(world: Scene, path: str, **headers: str) -> tuple[int, str]:
    async with world.http.get(world.url + path, headers=headers) as response:
        return response.status, await response.text(errors="replace")


def test_the_pages_there_are(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        for path in (
            "/",
            "/health",
            "/ready",
            "/metrics",
            "/personas",
            "/avatars/vera/poster.jpg",
            "/backdrops",
            "/backdrops/studio",
            "/static/call.html",
            "/view/some-session",
            "/live",
        ):
            assert (await status(world, path))[0] == 200, path
        for path in (
            "/view/",
            "/console",
            "/avatars/vera/face.npz",
            "/avatars/..%2f..%2fetc/poster.jpg",
            "/backdrops/nowhere",
            "/backdrops/..%2favatars%2fvera%2fposter",
        ):
            assert (await status(world, path))[0] == 404, path

    at_an_edge(tmp_path, story)


def test_nothing_outside_the_static_folder_is_served(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")

    async def story(world: Scene) -> None:
        for path in (
            "/static/../secret.txt",
            "/static/%2e%2e/secret.txt",
            "/static/..%2fsecret.txt",
            "/static//etc/passwd",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            assert b"200 OK" not in answer
            assert b"secret" not in answer.split(b"\r\n\r\n", 1)[1]

    at_an_edge(tmp_path / "static", story)


def test_ready_names_what_is_missing(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        world.telling = False
        world.fleet("tts: flite is missing", "vad: starting")
        await until(lambda: world.calls.missing())
        code, text = await status(world, "/ready")
        assert code == 503
        assert "flite is missing" in text
        assert "vad" in text
        assert (await status(world, "/health"))[0] == 200
        world.calls.on_lost(world.broker.peer)
        code, text = await status(world, "/ready")
        assert code == 503
        assert "broker" in text

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[::", "a b"]
)
@pytest.mark.parametrize("path", ["/", "/metrics", "/static/call.html", "/ws", "/nowhere"])
def test_another_name_is_refused_on_every_page(tmp_path: Path, host: str, path: str) -> None:
    async def story(world: Scene) -> None:
        code, _text = await status(world, path, Host=host)
        assert code in (400, 403)

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:9", "avatar.school.example"])
def test_own_names_are_answered(tmp_path: Path, host: str) -> None:
    async def story(world: Scene) -> None:
        assert (await status(world, "/health", Host=host))[0] == 200

    at_an_edge(tmp_path, story, hosts=("avatar.school.example",))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://[", "file://"])
def test_another_pages_socket_and_requests_are_refused(tmp_path: Path, origin: str) -> None:
    async def story(world: Scene) -> None:
        assert (await status(world, "/personas", Origin=origin))[0] == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await Page(world).connect(Origin=origin)
        assert refused.value.status == 403
        assert not world.said or not world.calls

    at_an_edge(tmp_path, story)


def test_its_own_pages_socket_is_welcome(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        caller = await Page(world).connect(Origin=world.url)
        await caller.send("hello", persona="host")
        await caller.hears("session")
        await caller.close()

    at_an_edge(tmp_path, story)


def test_pages_may_load_nothing_from_elsewhere(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        for path in ("/", "/static/call.html", "/health", "/nowhere"):
            async with world.http.get(world.url + path) as response:
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'self'" in policy
                assert "'unsafe-inline'" not in policy
                assert "'unsafe-eval'" not in policy
                assert "frame-ancestors 'none'" in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Referrer-Policy"] == "no-referrer"

    at_an_edge(tmp_path, story)


def test_metrics_need_the_operator_unless_asked_from_this_machine(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        assert (await status(world, "/metrics"))[0] == 200
        forwarded = {"X-Forwarded-For": "192.0.2.1"}
        assert (await status(world, "/metrics", **forwarded))[0] == 401
        assert (await status(world, "/metrics", Authorization="Bearer wrong", **forwarded))[0] == 401
        assert (await status(world, "/metrics", Authorization="Bearer " + "s" * 20, **forwarded))[0] == 200

    at_an_edge(tmp_path, story, operator_token="s" * 20)


def test_without_an_operator_token_no_bearer_is_right(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        for bearer in ("Bearer ", "Bearer", ""):
            headers = {"X-Forwarded-For": "192.0.2.1", "Authorization": bearer}
            assert (await status(world, "/metrics", **headers))[0] == 401

    at_an_edge(tmp_path, story)


def test_connections_from_one_address_are_limited(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        codes = []
        for _ in range(60):
            try:
                socket = await world.http.ws_connect(f"{world.url}/ws")
                await socket.close()
            except aiohttp.WSServerHandshakeError as refused:
                codes.append(refused.status)
        assert codes
        assert set(codes) == {429}

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_loopback_needs_no_protection(host: str) -> None:
    assert is_loopback(host)
    check_bind(Server(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "avatar.school.example", ""])
def test_beyond_loopback_needs_token_and_tls(host: str) -> None:
    safe = Server(host=host, operator_token="s" * 20, tls_cert="c.pem", tls_key="k.pem")
    check_bind(safe)
    for lacking in (
        Server(host=host),
        Server(host=host, operator_token="s" * 20),
        Server(host=host, tls_cert="c.pem", tls_key="k.pem"),
        Server(host=host, tls_cert="c.pem", tls_key="k.pem", operator_token="short"),
    ):
        with pytest.raises(ConfigError, match=r"server\.host"):
            check_bind(lacking)


def start(tmp_path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"VISAVIS_BUS_RUN_FOLDER": str(tmp_path / "run"), "VISAVIS_SERVER_PORT": "0"} | env
    command = [sys.executable, "-m", "webrtc"]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=False)


def test_the_process_refuses_to_start_unprotected_and_says_what_to_set(tmp_path: Path) -> None:
    done = start(tmp_path, VISAVIS_SERVER_HOST="0.0.0.0")
    assert done.returncode == 2
    assert "VISAVIS_SERVER_OPERATOR_TOKEN" in done.stderr
    assert "tls_cert" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    done = start(tmp_path, VISAVIS_SERVER_TLS_CERT=missing, VISAVIS_SERVER_TLS_KEY=missing)
    assert done.returncode == 2
    assert "tls_cert" in done.stderr
    assert "Traceback" not in done.stderr

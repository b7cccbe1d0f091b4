"""HTTP live streaming at the edge's door: who may, what is served and how, when it is made and when no longer."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from broker.config import ROOT, Audience
from broker.messages import Watch
from tests.outputs.media_server import free_port
from tests.webrtc.scene import Scene, scene, until
from webrtc import watched as watched_module
from webrtc.hls import STALE_S

SESSION = "session-one"
SEGMENTS = "".join(f"#EXTINF:1.5,\n{n}.m4s\n" for n in (0, 72_000))


def at_an_edge(
    tmp_path: Path, story: Callable[[Scene, Path], Awaitable[None]], audience: Audience | None = None
) -> None:
    tmp_path.mkdir(exist_ok=True)

    async def run() -> None:
        async with scene(tmp_path / "static", audience) as world:
            paths = dataclasses.replace(world.settings.paths, hls=str(tmp_path / "hls"))
            world.calls.settings = dataclasses.replace(world.settings, paths=paths)
            world.origins[SESSION] = time.monotonic_ns()
            await story(world, tmp_path / "hls" / SESSION)

    asyncio.run(run())


def made(place: Path, text: str = SEGMENTS) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / "0.m4s").write_bytes(b"segment")
    (place / "init-0.mp4").write_bytes(b"header")
    (place / "index.m3u8").write_text("#EXTM3U\n" + text)


async def get(world: Scene, path: str, method: str = "GET", **headers: str) -> tuple[int, str, Any]:
    async with world.http.request(method, f"{world.url}/hls/{path}", headers=headers) as response:
        return response.status, await response.text(), response.headers.copy()


def asked(world: Scene) -> list[bool]:
    return [each.hls for each in world.of(Watch, SESSION)]


def test_it_is_made_when_somebody_asks_and_no_longer_when_nobody_does(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(watched_module, "HLS_LINGER_NS", 2 * 10**9)

    async def story(world: Scene, place: Path) -> None:
        first = asyncio.ensure_future(get(world, f"{SESSION}/index.m3u8"))
        await until(lambda: True in asked(world))
        assert not first.done(), "it waits for something to play"
        made(place, "#EXTINF:1.5,\n0.m4s\n")
        await asyncio.sleep(0.3)
        assert not first.done(), "one segment would be followed by a pause"
        made(place)
        status, text, headers = await first
        assert (status, text) == (200, "#EXTM3U\n" + SEGMENTS)
        assert headers["Content-Type"].startswith("application/vnd.apple.mpegurl")
        assert headers["Cache-Control"] == "no-cache"
        await until(lambda: world.of(Watch, SESSION)[-1].leave)
        assert asked(world)[-1] is False

    at_an_edge(tmp_path, story)


def test_segments_are_served_for_caches_and_players_elsewhere(tmp_path: Path) -> None:
    async def story(world: Scene, place: Path) -> None:
        made(place)
        for name, body in (("0.m4s", "segment"), ("init-0.mp4", "header")):
            status, text, headers = await get(world, f"{SESSION}/{name}", Origin="https://school.example")
            assert (status, text) == (200, body)
            assert headers["Content-Type"] == "video/mp4"
            assert headers["Cache-Control"] == "public, max-age=60, immutable"
            assert headers["Access-Control-Allow-Origin"] == "https://school.example"
        status, _, headers = await get(world, f"{SESSION}/0.m4s", "OPTIONS", Origin="https://school.example")
        assert status == 200
        assert "Range" in headers["Access-Control-Allow-Headers"]
        assert (await get(world, f"{SESSION}/0.m4s", Origin="https://else.example"))[0] == 403

    at_an_edge(tmp_path, story, Audience(origins=("https://school.example",)))


def test_nothing_but_segments_is_served(tmp_path: Path) -> None:
    async def story(world: Scene, place: Path) -> None:
        made(place)
        (place / "secret.txt").write_text("secret")
        (place.parent / "0.m4s").write_text("secret")
        bad = ["secret.txt", ".index.m3u8", "..%2f0.m4s", "..%2f..%2fsecret.txt", "1.m4s", "0.m4s%00", "init-.mp4"]
        for name in bad:
            assert (await get(world, f"{SESSION}/{name}"))[0] == 404, name
        for session in ("..", "%2e%2e", "x", "a" * 65, "session one", "..%2fsession-one"):
            assert (await get(world, f"{session}/0.m4s"))[0] == 404, session
            assert (await get(world, f"{session}/index.m3u8"))[0] == 404, session
        assert (await get(world, "nobody-here/index.m3u8"))[0] == 404

    at_an_edge(tmp_path, story)


def test_it_is_shown_to_those_who_may_look_on(tmp_path: Path) -> None:
    async def story(world: Scene, place: Path) -> None:
        made(place)
        for name in ("index.m3u8", "0.m4s"):
            assert (await get(world, f"{SESSION}/{name}"))[0] == 401
            status, _, headers = await get(world, f"{SESSION}/{name}", Authorization="Bearer the-audiences-token")
            assert status == 200
            assert headers["Cache-Control"].startswith("private"), "no cache on the way may hand it on"

    at_an_edge(tmp_path, story, Audience(token="the-audiences-token"))

    async def closed(world: Scene, place: Path) -> None:
        made(place)
        for name in ("index.m3u8", "0.m4s"):
            assert (await get(world, f"{SESSION}/{name}"))[0] == 404

    at_an_edge(tmp_path / "closed", closed, Audience(watch=False))


def test_what_a_dead_maker_left_is_not_played(tmp_path: Path) -> None:
    async def story(world: Scene, place: Path) -> None:
        made(place)
        old = time.time() - STALE_S - 1
        os.utime(place / "index.m3u8", (old, old))
        request = asyncio.ensure_future(get(world, f"{SESSION}/index.m3u8"))
        await asyncio.sleep(0.3)
        assert not request.done()
        made(place, SEGMENTS + "#EXTINF:1.5,\n144000.m4s\n")
        assert "144000" in (await request)[1]

    at_an_edge(tmp_path, story)


def test_the_last_seconds_of_a_conversation_can_still_be_played(tmp_path: Path) -> None:
    async def story(world: Scene, place: Path) -> None:
        del world.origins[SESSION]
        made(place)
        assert (await get(world, f"{SESSION}/index.m3u8"))[0] == 404
        made(place, SEGMENTS + "#EXT-X-ENDLIST\n")
        assert (await get(world, f"{SESSION}/index.m3u8"))[0] == 200

    at_an_edge(tmp_path, story)


def test_a_stream_that_does_not_begin_is_told_in_words(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("webrtc.hls.STARTS_S", 0.2)

    async def story(world: Scene, place: Path) -> None:
        status, text, headers = await get(world, f"{SESSION}/index.m3u8")
        assert status == 503
        assert "outputs" in text
        assert headers["Retry-After"] == "2"

    at_an_edge(tmp_path, story)


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not here: apt-get install nginx")
def test_the_example_for_nginx_asks_the_edge_once_for_many(tmp_path: Path) -> None:
    async def story(world: Scene, place: Path) -> None:
        made(place)
        port = free_port()
        snippet = (ROOT / "etc" / "nginx-hls.conf").read_text().replace(":8080", f":{world.port}")
        (tmp_path / "hls.conf").write_text(snippet)
        (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port, user=_user()))
        command = ["nginx", "-p", str(tmp_path), "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "nginx.conf")]
        process = await asyncio.create_subprocess_exec(*command, start_new_session=True)
        try:
            await until(lambda: (tmp_path / "nginx.pid").is_file() and (tmp_path / "nginx.pid").read_text().strip())

            async def through(name: str) -> str:
                async with world.http.get(f"http://127.0.0.1:{port}/hls/{SESSION}/{name}") as response:
                    assert response.status == 200, await response.text()
                    return await response.text()

            assert SEGMENTS in await through("index.m3u8")
            assert await asyncio.gather(*(through("0.m4s") for _ in range(20))) == ["segment"] * 20
            (place / "0.m4s").unlink()
            assert await through("0.m4s") == "segment", "the edge is not asked again"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    at_an_edge(tmp_path, story)


NGINX = """
user {user};
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=hls:1m max_size=10m inactive=2m;
  server {{ listen 127.0.0.1:{port}; include {folder}/hls.conf; }}
}}
"""


def _user() -> str:
    return "root" if os.getuid() == 0 else "nobody"

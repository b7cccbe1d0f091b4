"""Conversations pushed into a media server: Debian's Janus with the shipped settings, and players that hang on it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from broker.clock import now_ns
from broker.config import Audience, load
from broker.errors import ConfigError
from broker.messages import KeyFrame, Wanted
from tests.stack.running import free_port
from tests.webrtc.janus_player import JanusPlayer
from tests.webrtc.scene import Page, Scene, scene, until
from tests.webrtc.served import OPERATOR, served
from tests.webrtc.served import SESSION as AT_THE_EDGE
from tests.webrtc.viewer import Listener
from webrtc.janus_api import streaming
from webrtc.janus_server import JanusServer, Trial, janus
from webrtc.media_clock import NTP_EPOCH_S
from webrtc.mountpoint import Mountpoint
from webrtc.pushing import PushError

KEY = "the tests' key to mountpoints"
SESSION = "session-1"

needs_janus = pytest.mark.skipif(not shutil.which("janus"), reason="needs Janus: apt-get install janus")


@contextlib.asynccontextmanager
async def playing(world: Scene, session: str) -> AsyncIterator[None]:
    """The session's programme goes on meanwhile."""
    task = asyncio.ensure_future(world.play(session, 100_000))
    try:
        yield
    finally:
        task.cancel()


def with_janus(folder: Path, story: Callable[[Scene, JanusServer], Awaitable[None]]) -> None:
    """An edge beside a Janus."""

    async def run() -> None:
        with janus(free_port(), KEY) as server:
            async with scene(folder, Audience(janus_url=server.url)) as world:
                await story(world, server)

    asyncio.run(run())


async def place_of(world: Scene, session: str) -> dict[str, Any]:
    """Where the edge sends pages."""
    listener = await Listener().listen(world, session, "?playing&via=janus")
    try:
        return dict((await listener.hears("session"))["janus"])
    finally:
        await listener.close()


async def is_in(world: Scene, session: str, wanted: str, n: int = 0, within_s: float = 30.0) -> dict[str, str]:
    """Wait until the broker has heard that a push is in a state."""
    end_ns = now_ns() + int(within_s * 1e9)
    while (row := world.pushed(session, n))["state"] != wanted:
        assert now_ns() < end_ns, row
        await asyncio.sleep(0.02)
    return row


@contextlib.asynccontextmanager
async def pushed(world: Scene, server: JanusServer) -> AsyncIterator[str]:
    """A conversation that goes on meanwhile and is live in Janus."""
    page = Page(world)
    session = (await page.hello())["session"]
    world.push(session, f"janus+{server.url}", token=KEY)
    async with playing(world, session):
        await is_in(world, session, "live")
        yield session
    await page.close()


@needs_janus
def test_a_conversation_is_in_janus_whole_in_order_and_dated_by_the_programme(tmp_path: Path) -> None:
    async def story(world: Scene, server: JanusServer) -> None:
        async with pushed(world, server) as session:
            await until(lambda: any(isinstance(m, Wanted) and m.h264 == 1 for m in world.asked))
            place = await place_of(world, session)
            player = await JanusPlayer(place).play()
            await until(lambda: len(player.pictures) > 25 and len(player.sounds) > 50, 30)
            await until(lambda: player.reports["audio"], 30)
            numbers = [packet.sequence_number for packet in player.packets["audio"]]
            assert numbers == [(numbers[0] + n) % 65536 for n in range(len(numbers))], "nothing is lost or out of order"
            assert {(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(player.packets["audio"])} == {960}
            assert player.pictures[-1].to_ndarray(format="rgb24").std() > 20, "the gradient is seen"
            assert int(np.abs(player.sounds[-1].to_ndarray()).max()) > 2000, "the tone is heard"
            assert_dated(world, player, place["origin_ms"])
            await player.close()

    with_janus(tmp_path, story)


def assert_dated(world: Scene, player: JanusPlayer, origin_ms: float) -> None:
    """Janus numbers time anew; its reports and the edge's word lead back to the programme's samples.

    The tone's packets repeat each second, so that a packet says which part of a second it is.
    """
    packet = player.packets["audio"][-1]
    true = 960 * world._opus.index(packet.payload) - packet.timestamp
    report = player.reports["audio"][-1].sender_info
    ms = ((report.ntp_timestamp >> 32) - NTP_EPOCH_S) * 1000 + (report.ntp_timestamp & 0xFFFFFFFF) / 2**32 * 1000
    found = (ms - origin_ms) * 48 - report.rtp_timestamp
    apart = (found - true + 24_000) % 48_000 - 24_000
    assert abs(apart) < 12_000, f"{apart / 48:.0f} ms apart"


@needs_janus
def test_who_joins_janus_gets_a_key_frame_and_only_with_the_pin(tmp_path: Path) -> None:
    async def story(world: Scene, server: JanusServer) -> None:
        async with pushed(world, server) as session:
            place = await place_of(world, session)
            asked = sum(isinstance(message, KeyFrame) for message in world.asked)
            player = await JanusPlayer(place).play()
            await until(lambda: sum(isinstance(message, KeyFrame) for message in world.asked) > asked)
            told = await player.tell(request="destroy", id=place["id"], secret="guessed")
            assert "error" in told["plugindata"]["data"]
            await player.close()
            stranger = JanusPlayer(place | {"pin": "guessed"})
            with pytest.raises(AssertionError, match="nauthorized"):
                await stranger.play()
            await stranger.close()

    with_janus(tmp_path, story)


@needs_janus
def test_a_janus_that_begins_anew_is_pushed_to_again_and_let_go_at_the_end(tmp_path: Path) -> None:
    async def story(world: Scene, server: JanusServer) -> None:
        async with pushed(world, server) as session:
            server.stop(kill=True)
            row = await is_in(world, session, "waiting")
            assert "Janus" in row["reason"]
            await asyncio.to_thread(server.start)
            assert (await is_in(world, session, "live"))["reason"] == ""
            place = await place_of(world, session)
            player = await JanusPlayer(place).play()
            await until(lambda: len(player.pictures) > 5, 30)
            world.origins.pop(session)
            world.close(session, "bye")
            await until(lambda: world.calls.totals()["pushes"] == 0)
            told = await player.tell(request="info", id=place["id"])
            assert "No such" in told["plugindata"]["data"]["error"], "nothing is left behind"
            await player.close()

    with_janus(tmp_path, story)


@needs_janus
def test_what_an_edge_that_died_left_in_janus_is_taken_over(tmp_path: Path) -> None:
    async def story(world: Scene, server: JanusServer) -> None:
        async with streaming(server.url) as one, streaming(server.url) as other:
            left, found = (Mountpoint(each, server.url, SESSION, "", KEY) for each in (one, other))
            await left.make()
            with pytest.raises(PushError, match="already"):
                await found.make()
            await taken(found)
            await found.look()
            with pytest.raises(PushError, match="Another edge"):
                await left.look()
            await found.remove()
            with pytest.raises(PushError, match="No such"):
                await found.look()

    with_janus(tmp_path, story)


async def taken(mountpoint: Mountpoint) -> None:
    """Wait until nobody has fed it for so long that it may be taken over."""
    end_ns = now_ns() + 30 * 10**9
    while True:
        try:
            await mountpoint.make()
            return
        except PushError:
            assert now_ns() < end_ns, "it stays another's"
            await asyncio.sleep(0.1)


@needs_janus
def test_what_is_wrong_with_a_push_is_told_and_the_first_one_is_left_alone(tmp_path: Path) -> None:
    async def story(world: Scene, server: JanusServer) -> None:
        world.origins[SESSION] = now_ns()
        url = f"janus+{server.url}"
        async with playing(world, SESSION):
            world.push(SESSION, url, token="wrong")
            assert "admin_key" in (await is_in(world, SESSION, "waiting"))["reason"]
            world.push(SESSION)
            await until(lambda: not world.calls.pushes.held)
            world.push(SESSION, url, token=KEY)
            await is_in(world, SESSION, "live")
            world.push(SESSION, url, url, token=KEY)
            assert "already" in (await is_in(world, SESSION, "waiting", 1))["reason"]
            assert world.pushed(SESSION)["state"] == "live"

    with_janus(tmp_path, story)


@needs_janus
def test_an_edge_that_does_not_push_knows_the_place_from_the_broker(tmp_path: Path) -> None:
    async def run() -> None:
        with janus(free_port(), KEY) as server:
            async with scene(tmp_path) as world:
                world.origins[SESSION] = now_ns()
                world.janus = server.url
                world.push(SESSION, f"janus+{server.url}", token=KEY)
                async with playing(world, SESSION):
                    await is_in(world, SESSION, "live")
                async with scene(tmp_path / "other") as other:
                    other.origins[SESSION] = world.origins[SESSION]
                    other.janus = server.url
                    async with other.http.get(f"{other.url}/view/{SESSION}?via=janus") as response:
                        allowed = response.headers["Content-Security-Policy"].replace(";", " ")
                    assert f"{server.url} " in allowed, "the page may go there"
                    async with playing(world, SESSION):
                        player = await JanusPlayer(await place_of(other, SESSION)).play()
                        await until(lambda: len(player.pictures) > 5, 30)
                    await player.close()

    asyncio.run(run())


@needs_janus
def test_what_is_live_is_pushed_by_the_command_that_tries_janus_out(tmp_path: Path) -> None:
    async def run() -> None:
        with janus(free_port(), KEY) as server:
            async with served(tmp_path) as world:
                world.begin()
                await until(world.calls.live)
                trial = Trial(world.url, server.url, KEY)
                (address,) = await asyncio.to_thread(trial.look)
                assert address == f"{world.url}/view/{AT_THE_EDGE}?via=janus"
                assert await asyncio.to_thread(trial.look) == []
                status, told = await world.ask("GET", f"/api/v1/sessions/{AT_THE_EDGE}/push", OPERATOR)
                assert (status, [row["url"] for row in told["pushes"]]) == (200, [f"janus+{server.url}"])
                assert KEY not in str(told)
                async with world.http.get(address) as response:
                    assert f"{server.url} " in response.headers["Content-Security-Policy"].replace(";", " ")

    asyncio.run(run())


def test_pages_are_sent_to_janus_by_their_address_or_by_the_settings_and_counted(tmp_path: Path) -> None:
    async def run() -> None:
        place = {"janus_url": "ws://127.0.0.1:9", "janus_page_url": "wss://sfu.example/janus"}
        async with scene(tmp_path, Audience(**place, via="janus")) as world:  # type: ignore[arg-type]  # all text
            for query, sent, counted in (("?playing", True, 1), ("?playing&via=edge", False, 0), ("", False, 1)):
                session = f"session-{query}"
                world.origins[session] = now_ns()
                before = world.calls.audience.count
                listener = await Listener().listen(world, quote(session), query)
                told = await listener.hears("session")
                assert (told.get("janus") or {}).get("url") == ("wss://sfu.example/janus" if sent else None)
                assert world.calls.audience.count - before == counted
                async with playing(world, session):
                    if sent:
                        clock = await listener.hears("clock")
                        assert abs(clock["origin_ms"] - told["janus"]["origin_ms"]) < 60_000
                await listener.close()
            async with world.http.get(f"{world.url}/view/{SESSION}") as response:
                assert "wss://sfu.example" in response.headers["Content-Security-Policy"]

    asyncio.run(run())


def test_the_pin_follows_the_audiences_token(tmp_path: Path) -> None:
    pins = []
    for token in ("", "a secret of the tests"):

        async def run(token: str = token) -> None:
            async with scene(tmp_path, Audience(janus_url="ws://127.0.0.1:9", token=token)) as world:
                world.origins[SESSION] = now_ns()
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                listener = await Listener().listen(world, SESSION, "?playing&via=janus", **headers)
                pins.append((await listener.hears("session"))["janus"]["pin"])
                await listener.close()

        asyncio.run(run())
    assert pins[0] != pins[1]


def test_an_address_that_is_no_janus_is_refused_in_words(tmp_path: Path) -> None:
    config = tmp_path / "visavis.toml"
    for wrong, words in (('janus_url = "http://x"', "wss://"), ('via = "janus"', "janus_url")):
        config.write_text(f"[audience]\n{wrong}\n")
        with pytest.raises(ConfigError, match=words):
            load(config, {})

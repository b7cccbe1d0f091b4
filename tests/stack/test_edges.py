"""Two edge processes: viewers and pushes at the one that is not the caller's; either of them dies."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from bench.fanout import Watching
from tests.stack.caller import Caller
from tests.stack.doors import Browsing, Strangers, ViewerPage
from tests.stack.running import Stack
from tests.stack.spoken_to import SpokenTo
from tests.webrtc.viewer import Viewer
from tests.webrtc.whip_server import WhipServer

pytestmark = pytest.mark.browser

WITHIN_S = 60
KEY = "the-tests-audience"


@pytest.fixture
def two_edges() -> Iterator[Stack]:
    running = Stack(VISAVIS_WORKERS_WEBRTC="2")
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture
def with_one_seat_each() -> Iterator[Stack]:
    running = Stack(VISAVIS_WORKERS_WEBRTC="2", VISAVIS_AUDIENCE_CAPACITY="1", VISAVIS_AUDIENCE_TOKEN=KEY)
    try:
        yield running.start()
    finally:
        running.stop()


async def watch(stack: Stack, session: str) -> dict[str, Any]:
    """Look on at the second edge until pictures come; ask the first one about the resource; leave by being gone."""
    async with aiohttp.ClientSession() as http:
        other = f"{second(stack)}whep/{session}"
        viewer = Watching()
        await viewer.join(http, other, "h264")
        async with asyncio.timeout(50):
            while not viewer.first_s or viewer.packets < 200:
                await asyncio.sleep(0.05)
        owner = f"{stack.url}whep/{session}/webrtc-1.nobody"
        async with http.delete(owner, allow_redirects=False) as response:
            asked = response.status, response.headers.get("Location", "")
        async with http.get(f"{second(stack)}metrics") as response:
            metrics = await response.text()
        stack.kill("webrtc-1")
        await viewer.connection.close()
        return {"asked": asked, "metrics": metrics}


def test_a_viewer_at_another_edge_is_served_counted_and_missed(two_edges: Stack) -> None:
    stack = two_edges
    with Caller(stack.url) as caller:
        caller.open("?persona=host&mode=text").start()
        session = str(caller.messages("session")[0]["session"])
        found = _beside(watch(stack, session))
        assert found["asked"] == (307, f"{second(stack)}whep/{session}/webrtc-1.nobody")
        counts = [message["viewers"] for message in caller.messages("audience")]
        caller.until(lambda: caller.messages("audience")[-1]["viewers"] == 0, "a dead edge's viewers are still counted")
        assert 1 in counts or 1 in [message["viewers"] for message in caller.messages("audience")]
        assert 'visavis_viewers_total{process="webrtc-1"' in found["metrics"]
        assert caller.state() in ("listening", "speaking"), "the call does not notice"


def test_a_push_outlives_its_edge_and_the_broker_and_any_edge_tells_of_it(two_edges: Stack) -> None:
    stack = two_edges
    with Strangers() as strangers, Caller(stack.url) as caller:
        caller.open("?persona=host&mode=text").start()
        door = f"api/v1/sessions/{caller.messages('session')[0]['session']}/push"
        server = WhipServer()
        url = strangers.do(server.start()) + "name"
        row = asked("POST", second(stack) + door, {"url": url, "token": "key"})
        for edge in (stack.url, second(stack)):
            caller.until(lambda edge=edge: pushes(edge, door) == [(row["id"], "live")], "it is not pushed", WITHIN_S)
        caller.until(lambda: min(server.frames.values()) > 20, "nothing comes", WITHIN_S)

        stack.kill("broker")
        came = dict(server.frames)
        caller.until(lambda: pushes(second(stack), door) == [(row["id"], "live")], "it is forgotten", WITHIN_S)
        caller.until(lambda: server.frames["audio"] > came["audio"] + 100, "it stands still", WITHIN_S)
        assert server.offers == 1, "the broker's death is not noticed there"

        stack.kill("webrtc")  # the caller is there, and so is the push
        caller.until(lambda: server.offers >= 2, "it does not come back", WITHIN_S)
        came = dict(server.frames)
        caller.until(lambda: all(server.frames[kind] > came[kind] + 20 for kind in came), "nothing comes", WITHIN_S)
        for edge in (second(stack), stack.url):
            caller.until(lambda edge=edge: pushes(edge, door) == [(row["id"], "live")], "it is not told of", WITHIN_S)
        asked("DELETE", f"{stack.url}{door}/{row['id']}")
        caller.until(server.deleted.is_set, "it does not end", WITHIN_S)
        assert pushes(second(stack), door) == []
        strangers.do(server.stop())


def test_a_viewer_sent_to_another_edge_is_back_after_that_edge_died(with_one_seat_each: Stack) -> None:
    stack = with_one_seat_each
    with SpokenTo(stack.url) as spoken, Strangers() as strangers, Browsing(draws=False) as browsing:
        at_the_first = strangers.do(seated(stack.url, spoken.session))
        with ViewerPage(browsing, stack, spoken.session, key=KEY) as viewer:
            plays(viewer, "it does not play")
            until(
                viewer, lambda: at(stack, "webrtc-1") == 1, "the first edge is full, and it is no guest of the second"
            )
            stack.kill("webrtc-1")
            until(viewer, lambda: at(stack, "webrtc-1") == 0, "the edge is not missed")
            until(viewer, lambda: at(stack, "webrtc-1") == 1, "it does not come back")
            plays(viewer, "it is back and does not play")
            state = "document.documentElement.dataset.state"
            live = ("listening", "speaking", "thinking")
            until(viewer, lambda: viewer.page.evaluate(state) in live, "it does not say so")
        strangers.do(left(at_the_first))


def second(stack: Stack) -> str:
    """Where the second edge is."""
    return f"http://127.0.0.1:{stack.port + 1}/"


def asked(method: str, url: str, body: dict[str, str] | None = None) -> Any:
    """An edge, as the operator of this machine."""
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        text = reply.read()
    return json.loads(text) if text else None


def pushes(edge: str, door: str) -> list[tuple[str, str]]:
    """(id, state) as an edge tells of them; nothing while it does not answer."""
    try:
        return [(row["id"], row["state"]) for row in asked("GET", edge + door)["pushes"]]
    except OSError:
        return []


async def seated(url: str, session: str) -> Viewer:
    """A viewer who takes the only seat of an edge."""
    place = SimpleNamespace(url=url.rstrip("/"), http=aiohttp.ClientSession())
    return await Viewer(place, codec="h264").watch(session, {"Authorization": f"Bearer {KEY}"})


async def left(viewer: Viewer) -> None:
    await viewer.close()
    await viewer.world.http.close()


def at(stack: Stack, edge: str) -> int:
    """How many look on there, as the broker last told the first edge; -1 while that does not answer."""
    try:
        metrics = stack.metrics()
    except OSError:
        return -1
    found = re.search(rf'^visavis_viewers_total{{process="{edge}".*}} (\d+)', metrics, re.MULTILINE)
    return int(found[1]) if found else 0


def plays(viewer: ViewerPage, otherwise: str) -> None:
    """Pictures and sound come from now on."""
    before = viewer.got()

    def come() -> bool:
        now = viewer.got()
        return now.pictures > before.pictures + 10 and now.sounds > before.sounds + 50

    until(viewer, come, otherwise)


def until(viewer: ViewerPage, holds: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < end, otherwise
        viewer.page.wait_for_timeout(100)


def _beside(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it in a thread: Playwright has a loop of its own in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result(120)

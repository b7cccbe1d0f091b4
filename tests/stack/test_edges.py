"""Two edge processes: a viewer at the one that is not the caller's gets the programme, is counted, and is missed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import pytest

from bench.fanout import Watching
from tests.stack.caller import Caller
from tests.stack.running import Stack

pytestmark = pytest.mark.browser


@pytest.fixture
def two_edges() -> Iterator[Stack]:
    running = Stack(VISAVIS_WORKERS_WEBRTC="2")
    try:
        yield running.start()
    finally:
        running.stop()


async def watch(stack: Stack, session: str) -> dict[str, Any]:
    """Look on at the second edge until pictures come; ask the first one about the resource; leave by being gone."""
    async with aiohttp.ClientSession() as http:
        other = f"http://127.0.0.1:{stack.port + 1}/whep/{session}"
        viewer = Watching()
        await viewer.join(http, other, "h264")
        async with asyncio.timeout(15):
            while not viewer.first_s or viewer.packets < 200:
                await asyncio.sleep(0.05)
        owner = f"{stack.url}whep/{session}/webrtc-1.nobody"
        async with http.delete(owner, allow_redirects=False) as response:
            asked = response.status, response.headers.get("Location", "")
        async with http.get(f"http://127.0.0.1:{stack.port + 1}/metrics") as response:
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
        assert found["asked"] == (307, f"http://127.0.0.1:{stack.port + 1}/whep/{session}/webrtc-1.nobody")
        counts = [message["viewers"] for message in caller.messages("audience")]
        caller.until(lambda: caller.messages("audience")[-1]["viewers"] == 0, "a dead edge's viewers are still counted")
        assert 1 in counts or 1 in [message["viewers"] for message in caller.messages("audience")]
        assert 'visavis_viewers_total{process="webrtc-1"' in found["metrics"]
        assert caller.state() in ("listening", "speaking"), "the call does not notice"


def _beside(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it in a thread: Playwright has a loop of its own in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result(60)

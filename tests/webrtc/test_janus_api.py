"""What Janus is asked, when who asks is stopped or Janus goes away meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from webrtc.janus_api import JanusPlugin
from webrtc.pushing import PushError


class Told:
    """A message of Janus'."""

    type = aiohttp.WSMsgType.TEXT

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    def json(self, loads: Any) -> dict[str, Any]:
        return self._told


class Line:
    """A WebSocket: what was sent is kept, what is put in is read; None ends it."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.answers: asyncio.Queue[Told | None] = asyncio.Queue()

    async def send_json(self, message: dict[str, Any]) -> None:
        self.sent.put_nowait(message)

    async def __aiter__(self) -> AsyncIterator[Told]:
        while (told := await self.answers.get()) is not None:
            yield told


@pytest.mark.parametrize("steps", range(8))
def test_who_is_stopped_while_the_answer_comes_is_stopped(steps: int) -> None:
    async def run() -> None:
        line = Line()
        plugin = JanusPlugin(line)  # type: ignore[arg-type]  # as much of one as is used
        reading = asyncio.ensure_future(plugin.read())
        asking = asyncio.ensure_future(plugin.ask("info"))
        asked = await line.sent.get()
        line.answers.put_nowait(Told({"janus": "success", "transaction": asked["transaction"]}))
        for _ in range(steps):
            await asyncio.sleep(0)
        if asking.cancel():
            await asyncio.wait([asking], timeout=1)
            assert asking.cancelled(), "it went on with the answer"
        reading.cancel()

    asyncio.run(run())


def test_who_waits_is_told_that_janus_has_gone() -> None:
    async def run() -> None:
        line = Line()
        plugin = JanusPlugin(line)  # type: ignore[arg-type]  # as much of one as is used
        reading = asyncio.ensure_future(plugin.read())
        asking = asyncio.ensure_future(plugin.ask("info"))
        await line.sent.get()
        line.answers.put_nowait(None)
        with pytest.raises(PushError, match="gone away"):
            await asking
        await reading
        assert plugin.gone.is_set()

    asyncio.run(run())

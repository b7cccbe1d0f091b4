"""The edge as its own process on the real bus: it answers, carries a call, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from broker.bus import Bus
from broker.clock import now_ns
from broker.config import ROOT, BusSettings, Settings
from broker.messages import Alive, Fleet, Gone, Message, Open, Peer, Present
from tests.webrtc.scene import until


class Broker:
    """A scripted broker on the real bus: opens every session."""

    def __init__(self, folder: Path) -> None:
        self.bus = Bus("broker", "broker", Settings(bus=BusSettings(run_folder=str(folder))))
        self.said: list[Message] = []
        self.edge: Peer | None = None
        self._beat: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self.bus.attach(asyncio.get_running_loop(), self.take)

    def take(self, message: Message) -> None:
        self.said.append(message)
        if isinstance(message, Alive):
            self.edge = message.peer
            self.bus.send(message.peer, Fleet(missing=(), processes=(), sessions=0, capacity=8))
        elif isinstance(message, Present):
            peers = {"webrtc": message.edge}
            persona: dict[str, Any] = {"id": "host", "name": "Vera"}
            opened = Open(
                session=message.session, persona=persona, language="en", origin_ns=now_ns(), peers=peers, route=3
            )
            self.bus.send(message.edge, opened)


@contextlib.asynccontextmanager
async def process(folder: Path) -> AsyncIterator[tuple[Broker, subprocess.Popen[str], int]]:
    """A broker, an edge process and the port it listens on."""
    broker = Broker(folder)
    broker.start()
    environ = os.environ | {"VISAVIS_BUS_RUN_FOLDER": str(folder), "VISAVIS_SERVER_PORT": "0"}
    edge = subprocess.Popen([sys.executable, "-m", "webrtc"], cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)
    assert edge.stderr is not None
    try:
        line = await asyncio.to_thread(edge.stderr.readline)
        port = int(json.loads(line)["addresses"][0].rpartition(",")[2].strip(" )"))
        await until(lambda: broker.edge)
        yield broker, edge, port
    finally:
        edge.kill()
        edge.wait()
        edge.stderr.close()
        broker.bus.close()


def test_it_serves_says_it_is_alive_and_stops_in_time_without_leftovers(tmp_path: Path) -> None:
    async def run() -> None:
        folder = tmp_path / "run"
        async with process(folder) as (broker, edge, port), aiohttp.ClientSession() as http:
            async with asyncio.timeout(20):
                while (await http.get(f"http://127.0.0.1:{port}/ready")).status != 200:
                    await asyncio.sleep(0.05)
            alive = next(each for each in broker.said if isinstance(each, Alive))
            assert (alive.peer.kind, alive.state) == ("webrtc", "ready")
            async with http.ws_connect(f"http://127.0.0.1:{port}/ws") as socket:
                await socket.send_json({"type": "hello", "persona": "host"})
                assert (await socket.receive_json(timeout=5))["type"] == "session"
                edge.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(edge.wait, 10) == 0
            assert [path.name for path in folder.iterdir() if path.name.startswith("webrtc")] == []

    asyncio.run(run())


def test_a_page_that_closes_is_gone_for_the_broker(tmp_path: Path) -> None:
    async def run() -> None:
        async with process(tmp_path / "run") as (broker, _, port), aiohttp.ClientSession() as http:
            async with asyncio.timeout(20):
                while (await http.get(f"http://127.0.0.1:{port}/ready")).status != 200:
                    await asyncio.sleep(0.05)
            async with http.ws_connect(f"http://127.0.0.1:{port}/ws") as socket:
                await socket.send_json({"type": "hello", "persona": "host"})
                session = (await socket.receive_json(timeout=5))["session"]
            gone = await until(lambda: [each for each in broker.said if isinstance(each, Gone)])
            assert (gone[0].session, gone[0].final, gone[0].route) == (session, False, 3)

    asyncio.run(run())

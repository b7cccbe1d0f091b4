"""`python -m tests.webrtc.edge_elsewhere ADDRESS PORT TURN_URL…`: an edge with one conversation, on another host.

The shipped pages, a scripted programme; credentials for the relays are minted with relay.SECRET. Says when it is ready.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

from broker.clock import now_ns
from broker.config import ROOT, Server, Settings
from tests.webrtc.relay import SECRET
from tests.webrtc.scene import Scene

SESSION = "session-1"


async def serve(address: str, port: int, turn_urls: tuple[str, ...]) -> None:
    secret = SECRET if turn_urls else ""
    server = Server(host=address, port=port, hosts=(address,), turn_urls=turn_urls, turn_secret=secret)
    world = Scene(Settings(server=server), ROOT / "static")
    world.origins[SESSION] = now_ns()
    await world.start()
    await web.TCPSite(world.runner, address, port).start()
    print("ready", flush=True)
    await world.play(SESSION, 1_000_000)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), tuple(sys.argv[3:])))

"""A WHIP server that is not the product's, made of aiortc."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from multidict import CIMultiDict


class WhipServer:
    """Redirects once, wants a token, counts what arrives."""

    def __init__(self) -> None:
        self.frames = {"audio": 0, "video": 0}
        self.offers = 0
        self.refuse = 0
        self.links: list[str] = []
        """`Link` headers of its answers."""
        self.closed = False
        """No network path leads to it."""
        self.deleted = asyncio.Event()
        self._connections: list[RTCPeerConnection] = []
        self._tasks: list[asyncio.Future[Any]] = []

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/in/{name}", self._redirect)
        app.router.add_post("/there/{name}", self._offer)
        app.router.add_delete("/resource", self._delete)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/in/"

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for connection in self._connections:
            await connection.close()
        await self._runner.cleanup()

    async def _redirect(self, request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"/there/{request.match_info['name']}")

    async def _offer(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer key"
        self.offers += 1
        sdp = await request.text()
        assert sdp.count("a=rtcp-mux-only\r\n") == 2
        if self.offers <= self.refuse:
            raise web.HTTPServiceUnavailable(text="starting")
        connection = RTCPeerConnection(RTCConfiguration([]))
        self._connections.append(connection)
        connection.on("track", self._take)
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        answer = connection.localDescription.sdp
        if self.closed:
            answer = answer.replace("a=ice-pwd:", "a=ice-pwd:wrong")
        headers = CIMultiDict([("Location", "/resource"), *(("Link", link) for link in self.links)])
        return web.Response(status=201, text=answer, content_type="application/sdp", headers=headers)

    async def _delete(self, request: web.Request) -> web.Response:
        self.deleted.set()
        return web.Response()

    def _take(self, track: Any) -> None:
        async def count() -> None:
            with contextlib.suppress(MediaStreamError):
                while True:
                    await track.recv()
                    self.frames[track.kind] += 1

        self._tasks.append(asyncio.ensure_future(count()))

"""Plays a mountpoint of a real Janus by its WebSocket API, with aiortc: what a page does, without a page."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from typing import Any

import aiohttp
import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtcpSrPacket, RtpPacket

from tests.webrtc.arrivals import write_down
from tests.webrtc.waiting import until


class JanusPlayer:
    """One viewer of `place`, as the edge tells pages: url, id, pin."""

    def __init__(self, place: dict[str, Any]) -> None:
        self._place = place
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        self.packets: dict[str, list[RtpPacket]] = {"audio": [], "video": []}
        self.reports: dict[str, list[RtcpSrPacket]] = {"audio": [], "video": []}
        self.pictures: list[av.VideoFrame] = []
        self.sounds: list[av.AudioFrame] = []
        self._tasks: list[asyncio.Future[Any]] = []
        self._session = self._handle = 0

    async def play(self) -> JanusPlayer:
        """Wait until it is connected."""
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(self._place["url"], protocols=("janus-protocol",))
        self._session = (await self._ask(janus="create"))["data"]["id"]
        self._handle = (await self._ask(janus="attach", plugin="janus.plugin.streaming"))["data"]["id"]
        told = await self.tell(request="watch", id=self._place["id"], pin=self._place["pin"])
        assert "jsep" in told, told
        self.connection.on("track", self._take)
        await self.connection.setRemoteDescription(RTCSessionDescription(told["jsep"]["sdp"], "offer"))
        for transceiver in self.connection.getTransceivers():
            kind = transceiver.kind
            write_down(transceiver.receiver, self.packets[kind], self.reports[kind])
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        answer = {"type": "answer", "sdp": self.connection.localDescription.sdp}
        await self._ask(janus="message", handle_id=self._handle, body={"request": "start"}, jsep=answer)
        await until(lambda: self.connection.connectionState == "connected", 30)
        return self

    async def tell(self, **body: Any) -> dict[str, Any]:
        return await self._ask(janus="message", handle_id=self._handle, body=body)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.connection.close()
        await self._http.close()

    async def _ask(self, **fields: Any) -> dict[str, Any]:
        transaction = secrets.token_hex(8)
        session = {"session_id": self._session} if self._session else {}
        await self._socket.send_json({**fields, **session, "transaction": transaction})
        async for message in self._socket:
            told: dict[str, Any] = json.loads(message.data)
            if told.get("transaction") == transaction and told["janus"] != "ack":
                return told
        raise AssertionError("Janus has gone away")

    def _take(self, track: Any) -> None:
        kept: list[Any] = self.pictures if track.kind == "video" else self.sounds
        self._tasks.append(asyncio.ensure_future(_keep(track, kept)))


async def _keep(track: Any, kept: list[Any]) -> None:
    with contextlib.suppress(MediaStreamError):
        while True:
            kept.append(await track.recv())

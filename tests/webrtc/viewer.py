"""A WHEP player that is not the product's, which counts what arrives, and a listener to the events."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, Protocol

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import AnyRtcpPacket, RtcpRrPacket, RtcpSrPacket, RtpPacket

from tests.webrtc.arrivals import write_down
from tests.webrtc.rough_path import RoughPath, without_candidates
from tests.webrtc.waiting import until

SDP = {"Content-Type": "application/sdp"}


class Place(Protocol):
    """Where an edge is, such as a Scene's, and what asks it."""

    http: aiohttp.ClientSession

    @property
    def url(self) -> str: ...


class Viewer:
    """Watches one session. `kinds` are its media lines, in that order."""

    def __init__(
        self,
        world: Place,
        kinds: tuple[str, ...] = ("video", "audio"),
        codec: str = "",
        connection: RTCPeerConnection | None = None,
    ) -> None:
        self.world = world
        self.packets: dict[str, list[RtpPacket]] = {"audio": [], "video": []}
        self.reports: dict[str, list[RtcpSrPacket]] = {"audio": [], "video": []}
        self.reported = 0
        """Receiver reports it has sent about the pictures."""
        self.pictures = 0
        self.connection = connection or RTCPeerConnection(RTCConfiguration([]))
        self.location = self.etag = self.answer = ""
        self.links: list[str] = []
        self._tasks: list[asyncio.Future[Any]] = []
        for kind in kinds:
            self.add(kind, codec)
        self.connection.on("track", self._take)

    def add(self, kind: str, codec: str = "") -> None:
        """One more line of the offer."""
        transceiver = self.connection.addTransceiver(kind, "recvonly")
        if codec and kind == "video":
            capabilities = transceiver.receiver.getCapabilities("video")
            assert capabilities
            transceiver.setCodecPreferences([c for c in capabilities.codecs if c.mimeType.lower() == f"video/{codec}"])
        write_down(transceiver.receiver, self.packets[kind], self.reports[kind])
        if kind == "video":
            self._note_reports(transceiver.receiver)

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def watch(self, session: str, headers: dict[str, str] | None = None, path: RoughPath | None = None) -> Viewer:
        """Post the offer, take the answer, wait until connected. `path`: the only one there is."""
        url = f"{self.world.url}/whep/{session}"
        offer = without_candidates(await self.offer()) if path else await self.offer()
        async with self.world.http.post(url, data=offer, headers=SDP | (headers or {})) as response:
            self.answer = await response.text()
            assert response.status == 201, (response.status, self.answer)
            self.location, self.etag = response.headers["Location"], response.headers["ETag"]
            self.links = response.headers.getall("Link")
        answer = await path.through(self.answer) if path else self.answer
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await until(lambda: self.connection.connectionState == "connected")
        return self

    async def complain(self) -> None:
        """Say that a picture was lost."""
        for transceiver in self.connection.getTransceivers():
            if transceiver.kind == "video":
                await transceiver.receiver._send_rtcp_pli(self.packets["video"][0].ssrc)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.connection.close()

    def _note_reports(self, receiver: Any) -> None:
        """`receiver`: aiortc's, from within."""
        send = receiver._send_rtcp

        async def noted(packet: AnyRtcpPacket) -> None:
            if isinstance(packet, RtcpRrPacket):
                self.reported += 1
            await send(packet)

        receiver._send_rtcp = noted

    def _take(self, track: Any) -> None:
        self._tasks.append(asyncio.ensure_future(self._watch(track)))

    async def _watch(self, track: Any) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                await track.recv()
                self.pictures += track.kind == "video"


class Listener:
    """Reads a session's events."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.status = 0
        self.ended = False
        self._task: asyncio.Future[None] | None = None

    async def listen(self, world: Place, session: str, query: str = "", **headers: str) -> Listener:
        url = f"{world.url}/view/{session}/events{query}"
        self._response = await world.http.get(url, headers=headers, timeout=aiohttp.ClientTimeout(None))
        self.status = self._response.status
        if self.status == 200:
            self._task = asyncio.ensure_future(self._read())
        return self

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.said if message["type"] == kind]

    async def hears(self, kind: str, nth: int = 0) -> dict[str, Any]:
        return dict((await until(lambda: self.all(kind)[nth : nth + 1]))[0])

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
        self._response.close()

    async def _read(self) -> None:
        async for line in self._response.content:
            if line.startswith(b"data: "):
                self.said.append(json.loads(line[6:]))
        self.ended = True

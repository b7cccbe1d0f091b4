"""Callers without a browser: the page's WebSocket alone, with the mouth track. They type, and say what they have heard.

They hear what a 3D page is told: every tick's mouth, and the words. A caller can stop reading, as a stopped page does,
and can have sound and pictures as well, by WebRTC; these are counted and not decoded.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

TICK_SAMPLES = 960
ACKNOWLEDGED_EVERY_S = 0.2


class Media:
    """Sound and pictures of a caller: which packets came."""

    def __init__(self) -> None:
        self.sequences: dict[str, list[int]] = {"audio": [], "video": []}
        self.pictures: set[int] = set()
        """RTP timestamps."""
        self._connection = RTCPeerConnection(RTCConfiguration([]))

    async def offer(self) -> str:
        for kind in self.sequences:
            receiver = self._connection.addTransceiver(kind, "recvonly").receiver
            receiver._handle_rtp_packet = self._noting(kind)  # type: ignore[assignment]
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return str(self._connection.localDescription.sdp)

    async def answered(self, sdp: str) -> None:
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    def lost(self, kind: str) -> int:
        """Packets left out between the first and the last that came."""
        steps = [(b - a) % 2**16 for a, b in itertools.pairwise(self.sequences[kind])]
        return sum(step - 1 for step in steps)

    async def close(self) -> None:
        await self._connection.close()

    def _noting(self, kind: str) -> Callable[[Any, int], Coroutine[Any, Any, None]]:
        async def note(packet: Any, arrival_time_ms: int) -> None:
            self.sequences[kind].append(packet.sequence_number)
            if kind == "video":
                self.pictures.add(packet.timestamp)

        return note


class WireCaller:
    """One conversation in text mode; `turns` and `words` are what the edge told of it."""

    def __init__(
        self,
        url: str,
        persona: str,
        receive_buffer: int = 0,
        resumes: WireCaller | None = None,
        media: Media | None = None,
    ) -> None:
        """`receive_buffer`: bytes that the system takes for it before it reads them; 0: as usual, megabytes.

        `resumes`: go on with the conversation of this one, whose connection is gone.
        """
        self.url, self.persona, self.receive_buffer = url, persona, receive_buffer
        self.media = media
        known = resumes.session if resumes else {}
        self._ticket = {key: known[key] for key in ("session", "token") if known}
        self.session: dict[str, Any] = {}
        self.ticks: list[int] = []
        """Programme samples of the ticks, in the order in which they came."""
        self.turns: list[dict[str, Any]] = []
        self.words: list[list[Any]] = []
        self.errors: list[dict[str, Any]] = []
        self._answer = ""
        self._tasks: list[asyncio.Future[None]] = []

    async def __aenter__(self) -> WireCaller:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=self._new_socket))
        self._socket = await self._http.ws_connect(f"{self.url}ws", receive_timeout=None, heartbeat=None)
        await self._say("hello", persona=self.persona, mode="text", mouth=True, **self._ticket)
        self._tasks = [asyncio.ensure_future(work) for work in (self._read(), self._acknowledge())]
        await self.until(lambda: self.session, "no session")
        if self.media:
            await self._say("offer", sdp=await self.media.offer())
            await self.until(lambda: self._answer, "no answer to the offer")
            await self.media.answered(self._answer)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(ConnectionError):
            await self._say("bye")
        await self._socket.close()
        await self._http.close()
        if self.media:
            await self.media.close()

    def _new_socket(self, address: Any) -> socket.socket:
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        if self.receive_buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        return made

    async def ask(self, text: str) -> None:
        await self._say("text", text=text, id=f"{time.monotonic_ns()}")

    async def answer(self, text: str, within_s: float = 60.0) -> dict[str, Any]:
        """What became of the turn that answers `text`, once it is over."""
        await self.until(lambda: self._over(text), f"{text!r} is not answered", within_s)
        found = self._over(text)
        assert found
        return found

    def said(self, turn: int) -> str:
        """The words of a turn, as they were told one by one."""
        return " ".join(word[3] for word in self.words if word[0] == turn)

    def missing_ticks(self) -> int:
        """Ticks left out between the first and the last that came."""
        gaps = [b - a for a, b in zip(self.ticks, self.ticks[1:], strict=False)]
        assert all(gap > 0 and gap % TICK_SAMPLES == 0 for gap in gaps), "ticks come in order, each once"
        return sum(gap // TICK_SAMPLES - 1 for gap in gaps)

    def stop_reading(self) -> None:
        """Take nothing more from the network, as a page whose process is stopped."""
        self._transport().pause_reading()

    def go_on_reading(self) -> None:
        self._transport().resume_reading()

    async def until(self, holds: Any, otherwise: str, within_s: float = 30.0) -> None:
        end = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < end, f"{otherwise}; turns {self.turns[-4:]}, errors {self.errors}"
            await asyncio.sleep(0.02)

    def _over(self, text: str) -> dict[str, Any] | None:
        turn = next((t["turn"] for t in self.turns if t["what"] == "committed" and t.get("text") == text), None)
        over = [t for t in self.turns if t["turn"] == turn and t["what"] in ("finished", "interrupted")]
        return over[-1] if over else None

    def _transport(self) -> asyncio.Transport:
        connection = self._socket._response.connection  # no public way to the transport of a client's WebSocket
        assert connection is not None
        assert isinstance(connection.transport, asyncio.Transport)
        return connection.transport

    async def _say(self, kind: str, /, **fields: Any) -> None:
        await self._socket.send_json({"type": kind, **fields})

    async def _read(self) -> None:
        async for message in self._socket:
            self._heard(json.loads(message.data))

    def _heard(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "session":
                self.session = message
            case "answer":
                self._answer = message["sdp"]
            case "mouth":
                self.ticks += [frame[0] for frame in message["frames"]]
            case "turn":
                self.turns.append(message)
            case "words":
                self.words += message["words"]
            case "error":
                self.errors.append(message)

    async def _acknowledge(self) -> None:
        """The loudspeaker of this page is always at the newest tick."""
        while not self._socket.closed and not self._transport().is_closing():
            await asyncio.sleep(ACKNOWLEDGED_EVERY_S)
            now_ms = time.monotonic() * 1000
            await self._say("ping", t=now_ms)
            if self.ticks:
                rtp = (self.session["audio_offset"] + self.ticks[-1] + TICK_SAMPLES) % 2**32
                await self._say("played", rtp=rtp, t=now_ms)

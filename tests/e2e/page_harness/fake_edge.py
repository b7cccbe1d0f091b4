"""The scripted edge: serves the page as the real one does and says on /ws what the test tells it to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

from broker.personas import LIGHT_MODEL
from broker.visemes import VISEMES
from tests.e2e.page_harness.programme import RTP_ORIGIN, WORD_SAMPLES, Beep, PictureTrack, Programme, VoiceTrack
from webrtc.security import POLICY, policy

STATIC = Path(__file__).parents[3] / "static"

Json = dict[str, Any]

PERSONAS: list[Json] = [
    {
        "id": "host",
        "name": "Vera",
        "description": "Knows everything about Visavis and how it was made.",
        "languages": ["en"],
        "suggestions": ["What are you?", "How fast do you answer?", "Which faces can you wear?", "Do you listen?"],
        "poster": "/avatars/vera/poster.jpg",
    },
    {
        "id": "campus",
        "name": "Noor Haddad",
        "description": "Finds lecture halls, opening hours and the shortest way to a coffee.",
        "languages": ["en", "es"],
        "suggestions": ["Where is the library?"],
        "poster": "",
    },
    {
        "id": "helpdesk",
        "name": "Sam",
        "description": "Patient with printers, passwords and people.",
        "languages": ["en"],
        "suggestions": ["I forgot my password"],
        "poster": "/avatars/nobody/poster.jpg",
    },
]


class FakeEdge:
    """One page at a time. `received` is everything the page said, in order, without pings."""

    def __init__(
        self, poster: bytes = b"", face: np.ndarray | None = None, heads: dict[str, bytes] | None = None
    ) -> None:
        """`heads`: 3D models by file name; each is the face of a persona called like the file without its ending."""
        self.heads = heads or {}
        self.front = "portrait"
        """What the page says that it shows."""
        self.mouth: Callable[[int], tuple[list[int], Json, str]] | None = None
        """Weights, face and emotion of the tick from a sample; None: open in beeps, a face at rest."""
        self._frames: list[list[Any]] = []
        self._pending: set[asyncio.Task[None]] = set()
        self.received: list[Json] = []
        self.hellos = 0
        self.refuse: Json | None = None
        """An error to answer every hello with, instead of a session."""
        self.keeps = True
        """It knows a session that a page comes back to."""
        self.lists_personas = True
        self.answer_offers = True
        self.dialogue: list[Json] = []
        self.again: Json | None = None
        """Asks the page for what it remembers of its microphone; `sound` is what it sent."""
        self.sound = bytearray()
        self.programme = Programme()
        self._poster, self._face = poster, face
        self._socket: web.WebSocketResponse | None = None
        self._talks: web.WebSocketResponse | None = None
        """Whose session it is."""
        self._connection: RTCPeerConnection | None = None
        self._runner: web.AppRunner | None = None
        self._news = asyncio.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/personas", self._personas)
        app.router.add_get("/avatars/vera/poster.jpg", self._picture)
        app.router.add_get("/avatars/heads/{file}", self._head)
        app.router.add_get("/ws", self._talk)
        app.router.add_static("/static/", STATIC)
        app.on_response_prepare.append(_with_policy)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """As a killed process: the socket breaks and the sound ends. `start` again comes back on the same port."""
        await self.hang_up()
        if self._connection:
            await self._connection.close()
        if self._runner:
            await self._runner.cleanup()

    async def hang_up(self) -> None:
        """Only the WebSocket breaks."""
        if self._socket:
            await self._socket.close()

    async def say(self, message: Json) -> None:
        assert self._socket is not None, "no page is connected"
        await self._socket.send_str(json.dumps(message))

    async def state(self, state: str) -> None:
        await self.say({"type": "state", "state": state})

    async def speak(
        self, turn: int, n: int, text: str, words_through: int | None = None, samples: int = WORD_SAMPLES
    ) -> int:
        """Sentence `n` of `turn` enters the programme, a beep and a caption word every `samples`. Returns its end."""
        await self.say(
            {"type": "sentence", "turn": turn, "n": n, "text": text, "passage": "host.md#1", "kind": "answer"}
        )
        begin = self.programme.programme_sample + 2_400
        words = []
        for index, word in enumerate(text.split()[:words_through]):
            start = begin + index * samples
            self.programme.beeps.append(Beep(programme_sample=start))
            words.append([turn, n, index, word.strip(".,!?—"), (start + RTP_ORIGIN) % 2**32, samples])
        await self.say({"type": "words", "words": words})
        return begin + len(words) * samples

    async def until(self, wanted: Callable[[Json], bool], timeout_s: float = 15.0) -> Json:
        """The first message of the page for which `wanted` holds, also one that is there already."""
        async with asyncio.timeout(timeout_s):
            while True:
                self._news.clear()
                for message in self.received:
                    if wanted(message):
                        return message
                await self._news.wait()

    async def until_type(self, kind: str, timeout_s: float = 15.0) -> Json:
        return await self.until(lambda message: message["type"] == kind, timeout_s)

    # --- routes ------------------------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "call.html")

    async def _personas(self, request: web.Request) -> web.Response:
        if not self.lists_personas:
            raise web.HTTPServiceUnavailable
        return web.json_response(self._cards())

    def _cards(self) -> list[Json]:
        lights = {file.split(".")[0]: f"/avatars/heads/{file}" for file in self.heads if file.endswith(LIGHT_MODEL)}
        heads = [
            {
                "id": file.split(".")[0],
                "name": file.split(".")[0].title(),
                "languages": ["en"],
                "poster": "/avatars/vera/poster.jpg",
                "model": f"/avatars/heads/{file}",
                "light": lights.get(file.split(".")[0], ""),
                "fronts": ["portrait", "avatar3d"],
                "front": "portrait",
            }
            for file in self.heads
            if not file.endswith(LIGHT_MODEL)
        ]
        return [*PERSONAS, *heads]

    async def _head(self, request: web.Request) -> web.Response:
        if (head := self.heads.get(request.match_info["file"])) is None:
            raise web.HTTPNotFound
        return web.Response(body=head, content_type="model/gltf-binary")

    async def _picture(self, request: web.Request) -> web.Response:
        if not self._poster:
            raise web.HTTPNotFound
        return web.Response(body=self._poster, content_type="image/png")

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._socket = socket
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await self._take(socket, json.loads(frame.data))
            elif frame.type is WSMsgType.BINARY:
                self.sound += frame.data
        return socket

    async def _take(self, socket: web.WebSocketResponse, message: Json) -> None:
        if message["type"] == "ping":
            await socket.send_json({"type": "pong", "t": message["t"]})
            return
        self.received.append(message)
        if message["type"] == "hello":
            await self._hello(socket, message)
        elif message["type"] == "offer" and self.answer_offers:
            await self._offer(socket, message["sdp"])
        elif message["type"] == "front":
            self.front = message["front"]
        elif message["type"] == "candidate" and message["candidate"] and self._connection:
            await self._candidate(message["candidate"])
        self._news.set()

    async def _hello(self, socket: web.WebSocketResponse, hello: Json) -> None:
        self.hellos += 1
        if self._talks and self._talks is not socket and not self._talks.closed:
            text = "This conversation goes on in another window."
            await self._talks.send_json({"type": "error", "code": "elsewhere", "text": text, "fatal": True})
            await self._talks.close()
        self._talks = socket
        if self.refuse is not None:
            await socket.send_json({"type": "error", **self.refuse})
            return
        persona = next((p for p in self._cards() if p["id"] == hello["persona"]), PERSONAS[0])
        self.front = "portrait"
        session: Json = {"session": hello["session"] or "session-1", "token": hello["token"] or "secret-1", "ice": []}
        offsets = {"audio_offset": RTP_ORIGIN, "video_offset": RTP_ORIGIN}
        resumed = self.keeps and bool(hello["session"])
        news = {"away_s": 60.0, "resumed": resumed, "dialogue": self.dialogue, "persona": persona, "again": self.again}
        await socket.send_json({"type": "session", **session, **offsets, **news})
        await socket.send_json({"type": "state", "state": "listening"})

    async def _offer(self, socket: web.WebSocketResponse, sdp: str) -> None:
        if self._connection:
            await self._connection.close()
        self.programme = Programme()
        self.programme.ticked = self._tick
        connection = self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.addTrack(VoiceTrack(self.programme))
        connection.addTrack(PictureTrack(self.programme, self._face))
        lines = [line for line in sdp.splitlines() if not (line.startswith("a=candidate") and ".local" in line)]
        await connection.setRemoteDescription(RTCSessionDescription("\r\n".join(lines) + "\r\n", "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        await socket.send_json({"type": "answer", "sdp": connection.localDescription.sdp})

    def _tick(self, start: int) -> None:
        """As the edge: mouth frames, two a message, while the page draws the face."""
        if self.front != "avatar3d" or self._socket is None or self._socket.closed:
            self._frames.clear()
            return
        weights, face, emotion = self.mouth(start) if self.mouth else (self.programme.mouth(start), {}, "neutral")
        assert len(weights) == len(VISEMES)
        self._frames.append([start, weights, face, emotion])
        if len(self._frames) == 2:
            told = asyncio.ensure_future(self.say({"type": "mouth", "frames": self._frames}))
            self._pending.add(told)
            told.add_done_callback(self._pending.discard)
            self._frames = []

    async def _candidate(self, candidate: Json) -> None:
        if not candidate["candidate"] or ".local" in candidate["candidate"]:
            return
        parsed = candidate_from_sdp(candidate["candidate"].removeprefix("candidate:"))
        parsed.sdpMid, parsed.sdpMLineIndex = candidate["sdpMid"], candidate["sdpMLineIndex"]
        assert self._connection is not None
        await self._connection.addIceCandidate(parsed)


async def _with_policy(request: web.Request, response: web.StreamResponse) -> None:
    """The edge's own policy: what breaks under it breaks there."""
    page = (STATIC / "call.html").read_text(encoding="utf-8") if request.path == "/" else ""
    response.headers[POLICY] = policy(request.headers["Host"], page)

"""An edge on a loopback port with a scripted broker, vad and programme on an in-memory bus, and pages that call it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtp import RtcpSrPacket, RtpPacket

from broker import personas
from broker.clock import now_ns
from broker.config import ROOT, Audience, Server, Sessions, Settings
from broker.memory_bus import MemoryBus, MemoryHub
from broker.messages import (
    Close,
    Event,
    Fleet,
    KeyFrame,
    Message,
    MicFrame,
    Open,
    Outputs,
    OutputState,
    Present,
    Programme,
    Refused,
    Showing,
    Watch,
)
from broker.push_address import kind_of
from tests.webrtc.arrivals import write_down
from tests.webrtc.opus_encoder import encode, tone
from tests.webrtc.pictures import SIZE, h264_units, vp8_units
from tests.webrtc.rough_path import RoughPath, without_candidates
from tests.webrtc.waiting import until
from webrtc import app
from webrtc.calls import Calls
from webrtc.personas import PersonaCards

TICK_S = 0.02


class Scene:
    """The world around one edge. Everything the edge says is kept in `said`."""

    def __init__(self, settings: Settings, static: Path) -> None:
        self.hub = MemoryHub()
        self.settings = settings
        self.broker = MemoryBus("broker", "broker", self.hub)
        self.vad = MemoryBus("vad", "vad-1", self.hub)
        self.programme = MemoryBus("programme", "programme-1", self.hub)
        self.edge = MemoryBus("webrtc", "webrtc-1", self.hub)
        self.said: list[Message] = []
        self.frames: list[MicFrame] = []
        self.asked: list[Message] = []
        """What the programme got: KeyFrame and Wanted."""
        self.origins: dict[str, int] = {}
        self.refuse: dict[str, str] = {}
        self.state = "listening"
        """Of every session, for those who begin to watch."""
        self.janus = ""
        """Where every session is pushed, for those who begin to watch."""
        self.answering = True
        self.telling = True
        """The broker speaks of its fleet each second."""
        self.dialogue: list[dict[str, Any]] = []
        """What the broker tells an edge whose caller has come back."""
        cards = PersonaCards(ROOT / "etc/personas", settings.path("avatars"), "", settings.recording)
        self.calls = Calls(settings, self.edge, cards)
        self.edge.attach(None, self.calls.on_message)
        self.http = aiohttp.ClientSession()
        self.runner = web.AppRunner(app.create(self.calls, static), access_log=None, shutdown_timeout=0.2)
        self.port = 0
        self._tasks: list[asyncio.Future[Any]] = []
        self._opus = encode(tone(1.0))
        wide = h264_units(25, width=2 * SIZE)
        self._pictures = {"h264": h264_units(25), "vp8": vp8_units(25), "h264_cutout": wide}
        self._key_at: dict[str, int] = {}
        """The picture from which a session's pictures began anew: who asks for a key frame gets one."""
        self._key_wanted: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.port = self.runner.addresses[0][1]
        self._tasks = [asyncio.ensure_future(work) for work in (self._pump(), self.calls.run())]
        self.fleet()
        await until(lambda: not self.calls.missing())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.calls.close()
        await self.http.close()
        await self.runner.cleanup()

    def fleet(self, *missing: str) -> None:
        engine = {"engine": "flite", "detail": "flite: configured", "sessions": 0}
        tts = {"name": "tts-1", "kind": "tts", "state": "ready", **engine}
        self.tell(Fleet(missing=missing, processes=(tts,), sessions=0, capacity=8))

    def tell(self, message: Message) -> None:
        self.broker.send(self.edge.peer, message)

    def event(self, session: str, about: str, turn: int = 0, **data: Any) -> None:
        self.tell(Event(session=session, kind=about, turn=turn, data=data))

    def open(self, session: str, route: int = 5, **more: Any) -> None:
        """What the broker says when a session is served."""
        origin_ns = self.origins.setdefault(session, now_ns())
        peers = {bus.peer.kind: bus.peer for bus in (self.vad, self.programme, self.edge)}
        persona = personas.Persona(id="host", name="Vera", suggestions=("Hello?",)).snapshot()
        given = {"persona": persona, "language": "en", "origin_ns": origin_ns, "peers": peers} | more
        self.tell(Open(session=session, route=route, **given))

    def show(self, session: str, route: int = 5, **more: Any) -> None:
        """What the broker says to an edge that watches."""
        persona = personas.Persona(id="host", name="Vera").snapshot()
        origin_ns = self.origins.setdefault(session, now_ns())
        given = {"persona": persona, "language": "en", "origin_ns": origin_ns, "state": self.state, "viewers": 1}
        given |= {"peers": {"programme": self.programme.peer}, "janus": self.janus} | more
        self.tell(Showing(session=session, route=route, **given))

    def push(self, session: str, *urls: str, token: str = "") -> None:
        """What the broker says of where the edge is to push a session: all of it, each named by its place."""
        rows = tuple(
            {"id": f"push-{n}", "kind": kind_of(url), "settings": {"url": url, "token": token}, "data": {}}
            for n, url in enumerate(urls)
        )
        self.tell(Outputs(session=session, wanted=rows))

    def pushed(self, session: str, n: int = 0) -> dict[str, str]:
        """How the edge said last that a push goes."""
        said = [each.data for each in self.of(OutputState, session) if each.id == f"push-{n}"]
        return dict(said[-1]) if said else {"state": "", "reason": ""}

    def watching(self, session: str) -> list[Watch]:
        """What the edge said of its viewers."""
        return self.of(Watch, session)

    def close(self, session: str, reason: str) -> None:
        self.tell(Close(session=session, reason=reason))

    def of(self, kind: type[Message], session: str = "") -> list[Any]:
        """Everything of a kind that the edge said to the broker."""
        return [each for each in self.said if isinstance(each, kind) and session in ("", each.session)]

    def tick(self, session: str, n: int, **more: Any) -> None:
        """Publish one tick, with a picture in every other one of each wanted codec."""
        fields: dict[str, Any] = {
            "tick": n,
            "programme_sample": 960 * n,
            "opus": self._opus[n % 50],
            "mouth": bytes(15),
        }
        if n % 2 == 0:
            place = (n // 2 - self._begin_anew(session, n // 2)) % 25
            fields |= {"picture": n // 2, "picture_sample": 960 * n}
            for codec, units in self._pictures.items():
                unit, key = units[place]
                fields |= {codec: unit, f"{codec}_key": key, f"{codec}_n": n // 2}
        self.programme.publish(Programme(session=session, **(fields | more)))

    def _begin_anew(self, session: str, picture: int) -> int:
        """The picture that was the last key frame on request."""
        if session in self._key_wanted:
            self._key_wanted.discard(session)
            self._key_at[session] = picture
        return self._key_at.get(session, 0)

    async def play(self, session: str, ticks: int, first: int = 0, late_s: float = 0.0, **more: Any) -> None:
        """Publish ticks when they are due. Pictures of a key frame come each second."""
        start = asyncio.get_running_loop().time()
        for n in range(first, first + ticks):
            await asyncio.sleep(max(0.0, start + (n - first) * TICK_S - asyncio.get_running_loop().time()) + late_s)
            self.tick(session, n, **more)

    async def _pump(self) -> None:
        told_ns = now_ns()
        while True:
            if self.telling and now_ns() - told_ns > 10**9:
                told_ns = now_ns()
                self.fleet()
            self.edge.pump()
            for message in self.broker.receive(0):
                self.said.append(message)
                if self.answering and isinstance(message, Present):
                    self._answer(message)
                elif self.answering and isinstance(message, Watch) and not message.leave:
                    self._show_or_refuse(message)
            self.frames += [each for each in self.vad.receive(0) if isinstance(each, MicFrame)]
            asked = self.programme.receive(0)
            self.asked += asked
            self._key_wanted |= {each.session for each in asked if isinstance(each, KeyFrame)}
            await asyncio.sleep(0.002)

    def _show_or_refuse(self, message: Watch) -> None:
        """As the broker: an edge is told where the programme is when it begins to watch."""
        if message.session not in self.origins:
            self.tell(Refused(session=message.session, code="unknown", text="There is no such conversation."))
        elif len(self.watching(message.session)) == 1 or self.watching(message.session)[-2].leave:
            self.show(message.session)

    def _answer(self, message: Present) -> None:
        for code, text in self.refuse.items():
            self.tell(Refused(session=message.session, code=code, text=text))
            return
        known = message.session in self.origins
        self.open(message.session, turn=2 * known)
        if known:
            self.event(message.session, "dialogue", lines=self.dialogue)


class Microphone(MediaStreamTrack):
    """A page's microphone: the given 48 kHz mono sound over and over, 20 ms at a time."""

    kind = "audio"

    def __init__(self, sound: Any) -> None:
        super().__init__()
        self._sound = sound
        self._n = 0
        self._start: float | None = None
        self.on = True

    async def recv(self) -> av.AudioFrame:
        loop = asyncio.get_running_loop()
        self._start = self._start if self._start is not None else loop.time()
        await asyncio.sleep(max(0.0, self._start + self._n * TICK_S - loop.time()))
        while not self.on:
            await asyncio.sleep(TICK_S)
            self._n += 1
        if self.readyState != "live":
            raise MediaStreamError
        at = self._n * 960 % (len(self._sound) - 960)
        piece = self._sound[at : at + 960] if self.on else np.zeros(960, np.int16)
        frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 960 * self._n, Fraction(1, 48_000)
        self._n += 1
        return frame


class Page:
    """A call page without a browser: its WebSocket and, after `call`, a real peer connection."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.said: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.connection: RTCPeerConnection | None = None
        self.packets: dict[str, list[RtpPacket]] = {"audio": [], "video": []}
        self.reports: dict[str, list[RtcpSrPacket]] = {"audio": [], "video": []}
        self.pictures: list[av.VideoFrame] = []
        self._tasks: list[asyncio.Future[Any]] = []

    async def connect(self, **headers: str) -> Page:
        self.socket = await self.scene.http.ws_connect(f"{self.scene.url}/ws", headers=headers)
        self._tasks.append(asyncio.ensure_future(self._read()))
        return self

    async def send(self, kind: str, /, **fields: Any) -> None:
        await self.socket.send_json({"type": kind, **fields})

    async def hello(self, **fields: Any) -> dict[str, Any]:
        """Say hello and wait for the session."""
        await self.connect()
        await self.send("hello", **({"persona": "host", "mode": "voice"} | fields))
        return await self.hears("session")

    async def hears(self, kind: str, nth: int = 0) -> dict[str, Any]:
        """The nth message of a kind, waited for."""
        found = await until(lambda: self.all(kind)[nth : nth + 1])
        return dict(found[0])

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.said if message["type"] == kind]

    async def call(
        self,
        microphone: MediaStreamTrack | None = None,
        codec: str = "",
        edit: Callable[[str], str] = str,
        path: RoughPath | None = None,
    ) -> str:
        """Offer, take the answer, wait until connected; the answer's SDP. `path`: the only one there is."""
        await self._drop()
        connection = self.connection = RTCPeerConnection(RTCConfiguration([]))
        audio = connection.addTransceiver(microphone or "audio", "sendrecv")
        video = connection.addTransceiver("video", "recvonly")
        if codec:
            capabilities = video.receiver.getCapabilities("video").codecs
            video.setCodecPreferences([each for each in capabilities if each.mimeType.lower() == f"video/{codec}"])
        write_down(audio.receiver, self.packets["audio"], self.reports["audio"])
        write_down(video.receiver, self.packets["video"], self.reports["video"])
        connection.on("track", self._take)
        await connection.setLocalDescription(await connection.createOffer())
        answers = len(self.all("answer"))
        offer = edit(connection.localDescription.sdp)
        await self.send("offer", sdp=without_candidates(offer) if path else offer)
        answer = await self.hears("answer", answers)
        sdp = await path.through(answer["sdp"]) if path else answer["sdp"]
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await until(lambda: connection.connectionState == "connected")
        return str(answer["sdp"])

    async def leave(self) -> None:
        """Vanish: neither bye nor a closing handshake of the peer connection."""
        await self.socket.close()
        await self._drop()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if hasattr(self, "socket"):
            await self.socket.close()
        await self._drop()

    async def _drop(self) -> None:
        if self.connection:
            await self.connection.close()
            self.connection = None

    def _take(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.ensure_future(self._watch(track)))

    async def _watch(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if track.kind == "video":
                    self.pictures.append(frame)

    async def _read(self) -> None:
        async for message in self.socket:
            self.said.append(json.loads(message.data))
        self.closed = self.socket.close_code


@contextlib.asynccontextmanager
async def scene(static: Path, audience: Audience | None = None, **server: Any) -> AsyncIterator[Scene]:
    """An edge with everything around it, stopped at the end."""
    server_settings = Server(port=0, **server)
    settings = Settings(server=server_settings, sessions=Sessions(away_s=60.0), audience=audience or Audience())
    static.mkdir(exist_ok=True)
    for name in ("call", "view", "live"):
        (static / f"{name}.html").write_text(f"<!doctype html><title>{name}</title>")
    (static / "avatars" / "vera").mkdir(parents=True, exist_ok=True)
    (static / "avatars" / "vera" / "poster.jpg").write_bytes(b"jpeg")
    settings = dataclasses.replace(settings, paths=dataclasses.replace(settings.paths, avatars=str(static / "avatars")))
    world = Scene(settings, static)
    await world.start()
    try:
        yield world
    finally:
        await world.stop()


@contextlib.asynccontextmanager
async def page(world: Scene) -> AsyncIterator[Page]:
    caller = Page(world)
    try:
        yield caller
    finally:
        await caller.close()

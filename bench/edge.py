"""What the edge costs: CPU of the edge's process for quiet calls, and how long it keeps what passes through it.

`python -m bench.edge [--calls 1] [--seconds 15] [--codec h264]`. A quiet call: 50 ticks of sound and 25 pictures of
900 kbit/s a second down, a microphone of room noise up, acknowledgements, both on real peer connections over loopback.
Broker, vad, programme and the pages are scripted in this process, whose CPU does not count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import psutil
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from broker.bus import Bus
from broker.clock import now_ns
from broker.config import ROOT, BusSettings, Settings
from broker.messages import Alive, Fleet, Message, MicFrame, Open, Peer, Present, Programme
from tests.webrtc.opus_encoder import encode
from workers.programme.opus import OpusEncoder
from workers.programme.settings import ProgrammeSettings
from workers.programme.video import VideoEncoder

SETTINGS = ProgrammeSettings()
LOOP = 100
"""Ticks of material, played over and over; a key frame begins it."""

GOALS = {"cpu": 6.0, "mic": 5.0, "down": 5.0}
"""% of a core a call, ms p50, ms p50."""


class Material:
    """Encoded sound and pictures, made once."""

    def __init__(self, codec: str) -> None:
        rng = np.random.default_rng(0)
        opus, video = OpusEncoder(32), VideoEncoder(codec, SETTINGS)
        self.opus = [opus.encode(rng.normal(0, 300, 960).astype(np.int16)) for _ in range(LOOP)]
        size = SETTINGS.width
        grain = rng.normal(110, 30, (size // 8, size // 8))
        self.pictures = []
        for n in range(LOOP // 2):
            luma = np.kron(np.roll(grain, n % 7, 1), np.ones((8, 8))) + rng.normal(0, 3, (size, size))
            yuv = np.clip(luma, 16, 235).astype(np.uint8).tobytes() + bytes((128,)) * (size * size // 2)
            self.pictures.append(video.encode(yuv, n, n == 0))


class World:
    """Broker, vad and programme, scripted on the real bus."""

    def __init__(self, folder: Path, codec: str) -> None:
        settings = Settings(bus=BusSettings(run_folder=str(folder)))
        self.codec = codec
        self.broker = Bus("broker", "broker", settings)
        self.vad = Bus("vad", "vad-1", settings)
        self.programme = Bus("programme", "programme-1", settings, publishes=True)
        self.edge: Peer | None = None
        self.sessions: list[str] = []
        self.frames = 0
        self.heard_ns: list[tuple[int, int]] = []
        """When a loud frame reached the vad, and its mic_sample."""
        self.sent_ns: dict[int, int] = {}
        self._material = Material(codec)

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.broker.attach(loop, self._broker)
        self.vad.attach(loop, self._vad)
        self.programme.attach(loop, lambda message: None)

    def close(self) -> None:
        for bus in (self.broker, self.vad, self.programme):
            bus.close()

    async def play(self) -> None:
        """Ticks of all sessions, when due."""
        start_ns, n = now_ns(), 0
        while True:
            await asyncio.sleep(max(0.0, (start_ns + n * 20_000_000 - now_ns()) / 1e9))
            for session in self.sessions:
                self.sent_ns[n] = now_ns()
                self.programme.publish(self._tick(session, n))
            n += 1

    def _tick(self, session: str, n: int) -> Programme:
        fields: dict[str, Any] = {"opus": self._material.opus[n % LOOP], "mouth": bytes(15)}
        if n % 2 == 0:
            unit, key = self._material.pictures[n // 2 % (LOOP // 2)]
            fields |= {"picture": n // 2, "picture_sample": 960 * n}
            fields |= {self.codec: unit, f"{self.codec}_key": key, f"{self.codec}_n": n // 2}
        return Programme(session=session, tick=n, programme_sample=960 * n, **fields)

    def _broker(self, message: Message) -> None:
        if isinstance(message, Alive):
            self.edge = message.peer
            self.broker.send(message.peer, Fleet(missing=(), processes=(), sessions=0, capacity=99))
        elif isinstance(message, Present):
            peers = {"webrtc": message.edge, "vad": self.vad.peer, "programme": self.programme.peer}
            self.broker.send(
                message.edge,
                Open(session=message.session, persona={}, language="en", origin_ns=now_ns(), peers=peers, route=1),
            )
            self.sessions.append(message.session)

    def _vad(self, message: Message) -> None:
        if isinstance(message, MicFrame):
            self.frames += 1
            if np.abs(np.frombuffer(message.pcm, np.int16).astype(int)).max() > 6000:
                self.heard_ns.append((now_ns(), message.mic_sample))


class Room(MediaStreamTrack):
    """Room noise with a 40 ms burst each second, whose sending is noted; in packets of 10 ms, as browsers do."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.burst_ns: list[int] = []
        self._n = 0
        self._start_ns = 0
        second = np.random.default_rng(1).normal(0, 60, 48_000)
        second[24_000:25_920] = 12_000 * np.sin(2 * np.pi * 700 * np.arange(1920) / 48_000)
        self._packets = encode(second.astype(np.int16), packet_ms=10)

    async def recv(self) -> av.Packet:
        self._start_ns = self._start_ns or now_ns()
        await asyncio.sleep(max(0.0, (self._start_ns + self._n * 10_000_000 - now_ns()) / 1e9))
        packet = av.Packet(self._packets[self._n % len(self._packets)])
        packet.pts, packet.time_base = 480 * self._n, Fraction(1, 48_000)
        if self._n % 100 == 50:
            self.burst_ns.append(now_ns())
        self._n += 1
        return packet


class Page:
    """One call without a browser; nothing is decoded."""

    def __init__(self) -> None:
        self.room = Room()
        self.arrived_ns: dict[int, int] = {}
        self._connection = RTCPeerConnection(RTCConfiguration([]))

    async def call(self, http: aiohttp.ClientSession, url: str, codec: str) -> None:
        self._socket = await http.ws_connect(f"{url}/ws")
        await self._socket.send_json({"type": "hello", "persona": "host"})
        session = await self._next("session")
        audio = self._connection.addTransceiver(self.room, "sendrecv")
        video = self._connection.addTransceiver("video", "recvonly")
        capabilities = video.receiver.getCapabilities("video")
        assert capabilities
        video.setCodecPreferences([each for each in capabilities.codecs if each.mimeType.lower() == f"video/{codec}"])

        async def note(packet: Any, arrival_time_ms: int) -> None:
            tick = (packet.timestamp - session["audio_offset"]) % 2**32 // 960
            self.arrived_ns[tick] = now_ns()

        async def ignore(packet: Any, arrival_time_ms: int) -> None: ...

        audio.receiver._handle_rtp_packet = note  # type: ignore[method-assign]
        video.receiver._handle_rtp_packet = ignore  # type: ignore[method-assign]
        await self._connection.setLocalDescription(await self._connection.createOffer())
        await self._socket.send_json({"type": "offer", "sdp": self._connection.localDescription.sdp})
        answer = await self._next("answer")
        await self._connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        self._talk = asyncio.ensure_future(self._chatter(session["audio_offset"]))

    async def close(self) -> None:
        self._talk.cancel()
        await self._socket.close()
        await self._connection.close()

    async def _chatter(self, offset: int) -> None:
        """Acknowledge four times a second, ping each two."""
        for n in range(10**9):
            await asyncio.sleep(0.25)
            t = time.perf_counter() * 1000
            if self.arrived_ns:
                await self._socket.send_json(
                    {"type": "played", "rtp": (max(self.arrived_ns) * 960 + offset) % 2**32, "t": t}
                )
            if n % 8 == 0:
                await self._socket.send_json({"type": "ping", "t": t})

    async def _next(self, kind: str) -> dict[str, Any]:
        while True:
            message = await self._socket.receive_json(timeout=10)
            if message["type"] == kind:
                return dict(message)


def percentiles(values_ms: list[float]) -> str:
    if not values_ms:
        return "none"
    p50, p95 = np.percentile(values_ms, [50, 95])
    return f"p50 {p50:.1f} ms, p95 {p95:.1f} ms (n {len(values_ms)})"


async def measure(folder: Path, calls: int, seconds: int, codec: str) -> None:
    world = World(folder, codec)
    world.start()
    environ = os.environ | {"VISAVIS_BUS_RUN_FOLDER": str(folder), "VISAVIS_SERVER_PORT": "0"}
    command = [sys.executable, "-m", "webrtc"]
    edge = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)
    assert edge.stderr
    try:
        line = json.loads(await asyncio.to_thread(edge.stderr.readline))
        url = f"http://127.0.0.1:{line['addresses'][0].rpartition(',')[2].strip(' )')}"
        while world.edge is None:
            await asyncio.sleep(0.05)
        process = psutil.Process(edge.pid)
        idle_mb = process.memory_info().rss / 2**20
        playing = asyncio.ensure_future(world.play())
        async with aiohttp.ClientSession() as http:
            pages = [Page() for _ in range(calls)]
            for page in pages:
                await page.call(http, url, codec)
            await asyncio.sleep(3.0)
            before, frames, begin = sum(process.cpu_times()[:2]), world.frames, time.monotonic()
            await asyncio.sleep(seconds)
            wall = time.monotonic() - begin
            cpu = 100 * (sum(process.cpu_times()[:2]) - before) / wall
            report(world, pages, cpu, idle_mb, process.memory_info().rss / 2**20, (world.frames - frames) / wall)
            for page in pages:
                await page.close()
        playing.cancel()
    finally:
        edge.terminate()
        edge.wait()
        world.close()


def report(world: World, pages: list[Page], cpu: float, idle_mb: float, mb: float, frames_s: float) -> None:
    calls = len(pages)
    down = [(at_ns - world.sent_ns[tick]) / 1e6 for tick, at_ns in pages[0].arrived_ns.items() if tick in world.sent_ns]
    mic = []
    for burst_ns in pages[0].room.burst_ns if calls == 1 else []:
        after = [at_ns - burst_ns for at_ns, _ in world.heard_ns if 0 <= at_ns - burst_ns < 500_000_000]
        if after:
            mic.append(min(after) / 1e6)
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {calls} call(s)")
    print(f"CPU of the edge      {cpu:.1f} % of a core, {cpu / calls:.1f} % a call (goal: {GOALS['cpu']} a call)")
    print(f"memory               {mb:.0f} MB, {idle_mb:.0f} without calls")
    print(f"microphone frames    {frames_s / calls:.1f} a second and call")
    print(f"programme → page     {percentiles(down)} (goal p50: {GOALS['down']})")
    print(
        f"microphone → vad     {percentiles(mic)}, from its frame's hand-over (goal p50: {GOALS['mic']}; one call only)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--codec", choices=("h264", "vp8"), default="h264")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="visavis-") as folder:
        asyncio.run(measure(Path(folder), options.calls, options.seconds, options.codec))


if __name__ == "__main__":
    main()

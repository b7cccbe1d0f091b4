"""What viewers cost: CPU and memory of an edge with N of them, what they get, against a relay that encodes for each.

`python -m bench.fanout [--viewers 1,4,16,64,128] [--relay 1,4,16] [--seconds 10] [--codec h264]`. Viewers are
packet-level: real connections that count what arrives and decrypt nothing, in a process of their own. Broker and
programme are scripted in this one. Only the server's CPU counts. The relay is what a plain aiortc server does: the
pictures and the sound as raw frames, encoded once more for every viewer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import psutil
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamTrack

from bench.edge import LOOP, SETTINGS, Material
from broker.bus import Bus
from broker.clock import now_ns
from broker.config import ROOT, BusSettings, Settings
from broker.messages import Alive, Fleet, KeyFrame, Message, Peer, Programme, Showing, Watch

SESSION = "bench-session"
GOAL = 0.3
"""% of a core a viewer; 0.2 is the aim."""

SETTLE_S = 3.0
JOIN_APART_S = 0.03


class World:
    """Broker and programme of one session, scripted on the real bus."""

    def __init__(self, folder: Path, codec: str) -> None:
        settings = Settings(bus=BusSettings(run_folder=str(folder)))
        self.codec = codec
        self.broker = Bus("broker", "broker", settings)
        self.programme = Bus("programme", "programme-1", settings, publishes=True)
        self.edge: Peer | None = None
        self.keys = 0
        self.octets = 0
        self._watched = False
        self._material = Material(codec)
        self._place = 0

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.broker.attach(loop, self._broker)
        self.programme.attach(loop, self._programme)

    def close(self) -> None:
        self.broker.close()
        self.programme.close()

    async def play(self) -> None:
        """One tick each 20 ms, a picture in every other one; a key frame when it is asked for."""
        start_ns = now_ns()
        for n in range(10**9):
            await asyncio.sleep(max(0.0, (start_ns + n * 20_000_000 - now_ns()) / 1e9))
            fields: dict[str, Any] = {"opus": self._material.opus[n % LOOP], "mouth": bytes(15)}
            if n % 2 == 0:
                unit, key = self._material.pictures[self._place]
                self._place = max(1, (self._place + 1) % (LOOP // 2))
                self.keys += key
                self.octets += len(unit)
                fields |= {"picture": n // 2, "picture_sample": 960 * n}
                fields |= {self.codec: unit, f"{self.codec}_key": key, f"{self.codec}_n": n // 2}
            self.programme.publish(Programme(session=SESSION, tick=n, programme_sample=960 * n, **fields))
            if n % 50 == 0 and self.edge:
                self.broker.send(self.edge, Fleet(missing=(), processes=(), sessions=1, capacity=9))

    def _programme(self, message: Message) -> None:
        if isinstance(message, KeyFrame):
            self._place = 0

    def _broker(self, message: Message) -> None:
        if isinstance(message, Alive):
            self.edge = message.peer
        elif isinstance(message, Watch) and not self._watched:
            self._watched = True
            peers = {"programme": self.programme.peer}
            about: dict[str, Any] = {"persona": {}, "language": "en", "state": "speaking", "viewers": 0}
            self.broker.send(message.edge, Showing(session=SESSION, origin_ns=now_ns(), peers=peers, route=1, **about))


# --- the viewers, in a process of their own ---------------------------------------------------------------------------


class Watching:
    """One viewer that counts packets by their payload type and decrypts none."""

    def __init__(self) -> None:
        self.packets = 0
        self.first_s = 0.0
        self.connection = RTCPeerConnection(RTCConfiguration([]))

    async def join(self, http: aiohttp.ClientSession, url: str, codec: str) -> None:
        began = time.monotonic()
        audio = self.connection.addTransceiver("audio", "recvonly")
        video = self.connection.addTransceiver("video", "recvonly")
        capabilities = video.receiver.getCapabilities("video")
        assert capabilities
        video.setCodecPreferences([each for each in capabilities.codecs if each.mimeType.lower() == f"video/{codec}"])
        await self.connection.setLocalDescription(await self.connection.createOffer())
        headers = {"Content-Type": "application/sdp"}
        async with http.post(url, data=self.connection.localDescription.sdp, headers=headers) as response:
            answer = await response.text()
            assert response.status == 201, answer
        pictures = _payload_types(answer)

        async def count(data: bytes, arrival_time_ms: int) -> None:
            self.packets += 1
            if not self.first_s and data[1] & 0x7F in pictures:
                self.first_s = time.monotonic() - began

        transport: Any = audio.receiver.transport
        transport._handle_rtp_data = count
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))


def _payload_types(sdp: str) -> set[int]:
    """Those of the pictures."""
    line = next(line for line in sdp.splitlines() if line.startswith("m=video"))
    return {int(number) for number in line.split()[3:]}


async def viewers(url: str, count: int, seconds: float, codec: str) -> None:
    """Join one after the other, wait, count for a while; one JSON line to standard output."""
    async with aiohttp.ClientSession() as http:
        all_of_them = [Watching() for _ in range(count)]
        for each in all_of_them:
            await each.join(http, url, codec)
            await asyncio.sleep(JOIN_APART_S)
        await asyncio.sleep(SETTLE_S)
        print(json.dumps({"measuring": True}), flush=True)
        before, began = [each.packets for each in all_of_them], time.monotonic()
        await asyncio.sleep(seconds)
        took_s = time.monotonic() - began
        rates = [(each.packets - was) / took_s for each, was in zip(all_of_them, before, strict=True)]
        firsts = [1000 * each.first_s for each in all_of_them if each.first_s]
        print(json.dumps({"rates": rates, "first_ms": firsts}), flush=True)
        await asyncio.gather(*(each.connection.close() for each in all_of_them))


# --- the relay of raw frames ------------------------------------------------------------------------------------------


class Pictures(MediaStreamTrack):
    """The material's kind of picture, raw, 25 a second."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        rng, size = np.random.default_rng(0), SETTINGS.width
        grain = rng.normal(110, 30, (size // 8, size // 8))
        self._frames = []
        for n in range(25):
            luma = np.kron(np.roll(grain, n % 7, 1), np.ones((8, 8))) + rng.normal(0, 3, (size, size))
            yuv = np.full((size * 3 // 2, size), 128, np.uint8)
            yuv[:size] = np.clip(luma, 16, 235)
            self._frames.append(yuv)
        self._n, self._start = 0, 0.0

    async def recv(self) -> av.VideoFrame:
        self._start = self._start or time.monotonic()
        await asyncio.sleep(max(0.0, self._start + self._n / 25 - time.monotonic()))
        frame = av.VideoFrame.from_ndarray(self._frames[self._n % 25], format="yuv420p")
        frame.pts, frame.time_base = self._n * 3600, Fraction(1, 90_000)
        self._n += 1
        return frame


class Voice(MediaStreamTrack):
    """Noise, 50 times 20 ms a second."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._noise = np.random.default_rng(1).normal(0, 300, 48_000).astype(np.int16)
        self._n, self._start = 0, 0.0

    async def recv(self) -> av.AudioFrame:
        self._start = self._start or time.monotonic()
        await asyncio.sleep(max(0.0, self._start + self._n / 50 - time.monotonic()))
        at = self._n % 50 * 960
        frame = av.AudioFrame.from_ndarray(self._noise[at : at + 960].reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 960 * self._n, Fraction(1, 48_000)
        self._n += 1
        return frame


async def relay() -> None:
    """A WHEP-like server as one writes it first: every viewer's sender encodes for itself."""
    source, pictures, voice = MediaRelay(), Pictures(), Voice()
    connections: set[RTCPeerConnection] = set()

    async def whep(request: web.Request) -> web.Response:
        connection = RTCPeerConnection(RTCConfiguration([]))
        connections.add(connection)
        connection.addTrack(source.subscribe(voice))
        connection.addTrack(source.subscribe(pictures))
        await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return web.Response(status=201, text=connection.localDescription.sdp)

    app = web.Application()
    app.router.add_post(f"/whep/{SESSION}", whep)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"addresses": [str(address) for address in runner.addresses]}), file=sys.stderr, flush=True)
    await asyncio.Event().wait()


# --- measuring --------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def server(command: list[str], folder: Path) -> AsyncIterator[tuple[subprocess.Popen[str], str]]:
    """A server process and where it listens."""
    environ = os.environ | {"VISAVIS_BUS_RUN_FOLDER": str(folder), "VISAVIS_SERVER_PORT": "0"}
    environ |= {"VISAVIS_AUDIENCE_CAPACITY": "1000"}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        line = json.loads(await asyncio.to_thread(process.stderr.readline))
        drain = asyncio.ensure_future(asyncio.to_thread(process.stderr.read))
        yield process, f"http://127.0.0.1:{line['addresses'][0].rpartition(',')[2].strip(' )')}/whep/{SESSION}"
    finally:
        process.terminate()
        process.wait()
    await drain


async def measure(process: subprocess.Popen[str], url: str, count: int, seconds: float, codec: str) -> dict[str, Any]:
    """N viewers at a running server."""
    command = [sys.executable, "-m", "bench.fanout", "--join", url, "--viewers", str(count)]
    command += ["--seconds", str(seconds), "--codec", codec]
    watched = psutil.Process(process.pid)
    clients = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE)
    assert clients.stdout
    await clients.stdout.readline()
    before, began = sum(watched.cpu_times()[:2]), time.monotonic()
    line = await clients.stdout.readline()
    cpu = 100 * (sum(watched.cpu_times()[:2]) - before) / (time.monotonic() - began)
    mb = watched.memory_info().rss / 2**20
    await clients.wait()
    return json.loads(line) | {"cpu": cpu, "mb": mb}


def row(name: str, count: int, found: dict[str, Any], idle_cpu: float, idle_mb: float, full: float) -> str:
    rates, firsts = np.array(found["rates"]), np.array(found["first_ms"] or [0.0])
    each = (found["cpu"] - idle_cpu) / count
    lost = int((rates < 0.1 * full).sum())
    return (
        f"{name:8} {count:5} {found['cpu']:8.1f} {each:10.2f} "
        f"{found['mb']:8.0f} {(found['mb'] - idle_mb) / count:10.2f} "
        f"{100 * rates.mean() / full:10.1f} {100 * rates.min() / full:8.1f} "
        f"{np.percentile(firsts, 50):10.0f} {np.percentile(firsts, 95):8.0f}"
        + (f"  ({lost} got nothing: their connection was not made, or did not last)" if lost else "")
    )


async def run(viewer_counts: list[int], relay_counts: list[int], seconds: float, codec: str) -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {codec}, {seconds:.0f} s each")
    print(
        f"{'':8} {'N':>5} {'CPU %':>8} {'% a viewer':>10} {'MB':>8} {'MB/viewer':>10} {'got %':>10} {'worst':>8} "
        f"{'first p50':>10} {'p95 ms':>8}"
    )
    with tempfile.TemporaryDirectory(prefix="visavis-") as folder:
        world = World(Path(folder), codec)
        world.start()
        async with server([sys.executable, "-m", "webrtc"], Path(folder)) as (process, url):
            while world.edge is None:
                await asyncio.sleep(0.05)
            playing = asyncio.ensure_future(world.play())
            watched = psutil.Process(process.pid)
            await asyncio.sleep(1.0)
            before, began = sum(watched.cpu_times()[:2]), time.monotonic()
            await asyncio.sleep(3.0)
            idle_cpu = 100 * (sum(watched.cpu_times()[:2]) - before) / (time.monotonic() - began)
            idle_mb = watched.memory_info().rss / 2**20
            full = 50 + sum(-(-len(unit) // 1200) for unit, _ in world._material.pictures[1:]) / (LOOP // 2 - 1) * 25
            kbps = sum(len(unit) for unit, _ in world._material.pictures[1:]) / (LOOP // 2 - 1) * 25 * 8 / 1000
            print(f"edge without viewers: {idle_cpu:.1f} % CPU, {idle_mb:.0f} MB; pictures of {kbps:.0f} kbit/s")
            for count in viewer_counts:
                print(
                    row("packets", count, await measure(process, url, count, seconds, codec), idle_cpu, idle_mb, full)
                )
            playing.cancel()
        for count in relay_counts:
            async with server([sys.executable, "-m", "bench.fanout", "--serve-relay"], Path(folder)) as (process, url):
                idle_mb = psutil.Process(process.pid).memory_info().rss / 2**20
                found = await measure(process, url, count, seconds, codec)
                rate = float(np.mean(found["rates"]))
                print(row("relay", count, found, 0.0, idle_mb, rate), f"({rate:.0f} packets/s a viewer)")
        world.close()
    print(f"goal: {GOAL} % of a core a viewer. got: of the packets the programme has; a relay encodes its own.")


def counts(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", default="1,4,16,64,128")
    parser.add_argument("--relay", default="1,4,16", help="how many viewers of a relay; empty: none")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--codec", choices=("h264", "vp8"), default="h264")
    parser.add_argument("--join", default="", help=argparse.SUPPRESS)
    parser.add_argument("--serve-relay", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_relay:
        asyncio.run(relay())
    elif options.join:
        asyncio.run(viewers(options.join, int(options.viewers), options.seconds, options.codec))
    else:
        asyncio.run(run(counts(options.viewers), counts(options.relay), options.seconds, options.codec))


if __name__ == "__main__":
    main()

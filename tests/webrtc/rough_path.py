"""A UDP proxy between an edge and whoever calls it: loses, delays and reorders their packets, as it is told.

It stands at the port that the edge's answer names. Only media suffers (RTP and RTCP, told by their first byte as in
RFC 7983), so that a connection comes about whatever the weather is; `cut` stops everything, as a pulled cable does.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Address = tuple[str, int]

_CANDIDATE = re.compile(r"^(a=candidate:\S+ \d+ udp \d+ )(\S+) (\d+)( typ .*)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What befalls the packets of one direction. `loss` is their share; a loss takes `burst` packets in a row.

    Each packet waits `delay_ms` and up to `jitter_ms` more, by chance: one that waits longer is overtaken. `lost` says
    of the n-th media packet whether it is lost besides.
    """

    loss: float = 0.0
    burst: int = 1
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    lost: Callable[[int, bytes], bool] = lambda n, data: False


FAIR = Weather()


class _Way:
    """One direction: the same seed and the same packets give the same fate."""

    def __init__(self, seed: int) -> None:
        self.weather = FAIR
        self.counters: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._burst = 0

    def fate(self, data: bytes) -> float | None:
        """How long the packet waits, in s; None: it is lost."""
        weather = self.weather
        if not is_media(data):
            return weather.delay_ms / 1000
        n = self.counters["media"]
        self.counters["media"] += 1
        struck, wait = self._chance.random() < weather.loss / weather.burst, self._chance.random() * weather.jitter_ms
        if struck and not self._burst:
            self._burst = weather.burst
        if self._burst or weather.lost(n, data):
            self._burst = max(0, self._burst - 1)
            self.counters["lost"] += 1
            return None
        return (weather.delay_ms + wait) / 1000


class RoughPath:
    """One caller's or viewer's path to the edge. `down` is what comes from the edge, `up` what goes to it."""

    def __init__(self, seed: int = 1) -> None:
        self.cut = False
        """Nothing passes, either way."""
        self._down, self._up = _Way(seed), _Way(seed + 1)
        self._front: _Socket | None = None
        self._arriving: asyncio.Future[None] | None = None
        self._backs: dict[Address, _Socket] = {}
        """By the client's address: what it sends comes to the edge from a port of its own."""

    async def open(self, edge: Address) -> int:
        """Stand before the edge at `edge`; the port to call instead."""
        self._edge = edge
        self._front = await _Socket.open(self._from_client)
        return self._front.port

    async def through(self, answer: str) -> str:
        """The edge's answer, as it reads when its path is this one."""
        hosts = [(match[2], int(match[3])) for match in _CANDIDATE.finditer(answer)]
        local = next(host for host in hosts if ":" not in host[0])
        port = await self.open(local)
        lines = [line for line in answer.splitlines() if not line.startswith("a=candidate:") or f" {local[1]} " in line]
        return _CANDIDATE.sub(rf"\g<1>127.0.0.1 {port}\4", "\r\n".join(lines) + "\r\n")

    def weather(self, down: Weather = FAIR, up: Weather = FAIR) -> None:
        """From now on."""
        self._down.weather, self._up.weather = down, up

    @property
    def lost(self) -> int:
        """Media packets from the edge that were lost so far."""
        return self._down.counters["lost"]

    @property
    def lost_up(self) -> int:
        return self._up.counters["lost"]

    def close(self) -> None:
        for each in (self._front, *self._backs.values()):
            if each:
                each.transport.close()

    def _from_client(self, data: bytes, client: Address) -> None:
        back = self._backs.get(client)
        if back is None:
            self._arriving = asyncio.ensure_future(self._new_client(data, client))
            return
        self._pass(self._up, data, back, self._edge)

    async def _new_client(self, data: bytes, client: Address) -> None:
        if client not in self._backs:
            back = await _Socket.open(lambda answer, _: self._pass(self._down, answer, self._front, client))
            self._backs.setdefault(client, back)
        self._from_client(data, client)

    def _pass(self, way: _Way, data: bytes, socket: _Socket | None, to: Address) -> None:
        wait_s = None if self.cut else way.fate(data)
        if wait_s is None or socket is None:
            return
        if wait_s:
            asyncio.get_running_loop().call_later(wait_s, socket.send, data, to)
        else:
            socket.send(data, to)


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, Address], None]) -> None:
        self._received = received
        self.transport: Any = None  # asyncio's datagram transport

    @classmethod
    async def open(cls, received: Callable[[bytes, Address], None]) -> _Socket:
        _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: cls(received), local_addr=("127.0.0.1", 0)
        )
        return protocol

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self._received(data, address)

    def send(self, data: bytes, to: Address) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(data, to)


def is_media(data: bytes) -> bool:
    """RTP or RTCP, encrypted or not."""
    return len(data) > 1 and 128 <= data[0] <= 191


def is_rtcp(data: bytes) -> bool:
    return is_media(data) and 64 <= data[1] & 0x7F <= 95


def without_candidates(offer: str) -> str:
    """An offer that leaves the edge no path but the one that it is called by."""
    return "\r\n".join(line for line in offer.splitlines() if not line.startswith("a=candidate:")) + "\r\n"

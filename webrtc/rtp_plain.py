"""One RTP stream of the programme over plain UDP (RFC 3550), for a media server on this machine or a trusted network.

Sender reports carry the programme's own time. What the server passes on of its viewers' complaints (PLI, FIR) asks for
a key frame.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from collections import Counter
from collections.abc import Callable
from typing import Any

from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpSdesPacket, RtcpSenderInfo, RtcpSourceInfo, RtcpSrPacket

from broker.clock import NS_PER_S, now_ns
from broker.limits import Bucket
from webrtc.fanout import AUDIO, Frame, PictureGate
from webrtc.media_clock import MediaClock
from webrtc.rtp_push import MOST_UNSENT

PLI, FIR = 1, 4
"""Payload-specific feedback (RFC 4585, RFC 5104)."""

REPORT_NS = NS_PER_S

KEYS_PER_S, KEY_BURST = 1.0, 6
"""Key frames for all who are behind the server: somebody new each second, after a burst."""

CNAME = b"visavis"


class PlainRtp(asyncio.DatagramProtocol):
    """A `Sink` of the fan-out; also the protocol of its RTCP socket."""

    def __init__(
        self, codec: str, clock: MediaClock, payload_type: int, want_key: Callable[[], None] = lambda: None
    ) -> None:
        self.codec = codec
        self.counters: Counter[str] = Counter()
        self.paused = False
        self.packets = 0
        self._clock = clock
        self._payload_type = payload_type
        self._gate = PictureGate(want_key, self.counters)
        self._keys = Bucket(KEYS_PER_S, KEY_BURST)
        self._ssrc = secrets.randbits(31) + 1
        self._sequence = secrets.randbits(15)
        self._octets = 0
        self._last_n: int | None = None
        self._reported_ns = 0
        self._rtp: Any = None  # asyncio's datagram transports
        self._rtcp: Any = None

    async def connect(self, host: str, port: int, rtcp_port: int) -> None:
        """To the server's two ports. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._rtp, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(host, port))
        self._rtcp, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=(host, rtcp_port))

    def close(self) -> None:
        for transport in (self._rtp, self._rtcp):
            if transport is not None:
                transport.close()

    def offer(self, frame: Frame) -> None:
        """Send it, or leave it out; never waits."""
        if self._rtp is None or self._rtp.is_closing():
            return
        if self.codec != AUDIO:
            if self._rtp.get_write_buffer_size() > MOST_UNSENT:
                self.counters["server_too_slow"] += 1
                self._gate.shut()
            if not self._gate.passes(frame):
                return
        elif self._last_n is not None and frame.n > self._last_n + 1:
            self._sequence += frame.n - self._last_n - 1  # lost ticks show as lost packets
        self._last_n = frame.n
        last = len(frame.payloads) - 1
        for n, payload in enumerate(frame.payloads):
            marker = 0x80 if n == last and self.codec != AUDIO else 0
            self._sequence = (self._sequence + 1) & 0xFFFF
            head = struct.pack("!BBHLL", 0x80, marker | self._payload_type, self._sequence, frame.rtp, self._ssrc)
            self._rtp.sendto(head + payload)
            self._octets += len(payload)
        self.packets += len(frame.payloads)
        if now_ns() - self._reported_ns > REPORT_NS:
            self._report(frame)

    # --- asyncio.DatagramProtocol, of the RTCP socket ---

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """A viewer's complaint. Its key frame is asked for, though not too often."""
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:
            self.counters["rtcp_unreadable"] += 1
            return
        complaint = any(isinstance(packet, RtcpPsfbPacket) and packet.fmt in (PLI, FIR) for packet in packets)
        if complaint and self.codec != AUDIO:
            self.counters["server_complaints"] += 1
            if self._keys.take(now_ns()):
                self._gate.ask()

    def _report(self, frame: Frame) -> None:
        self._reported_ns = now_ns()
        info = RtcpSenderInfo(
            ntp_timestamp=self._clock.ntp(frame.programme_sample),
            rtp_timestamp=frame.rtp,
            packet_count=self.packets & 0xFFFFFFFF,
            octet_count=self._octets & 0xFFFFFFFF,
        )
        name = RtcpSourceInfo(ssrc=self._ssrc, items=[(1, CNAME)])
        self._rtcp.sendto(bytes(RtcpSrPacket(ssrc=self._ssrc, sender_info=info)) + bytes(RtcpSdesPacket(chunks=[name])))

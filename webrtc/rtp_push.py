"""One RTP sender of a viewer: each frame goes out the moment it is offered, without a task or a queue in between.

A viewer's cost is what its packets cost, so the path from a payload to the socket is short: a header, SRTP, `sendto`.
Sequence numbers and the time in sender reports are kept as in rtp_out.py. What is lost is sent again from a ring of
references to the payloads all viewers share. What is touched inside aiortc is named in `PRIVATE`; a test looks that it
is there.
"""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import Callable
from typing import Any

import pylibsrtp
from aiortc import RTCRtpSender
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import random_sequence_number
from aiortc.rtp import AnyRtcpPacket, HeaderExtensions, RtcpSrPacket

from broker.clock import now_ns
from broker.limits import Bucket
from webrtc.fanout import AUDIO, Frame, PictureGate, Sink
from webrtc.media_clock import MediaClock

PRIVATE = ("rtp_started", "rtp_exited", "rtp_header_extensions_map", "mid", "rtx_payload_type")
"""Attributes of aiortc 1.16's RTCRtpSender that are read here."""

LONGEST_SKIP = 50
"""Ticks: as in rtp_out.py."""

KEPT = 512
"""Packets that can be sent again: 3 s of pictures at 1 Mb/s."""

MOST_UNSENT = 96 * 1024
"""Bytes the socket may hold back before pictures are left out: 0.8 s of them."""

KEYS_PER_S, KEY_BURST = 0.5, 4
"""How often one viewer's complaint makes a key frame, which costs all viewers ten pictures' worth of their line."""


class RtpPush:
    """Sends frames over one sender, from when the connection is up until it ends. A `Sink` of the fan-out."""

    def __init__(
        self,
        sender: RTCRtpSender,
        codec: str,
        clock: MediaClock,
        joined: Callable[[Sink], None],
        left: Callable[[Sink], None],
        want_key: Callable[[], None] = lambda: None,
    ) -> None:
        self.codec = codec
        self.counters: Counter[str] = Counter()
        self.paused = False
        self._sender = sender
        self._clock = clock
        self._joined = joined
        self._left = left
        self._gate = PictureGate(want_key, self.counters)
        self._keys = Bucket(KEYS_PER_S, KEY_BURST)
        self._sequence = random_sequence_number()
        self._rtx_sequence = random_sequence_number()
        self._kept: list[tuple[int, int, int, bytes] | None] = [None] * KEPT
        """(sequence, RTP time, marker bit, payload) at sequence % KEPT."""
        self._payload_type = 0
        self._extension = b""
        self._newest: Frame | None = None
        self.packets = 0
        self._octets = 0
        self._dtls: Any = None  # aiortc's transports and aioice's connection behind them: their insides are used
        self._ice: Any = None
        sender._run_rtp = self._run  # type: ignore[method-assign]
        sender._retransmit = self._again  # type: ignore[method-assign,assignment]
        sender._send_keyframe = self.cut  # type: ignore[method-assign]
        self._report = sender._send_rtcp
        sender._send_rtcp = self._send_rtcp  # type: ignore[method-assign]

    def offer(self, frame: Frame) -> None:
        """Send it, or leave it out; never waits."""
        pair = self._ice._nominated.get(1)
        if pair is None or self._dtls._state != State.CONNECTED:
            return
        transport, address = pair.protocol.transport, pair.remote_addr
        if self.codec == AUDIO:
            self._skip_lost_ticks(frame)
        else:
            if _unsent(transport) > MOST_UNSENT:
                self.counters["viewer_too_slow"] += 1
                self._gate.shut()
            if not self._gate.passes(frame):
                return
        self._newest = frame
        try:
            self._send(frame, transport, address)
        except (OSError, pylibsrtp.Error):  # this viewer's path is closing; the others' is not
            self.counters["viewer_send_failed"] += 1
        self.packets += len(frame.payloads)

    def _send(self, frame: Frame, transport: Any, address: tuple[str, int]) -> None:
        protect, last = self._dtls._tx_srtp.protect, len(frame.payloads) - 1
        for n, payload in enumerate(frame.payloads):
            marker = 0x80 if n == last and self.codec != AUDIO else 0
            sequence = self._sequence
            self._sequence = (sequence + 1) & 0xFFFF
            self._kept[sequence % KEPT] = (sequence, frame.rtp, marker, payload)
            transport.sendto(protect(self._packet(sequence, frame.rtp, marker, payload)), address)
            self._octets += len(payload)

    def cut(self) -> None:
        """The viewer has lost a picture: nothing until the next key frame, which is asked for, though not too often."""
        if self.codec != AUDIO and self._keys.take(now_ns()):
            self._gate.shut()
            self._gate.ask()

    async def _run(self, codec: RTCRtpCodecParameters) -> None:
        """aiortc calls it when DTLS is up: the first frame offered is the first that can be decoded."""
        self._payload_type = codec.payloadType or 0
        self._extension = self._mid_extension()
        self._dtls = self._sender.transport
        self._ice = self._dtls.transport._connection
        self._get("rtp_started").set()
        self.cut()
        self._joined(self)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        finally:
            self._left(self)
            self._get("rtp_exited").set()

    def _packet(self, sequence: int, rtp: int, marker: int, payload: bytes) -> bytes:
        first = 0x90 if self._extension else 0x80
        head = struct.pack("!BBHLL", first, marker | self._payload_type, sequence, rtp, self._sender._ssrc)
        return head + self._extension + payload

    def _mid_extension(self) -> bytes:
        """The header extension that names the media line; the same in every packet. No send time: nothing uses it."""
        profile, value = self._get("rtp_header_extensions_map").set(HeaderExtensions(mid=self._get("mid")))
        return struct.pack("!HH", profile, len(value) // 4) + value if value else b""

    async def _again(self, sequence: int) -> None:
        """A packet was reported lost: once more, as RFC 4588 has it where the viewer knows that."""
        kept = self._kept[sequence % KEPT]
        if kept is None or kept[0] != sequence:
            return
        _, rtp, marker, payload = kept
        self.counters["packets_again"] += 1
        rtx = self._get("rtx_payload_type")
        if rtx is None:
            await self._dtls._send_rtp(self._packet(sequence, rtp, marker, payload))
            return
        head = struct.pack("!BBHLL", 0x80, marker | rtx, self._rtx_sequence, rtp, self._sender._rtx_ssrc)
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        await self._dtls._send_rtp(head + struct.pack("!H", sequence) + payload)

    async def _send_rtcp(self, packets: list[AnyRtcpPacket]) -> None:
        """aiortc's sender reports with our counts and the media's own time; none before the first frame."""
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                if self._newest is None:
                    return
                packet.sender_info.rtp_timestamp = self._newest.rtp
                packet.sender_info.ntp_timestamp = self._clock.ntp(self._newest.programme_sample)
                packet.sender_info.packet_count = self.packets & 0xFFFFFFFF
                packet.sender_info.octet_count = self._octets & 0xFFFFFFFF
        await self._report(packets)

    def _skip_lost_ticks(self, frame: Frame) -> None:
        if self._newest is not None:
            lost = frame.n - self._newest.n - 1
            if 0 < lost <= LONGEST_SKIP:
                self._sequence = (self._sequence + lost) & 0xFFFF

    def _get(self, name: str) -> Any:  # whatever aiortc keeps there
        return getattr(self._sender, f"_RTCRtpSender__{name}")


def _unsent(transport: Any) -> int:  # asyncio's datagram transport, or aioice's stand-in for a relay
    """Bytes that wait in this process because the socket would not take them."""
    size = getattr(transport, "get_write_buffer_size", None)
    return int(size()) if size else 0

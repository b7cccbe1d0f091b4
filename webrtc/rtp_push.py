"""One RTP sender of a viewer: each frame goes out the moment it is offered, without a task or a queue in between.

A viewer's cost is what its packets cost, so the path from a payload to the socket is short: a header, then burst.py.
Sequence numbers and the time in sender reports are kept as in rtp_out.py. What is lost is sent again from
references to the frames all viewers share. What is touched inside aiortc is named in `PRIVATE`; a test looks that it
is there.
"""

from __future__ import annotations

import asyncio
import struct
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import pylibsrtp
from aioice.ice import CandidatePair
from aiortc import RTCRtpSender
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import random_sequence_number
from aiortc.rtp import AnyRtcpPacket, HeaderExtensions, RtcpSrPacket

from broker.clock import now_ns
from broker.limits import Bucket
from webrtc.burst import Path, Wire
from webrtc.fanout import AUDIO, MARKER, Frame, PictureGate, Sink
from webrtc.media_clock import MediaClock

PRIVATE = ("rtp_started", "rtp_exited", "rtp_header_extensions_map", "mid", "rtx_payload_type")
"""Attributes of aiortc 1.16's RTCRtpSender that are read here."""

LONGEST_SKIP = 50
"""Ticks: as in rtp_out.py."""

KEPT = 96
"""Frames whose packets can be sent again: nearly 4 s of pictures."""

MOST_UNSENT = 96 * 1024
"""Bytes the socket may hold back before pictures are left out: 0.8 s of them."""

KEYS_PER_S, KEY_BURST = 0.5, 4
"""How often one viewer's complaint makes a key frame, which costs all viewers ten pictures' worth of their line."""

_HEAD = struct.Struct("!BBHLL").pack
"""Version and extension bit, marker and payload type, sequence number, time, source (RFC 3550)."""


class RtpPush:
    """Sends frames over one sender, from when the connection is up until it ends. A `Sink` of the fan-out."""

    def __init__(
        self,
        sender: RTCRtpSender,
        codec: str,
        clock: MediaClock,
        joined: Callable[[Sink], None],
        left: Callable[[Sink], None],
        wire: Wire,
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
        self._full = False
        """The socket has not sent yet what was too much for it."""
        self._sequence = random_sequence_number()
        self._rtx_sequence = random_sequence_number()
        self._kept: deque[tuple[int, Frame]] = deque(maxlen=KEPT)
        """Frames sent, each with its first packet's sequence number."""
        self._payload_type = 0
        self._version, self._extension = 0x80, b""
        self._ssrc = sender._ssrc
        self._marks = 0 if codec == AUDIO else MARKER
        self._wire = wire
        self._pair: CandidatePair | None = None
        self._path: Path | None = None
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
        path = self._way()
        if path is None:
            return
        if self.codec == AUDIO:
            self._skip_lost_ticks(frame)
        elif not self._takes(frame, path.unsent()) or not self._gate.passes(frame):
            return
        self._newest = frame
        try:
            self._send(frame, path)
        except (OSError, pylibsrtp.Error):  # this viewer's path is closing; the others' is not
            self.counters["viewer_send_failed"] += 1
        self.packets += len(frame.payloads)
        self._octets += frame.octets

    def _takes(self, picture: Frame, unsent: int) -> bool:
        """Whether the socket has room for pictures. A full one gets none, key frames neither, until it is empty; only
        then is a key frame asked for, since each costs all viewers."""
        self._full = self._full or unsent > MOST_UNSENT
        if self._full and (unsent or not (picture.key or self._keys.take(now_ns()))):
            self.counters["viewer_too_slow"] += 1
            self.counters["pictures_dropped"] += 1
            self._gate.shut()
            return False
        self._full = False
        return True

    def _way(self) -> Path | None:
        """To the viewer, once it is connected and until it no longer is."""
        pair = self._ice._nominated.get(1)
        if pair is not self._pair:
            self._pair, self._path = pair, None
            if pair is not None:
                self._path = Path(self._wire, pair.protocol.transport, pair.remote_addr, self._dtls._tx_srtp)
        return self._path if self._dtls._state == State.CONNECTED else None

    def _send(self, frame: Frame, path: Path) -> None:
        first, rtp = self._sequence, frame.rtp
        self._kept.append((first, frame))
        self._sequence = (first + len(frame.payloads)) & 0xFFFF
        version, kind, marks = self._version, self._payload_type, self._marks
        ssrc, extension = self._ssrc, self._extension
        for burst in frame.bursts:
            path.send(
                [
                    _HEAD(version, mark & marks | kind, (first + n) & 0xFFFF, rtp, ssrc) + extension + payload
                    for n, mark, payload in burst
                ]
            )

    def cut(self) -> None:
        """The viewer has lost a picture: nothing until the next key frame, which is asked for, though not too often."""
        if self.codec != AUDIO and self._keys.take(now_ns()):
            self._gate.shut()
            self._gate.ask()

    async def _run(self, codec: RTCRtpCodecParameters) -> None:
        """aiortc calls it when DTLS is up: the first frame offered is the first that can be decoded."""
        self._payload_type = codec.payloadType or 0
        self._extension = self._mid_extension()
        self._version = 0x90 if self._extension else 0x80  # 0x10: an extension follows
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

    def _mid_extension(self) -> bytes:
        """The header extension that names the media line; the same in every packet. No send time: nothing uses it."""
        profile, value = self._get("rtp_header_extensions_map").set(HeaderExtensions(mid=self._get("mid")))
        return struct.pack("!HH", profile, len(value) // 4) + value if value else b""

    async def _again(self, sequence: int) -> None:
        """A packet was reported lost: once more, as RFC 4588 has it where the viewer knows that."""
        for first, frame in reversed(self._kept):
            n = (sequence - first) & 0xFFFF
            if n < len(frame.payloads):
                self.counters["packets_again"] += 1
                await self._dtls._send_rtp(self._once_more(first, frame, n))
                return

    def _once_more(self, first: int, frame: Frame, n: int) -> bytes:
        sequence, rtx, payload = (first + n) & 0xFFFF, self._get("rtx_payload_type"), frame.payloads[n]
        mark = self._marks if n == len(frame.payloads) - 1 else 0
        if rtx is None:
            head = _HEAD(self._version, mark | self._payload_type, sequence, frame.rtp, self._ssrc)
            return head + self._extension + payload
        head = _HEAD(0x80, mark | rtx, self._rtx_sequence, frame.rtp, self._sender._rtx_ssrc)
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        return head + struct.pack("!H", sequence) + payload

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

"""One RTP sender of a peer connection, fed with ready payloads: our send loop in the place of aiortc's.

aiortc's loop adds a random origin to every timestamp and pairs RTP time with the *send* time in its sender reports, so
a browser's sound and pictures drift apart whenever one is sent late; it also rebuilds encoders on bandwidth reports.
Here timestamps are the programme's, reports carry the media's own time, and there is no encoder. What is touched inside
aiortc is named in `PRIVATE`; a test looks that it is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from aiortc import RTCRtpSender
from aiortc import clock as ntp_clock
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import random_sequence_number
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RTP_HISTORY_SIZE,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
    unpack_remb_fci,
)

from broker.clock import now_ns
from webrtc.fanout import AUDIO, Frame, FrameQueue
from webrtc.media_clock import MediaClock
from webrtc.picture_rate import PictureRate

logger = logging.getLogger(__name__)

PRIVATE = (
    "rtp_started",
    "rtp_exited",
    "rtp_history",
    "rtp_header_extensions_map",
    "mid",
    "ntp_timestamp",
    "rtp_timestamp",
    "octet_count",
    "packet_count",
)
"""Attributes of aiortc 1.16's RTCRtpSender that this loop keeps as its own did."""

LONGEST_SKIP = 50
"""Ticks: a hole up to a second shows as lost packets, so that the browser conceals it; a longer one as a jump."""


class RtpOut:
    """Sends one queue's frames over one sender, from when the connection is up until it ends."""

    def __init__(
        self,
        sender: RTCRtpSender,
        queue: FrameQueue,
        clock: MediaClock,
        joined: Callable[[FrameQueue], None],
        left: Callable[[FrameQueue], None],
        rate: PictureRate | None = None,
    ) -> None:
        """`rate` is told what leaves and what the other end reports of it."""
        self._sender = sender
        self._queue = queue
        self._clock = clock
        self._joined = joined
        self._left = left
        self._rate = rate
        self._sequence = random_sequence_number()
        self._last_n: int | None = None
        sender._run_rtp = self._run  # type: ignore[method-assign]
        self._take_report = sender._handle_rtcp_packet
        if rate:
            sender._handle_rtcp_packet = self._heard  # type: ignore[method-assign]
        self._report = sender._send_rtcp
        sender._send_rtcp = self._send_rtcp  # type: ignore[method-assign]
        sender._send_keyframe = queue.cut if queue.codec != AUDIO else lambda: None  # type: ignore[method-assign]

    async def _run(self, codec: RTCRtpCodecParameters) -> None:
        """aiortc calls it when DTLS is up: the first frame taken is the first that can be decoded."""
        self._get("rtp_started").set()
        self._queue.cut()
        self._joined(self._queue)
        try:
            while True:
                await self._send(await self._queue.take(), codec.payloadType)
        except (asyncio.CancelledError, ConnectionError):
            pass
        except Exception:  # aiortc's stop() waits for ever for a loop that did not say it ended
            logger.exception("sender failed", extra={"codec": self._queue.codec})
        finally:
            self._left(self._queue)
            self._get("rtp_exited").set()

    async def _send(self, frame: Frame, payload_type: int | None) -> None:
        self._skip_lost_ticks(frame)
        self._set("rtp_timestamp", frame.rtp)
        self._set("ntp_timestamp", self._clock.ntp(frame.programme_sample))
        history = self._get("rtp_history")
        for n, payload in enumerate(frame.payloads):
            packet = RtpPacket(payload_type=payload_type or 0, sequence_number=self._sequence, timestamp=frame.rtp)
            packet.ssrc = self._sender._ssrc
            packet.payload = payload
            packet.marker = int(self._queue.codec != AUDIO and n == len(frame.payloads) - 1)
            packet.extensions.mid = self._get("mid")
            packet.extensions.abs_send_time = (ntp_clock.current_ntp_time() >> 14) & 0x00FFFFFF
            history[self._sequence % RTP_HISTORY_SIZE] = packet
            await self._sender.transport._send_rtp(packet.serialize(self._get("rtp_header_extensions_map")))
            self._sequence = (self._sequence + 1) % 0x10000
            if self._rate:
                self._rate.sent(len(payload), now_ns())
            self._set("octet_count", self._get("octet_count") + len(payload))
            self._set("packet_count", self._get("packet_count") + 1)

    async def _heard(self, packet: AnyRtcpPacket) -> None:
        """What the other end says of what it gets; aiortc does the rest with it (sends again, asks for key frames)."""
        assert self._rate
        tell(self._rate, packet, self._sender._ssrc, now_ns())
        await self._take_report(packet)

    async def _send_rtcp(self, packets: list[AnyRtcpPacket]) -> None:
        """aiortc's sender reports; none before the first frame, when they would pair time 0 with time 0."""
        if self._last_n is not None or not any(isinstance(packet, RtcpSrPacket) for packet in packets):
            await self._report(packets)

    def _skip_lost_ticks(self, frame: Frame) -> None:
        if self._queue.codec == AUDIO and self._last_n is not None:
            lost = frame.n - self._last_n - 1
            if 0 < lost <= LONGEST_SKIP:
                self._sequence = (self._sequence + lost) % 0x10000
        self._last_n = frame.n

    def _get(self, name: str) -> Any:  # whatever aiortc keeps there
        return getattr(self._sender, f"_RTCRtpSender__{name}")

    def _set(self, name: str, value: object) -> None:
        setattr(self._sender, f"_RTCRtpSender__{name}", value)


def tell(rate: PictureRate, packet: AnyRtcpPacket, ssrc: int, now_ns: int) -> None:
    """Reports about the stream `ssrc`, to the rate."""
    if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
        for report in packet.reports:
            if report.ssrc == ssrc:
                rate.report(report.packets_lost, report.highest_sequence, now_ns)
    elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
        rate.asked_again(len(packet.lost), now_ns)
    elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_PLI:
        rate.complaint(now_ns)
    elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
        with contextlib.suppress(ValueError):
            bits_per_s, about = unpack_remb_fci(packet.fci)
            if ssrc in about:
                rate.estimate(bits_per_s, now_ns)

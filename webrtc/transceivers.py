"""What the media lines of our peer connections have in common: the codecs there are, and sound taken as it arrives."""

from __future__ import annotations

from collections.abc import Callable

from aiortc import RTCRtpReceiver, RTCRtpSender, RTCRtpTransceiver
from aiortc.rtcrtpparameters import RTCRtpCodecCapability
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtpPacket

from webrtc.fanout import H264, VP8

REMOTE_STREAMS = "_RTCRtpReceiver__remote_streams"
"""Where aiortc 1.16 keeps what its receiver reports are made of."""

OnPacket = Callable[[RtpPacket], None]
"""A microphone packet has arrived."""


def picture_codecs() -> list[RTCRtpCodecCapability]:
    """What the programme has, best first, and packets sent again for either."""
    h264 = capabilities("video", "video/H264", ["42e01f", "42001f"])
    return h264 + capabilities("video", "video/VP8", []) + capabilities("video", "video/rtx", [])


def negotiated(transceiver: RTCRtpTransceiver) -> str:
    """The codec of the pictures both sides know."""
    return {"video/h264": H264, "video/vp8": VP8}[transceiver._codecs[0].mimeType.lower()]


def capabilities(kind: str, mime: str, profiles: list[str]) -> list[RTCRtpCodecCapability]:
    """aiortc's own entries for a codec, those with the given H.264 profiles in that order."""
    found = [codec for codec in RTCRtpSender.getCapabilities(kind).codecs if codec.mimeType == mime]
    if not profiles:
        return found
    return sorted(found, key=lambda codec: profiles.index(str(codec.parameters["profile-level-id"])))


def tap(receiver: RTCRtpReceiver, on_packet: OnPacket) -> None:
    """Take microphone packets on arrival, past aiortc's jitter buffer: that costs 70 ms, and 200 ms for ever after a
    single loss (aiortc issue 543). Receiver reports stay right: the browser adapts to them."""
    streams: dict[int, StreamStatistics] = getattr(receiver, REMOTE_STREAMS)

    async def handle(packet: RtpPacket, arrival_time_ms: int) -> None:
        statistics = streams.setdefault(packet.ssrc, StreamStatistics(48_000))
        statistics.add(packet)
        if packet.payload:
            on_packet(packet)

    receiver._handle_rtp_packet = handle  # type: ignore[method-assign]

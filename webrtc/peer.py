"""One peer connection: the microphone of a page in, its session's programme out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceCandidate,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtcrtpparameters import RTCRtpCodecCapability
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtpPacket

from webrtc import offer as offers
from webrtc.errors import SdpError
from webrtc.fanout import AUDIO, CUTOUT, H264, VP8, Fanout, FrameQueue
from webrtc.picture_rate import PictureRate
from webrtc.rtp_out import RtpOut

logger = logging.getLogger(__name__)

CONNECT_S = 12.0
"""How long a connection may take; on a working path it is 40 ms, over a relay 2 s."""

LOOPBACK = "127.0.0.1"

REMOTE_STREAMS = "_RTCRtpReceiver__remote_streams"
"""Where aiortc 1.16 keeps what its receiver reports are made of."""

OnPacket = Callable[[RtpPacket], None]
"""A microphone packet has arrived."""

OnState = Callable[["PagePeer", str], None]
"""The connection is `connected`, `failed` or `closed`."""


class PagePeer:
    """Answers one offer. A new offer is a new PagePeer."""

    def __init__(
        self,
        ice_servers: tuple[dict[str, Any], ...],
        fanout: Fanout,
        on_packet: OnPacket,
        on_state: OnState,
        want_key: Callable[[str], None],
        cutout: bool = False,
        rate: PictureRate | None = None,
    ) -> None:
        """`cutout`: what `cut_out` says, from the beginning. `rate` is told what the page reports of its pictures."""
        self._servers = [RTCIceServer(**server) for server in ice_servers]
        self._connection = RTCPeerConnection(RTCConfiguration(self._servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._fanout = fanout
        self._on_packet = on_packet
        self._on_state = on_state
        self._want_key = want_key
        self._cutout = cutout
        self._rate = rate
        self._outs: list[RtpOut] = []
        self._pictures: FrameQueue | None = None
        self._paused = False
        self._candidates = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._connection.on("connectionstatechange", self._state_changed)
        self.codec = ""
        """The pictures' rendition, `h264` or `vp8`, with `_cutout` where that was asked for; empty without pictures."""

    @property
    def state(self) -> str:
        return self._connection.connectionState

    async def answer(self, sdp: str) -> str:
        """The answer to an offer. Raises SdpError with a sentence for the person."""
        sdp = offers.cleaned(sdp)
        self._listen_and_send(sdp)
        self._deadline = asyncio.get_running_loop().call_later(CONNECT_S, self._too_late)
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            self._attach()
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        except SdpError:
            raise
        except Exception as error:  # aiortc's parser raises whatever its input makes it stumble over
            logger.info("offer refused", extra={"reason": f"{type(error).__name__}: {error}"})
            raise SdpError("The browser's offer cannot be answered: it needs Opus, and H.264 or VP8.") from error
        return str(self._connection.localDescription.sdp)

    async def add_candidate(self, candidate: RTCIceCandidate) -> None:
        """Try one more address of the page. Raises SdpError past the limit."""
        self._candidates += 1
        if self._candidates > offers.MOST_CANDIDATES:
            raise SdpError(f"A page has at most {offers.MOST_CANDIDATES} network candidates.")
        await self._connection.addIceCandidate(candidate)

    def pause_pictures(self, paused: bool) -> None:
        """Whether the page looks at no pictures for now; the connection stays as it is."""
        self._paused = paused
        if self._pictures is not None:
            self._pictures.pause(paused)

    def cut_out(self, cutout: bool) -> None:
        """Whether the pictures are the figure alone; nothing is negotiated anew."""
        self._cutout = cutout
        if self._pictures is None or self.codec.endswith(CUTOUT) == cutout:
            return
        self.codec = self.codec.removesuffix(CUTOUT) + CUTOUT * cutout
        self._pictures.turn_to(self.codec)

    async def close(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        await self._connection.close()

    def _listen_and_send(self, sdp: str) -> None:
        audio = self._connection.addTransceiver("audio", "sendrecv")
        audio.setCodecPreferences(capabilities("audio", "audio/opus", []))
        if offers.has_pictures(sdp):
            video = self._connection.addTransceiver("video", "sendonly")
            video.setCodecPreferences(picture_codecs())
        if not self._servers:
            for transceiver in self._connection.getTransceivers():
                gather_loopback_too(transceiver)

    def _attach(self) -> None:
        for transceiver in self._connection.getTransceivers():
            if transceiver.kind == "audio":
                self._out(transceiver, AUDIO)
                tap(transceiver.receiver, self._on_packet)
            elif transceiver._offerDirection in ("sendonly", "sendrecv"):
                self.codec = negotiated(transceiver) + CUTOUT * self._cutout
                self._out(transceiver, self.codec)

    def _out(self, transceiver: RTCRtpTransceiver, codec: str) -> None:
        queue = FrameQueue(codec, lambda: self._want_key(queue.codec))
        if codec != AUDIO:
            self._pictures = queue
            queue.pause(self._paused)
        fanout, rate = self._fanout, self._rate if codec != AUDIO else None
        self._outs.append(RtpOut(transceiver.sender, queue, fanout.clock, fanout.join, fanout.leave, rate))

    def _state_changed(self) -> None:
        if self.state in ("connected", "failed", "closed"):
            if self._deadline:
                self._deadline.cancel()
            self._on_state(self, self.state)

    def _too_late(self) -> None:
        if self.state != "connected":
            self._on_state(self, "failed")


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


def passive(answer: RTCSessionDescription, offer: str) -> RTCSessionDescription:
    """The answer with this end as the DTLS server, where the offer leaves that open.

    aiortc as the client takes only ECDSA certificates; GStreamer has an RSA one, and fails with "no shared cipher".
    """
    if "a=setup:actpass" not in offer:
        return answer
    return RTCSessionDescription(answer.sdp.replace("a=setup:active", "a=setup:passive"), answer.type)


def gather_loopback_too(transceiver: RTCRtpTransceiver) -> None:
    """aioice leaves 127.0.0.1 out; on a machine without a network it is the only address there is.

    Not with STUN or TURN configured: aioice would wait 5 s for their answers to an address they cannot reach.
    """
    connection = transceiver.receiver.transport.transport.iceGatherer._connection
    gather = connection.get_component_candidates

    def with_loopback(component: int, addresses: list[str], timeout: int = 5) -> Coroutine[Any, Any, Any]:
        return gather(component, [*addresses, LOOPBACK], timeout)  # type: ignore[no-any-return]

    connection.get_component_candidates = with_loopback  # type: ignore[method-assign]


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

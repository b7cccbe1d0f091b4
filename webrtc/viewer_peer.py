"""One viewer's peer connection: the session's programme out, nothing in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceCandidate,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from webrtc import offer as offers
from webrtc.errors import SdpError
from webrtc.fanout import AUDIO, Fanout
from webrtc.peer import CONNECT_S, capabilities, gather_loopback_too, negotiated, passive, picture_codecs
from webrtc.rtp_push import RtpPush

logger = logging.getLogger(__name__)


class ViewerPeer:
    """Answers one offer: sound, pictures or both, in any order. `ended` is called once, when it is over."""

    def __init__(
        self,
        ice_servers: tuple[dict[str, Any], ...],
        fanout: Fanout,
        want_key: Callable[[str], None],
        connected: Callable[[], None],
        ended: Callable[[str], None],
        bundled: bool = True,
    ) -> None:
        self._servers = [RTCIceServer(**server) for server in ice_servers]
        policy = RTCBundlePolicy.MAX_BUNDLE if bundled else RTCBundlePolicy.MAX_COMPAT
        self._connection = RTCPeerConnection(RTCConfiguration(self._servers, bundlePolicy=policy))
        self._fanout = fanout
        self._want_key = want_key
        self._connected = connected
        self._ended = ended
        self._outs: list[RtpPush] = []
        self._candidates = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._connection.on("connectionstatechange", self._state_changed)
        self.codec = ""
        """The pictures' codec, `h264` or `vp8`; empty without pictures."""

    @property
    def state(self) -> str:
        return self._connection.connectionState

    @property
    def packets(self) -> int:
        """RTP packets sent so far."""
        return sum(out.packets for out in self._outs)

    async def answer(self, sdp: str) -> str:
        """The answer to an offer. Raises SdpError with a sentence for the person."""
        sdp = offers.cleaned(sdp, speaks=False)
        for kind in offers.media(sdp):  # in the offer's order: aiortc bundles everything with the first it made
            codecs = picture_codecs() if kind == "video" else capabilities("audio", "audio/opus", [])
            self._connection.addTransceiver(kind, "sendonly").setCodecPreferences(codecs)
        if not self._servers:
            for transceiver in self._connection.getTransceivers():
                gather_loopback_too(transceiver)
        self._deadline = asyncio.get_running_loop().call_later(CONNECT_S, self._too_late)
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            for transceiver in self._connection.getTransceivers():
                self._out(transceiver)
            await self._connection.setLocalDescription(passive(await self._connection.createAnswer(), sdp))
        except SdpError:
            raise
        except Exception as error:  # aiortc's parser raises whatever its input makes it stumble over
            logger.info("offer refused", extra={"reason": f"{type(error).__name__}: {error}"})
            raise SdpError("The offer cannot be answered: it needs Opus, and H.264 or VP8.") from error
        if not self._outs:
            raise SdpError("The offer takes neither sound nor pictures: make a line recvonly.")
        return str(self._connection.localDescription.sdp)

    async def add_candidate(self, candidate: RTCIceCandidate) -> None:
        """Try one more address of the viewer. Raises SdpError past the limit."""
        self._candidates += 1
        if self._candidates > offers.MOST_CANDIDATES:
            raise SdpError(f"A viewer has at most {offers.MOST_CANDIDATES} network candidates.")
        await self._connection.addIceCandidate(candidate)

    async def close(self) -> None:
        self._stop_waiting()
        await self._connection.close()

    def _out(self, transceiver: RTCRtpTransceiver) -> None:
        if transceiver._offerDirection not in ("sendonly", "sendrecv"):
            return
        codec = AUDIO if transceiver.kind == "audio" else negotiated(transceiver)
        if codec != AUDIO:
            self.codec = codec
        fanout = self._fanout
        want_key = partial(self._want_key, codec)
        self._outs.append(RtpPush(transceiver.sender, codec, fanout.clock, fanout.join, fanout.leave, want_key))

    def _state_changed(self) -> None:
        if self.state == "connected":
            self._stop_waiting()
            self._connected()
        elif self.state in ("failed", "closed"):
            self._stop_waiting()
            self._ended(self.state)

    def _too_late(self) -> None:
        if self.state != "connected":
            self._ended("failed")

    def _stop_waiting(self) -> None:
        if self._deadline:
            self._deadline.cancel()

"""The peer connection of a WHIP sender: somebody's sound in, nothing out. Pictures it offers are declined."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceCandidate,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)

from webrtc import offer as offers
from webrtc.errors import SdpError
from webrtc.peer import CONNECT_S, OnPacket, capabilities, gather_loopback_too, passive, tap

logger = logging.getLogger(__name__)


class UplinkPeer:
    """Answers one offer. `ended` is called when it is over, whoever ended it."""

    def __init__(
        self, ice_servers: tuple[dict[str, Any], ...], on_packet: OnPacket, ended: Callable[[UplinkPeer], None]
    ) -> None:
        self._servers = [RTCIceServer(**server) for server in ice_servers]
        self._connection = RTCPeerConnection(RTCConfiguration(self._servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._on_packet = on_packet
        self._ended = ended
        self._candidates = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._connection.on("connectionstatechange", self._state_changed)

    async def answer(self, sdp: str) -> str:
        """The answer to an offer. Raises SdpError with a sentence for the person."""
        sdp = offers.cleaned(sdp)
        for kind in offers.media(sdp):
            transceiver = self._connection.addTransceiver(kind, "recvonly" if kind == "audio" else "inactive")
            if kind == "audio":
                transceiver.setCodecPreferences(capabilities("audio", "audio/opus", []))
            if not self._servers:
                gather_loopback_too(transceiver)
        self._deadline = asyncio.get_running_loop().call_later(CONNECT_S, self._too_late)
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            for transceiver in self._connection.getTransceivers():
                if transceiver.kind == "audio":
                    if transceiver._offerDirection not in ("recvonly", "sendrecv"):
                        raise SdpError("The offer sends no sound: make its line sendonly.")
                    tap(transceiver.receiver, self._on_packet)
            await self._connection.setLocalDescription(passive(await self._connection.createAnswer(), sdp))
        except SdpError:
            raise
        except Exception as error:  # aiortc's parser raises whatever its input makes it stumble over
            logger.info("offer refused", extra={"reason": f"{type(error).__name__}: {error}"})
            raise SdpError("The offer cannot be answered: it needs Opus.") from error
        return str(self._connection.localDescription.sdp)

    async def add_candidate(self, candidate: RTCIceCandidate) -> None:
        """Try one more address of the sender. Raises SdpError past the limit."""
        self._candidates += 1
        if self._candidates > offers.MOST_CANDIDATES:
            raise SdpError(f"A sender has at most {offers.MOST_CANDIDATES} network candidates.")
        await self._connection.addIceCandidate(candidate)

    async def close(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        await self._connection.close()

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if self._deadline and state in ("connected", "failed", "closed"):
            self._deadline.cancel()
        if state in ("failed", "closed"):
            self._ended(self)

    def _too_late(self) -> None:
        if self._connection.connectionState != "connected":
            self._ended(self)

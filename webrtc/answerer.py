"""A peer connection that is offered to us: the part that a page's, a viewer's and a WHIP sender's have in common."""

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
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.sdp import SessionDescription

from webrtc import offer as offers
from webrtc.errors import SdpError

logger = logging.getLogger(__name__)

CONNECT_S = 12.0
"""How long a connection may take; on a working path it is 40 ms, over a relay 2 s."""

LOOPBACK = "127.0.0.1"


class Answerer:
    """Answers one offer. `changed` is told `connected`, `failed` or `closed`; `failed`, too, when it takes too long."""

    def __init__(
        self,
        ice_servers: tuple[dict[str, Any], ...],
        who: str,
        needs: str,
        changed: Callable[[str], None],
        bundled: bool = True,
    ) -> None:
        """`who` offers, and what the offer `needs`: for sentences to people."""
        self._servers = [RTCIceServer(**server) for server in ice_servers]
        policy = RTCBundlePolicy.MAX_BUNDLE if bundled else RTCBundlePolicy.MAX_COMPAT
        self.connection = RTCPeerConnection(RTCConfiguration(self._servers, bundlePolicy=policy))
        self._who, self._needs = who, needs
        self._changed = changed
        self._candidates = 0
        self._deadline: asyncio.TimerHandle | None = None
        self.connection.on("connectionstatechange", self._state_changed)

    @property
    def state(self) -> str:
        return self.connection.connectionState

    async def answer(self, sdp: str, attach: Callable[[], None], serve_dtls: bool = False) -> str:
        """The answer to a cleaned offer, for which the transceivers are there; `attach` is called when they are agreed.

        Raises SdpError with a sentence for the person. `serve_dtls`: see `passive`.
        """
        if not self._servers:
            for transceiver in self.connection.getTransceivers():
                gather_loopback_too(transceiver)
        self._deadline = asyncio.get_running_loop().call_later(CONNECT_S, self._too_late)
        try:
            _check_bundle(SessionDescription.parse(sdp))
            await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            attach()
            answer = await self.connection.createAnswer()
            await self.connection.setLocalDescription(passive(answer, sdp) if serve_dtls else answer)
        except SdpError:
            raise
        except Exception as error:  # aiortc's parser raises whatever its input makes it stumble over
            logger.info("offer refused", extra={"reason": f"{type(error).__name__}: {error}"})
            raise SdpError(f"The offer of {self._who} cannot be answered: it needs {self._needs}.") from error
        return str(self.connection.localDescription.sdp)

    async def add_candidate(self, candidate: RTCIceCandidate) -> None:
        """Try one more address of the other side. Raises SdpError past the limit."""
        self._candidates += 1
        if self._candidates > offers.MOST_CANDIDATES:
            raise SdpError(f"From {self._who} at most {offers.MOST_CANDIDATES} network candidates are taken.")
        await self.connection.addIceCandidate(candidate)

    async def close(self) -> None:
        """Never raises: where aiortc stumbled over an offer, it stumbles again when it closes what it had made."""
        self._stop_waiting()
        try:
            await self.connection.close()
        except Exception as error:
            logger.info("half a connection closed", extra={"reason": f"{type(error).__name__}: {error}"})
            self.connection.remove_all_listeners()
            for transport in {each.receiver.transport for each in self.connection.getTransceivers()} - {None}:
                await transport.stop()
                await transport.transport.stop()

    def _state_changed(self) -> None:
        if self.state in ("connected", "failed", "closed"):
            self._stop_waiting()
            self._changed(self.state)

    def _too_late(self) -> None:
        if self.state != "connected":
            self._changed("failed")

    def _stop_waiting(self) -> None:
        if self._deadline:
            self._deadline.cancel()


def _check_bundle(offer: SessionDescription) -> None:
    """Raises SdpError for a group that does not name lines of the offer: aiortc would leave one without a transport."""
    mids = [media.rtp.muxId for media in offer.media]
    for group in offer.group:
        if len(set(mids)) < len(mids) or not set(group.items) <= set(mids):
            raise SdpError("The offer bundles lines that it does not have.")


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

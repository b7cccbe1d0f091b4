"""The peer connection of a WHIP sender: somebody's sound in, nothing out. Pictures it offers are declined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from webrtc import offer as offers
from webrtc.answerer import Answerer
from webrtc.errors import SdpError
from webrtc.transceivers import OnPacket, capabilities, tap


class UplinkPeer:
    """Answers one offer. `ended` is called when it is over, whoever ended it."""

    def __init__(
        self, ice_servers: tuple[dict[str, Any], ...], on_packet: OnPacket, ended: Callable[[UplinkPeer], None]
    ) -> None:
        self._answerer = Answerer(ice_servers, "the sender", "Opus", self._state_changed)
        self._connection = self._answerer.connection
        self.add_candidate = self._answerer.add_candidate
        self.close = self._answerer.close
        self._on_packet = on_packet
        self._ended = ended

    async def answer(self, sdp: str) -> str:
        """The answer to an offer. Raises SdpError with a sentence for the person."""
        sdp = offers.cleaned(sdp)
        for kind in offers.media(sdp):
            transceiver = self._connection.addTransceiver(kind, "recvonly" if kind == "audio" else "inactive")
            if kind == "audio":
                transceiver.setCodecPreferences(capabilities("audio", "audio/opus", []))
        return await self._answerer.answer(sdp, self._attach, serve_dtls=True)

    def _attach(self) -> None:
        for transceiver in self._connection.getTransceivers():
            if transceiver.kind == "audio":
                if transceiver._offerDirection not in ("recvonly", "sendrecv"):
                    raise SdpError("The offer sends no sound: make its line sendonly.")
                tap(transceiver.receiver, self._on_packet)

    def _state_changed(self, state: str) -> None:
        if state != "connected":
            self._ended(self)

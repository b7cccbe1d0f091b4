"""One viewer's peer connection: the session's programme out, nothing in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from aiortc import RTCRtpTransceiver

from webrtc import offer as offers
from webrtc.answerer import Answerer
from webrtc.errors import SdpError
from webrtc.fanout import AUDIO, Fanout
from webrtc.rtp_push import RtpPush
from webrtc.transceivers import capabilities, negotiated, picture_codecs


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
        needs = "Opus, and H.264 or VP8"
        self._answerer = Answerer(ice_servers, "the player", needs, self._state_changed, bundled)
        self._connection = self._answerer.connection
        self.add_candidate = self._answerer.add_candidate
        self.close = self._answerer.close
        self._fanout = fanout
        self._want_key = want_key
        self._connected = connected
        self._ended = ended
        self._outs: list[RtpPush] = []
        self.codec = ""
        """The pictures' codec, `h264` or `vp8`; empty without pictures."""

    @property
    def state(self) -> str:
        return self._answerer.state

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
        answer = await self._answerer.answer(sdp, self._attach, serve_dtls=True)
        if not self._outs:
            raise SdpError("The offer takes neither sound nor pictures: make a line recvonly.")
        return answer

    def _attach(self) -> None:
        for transceiver in self._connection.getTransceivers():
            self._out(transceiver)

    def _out(self, transceiver: RTCRtpTransceiver) -> None:
        if transceiver._offerDirection not in ("sendonly", "sendrecv"):
            return
        codec = AUDIO if transceiver.kind == "audio" else negotiated(transceiver)
        if codec != AUDIO:
            self.codec = codec
        fanout = self._fanout
        want_key = partial(self._want_key, codec)
        self._outs.append(
            RtpPush(transceiver.sender, codec, fanout.clock, fanout.join, fanout.leave, fanout.wire, want_key)
        )

    def _state_changed(self, state: str) -> None:
        if state == "connected":
            self._connected()
        else:
            self._ended(state)

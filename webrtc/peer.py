"""One peer connection: the microphone of a page in, its session's programme out."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from aiortc import RTCRtpTransceiver

from webrtc import offer as offers
from webrtc.answerer import Answerer
from webrtc.fanout import AUDIO, CUTOUT, Fanout, FrameQueue
from webrtc.picture_rate import PictureRate
from webrtc.rtp_out import RtpOut
from webrtc.transceivers import OnPacket, capabilities, negotiated, picture_codecs, tap

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
        tell = partial(on_state, self)
        self._answerer = Answerer(ice_servers, "the browser", "Opus, and H.264 or VP8", tell)
        self._connection = self._answerer.connection
        self.add_candidate = self._answerer.add_candidate
        self.close = self._answerer.close
        self._fanout = fanout
        self._on_packet = on_packet
        self._want_key = want_key
        self._cutout = cutout
        self._rate = rate
        self._outs: list[RtpOut] = []
        self._pictures: FrameQueue | None = None
        self._paused = False
        self.codec = ""
        """The pictures' rendition, `h264` or `vp8`, with `_cutout` where that was asked for; empty without pictures."""

    @property
    def state(self) -> str:
        return self._answerer.state

    async def answer(self, sdp: str) -> str:
        """The answer to an offer. Raises SdpError with a sentence for the person."""
        sdp = offers.cleaned(sdp)
        self._listen_and_send(sdp)
        return in_short_packets(await self._answerer.answer(sdp, self._attach))

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

    def _listen_and_send(self, sdp: str) -> None:
        audio = self._connection.addTransceiver("audio", "sendrecv")
        audio.setCodecPreferences(capabilities("audio", "audio/opus", []))
        if offers.has_pictures(sdp):
            video = self._connection.addTransceiver("video", "sendonly")
            video.setCodecPreferences(picture_codecs())

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


def in_short_packets(answer: str) -> str:
    """The answer that asks for Opus in packets of 10 ms (`ptime`, RFC 8866): a word is half as long on its way.

    Chromium does it; who does not sends 20 ms, which is as well understood.
    """
    return re.sub(r"(a=rtpmap:\d+ opus/48000/2\r\n)", r"\1a=ptime:10\r\n", answer)

"""The line to a call's page: its peer connections one after another, and what is done about them, in turn.

It outlives each of them: what the page wants of its pictures, and what its path carries, holds for the next one too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Protocol

from aiortc.rtp import RtpPacket

from webrtc import offer
from webrtc.errors import PageError
from webrtc.fanout import Fanout
from webrtc.page_socket import PageSocket
from webrtc.peer import PagePeer
from webrtc.picture_rate import PictureRate

logger = logging.getLogger(__name__)

GRACE_S = 5.0
"""A peer connection without its page's WebSocket lives this long: a short break costs no new connection."""


class House(Protocol):
    """What a line needs of the process around it; see calls.py."""

    @property
    def own_ice_servers(self) -> tuple[dict[str, Any], ...]: ...

    @property
    def video_kbps(self) -> int: ...

    def count(self, name: str, by: float = 1) -> None: ...


class Caller(Protocol):
    """What a line needs of its call; see call.py."""

    session: str
    page: PageSocket | None
    fanout: Fanout | None

    def page_packet(self, packet: RtpPacket) -> None: ...

    def want(self, always: bool = True) -> None: ...

    def want_key(self, codec: str) -> None: ...


class PageLine:
    """All methods run on the event loop, and return at once; what takes time is done after what was asked before."""

    def __init__(self, house: House, call: Caller) -> None:
        self.rate = PictureRate(house.video_kbps)
        """What the path to the page carries."""
        self._house = house
        self._call = call
        self._peer: PagePeer | None = None
        self._paused = False
        """The page looks at no pictures: a 3D page draws its own once it has shown the first."""
        self._cutout = False
        """It lays the figure alone over something of its own."""
        self._grace: asyncio.TimerHandle | None = None
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- the page ---

    def attach(self) -> None:
        """A page has come: it keeps the connection there is, and looks at whole pictures until it says otherwise."""
        self._stop_grace()
        self.pause_pictures(False)
        self._cutout = False

    def detach(self, final: bool) -> None:
        """The page is gone; it may come back, unless this is `final`."""
        self._grace = asyncio.get_running_loop().call_later(0.0 if final else GRACE_S, self.drop)

    def offer(self, sdp: str) -> None:
        """The page offers a connection: it is answered, in the place of the one there was."""
        self._in_turn(self._answer(sdp))

    def candidate(self, fields: dict[str, Any]) -> None:
        """A way to the page that it found after its offer."""
        self._in_turn(self._add_candidate(fields))

    def pause_pictures(self, paused: bool) -> None:
        """Whether the page looks at no pictures for now."""
        self._paused = paused
        if self._peer:
            self._peer.pause_pictures(paused)
            self._call.want(False)

    def cut_out(self, cutout: bool) -> None:
        """Whether it wants the figure alone."""
        self._cutout = cutout
        if self._peer:
            self._peer.cut_out(cutout)
            self._call.want(False)

    # --- its end ---

    def drop(self) -> None:
        """Close the connection there is; the page may offer another."""
        self._stop_grace()
        if self._peer:
            self._in_turn(self._close())

    async def settled(self) -> None:
        """Wait until all that was asked is done."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)

    # --- inside ---

    async def _answer(self, sdp: str) -> None:
        await self._close()
        fanout = self._call.fanout
        assert fanout is not None
        servers, hear, key = self._house.own_ice_servers, self._call.page_packet, self._call.want_key
        self.rate.renew()
        peer = PagePeer(servers, fanout, hear, self._state, key, self._cutout, self.rate)
        self._peer = peer
        peer.pause_pictures(self._paused)
        try:
            answer = await peer.answer(sdp)
        except PageError:
            await self._close()
            raise
        if self._call.page:
            self._call.page.send("answer", sdp=answer)

    async def _add_candidate(self, fields: dict[str, Any]) -> None:
        candidate = offer.candidate(fields)
        if candidate and self._peer:
            await self._peer.add_candidate(candidate)

    async def _close(self) -> None:
        peer, self._peer = self._peer, None
        if peer:
            await peer.close()

    def _state(self, peer: PagePeer, state: str) -> None:
        if peer is not self._peer:
            return
        logger.info("peer connection", extra={"session": self._call.session, "state": state, "codec": peer.codec})
        if state == "failed":
            text = "No network path for sound and pictures was found between your browser and the server."
            if self._call.page:
                self._call.page.error(PageError("ice", text))
            self._house.count("ice_failed")
            self.drop()

    def _in_turn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it after what was asked before; its PageErrors go to the page."""
        task = asyncio.ensure_future(self._locked(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _locked(self, work: Coroutine[Any, Any, None]) -> None:
        async with self._lock:
            try:
                await work
            except PageError as error:
                self._house.count(f"page_error_{error.code}")
                if self._call.page:
                    self._call.page.error(error)

    def _stop_grace(self) -> None:
        if self._grace:
            self._grace.cancel()
            self._grace = None

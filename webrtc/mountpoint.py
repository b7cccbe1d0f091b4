"""A mountpoint of Janus' streaming plugin: one session's programme, for as many viewers as Janus has room for.

Its number, pin and secret follow from the session's id: every edge can tell its pages, and an edge that began anew
finds what it has made.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from broker.config import Audience
from broker.loopback import is_loopback
from webrtc.fanout import AUDIO, H264
from webrtc.janus_api import ALREADY_THERE, JanusPlugin, JanusRefusal
from webrtc.pushing import PushError

PAYLOAD_TYPES = {AUDIO: 111, H264: 96}
MIDS = {AUDIO: "a", H264: "v"}

NUMBER_BITS = 53
"""Numbers that JavaScript's are exact for."""

FED_MS = 2000
"""A mountpoint that was made, or got a packet, so lately is somebody else's."""


def number_of(session: str) -> int:
    """The mountpoint's id: Janus takes numbers unless its settings say otherwise."""
    return int.from_bytes(hashlib.sha256(session.encode()).digest()[:8], "big") >> (64 - NUMBER_BITS) or 1


def pin_of(session: str, viewers_token: str) -> str:
    """What a viewer must know, besides the session's link: what it takes at an edge too."""
    return _hidden(viewers_token, "pin", session)


def place_of(settings: Audience, session: str, pushed: str) -> dict[str, Any] | None:
    """Where pages find the session: Janus' WebSocket and the mountpoint. None: it is in none that we know of.

    `pushed`: where the session is pushed, as the broker has it.
    """
    url = settings.janus_page_url or settings.janus_url or pushed
    return {"url": url, "id": number_of(session), "pin": pin_of(session, settings.token)} if url else None


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where the media goes: the host, and by codec the RTP and the RTCP port."""

    host: str
    of: dict[str, tuple[int, int]]


class Mountpoint:
    """One session's. `key`: the plugin's `admin_key`, without which nobody makes mountpoints, where it has one."""

    def __init__(self, janus: JanusPlugin, url: str, session: str, viewers_token: str, key: str) -> None:
        self._janus = janus
        self._host = urlsplit(url).hostname or "127.0.0.1"
        self._session = session
        self._pin = pin_of(session, viewers_token)
        self._secret = _hidden(key, "secret", session)
        self._key = {"admin_key": key} if key else {}
        self._id = number_of(session)
        self._ports: set[int] = set()

    async def make(self) -> Ports:
        """Raises PushError."""
        try:
            made = await self._create()
        except JanusRefusal as refusal:
            if refusal.code != ALREADY_THERE:
                raise
            await self._take_over()
            made = await self._create()
        ports = {str(each["mid"]): (int(each["port"]), int(each["rtcp_port"])) for each in made["stream"]["ports"]}
        self._ports = {port for port, _ in ports.values()}
        return Ports(host=self._host, of={codec: ports[mid] for codec, mid in MIDS.items()})

    async def look(self) -> None:
        """Raises PushError when it is no longer there, or no longer ours."""
        if {int(medium["port"]) for medium in await self._media()} != self._ports:
            raise PushError("Another edge pushes this conversation into Janus now.")

    async def remove(self) -> None:
        """Its viewers are told. Raises PushError."""
        await self._janus.ask("destroy", id=self._id, secret=self._secret)

    async def _media(self) -> list[dict[str, Any]]:
        info = await self._janus.ask("info", id=self._id, secret=self._secret)
        return list(info["info"]["media"])

    async def _create(self) -> dict[str, Any]:
        return await self._janus.ask(
            "create",
            type="rtp",
            id=self._id,
            description="Visavis",
            is_private=True,
            secret=self._secret,
            pin=self._pin,
            media=[self._medium(AUDIO, "audio", "useinbandfec=1"), self._medium(H264, "video", _BASELINE)],
            **self._key,
        )

    def _medium(self, codec: str, kind: str, fmtp: str) -> dict[str, Any]:
        """Ports that Janus chooses; on this machine they are closed to all others."""
        here = {"iface": self._host} if is_loopback(self._host) and self._host != "localhost" else {}
        ports = {"port": 0, "rtcpport": 0}
        return (
            {"type": kind, "mid": MIDS[codec], "codec": codec, "pt": PAYLOAD_TYPES[codec], "fmtp": fmtp} | ports | here
        )

    async def _take_over(self) -> None:
        """One that an edge left behind makes room. Raises PushError while somebody feeds it."""
        ages = [int(medium.get("age_ms", FED_MS)) for medium in await self._media()]
        if min(ages, default=FED_MS) < FED_MS:
            raise PushError("The conversation is in this Janus already, from another edge or by another push.")
        await self.remove()


_BASELINE = "profile-level-id=42e01f;packetization-mode=1"


def _hidden(key: str, what: str, session: str) -> str:
    return hmac.new(key.encode(), f"{what} {session}".encode(), hashlib.sha256).hexdigest()[:32]

"""All pushes of this edge: those of the settings begin with each call here, others the operator asks for."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from broker.config import Audience as AudienceSettings
from webrtc.audience import Audience
from webrtc.errors import SdpError
from webrtc.janus_out import SCHEME, JanusPush
from webrtc.mountpoint import number_of, pin_of
from webrtc.pushing import Push
from webrtc.whip_out import WhipPush

logger = logging.getLogger(__name__)

KINDS: dict[str, type[Push]] = {
    "http": WhipPush,
    "https": WhipPush,
    f"{SCHEME}ws": JanusPush,
    f"{SCHEME}wss": JanusPush,
}
"""What speaks to an address, by its scheme."""


class Pushes:
    """By session."""

    def __init__(self, audience: Audience, settings: AudienceSettings) -> None:
        self._audience = audience
        self._settings = settings
        self._wishes = [(settings.whip_url, settings.whip_token)] if settings.whip_url else []
        if settings.janus_url:
            self._wishes.append((SCHEME + settings.janus_url, settings.janus_key))
        self._pushes: dict[str, list[Push]] = {}

    def begin(self, session: str, url: str, token: str = "") -> Push:
        """Raises SdpError when the address is none."""
        try:
            place = urlsplit(url)
            kind = KINDS.get(place.scheme) if place.hostname and place.port != 0 else None
        except ValueError:
            kind = None
        if kind is None:
            raise SdpError(
                "A WHIP server's address begins with https:// or http://, a Janus' with janus+wss:// or janus+ws://."
            )
        push = kind(self._audience, session, url, token)
        self._pushes.setdefault(session, []).append(push)
        return push

    def beat(self, sessions: dict[str, str]) -> None:
        """Once a second; `sessions`: those whose caller is here, with their persona."""
        for session in set(self._pushes) - set(sessions):
            if all(push.over for push in self._pushes[session]):
                del self._pushes[session]
        for session in set(sessions) - set(self._pushes) if self._wishes else ():
            self._pushes[session] = []
            for url, token in self._wishes:
                filled = url.replace("{session}", session).replace("{persona}", sessions[session])
                try:
                    self.begin(session, filled, token)
                except SdpError as error:  # one wrong setting stops neither calls nor the other push
                    logger.error("push", extra={"session": session, "reason": str(error)})

    def of(self, session: str) -> list[Push]:
        return list(self._pushes.get(session, ()))

    def janus(self, session: str) -> dict[str, Any] | None:
        """Where pages find the session in Janus: its WebSocket and the mountpoint. None: in none that we know of."""
        settings = self._settings
        pushed = next((push.place for push in self.of(session) if isinstance(push, JanusPush) and not push.over), "")
        url = settings.janus_page_url or settings.janus_url or pushed
        if not url:
            return None
        return {"url": url, "id": number_of(session), "pin": pin_of(session, settings.token)}

    def totals(self) -> Counter[str]:
        """`pushes` are those that are live now."""
        return Counter(pushes=sum(push.state == "live" for each in self._pushes.values() for push in each))

    async def end(self, session: str, name: str) -> bool:
        """False: there is no such push."""
        push = next((each for each in self._pushes.get(session, ()) if each.name == name), None)
        if push is None:
            return False
        self._pushes[session].remove(push)
        await push.stop()
        return True

    async def close(self) -> None:
        pushes = [push for each in self._pushes.values() for push in each]
        await asyncio.gather(*(push.stop() for push in pushes))

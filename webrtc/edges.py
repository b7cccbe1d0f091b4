"""The edge processes as browsers reach them: which is whose, which has room, whose pages may use which."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from aiohttp import web

from webrtc.calls import Calls
from webrtc.mountpoint import place_of

OPEN_DOORS = re.compile(r"/(whep|whip|hls)(/|$)|/view/[^/]+/events$")
"""Doors that pages of other places may use where the settings say so; all others are for an edge's own pages."""

_DIGITS = re.compile(r"[0-9]{1,4}")

MARGIN = 0.15
"""Share of a core by which another edge must be less busy to be worth sending a viewer to."""


class Edges:
    """What this edge knows of itself and of the others, from the broker's `Fleet`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def url(self, request: web.Request, name: str = "") -> str | None:
        """`scheme://host:port` of an edge (this one, by default) for whoever made the request; None: not there."""
        own = self._calls.peer.name
        number = _number(name or own)
        fronts = self._calls.settings.server.fronts
        if number is not None and number < len(fronts):
            return fronts[number].rstrip("/")
        if not name or name == own:
            return f"{request.scheme}://{request.host}"
        front = self._fronts().get(name)
        if front is None:
            return None
        scheme, port = front.split(":")
        host = urlsplit(f"//{request.host}").hostname or "127.0.0.1"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def roomiest(self) -> str:
        """The edge a new viewer belongs to: this one, unless it is busy or full and another is clearly less so."""
        own, audience = self._calls, self._calls.settings.audience
        full = own.audience.count >= audience.capacity
        if not full and own.load < audience.busy:
            return own.peer.name
        fronts = self._fronts()
        others = [
            (float(row.get("load", 1.0)), str(row["name"]))
            for row in own.processes()
            if row.get("name") in fronts
            and row.get("name") != own.peer.name
            and int(dict(row.get("counters") or {}).get("viewers", 0)) < audience.capacity
        ]
        best = min(others, default=None)
        if best and (full or best[0] < min(audience.busy, own.load - MARGIN)):
            return best[1]
        return own.peer.name

    # --- security.Neighbours ---

    def admits(self, request: web.Request, origin: str) -> bool:
        """Pages of the other edges and of the places in audience.origins may use the open doors."""
        if not OPEN_DOORS.search(request.path) or not origin.isascii():  # an Origin is; it is sent back in a header
            return False
        allowed = self._calls.settings.audience.origins
        return "*" in allowed or origin in allowed or origin in self.places(request)

    def places(self, request: web.Request) -> tuple[str, ...]:
        own = self._calls.peer.name
        urls = (self.url(request, name) for name in sorted(self._fronts()) if name != own)
        return tuple(url for url in urls if url) + self._janus(request)

    def _janus(self, request: web.Request) -> tuple[str, ...]:
        """The media server that the page of a session may play from."""
        session = request.match_info.get("session", "")
        watched = self._calls.audience.watched(session) if session else None
        pushed = watched.shown.janus if watched and watched.shown else ""
        told = place_of(self._calls.settings.audience, session, pushed) if session else None
        if told is None:
            return ()
        scheme, netloc, *_ = urlsplit(told["url"])
        return (f"{scheme}://{netloc}",)

    def _fronts(self) -> dict[str, str]:
        """Every edge that listens, by name."""
        return {
            str(row["name"]): str(row["front"])
            for row in self._calls.processes()
            if row.get("kind") == "webrtc" and row.get("front") and row.get("state") == "ready"
        }


def _number(name: str) -> int | None:
    """An edge's place among the edges: webrtc-2 is the third."""
    digits = name.rpartition("-")[2]
    return int(digits) if _DIGITS.fullmatch(digits) else None

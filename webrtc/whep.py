"""/whep/<session>: anybody's player pulls a session's programme (draft-ietf-wish-whep; RFC 9725 where they agree)."""

from __future__ import annotations

import hashlib
import hmac
import re
import time

from aiohttp import web

from broker.clock import now_ns
from broker.limits import Buckets
from webrtc import doors, sdp_fragment
from webrtc.audience import Audience
from webrtc.calls import Calls
from webrtc.edges import Edges
from webrtc.errors import SdpError
from webrtc.security import address_of, bearer, same
from webrtc.watched import Viewer, Watched

JOINS_PER_S, JOIN_BURST = 5, 150
"""Per address: a school behind one address comes all at once; a player in a tight loop is slowed."""


MOVED = "moved"
"""In the query of an address another edge sent a viewer to."""

MOVED_S = 20

_TICKET = re.compile(r"([0-9]{1,12})\.[0-9a-f]{64}")


def moved(token: str, session: str, now_s: int) -> str:
    """Proof that an edge has let a viewer in: browsers leave the bearer token out when they follow to another port."""
    expires_s = now_s + MOVED_S
    return f"{expires_s}.{hmac.new(token.encode(), f'{session} {expires_s}'.encode(), hashlib.sha256).hexdigest()}"


def came_from_us(token: str, request: web.Request, now_s: int) -> bool:
    """The request bears such a proof."""
    ticket = request.query.get(MOVED, "")
    found = _TICKET.fullmatch(ticket)
    if not found or not now_s <= int(found[1]) <= now_s + MOVED_S:
        return False
    return same(ticket, moved(token, request.match_info["session"], int(found[1]) - MOVED_S))


class Whep:
    """The endpoint and its resources. A resource's name begins with its edge: another edge sends its client there."""

    def __init__(self, calls: Calls, edges: Edges) -> None:
        self._calls = calls
        self._edges = edges
        self._joins = Buckets(JOINS_PER_S, JOIN_BURST)

    @property
    def _audience(self) -> Audience:
        return self._calls.audience

    async def post(self, request: web.Request) -> web.StreamResponse:
        """An offer: 201 with the answer; 307 to an edge with room."""
        self.admit(request)
        if not self._joins.take(address_of(request), now_ns()):
            self._audience.counters["joins_refused"] += 1
            raise web.HTTPTooManyRequests(text="Too many viewers at once; wait some seconds.\n", headers=_again(5))
        session = request.match_info["session"]
        place = self._edges.roomiest()
        if place != self._calls.peer.name and MOVED not in request.query and (url := self._edges.url(request, place)):
            ticket = moved(self._calls.settings.audience.token, session, int(time.time()))
            raise web.HTTPTemporaryRedirect(f"{url}/whep/{session}?{MOVED}={ticket}")
        offer = await doors.offer_of(request)
        if self._audience.count >= self._calls.settings.audience.capacity:
            self._audience.counters["viewers_refused"] += 1
            raise web.HTTPServiceUnavailable(text="Every seat is taken; come back in a moment.\n", headers=_again(10))
        watched = await self.watched(session)
        try:
            viewer, answer = await watched.join(offer, sdp_fragment.ufrag_of(offer))
        except SdpError as error:
            raise web.HTTPUnprocessableEntity(text=f"{error}\n") from error
        here = self._edges.url(request)
        events = f'<{here}/view/{session}/events>; rel="alternate"; type="text/event-stream"'
        location = f"{here}/whep/{session}/{viewer.name}"
        return doors.created(answer, location, viewer.etag, self._calls.ice_servers, [events])  # type: ignore[no-any-return]

    async def patch(self, request: web.Request) -> web.StreamResponse:
        """Trickled candidates."""
        _watched, viewer = self._resource(request)
        candidates = await doors.fragment_of(request, viewer.etag, viewer.ufrag)
        await doors.tried(candidates, viewer.peer.add_candidate)
        return web.Response(status=204)  # without an ETag: this is no new ICE session

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """The viewer leaves."""
        watched, viewer = self._resource(request)
        watched.leave(viewer)
        return web.Response(status=200)

    def admit(self, request: web.Request) -> None:
        """Raises 404 where nobody may look on, 401 without the audience's token where there is one."""
        audience = self._calls.settings.audience
        if not audience.watch:
            raise web.HTTPNotFound(text="Conversations on this server are not shown to others.\n")
        token, operator = bearer(request), self._calls.settings.server.operator_token
        sent_on = came_from_us(audience.token, request, int(time.time()))
        known = same(token, audience.token) or bool(operator and same(token, operator))
        if audience.token and not known and not sent_on:
            raise web.HTTPUnauthorized(
                text="This conversation is shown to those with the audience's token.\n",
                headers={"WWW-Authenticate": "Bearer"},
            )

    async def watched(self, session: str) -> Watched:
        """The session. Raises 404 when the broker has none by this name, 503 when it does not answer."""
        if not 8 <= len(session) <= 64:
            raise web.HTTPNotFound(text="There is no such conversation.\n")
        try:
            watched = await self._audience.find(session)
        except TimeoutError:
            raise web.HTTPServiceUnavailable(
                text="The server is not ready; come back in a moment.\n", headers=_again(2)
            ) from None
        if watched is None:
            raise web.HTTPNotFound(text="There is no such conversation (any more).\n")
        return watched

    def _resource(self, request: web.Request) -> tuple[Watched, Viewer]:
        """Raises 307 to the edge that has it, 404 when nobody has."""
        self.admit(request)
        session, name = request.match_info["session"], request.match_info["name"]
        owner = name.partition(".")[0]
        if owner != self._calls.peer.name and (url := self._edges.url(request, owner)):
            raise web.HTTPTemporaryRedirect(f"{url}/whep/{session}/{name}")
        watched = self._audience.watched(session)
        viewer = watched.viewers.get(name) if watched is not None else None
        if watched is None or viewer is None:
            raise web.HTTPNotFound(text="This viewer has left.\n")
        return watched, viewer


def _again(after_s: int) -> dict[str, str]:
    return {"Retry-After": str(after_s)}

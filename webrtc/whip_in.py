"""/whip/<session>: OBS or another sender as the caller's microphone (RFC 9725). Its bearer is the caller's token."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

from aiohttp import web

from broker.clock import now_ns
from broker.limits import Buckets
from webrtc import doors, sdp_fragment
from webrtc.call import Call
from webrtc.calls import Calls
from webrtc.edges import Edges
from webrtc.errors import SdpError
from webrtc.security import address_of, bearer, same, token_hash
from webrtc.uplink_peer import UplinkPeer

OFFERS_PER_S, OFFER_BURST = 1, 20
"""Per address. It also slows down guessing at tokens, of which there are 2^192."""


@dataclass(kw_only=True)
class Source:
    """One WHIP resource."""

    call: Call
    peer: UplinkPeer
    ufrag: str
    etag: str = field(default_factory=lambda: f'"{secrets.token_urlsafe(9)}"')


class WhipIn:
    """The endpoint and its resources. The newest source of a call is the one that is heard."""

    def __init__(self, calls: Calls, edges: Edges) -> None:
        self._calls = calls
        self._edges = edges
        self._sources: dict[str, Source] = {}
        self._offers = Buckets(OFFERS_PER_S, OFFER_BURST)
        self._closing: set[asyncio.Task[None]] = set()

    async def post(self, request: web.Request) -> web.StreamResponse:
        """An offer with sound: 201 with the answer; 307 to the edge where the caller is."""
        if not self._offers.take(address_of(request), now_ns()):
            raise web.HTTPTooManyRequests(text="Too many offers; wait some seconds.\n", headers={"Retry-After": "5"})
        session = request.match_info["session"]
        call = self._admitted(request, session)
        offer = await doors.offer_of(request)
        name = f"{self._calls.peer.name}.{secrets.token_urlsafe(12)}"
        peer = UplinkPeer(self._calls.own_ice_servers, call.source_packet, lambda peer: self._ended(name))
        try:
            answer = await peer.answer(offer)
        except SdpError as error:
            await peer.close()
            raise web.HTTPUnprocessableEntity(text=f"{error}\n") from error
        for other, source in list(self._sources.items()):
            if source.call is call:
                self._ended(other)
        source = self._sources[name] = Source(call=call, peer=peer, ufrag=sdp_fragment.ufrag_of(offer))
        call.speak_from(name, lambda: self._ended(name))
        location = f"{self._edges.url(request)}/whip/{session}/{name}"
        return doors.created(answer, location, source.etag, self._calls.ice_servers, [])  # type: ignore[no-any-return]

    async def patch(self, request: web.Request) -> web.StreamResponse:
        """Trickled candidates."""
        source = self._resource(request)
        candidates = await doors.fragment_of(request, source.etag, source.ufrag)
        await doors.tried(candidates, source.peer.add_candidate)
        return web.Response(status=204)  # without an ETag: this is no new ICE session

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """The source has finished; the page's own microphone is heard again."""
        self._resource(request)
        self._ended(request.match_info["name"])
        return web.Response(status=200)

    def _admitted(self, request: web.Request, session: str) -> Call:
        """Raises 307, 401, 403 or 404."""
        token = bearer(request)
        call = self._calls.call_of(session)
        if call is None or call.opened is None:
            row = next((row for row in self._calls.live() if row.get("session") == session), None)
            edge = str(row.get("edge", "")) if row else ""
            if edge and edge != self._calls.peer.name and (url := self._edges.url(request, edge)):
                raise web.HTTPTemporaryRedirect(f"{url}{request.path}")
            raise web.HTTPNotFound(text="There is no such conversation: open the call page first.\n")
        if not token:
            raise web.HTTPUnauthorized(
                text="Send the caller's token as bearer.\n", headers={"WWW-Authenticate": "Bearer"}
            )
        if not same(call.token_hash, token_hash(token)):
            raise web.HTTPForbidden(text="This conversation belongs to somebody else.\n")
        return call

    def _resource(self, request: web.Request) -> Source:
        session, name = request.match_info["session"], request.match_info["name"]
        owner = name.partition(".")[0]
        if owner != self._calls.peer.name and (url := self._edges.url(request, owner)):
            raise web.HTTPTemporaryRedirect(f"{url}{request.path}")
        source = self._sources.get(name)
        if source is None or source.call.session != session:
            raise web.HTTPNotFound(text="This source has finished.\n")
        self._admitted(request, session)
        return source

    def _ended(self, name: str) -> None:
        """A source has gone; harmless twice."""
        source = self._sources.pop(name, None)
        if source:
            source.call.speak_from_page(name)
            task = asyncio.ensure_future(source.peer.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

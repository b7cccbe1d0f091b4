"""The doors of those who look on: the viewer page and its events, the list of live sessions, WHEP, WHIP and HLS."""

from __future__ import annotations

import contextlib
from pathlib import Path

from aiohttp import web

from webrtc import cors
from webrtc.calls import Calls
from webrtc.edges import Edges
from webrtc.event_stream import HEADERS, EventStream
from webrtc.hls import HlsDoor
from webrtc.mountpoint import place_of
from webrtc.push_door import PushDoor
from webrtc.security import NEIGHBOURS, POLICY, is_operator, policy_of
from webrtc.whep import Whep
from webrtc.whip_in import WhipIn


def routes(app: web.Application, calls: Calls, static: Path) -> None:
    """Add them to the edge's application."""
    edges = Edges(calls)
    app[NEIGHBOURS] = edges
    app.middlewares.append(cors.preflight)
    app.on_response_prepare.append(cors.allow)
    whep = Whep(calls, edges)
    viewing = Viewing(calls, whep, static)
    app.router.add_get("/view/{session}", viewing.page)
    app.router.add_get("/view/{session}/events", viewing.events, allow_head=False)  # a stream has no head alone
    app.router.add_get("/live", viewing.list_page)
    app.router.add_get("/live/sessions", viewing.sessions)
    app.router.add_post("/whep/{session}", whep.post)
    app.router.add_route("PATCH", "/whep/{session}/{name}", whep.patch)
    app.router.add_delete("/whep/{session}/{name}", whep.delete)
    hls = HlsDoor(calls, whep)
    app.router.add_get("/hls/{session}/index.m3u8", hls.index)
    app.router.add_get("/hls/{session}/{file}", hls.file)
    whip = WhipIn(calls, edges)
    app.router.add_post("/whip/{session}", whip.post)
    app.router.add_route("PATCH", "/whip/{session}/{name}", whip.patch)
    app.router.add_delete("/whip/{session}/{name}", whip.delete)
    push = PushDoor(calls)
    app.router.add_post("/api/v1/sessions/{session}/push", push.post)
    app.router.add_get("/api/v1/sessions/{session}/push", push.get)
    app.router.add_delete("/api/v1/sessions/{session}/push/{name}", push.delete)


class Viewing:
    """The pages and what they read."""

    def __init__(self, calls: Calls, whep: Whep, static: Path) -> None:
        self._calls = calls
        self._whep = whep
        self._static = static

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The viewer page, whether or not there is such a session: it says so itself, and waits for one that pauses."""
        if not self._calls.settings.audience.watch:
            raise web.HTTPNotFound(text="Conversations on this server are not shown to others.\n")
        if request.query.get("via") == "janus":
            with contextlib.suppress(web.HTTPException):  # where it is pushed stands in the page's policy
                await self._whep.watched(request.match_info["session"])
        path = self._static / "view.html"
        allowed = policy_of(request, path.read_text(encoding="utf-8"))
        return web.FileResponse(path, headers={"Cache-Control": "no-cache", POLICY: allowed})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """What viewers see in writing, as server-sent events.

        `?mouth`: the mouth track too; `?playing`: the listener plays the session, by WHEP, where it is counted, or by
        way of the media server (`?via=janus`; `?via=edge` where the settings have it otherwise).
        """
        self._whep.admit(request)
        if self._calls.audience.listeners >= 2 * self._calls.settings.audience.capacity:
            raise web.HTTPServiceUnavailable(text="Every seat is taken; come back in a moment.\n")
        watched = await self._whep.watched(request.match_info["session"])
        session, playing = request.match_info["session"], "playing" in request.query
        via = request.query.get("via", self._calls.settings.audience.via)
        assert watched.shown is not None
        at_janus = playing and via == "janus"
        janus = place_of(self._calls.settings.audience, session, watched.shown.janus) if at_janus else None
        stream = EventStream("mouth" in request.query, not playing or janus is not None)
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        watched.listen(stream, self._calls.personas.card(watched.shown.persona), janus)
        try:
            await stream.serve(request, response)
        finally:
            watched.unlisten(stream)
        return response

    async def list_page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(self._static / "live.html", headers={"Cache-Control": "no-cache"})

    async def sessions(self, request: web.Request) -> web.Response:
        """The sessions there are, where the operator shows them."""
        audience = self._calls.settings.audience
        if not (audience.list and audience.watch) and not is_operator(request):
            raise web.HTTPForbidden(text="This server does not list its conversations.\n")
        personas = self._calls.personas
        rows = [dict(row) for row in self._calls.live()]
        for row in rows:
            portrait = str(row.pop("portrait", ""))
            row.pop("edge", None)
            row["poster"] = f"/avatars/{portrait}/poster.jpg" if personas.poster(portrait) else ""
        return web.json_response({"sessions": rows})

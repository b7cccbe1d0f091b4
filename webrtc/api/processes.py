"""The processes there are, for whoever operates them: which engine each runs, and why."""

from __future__ import annotations

from aiohttp import web

from webrtc.api.problems import Problem
from webrtc.api.sessions import DESK
from webrtc.security import is_operator


async def every(request: web.Request) -> web.StreamResponse:
    """GET /processes."""
    if not is_operator(request):
        raise Problem("forbidden", "This needs the operator's token.")
    return web.json_response({"processes": request.app[DESK].processes()})

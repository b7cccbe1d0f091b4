"""Cross-origin answers of the doors that players on other pages use. Who may is decided in security.py."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from webrtc.edges import OPEN_DOORS
from webrtc.security import NEIGHBOURS

METHODS = "POST, PATCH, DELETE, GET, OPTIONS"
REQUEST_HEADERS = "Authorization, Content-Type, If-Match, Range"
EXPOSED = "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After"


@web.middleware
async def preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers OPTIONS; the security guard before it has refused whoever may not ask."""
    if request.method == "OPTIONS" and OPEN_DOORS.search(request.path):
        posts = request.path.count("/") == 2
        accepts = {"Accept-Post": "application/sdp"} if posts else {"Accept-Patch": "application/trickle-ice-sdpfrag"}
        if request.path.startswith("/hls/"):
            accepts = {}
        return web.Response(status=200, headers=accepts | {"Allow": METHODS})
    return await handler(request)


async def allow(request: web.Request, response: web.StreamResponse) -> None:
    """Before an answer goes out: which page may read it. Nothing is allowed to bear cookies; there are none."""
    origin = request.headers.get("Origin")
    if origin is None or not request.app[NEIGHBOURS].admits(request, origin):
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Vary"] = "Origin"
    response.headers["Access-Control-Expose-Headers"] = EXPOSED
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
        response.headers["Access-Control-Max-Age"] = "600"

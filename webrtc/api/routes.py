"""Puts the REST interface into the edge's application."""

from __future__ import annotations

import asyncio

from aiohttp import web

from broker.config import Settings
from broker.films import Films
from broker.limits import Buckets
from broker.shelf import Shelf
from broker.uploads import Uploads
from webrtc.api import recording
from webrtc.api.desk import Desk
from webrtc.api.document import document
from webrtc.api.films import FILMS, SETTINGS
from webrtc.api.operations import BASE, OPERATIONS
from webrtc.api.playing import ONE_AT_A_TIME, UPLOADS
from webrtc.api.sessions import DESK


def routes(app: web.Application, desk: Desk, settings: Settings) -> None:
    """Every operation, and the document that describes them."""
    app[DESK] = desk
    app[SETTINGS] = settings
    app[FILMS] = Films(settings.path("films"))
    app[recording.BEGUN] = Buckets(recording.PER_S, recording.AT_ONCE)
    app[recording.SHELF] = Shelf.of(settings.path("recordings"), settings.recording)
    app[UPLOADS] = Uploads(settings.path("uploads"))
    app[ONE_AT_A_TIME] = asyncio.Lock()
    described = document(OPERATIONS, guarded=bool(settings.audience.token))

    async def openapi(request: web.Request) -> web.Response:
        return web.json_response(described)

    app.router.add_get(f"{BASE}/openapi.json", openapi)
    for operation in OPERATIONS:
        if operation.handler:
            app.router.add_route(operation.method, BASE + operation.path, operation.handler)

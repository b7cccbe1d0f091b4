"""The edge's HTTP: pages, health, metrics, personas, and the WebSocket of calls. Wires; decides nothing."""

from __future__ import annotations

import os
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from broker.config import ROOT
from webrtc import backdrops, metrics, viewing
from webrtc.api import problems
from webrtc.api.routes import routes
from webrtc.calls import Calls
from webrtc.page_files import PageFiles
from webrtc.personas import MODELS
from webrtc.security import POLICY, SETTINGS, guard, is_operator, policy_of
from webrtc.signaling import Signaling
from webrtc.workshop import Workshop

CALLS: web.AppKey[Calls] = web.AppKey("calls", Calls)

STATIC = ROOT / "static"

LARGEST_BODY = 64 * 1024

POSTER_TYPE, MODEL_TYPE = "image/jpeg", "model/gltf-binary"


def create(calls: Calls, static: Path = STATIC) -> web.Application:
    """The application; `static` holds call.html and what it loads."""
    # Around the guard, so that its refusals are JSON too; within it, so that every answer gets its headers.
    middlewares = [problems.as_json, guard, problems.as_json, problems.unreadable]
    app = web.Application(middlewares=middlewares, client_max_size=LARGEST_BODY)
    _refuse_expectations(app)
    app[SETTINGS] = calls.settings.server
    app[CALLS] = calls
    app.router.add_get("/", _page(static / "call.html"))
    app.router.add_get("/ws", Signaling(calls).handle)
    app.router.add_get("/health", _health)
    app.router.add_get("/ready", _ready)
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/personas", _personas)
    app.router.add_get("/avatars", _page(static / "avatars.html"))
    app.router.add_get("/avatars/{name}/{file}", _avatar)
    app.router.add_get("/static/avatars/{path:.*}", _not_static)
    backdrops.routes(app, calls.settings.path("backdrops"))
    Workshop().add_to(app)
    PageFiles(static).add_to(app)
    app.router.add_static("/static", static)
    app.router.add_get("/console", _page(static / "console.html"))
    viewing.routes(app, calls, static)
    routes(app, calls.desk, calls.settings)
    return app


def _refuse_expectations(app: web.Application) -> None:
    """Of `Expect:` only 100-continue is met; said before aiohttp says it, which repeats the header and fails at one
    that is no text. That happens outside of middlewares, and at addresses that have no route.
    """
    resolve = app.router.resolve

    async def expecting(request: web.Request) -> web.UrlMappingMatchInfo:
        if request.headers.get("Expect", "").lower() not in ("", "100-continue"):
            raise web.HTTPExpectationFailed(text="Nothing but 100-continue can be expected here.\n")
        return await resolve(request)

    app.router.resolve = expecting  # type: ignore[method-assign]


def _page(path: Path) -> Handler:
    async def page(request: web.Request) -> web.StreamResponse:
        if not path.is_file():
            raise web.HTTPNotFound(text="This installation has no such page.\n")
        allowed = policy_of(request, path.read_text(encoding="utf-8"))
        return web.FileResponse(path, headers={"Cache-Control": "no-cache", POLICY: allowed})

    return page


async def _health(request: web.Request) -> web.Response:
    """This process is alive, whatever the others do."""
    return web.json_response({"alive": True})


async def _ready(request: web.Request) -> web.Response:
    """A conversation can start; else 503 and what is missing. `launch` tells bin/up that it is its own edge."""
    missing = request.app[CALLS].missing()
    told = {"ready": not missing, "missing": list(missing), "launch": os.environ.get("VISAVIS_LAUNCH", "")}
    return web.json_response(told, status=503 if missing else 200)


async def _metrics(request: web.Request) -> web.Response:
    if not is_operator(request):
        raise web.HTTPUnauthorized(
            text="This page needs the operator's token.\n", headers={"WWW-Authenticate": "Bearer"}
        )
    calls = request.app[CALLS]
    own = {
        "name": calls.peer.name,
        "kind": "webrtc",
        "state": "ready",
        "sessions": len(calls),
        "load": calls.load,
        "counters": calls.totals(),
    }
    text = metrics.text(calls.processes(), own, calls.latencies, ready=not calls.missing())
    return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def _personas(request: web.Request) -> web.Response:
    return web.json_response(request.app[CALLS].personas.all())


async def _avatar(request: web.Request) -> web.StreamResponse:
    """The picture and the 3D model of a face, whole and light; nothing else of it is public."""
    cards, name = request.app[CALLS].personas, request.match_info["name"]
    models = (cards.model(name), cards.light(name))
    for path, caching in ((cards.poster(name), "max-age=3600"), *((model, "no-cache") for model in models)):
        if path is not None and request.match_info["file"] == path.name:
            kind = MODEL_TYPE if path.suffix in MODELS else POSTER_TYPE
            return web.FileResponse(path, headers={"Cache-Control": caching, "Content-Type": kind})
    raise web.HTTPNotFound(text="There is no such face.\n")


async def _not_static(request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound(text="Faces are at /avatars/.\n")

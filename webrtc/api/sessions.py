"""Running conversations: the list, and what can be done with one."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from webrtc.api import bodies
from webrtc.api.desk import Desk
from webrtc.api.problems import Problem
from webrtc.security import is_operator, token_hash

DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,128}")
_BEARER = re.compile(r"Bearer +(\S{1,200})", re.IGNORECASE)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def caller(request: web.Request) -> dict[str, Any]:
    """Who asks, as `Desk.ask` wants it: a token's hash, and whether it is the operator."""
    found = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    return {"token_hash": token_hash(found[1]) if found else "", "operator": is_operator(request)}


def named(request: web.Request) -> str:
    """The session in the path. Raises Problem."""
    session = request.match_info["session"]
    if not _SESSION.fullmatch(session):
        raise Problem("unknown", "This is not the name of a conversation.")
    return session


async def every(request: web.Request) -> web.StreamResponse:
    """GET /sessions."""
    found = await request.app[DESK].ask("sessions", **caller(request))
    return web.json_response(found)


async def one(request: web.Request) -> web.StreamResponse:
    """GET /sessions/{session}."""
    return web.json_response(await request.app[DESK].ask("look", named(request), **caller(request)))


def doing(what: str, body: type[Any]) -> Handler:
    """A handler of POST /sessions/{session}/`what`: 202, since what follows is told by events."""

    async def handler(request: web.Request) -> web.StreamResponse:
        session = named(request)
        fields = dataclasses.asdict(await bodies.read(request, body))
        if "text" in fields and not fields["text"].strip():
            raise Problem("bad_request", "text is empty.")
        done = await request.app[DESK].ask(what, session, **caller(request), **fields)
        return web.json_response(done, status=202)

    return handler

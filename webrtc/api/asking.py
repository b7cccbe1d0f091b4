"""Questions from those who look on: asked by anybody who knows the conversation, judged by its host."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from webrtc.api.bodies import Ask, read
from webrtc.api.films import SETTINGS
from webrtc.api.problems import Problem
from webrtc.api.sessions import DESK, Handler, caller, named
from webrtc.security import address_of, bearer, is_operator, same


def looks_on(request: web.Request) -> None:
    """Raises Problem for who may not look on, as at the other doors of viewers."""
    audience = request.app[SETTINGS].audience
    if is_operator(request):
        return
    if not audience.watch:
        raise Problem("forbidden", "Conversations on this server are not shown to others.")
    if audience.token and not same(bearer(request), audience.token):
        raise Problem("forbidden", "This needs the token of those who look on.")


async def taking(request: web.Request) -> web.StreamResponse:
    """GET /sessions/{session}/audience."""
    looks_on(request)
    return web.json_response(await request.app[DESK].ask("taking", named(request)))


async def ask(request: web.Request) -> web.StreamResponse:
    """POST /sessions/{session}/questions."""
    looks_on(request)
    session, question = named(request), await read(request, Ask)
    asker = address_of(request)
    told = await request.app[DESK].ask("ask", session, **caller(request), **asdict(question), asker=asker)
    return web.json_response(told, status=202)


async def every(request: web.Request) -> web.StreamResponse:
    """GET /sessions/{session}/questions."""
    return web.json_response(await request.app[DESK].ask("questions", named(request), **caller(request)))


def judging(what: str) -> Handler:
    """A handler of POST /sessions/{session}/questions/{n}/`what`."""

    async def handler(request: web.Request) -> web.StreamResponse:
        number = request.match_info["n"]
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise Problem("unknown", "There is no such question.")
        done = await request.app[DESK].ask(what, named(request), **caller(request), n=int(number))
        return web.json_response(done, status=202)

    return handler

"""/api/v1/sessions/<session>/push: the operator has a session pushed to a WHIP server, and sees how that goes."""

from __future__ import annotations

from aiohttp import web

from webrtc.api.bodies import Push, read
from webrtc.calls import Calls
from webrtc.errors import SdpError
from webrtc.security import is_operator

MOST = 4
"""Pushes of one session."""


class PushDoor:
    """POST {"url", "token"}, GET, DELETE /<id>."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def post(self, request: web.Request) -> web.Response:
        session = self._admitted(request)
        wish = await read(request, Push)
        if len(self._calls.pushes.of(session)) >= MOST:
            raise web.HTTPConflict(text=f"A conversation is pushed to at most {MOST} places.\n")
        try:
            if await self._calls.audience.find(session) is None:
                raise web.HTTPNotFound(text="There is no such conversation (any more).\n")
            push = self._calls.pushes.begin(session, wish.url, wish.token)
        except SdpError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        except TimeoutError:
            raise web.HTTPServiceUnavailable(text="The server is not ready; come back in a moment.\n") from None
        return web.json_response(push.row(), status=201, headers={"Location": f"{request.path}/{push.name}"})

    async def get(self, request: web.Request) -> web.Response:
        session = self._admitted(request)
        return web.json_response({"pushes": [push.row() for push in self._calls.pushes.of(session)]})

    async def delete(self, request: web.Request) -> web.Response:
        session = self._admitted(request)
        if not await self._calls.pushes.end(session, request.match_info["name"]):
            raise web.HTTPNotFound(text="There is no such push.\n")
        return web.Response(status=204)

    @staticmethod
    def _admitted(request: web.Request) -> str:
        if not is_operator(request):
            raise web.HTTPUnauthorized(
                text="This needs the operator's token.\n", headers={"WWW-Authenticate": "Bearer"}
            )
        return request.match_info["session"]

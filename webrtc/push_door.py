"""/api/v1/sessions/<session>/push: the operator has a session pushed to a media server, and sees how that goes.

The broker knows the pushes, so that any edge can be asked; which edge or process carries one out is its business.
"""

from __future__ import annotations

from aiohttp import web

from webrtc.api.bodies import Push, read
from webrtc.calls import Calls
from webrtc.security import is_operator


class PushDoor:
    """POST {"url", "token"}, GET, DELETE /<id>."""

    def __init__(self, calls: Calls) -> None:
        self._desk = calls.desk

    async def post(self, request: web.Request) -> web.Response:
        session = self._admitted(request)
        wish = await read(request, Push)
        row = await self._desk.ask("push", session, operator=True, url=wish.url, token=wish.token)
        return web.json_response(row, status=201, headers={"Location": f"{request.path}/{row['id']}"})

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(await self._desk.ask("pushes", self._admitted(request), operator=True))

    async def delete(self, request: web.Request) -> web.Response:
        await self._desk.ask("unpush", self._admitted(request), operator=True, id=request.match_info["name"])
        return web.Response(status=204)

    @staticmethod
    def _admitted(request: web.Request) -> str:
        if not is_operator(request):
            raise web.HTTPUnauthorized(
                text="This needs the operator's token.\n", headers={"WWW-Authenticate": "Bearer"}
            )
        return request.match_info["session"]

"""/api/v1/sessions/<session>/push: the operator has a session pushed to a WHIP or RTMP server, and sees how that goes.

WHIP pushes are this edge's own (whip_out.py); those by RTMP are made by the process of the outputs, and known to the
broker.
"""

from __future__ import annotations

import json

from aiohttp import web

from broker.rtmp_address import is_rtmp
from webrtc.api.problems import Problem
from webrtc.calls import Calls
from webrtc.errors import SdpError
from webrtc.security import is_operator

MOST = 4
"""Pushes of one session by WHIP."""


class PushDoor:
    """POST {"url", "token"}, GET, DELETE /<id>."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def post(self, request: web.Request) -> web.Response:
        session = self._admitted(request)
        try:
            wish = json.loads(await request.text())
            url, token = wish["url"], wish.get("token", "")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise web.HTTPBadRequest(text='Send {"url": "https://… or rtmp://…", "token": "…"}.\n') from None
        if not isinstance(url, str) or not isinstance(token, str) or len(url) + len(token) > 4000:
            raise web.HTTPBadRequest(text="The address and the token are text.\n")
        if is_rtmp(url):
            row = await self._calls.desk.ask("push", session, operator=True, url=url)
        else:
            row = await self._by_whip(session, url, token)
        return web.json_response(row, status=201, headers={"Location": f"{request.path}/{row['id']}"})

    async def get(self, request: web.Request) -> web.Response:
        session = self._admitted(request)
        rows = [push.row() for push in self._calls.pushes.of(session)]
        try:
            rows += (await self._calls.desk.ask("pushes", session, operator=True))["pushes"]
        except Problem:
            if not rows:  # this edge's own go on while the broker restarts
                raise
        return web.json_response({"pushes": rows})

    async def delete(self, request: web.Request) -> web.Response:
        session, name = self._admitted(request), request.match_info["name"]
        if not await self._calls.pushes.end(session, name):
            await self._calls.desk.ask("unpush", session, operator=True, id=name)
        return web.Response(status=204)

    async def _by_whip(self, session: str, url: str, token: str) -> dict[str, str]:
        if len(self._calls.pushes.of(session)) >= MOST:
            raise web.HTTPConflict(text=f"A conversation is pushed to at most {MOST} places.\n")
        try:
            if await self._calls.audience.find(session) is None:
                raise web.HTTPNotFound(text="There is no such conversation (any more).\n")
            return self._calls.pushes.begin(session, url, token).row()
        except SdpError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        except TimeoutError:
            raise web.HTTPServiceUnavailable(text="The server is not ready; come back in a moment.\n") from None

    @staticmethod
    def _admitted(request: web.Request) -> str:
        if not is_operator(request):
            raise web.HTTPUnauthorized(
                text="This needs the operator's token.\n", headers={"WWW-Authenticate": "Bearer"}
            )
        return request.match_info["session"]

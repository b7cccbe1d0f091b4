"""/api/v1/sessions/<session>/push: the operator has a session pushed to a media server, and sees how that goes.

Pushes by WHIP and into Janus are this edge's own (pushes.py); those by RTMP are made by the process of the outputs, and
known to the broker.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from broker.rtmp_address import is_rtmp
from broker.streaming import PushTold
from webrtc.api.bodies import Push, read
from webrtc.api.problems import Problem
from webrtc.calls import Calls
from webrtc.errors import SdpError
from webrtc.security import is_operator

BY_RTMP = re.compile(r"[0-9a-f]{24}")
"""What the broker calls an output; see broker/outputs.py."""

MOST = 4
"""Pushes of one session by WHIP."""


class PushDoor:
    """POST {"url", "token"}, GET, DELETE /<id>."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def post(self, request: web.Request) -> web.Response:
        session = self._admitted(request)
        wish = await read(request, Push)
        if is_rtmp(wish.url):
            row: Mapping[str, Any] = await self._calls.desk.ask("push", session, operator=True, url=wish.url)
        else:
            row = await self._by_whip(session, wish.url, wish.token)
        return web.json_response(row, status=201, headers={"Location": f"{request.path}/{row['id']}"})

    async def get(self, request: web.Request) -> web.Response:
        session = self._admitted(request)
        rows: list[Mapping[str, Any]] = [push.row() for push in self._calls.pushes.of(session)]
        try:
            rows += (await self._calls.desk.ask("pushes", session, operator=True))["pushes"]
        except Problem:
            if not rows:  # this edge's own go on while the broker restarts
                raise
        return web.json_response({"pushes": rows})

    async def delete(self, request: web.Request) -> web.Response:
        session, name = self._admitted(request), request.match_info["name"]
        if not await self._calls.pushes.end(session, name):
            if not BY_RTMP.fullmatch(name):
                raise web.HTTPNotFound(text="There is no such push (any more).\n")
            await self._calls.desk.ask("unpush", session, operator=True, id=name)
        return web.Response(status=204)

    async def _by_whip(self, session: str, url: str, token: str) -> PushTold:
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

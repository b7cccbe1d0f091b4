"""Recordings: begun and ended for a conversation, listed, fetched and removed for the operator."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

from aiohttp import web

from broker.clock import now_ns
from broker.limits import Buckets
from broker.shelf import NoRoomError, Shelf, TapeTold
from webrtc.api.bodies import described, read
from webrtc.api.films import operator
from webrtc.api.problems import Problem
from webrtc.api.sessions import DESK, caller, named
from webrtc.security import address_of

SHELF: web.AppKey[Shelf] = web.AppKey("shelf", Shelf)

PER_S, AT_ONCE = 1 / 10, 5
"""One caller's address: five recordings, then one every ten seconds."""

BEGUN: web.AppKey[Buckets] = web.AppKey("recordings begun", Buckets)

TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".vtt": "text/vtt; charset=utf-8",
    ".jsonl": "application/x-ndjson; charset=utf-8",
    ".json": "application/json; charset=utf-8",
}


@dataclass(frozen=True, kw_only=True)
class Record:
    """Record a conversation from now on: picture and voice of the avatar, the words of both."""

    format: str = described("", "Empty: as the installation has it.", known=("mp4", "webm", "both"))
    sound: str = described("", "In MP4. AAC plays everywhere; Opus is what a call sends.", known=("opus", "aac"))


class TapesTold(TypedDict):
    recordings: list[TapeTold]


async def begin(request: web.Request) -> web.StreamResponse:
    """POST /sessions/{session}/recording."""
    session, wanted = named(request), await read(request, Record)
    who = caller(request)
    await request.app[DESK].ask("recording", session, **who)  # who may not is told so before anything of the disk
    if not who["operator"] and not request.app[BEGUN].take(address_of(request), now_ns()):
        raise Problem("rate", "That was many recordings in a short time. Please wait a little.")
    try:
        await asyncio.to_thread(request.app[SHELF].check)
    except NoRoomError as error:
        raise Problem("full", str(error)) from None
    return web.json_response(await request.app[DESK].ask("record", session, **who, **asdict(wanted)), status=202)


async def state(request: web.Request) -> web.StreamResponse:
    """GET /sessions/{session}/recording."""
    return web.json_response(await request.app[DESK].ask("recording", named(request), **caller(request)))


async def end(request: web.Request) -> web.StreamResponse:
    """DELETE /sessions/{session}/recording."""
    return web.json_response(await request.app[DESK].ask("unrecord", named(request), **caller(request)))


async def every(request: web.Request) -> web.StreamResponse:
    """GET /recordings."""
    operator(request)
    return web.json_response(TapesTold(recordings=await asyncio.to_thread(request.app[SHELF].every)))


async def one(request: web.Request) -> web.StreamResponse:
    """GET /recordings/{name}."""
    place = _place(request)
    return web.json_response(await asyncio.to_thread(request.app[SHELF].told, place))


async def remove(request: web.Request) -> web.StreamResponse:
    """DELETE /recordings/{name}."""
    await asyncio.to_thread(request.app[SHELF].remove, _place(request))
    return web.Response(status=204)


async def file(request: web.Request) -> web.StreamResponse:
    """GET /recordings/{name}/{file}; with Range."""
    operator(request)
    path = request.app[SHELF].file(request.match_info["name"], request.match_info["file"])
    if path is None:
        raise Problem("unknown", "There is no such file of a recording.")
    disposition = f'inline; filename="{path.parent.name}.{path.name}"'
    headers = {"Content-Type": TYPES[path.suffix], "Cache-Control": "private", "Content-Disposition": disposition}
    return web.FileResponse(path, headers=headers)


def _place(request: web.Request) -> Path:
    operator(request)
    place = request.app[SHELF].find(request.match_info["name"])
    if place is None:
        raise Problem("unknown", "There is no such recording (any more).")
    return place

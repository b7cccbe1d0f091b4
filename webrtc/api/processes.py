"""The processes there are, for whoever operates them: which engine each runs, and why."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from aiohttp import web

from broker.messages import KINDS
from broker.noted import Note
from webrtc.api.problems import Problem
from webrtc.api.sessions import DESK
from webrtc.security import is_operator


class ProcessTold(TypedDict):
    """A process as the broker last knew it."""

    name: str
    kind: Annotated[str, Note("", KINDS)]
    state: Annotated[str, Note("starting, ready or stopping.")]
    engine: Annotated[str, Note("Empty where there is none to choose.")]
    detail: Annotated[str, Note("Why it has this engine, or what it waits for.")]
    sessions: int


class ProcessesTold(TypedDict):
    processes: list[ProcessTold]


def _told(row: dict[str, Any]) -> ProcessTold:
    return {
        "name": row["name"],
        "kind": row["kind"],
        "state": row["state"],
        "engine": row["engine"],
        "detail": row["detail"],
        "sessions": row["sessions"],
    }


async def every(request: web.Request) -> web.StreamResponse:
    """GET /processes."""
    if not is_operator(request):
        raise Problem("forbidden", "This needs the operator's token.")
    told: ProcessesTold = {"processes": [_told(row) for row in request.app[DESK].processes()]}
    return web.json_response(told)

"""A conversation's events to programs: by server-sent events, with what a listener missed, or by WebSocket."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, TypedDict

from aiohttp import WSMsgType, web

from broker.messages import Told
from broker.noted import Note
from webrtc.api.problems import Problem
from webrtc.api.sessions import DESK, caller, named
from webrtc.upgrading import upgrade

QUEUED = 2_000
"""Events a listener may be behind; then it is cut off, and may come back with Last-Event-ID."""

BEAT_S = 10.0
MOST = 200
"""Listeners of one edge."""

HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class EventTold(TypedDict):
    """Something that happened in a conversation; what `data` is, `Event` in broker/messages.py says for each kind."""

    seq: Annotated[int, Note("For Last-Event-ID.")]
    session: str
    kind: str
    turn: Annotated[int, Note("Of which answer; 0: of none.")]
    data: dict[str, Any]


class Line:
    """The events on their way to one listener, each once and in order."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[EventTold | None] = asyncio.Queue(QUEUED + 1)
        self._replaying: list[Told] | None = []
        self._last = -1

    def hear(self, told: Told) -> None:
        """An event has come."""
        if self._replaying is not None:
            self._replaying.append(told)
        else:
            self._put(told.seq, told.kind, told.turn, told.data, told.session)

    def begin(self, session: str, missed: list[list[Any]]) -> None:
        """First what was missed, then what came meanwhile, then all that comes."""
        meanwhile, self._replaying = self._replaying or [], None
        for seq, kind, turn, data in missed:
            self._put(seq, kind, turn, data, session)
        for told in meanwhile:
            if told.seq > self._last:
                self.hear(told)

    async def next(self) -> EventTold | None:
        """The next event; None ends it. Raises TimeoutError when there is none for a while."""
        async with asyncio.timeout(BEAT_S):
            return await self._waiting.get()

    def _put(self, seq: int, kind: str, turn: int, data: dict[str, Any], session: str) -> None:
        self._last = seq
        if self._waiting.qsize() < QUEUED:
            over = kind == "session" and data.get("state") == "closed"
            self._waiting.put_nowait({"seq": seq, "session": session, "kind": kind, "turn": turn, "data": data})
            if over:
                self._end()
        else:
            self._end()

    def _end(self) -> None:
        if not self._waiting.full():
            self._waiting.put_nowait(None)


async def events(request: web.Request) -> web.StreamResponse:
    """GET /sessions/{session}/events."""
    session, desk, who = named(request), request.app[DESK], caller(request)
    since = _since(request)
    if desk.listeners >= MOST:
        raise Problem("busy", f"{MOST} programs listen already.")
    line = Line()
    desk.listen(session, line.hear)
    try:
        missed = await desk.ask("events", session, **who, since=since)
        line.begin(session, missed["events"] if since >= 0 else [])
        socket = request.headers.get("Upgrade", "").lower() == "websocket"
        return await (_by_socket if socket else _by_stream)(request, line)
    finally:
        desk.unlisten(session, line.hear)


def _since(request: web.Request) -> int:
    text = request.headers.get("Last-Event-ID", "")
    if not text:
        return -1
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Problem("bad_request", "Last-Event-ID is the number of an event.")
    return int(text)


async def _by_stream(request: web.Request, line: Line) -> web.StreamResponse:
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    await response.write(b": listening\n\n")
    while True:
        try:
            event = await line.next()
        except TimeoutError:
            await response.write(b": \n\n")
            continue
        if event is None:
            return response
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        await response.write(f"id: {event['seq']}\nevent: {event['kind']}\ndata: {text}\n\n".encode())


async def _by_socket(request: web.Request, line: Line) -> web.StreamResponse:
    socket = web.WebSocketResponse(heartbeat=BEAT_S, max_msg_size=1024)
    await upgrade(socket, request)
    writing = asyncio.ensure_future(_write(socket, line))
    try:
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
    finally:
        writing.cancel()
    return socket


async def _write(socket: web.WebSocketResponse, line: Line) -> None:
    while not socket.closed:
        try:
            event = await line.next()
        except TimeoutError:
            continue
        if event is None:
            await socket.close()
            return
        await socket.send_str(json.dumps(event, ensure_ascii=False, separators=(",", ":")))

"""Server-sent events to one listener: a bounded queue, so that a page that does not read stops nobody."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import web

QUEUED = 400
"""Messages a listener may be behind: eight seconds of a 3D page's mouth track."""

BEAT_S = 10.0
"""A comment this often: proxies close what is silent, and a listener that has vanished shows when it is written to."""

HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def encoded(kind: str, fields: dict[str, Any]) -> bytes:
    """One message as the wire has it; made once for all listeners."""
    text = json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":"))
    return f"data: {text}\n\n".encode()


class EventStream:
    """One listener. `mouth`: it draws the face itself; `counts`: it is a viewer of its own, without a WHEP resource."""

    def __init__(self, mouth: bool, counts: bool) -> None:
        self.mouth = mouth
        self.counts = counts
        self.relayed = False
        """It plays from a media server."""
        self.overflowed = False
        self._waiting: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._ending = False
        self._abort: Callable[[], None] = lambda: None

    def send(self, message: bytes) -> None:
        """Queue it. A listener that is too far behind is given up: it comes back and starts level."""
        if len(self._waiting) >= QUEUED:
            self.overflowed = True
            self._waiting.clear()
            self.end()
            self._abort()  # a writer that waits for such a listener would wait for ever
        elif not self._ending:
            self._waiting.append(message)
            self._arrived.set()

    def end(self) -> None:
        """Close once what is queued has gone."""
        self._ending = True
        self._arrived.set()

    async def serve(self, request: web.Request, response: web.StreamResponse) -> None:
        """Write until it ends, on either side."""
        if request.transport:
            self._abort = request.transport.abort
        try:
            while self._waiting or not self._ending:
                if self._waiting:
                    await response.write(self._waiting.popleft())
                    continue
                self._arrived.clear()
                try:
                    async with asyncio.timeout(BEAT_S):
                        await self._arrived.wait()
                except TimeoutError:
                    await response.write(b": \n\n")
        except (ConnectionError, asyncio.CancelledError):
            pass

"""What the edge says to one page: a bounded queue and one writer, so that a page that does not read stops nobody."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import web

from webrtc.errors import PageError

QUEUED = 400
"""Messages a page may be behind: eight seconds of a 3D page's mouth track."""


class PageSocket:
    """One WebSocket's outgoing side. `send` never waits."""

    def __init__(self, socket: web.WebSocketResponse, abort: Callable[[], None]) -> None:
        self._socket = socket
        self._abort = abort
        self._waiting: deque[str] = deque()
        self._arrived = asyncio.Event()
        self._ending = False
        self._writer = asyncio.ensure_future(self._write())
        self.overflowed = False
        self.welcomed = False
        """The page was told its session."""

    @property
    def open(self) -> bool:
        return not self._ending and not self._socket.closed

    def send(self, kind: str, /, **fields: Any) -> None:
        """Queue a message. A page that is too far behind is given up: it reconnects and starts level."""
        if not self.open:
            return
        if len(self._waiting) >= QUEUED:
            self.overflowed = True
            self.abort()
            return
        self._waiting.append(json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":")))
        self._arrived.set()

    def error(self, error: PageError) -> None:
        self.send("error", code=error.code, text=error.text, fatal=error.fatal)

    def end(self) -> None:
        """Close once what is queued has gone."""
        self._ending = True
        self._arrived.set()

    def abort(self) -> None:
        """Close now: a closing handshake needs somebody who reads."""
        self._ending = True
        self._waiting.clear()
        self._writer.cancel()
        self._abort()

    async def finish(self) -> None:
        """Wait for the writer; used when the reading side has ended."""
        self.end()
        await asyncio.wait([self._writer], timeout=1.0)
        self._writer.cancel()

    async def _write(self) -> None:
        try:
            while self._waiting or not self._ending:
                if not self._waiting:
                    self._arrived.clear()
                    await self._arrived.wait()
                    continue
                await self._socket.send_str(self._waiting.popleft())
            await self._socket.close()
        except (ConnectionError, RuntimeError):
            self._ending = True

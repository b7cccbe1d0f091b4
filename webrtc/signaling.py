"""/ws: one page's WebSocket, from its hello to its end. The words are in page_messages.py."""

from __future__ import annotations

import asyncio
import socket as sockets
import struct

from aiohttp import WSMsgType, web

from broker.clock import NS_PER_S, now_ns
from broker.limits import Bucket, Buckets
from webrtc import page_messages
from webrtc.call import Call
from webrtc.calls import Calls
from webrtc.errors import BadMessage, PageError, RateError
from webrtc.page_socket import PageSocket
from webrtc.security import address_of
from webrtc.upgrading import upgrade

HELLO_S = 10.0
"""A page that has not said hello by then is no page."""

BEAT_S = 2.0
"""Between two pings of ours. Browsers answer them without the page's help."""

SILENT_NS = 8 * NS_PER_S
"""Without a pong or a word for so long the page has vanished (a closed lid says nothing)."""

SENT_AHEAD = 16_384
"""Bytes that the system, and as many that aiohttp, may keep for a page: with megabytes, as they would, one that does
not read is noticed after ten minutes."""

MESSAGES_PER_S, MESSAGE_BURST = 50, 200
CONNECTIONS_PER_S, CONNECTION_BURST = 2, 40
"""Per address; a page that reconnects in a tight loop is slowed, a classroom behind one address is not."""


class Signaling:
    """The handler of /ws. One per process: it keeps the limits per address."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._connections = Buckets(CONNECTIONS_PER_S, CONNECTION_BURST)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one page until it leaves."""
        if not self._connections.take(address_of(request), now_ns()):
            self._calls.count("connections_refused")
            raise web.HTTPTooManyRequests(text="Too many connections; wait some seconds.\n")
        socket = web.WebSocketResponse(autoping=False, max_msg_size=2 * page_messages.LONGEST_MESSAGE, compress=False)
        await upgrade(socket, request)
        assert request.transport is not None
        request.transport.get_extra_info("socket").setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SENT_AHEAD)
        request.transport.set_write_buffer_limits(high=SENT_AHEAD)
        await _Conversation(self._calls, socket, PageSocket(socket, request.transport.abort)).run()
        return socket


class _Conversation:
    """One WebSocket."""

    def __init__(self, calls: Calls, socket: web.WebSocketResponse, page: PageSocket) -> None:
        self._calls = calls
        self._socket = socket
        self._page = page
        self._call: Call | None = None
        self._bucket = Bucket(MESSAGES_PER_S, MESSAGE_BURST)
        self._heard_ns = now_ns()
        self._final = False

    async def run(self) -> None:
        beat = asyncio.ensure_future(self._beat())
        hello = asyncio.get_running_loop().call_later(HELLO_S, self._no_hello)
        try:
            async for message in self._socket:
                self._heard_ns = now_ns()
                if message.type == WSMsgType.PONG:
                    self._pong(message.data)
                elif message.type == WSMsgType.PING:
                    await self._socket.pong(message.data)
                elif not self._said(message.data if message.type in (WSMsgType.TEXT, WSMsgType.BINARY) else None):
                    break
        finally:
            beat.cancel()
            hello.cancel()
            if self._page.overflowed:
                self._calls.count("pages_too_slow")
            if self._call:
                self._calls.goodbye(self._call, self._page, self._final)
            await self._page.finish()

    def _said(self, data: str | bytes | None) -> bool:
        """One message of the page; False when the conversation is over."""
        try:
            if isinstance(data, bytes) and self._call:
                self._call.page_sounds(data)
                return self._page.open
            if not self._bucket.take(now_ns()):
                raise RateError
            if not isinstance(data, str):
                raise BadMessage("A message is text.", fatal=True)
            self._understood(page_messages.parse(data))
        except PageError as error:
            self._calls.count(f"page_error_{error.code}")
            self._page.error(error)
            return not error.fatal
        return not self._final and self._page.open

    def _understood(self, message: page_messages.PageMessage) -> None:
        if isinstance(message, page_messages.Bye):
            self._final = True
        elif isinstance(message, page_messages.Ping):
            self._ping(message)
        elif self._call is None:
            if not isinstance(message, page_messages.Hello):
                raise BadMessage("The first message is hello.", fatal=True)
            self._call = self._calls.hello(self._page, message)
        else:
            self._call.page_says(message)

    def _ping(self, message: page_messages.Ping) -> None:
        now = now_ns()
        if self._call:
            self._call.page_clock.ping(message.t, now)
        self._page.send("pong", t=message.t)

    def _no_hello(self) -> None:
        if self._call is None:
            self._page.error(BadMessage("The first message is hello.", fatal=True))
            self._page.end()

    async def _beat(self) -> None:
        """Measure the way to the page, and see that it is still there."""
        while not self._socket.closed:
            if now_ns() - self._heard_ns > SILENT_NS:
                self._calls.count("pages_vanished")
                self._page.abort()
                return
            try:
                await self._socket.ping(struct.pack("!Q", now_ns()))
            except (ConnectionError, RuntimeError):
                return
            await asyncio.sleep(BEAT_S)

    def _pong(self, data: bytes) -> None:
        if self._call and len(data) == 8:
            now = now_ns()
            took_ns = now - struct.unpack("!Q", data)[0]
            if 0 <= took_ns < 10 * NS_PER_S:
                self._call.page_clock.round_trip(took_ns, now)

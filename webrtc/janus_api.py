"""Janus' own WebSocket API, as far as its streaming plugin's mountpoints need it. No media."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from broker.foreign_json import read_json
from webrtc.pushing import PushError

ANSWER_S = 5.0
KEEP_S = 20.0
"""Janus forgets a session that was silent for 60 s."""

LARGEST = 256 * 1024
ALREADY_THERE = 456


class JanusRefusal(PushError):
    """Janus' answer to a request it does not grant; `code` is its own."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"Janus refuses ({code}): {reason}")
        self.code = code


class JanusPlugin:
    """The streaming plugin, asked over one connection. `gone` is set when Janus has gone away."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.gone = asyncio.Event()
        self._socket = socket
        self._session = 0
        self._handle = 0
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def open(self) -> None:
        """A session and a handle of the plugin. Raises PushError."""
        self._session = int((await self._send(janus="create"))["data"]["id"])
        plugin = await self._send(janus="attach", plugin="janus.plugin.streaming")
        self._handle = int(plugin["data"]["id"])

    async def ask(self, request: str, **fields: Any) -> dict[str, Any]:
        """The plugin's answer. Raises JanusRefusal when it says no, PushError when it says nothing."""
        told = await self._send(janus="message", handle_id=self._handle, body={"request": request, **fields})
        data: dict[str, Any] = told.get("plugindata", {}).get("data", {})
        if "error_code" in data:
            raise JanusRefusal(int(data["error_code"]), str(data.get("error", "")))
        return data

    async def read(self) -> None:
        """Files the answers until Janus goes away."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.json(loads=read_json))
        except ValueError:
            pass  # not JSON: this is not a Janus
        finally:
            self.gone.set()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(PushError("Janus has gone away."))

    async def keep(self) -> None:
        """Says now and then that this session is still wanted."""
        while True:
            await asyncio.sleep(KEEP_S)
            with contextlib.suppress(PushError):
                await self._send(janus="keepalive")

    async def _send(self, **fields: Any) -> dict[str, Any]:
        transaction = secrets.token_hex(8)
        session = {"session_id": self._session} if self._session else {}
        answer = self._waiting[transaction] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._socket.send_json({**fields, **session, "transaction": transaction})
                told = await answer
        except (ConnectionError, TimeoutError) as error:
            raise PushError("Janus does not answer.") from error
        finally:
            self._waiting.pop(transaction, None)
        if told.get("janus") == "error":
            why = told.get("error", {})
            raise JanusRefusal(int(why.get("code", 0)), str(why.get("reason", "")))
        return told

    def _take(self, told: Any) -> None:
        waiting = self._waiting.get(str(told.get("transaction", ""))) if isinstance(told, dict) else None
        if waiting and not waiting.done():
            waiting.set_result(told)


@contextlib.asynccontextmanager
async def streaming(url: str) -> AsyncIterator[JanusPlugin]:
    """The streaming plugin of the Janus whose WebSocket is at `url`. Raises PushError."""
    async with aiohttp.ClientSession() as http:
        try:
            async with asyncio.timeout(ANSWER_S):
                socket = await http.ws_connect(url, protocols=("janus-protocol",), max_msg_size=LARGEST)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise PushError(f"Janus cannot be reached ({type(error).__name__}).") from error
        plugin = JanusPlugin(socket)
        tasks = [asyncio.ensure_future(work) for work in (plugin.read(), plugin.keep())]
        try:
            await plugin.open()
            yield plugin
        finally:
            for task in tasks:
                task.cancel()
            await socket.close()

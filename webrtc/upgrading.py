"""A request becomes a WebSocket, or is told in words that it cannot."""

from __future__ import annotations

from aiohttp import web


async def upgrade(socket: web.WebSocketResponse, request: web.Request) -> None:
    """Raises 400 for what is no handshake.

    aiohttp 3 refuses most of these itself, but stumbles over a key that is not ASCII, and over quoting bytes that are
    no text.
    """
    try:
        await socket.prepare(request)
    except ValueError:
        raise web.HTTPBadRequest(text="This is not the handshake of a WebSocket.\n") from None

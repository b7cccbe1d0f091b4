"""Errors of the REST interface: always JSON, `{"code": …, "text": …}`, the text a sentence for people."""

from __future__ import annotations

import errno

from aiohttp import web
from aiohttp.typedefs import Handler

PREFIX = "/api/"

STATUS = {
    "bad_request": 400,
    "switch": 400,
    "unauthorised": 401,
    "forbidden": 403,
    "unknown": 404,
    "method": 405,
    "conflict": 409,
    "off": 409,
    "too_large": 413,
    "media_type": 415,
    "busy": 429,
    "rate": 429,
    "full": 507,
    "not_ready": 503,
}
"""Every code, with its HTTP status."""

_CODES = {400: "bad_request", 401: "unauthorised", 403: "forbidden", 404: "unknown", 405: "method", 409: "conflict",
          413: "too_large", 415: "media_type", 429: "rate", 503: "not_ready"}  # fmt: skip


class Problem(Exception):
    """Something the client is told. `code` is one of `STATUS`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@web.middleware
async def unreadable(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A body that is not what its headers say, and a name that no file can have, are the client's doing."""
    try:
        return await handler(request)
    except web.RequestPayloadError:
        raise web.HTTPBadRequest(text="The body is not encoded as its headers say.\n") from None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise web.HTTPNotFound(text="There is nothing of such a long name.\n") from None


@web.middleware
async def as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever goes wrong under `PREFIX` into JSON; other paths keep their plain sentences."""
    if not request.path.startswith(PREFIX):
        return await handler(request)
    try:
        return await handler(request)
    except Problem as problem:
        return _answer(STATUS[problem.code], problem.code, str(problem))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = _CODES.get(error.status, "bad_request")
        kept = {
            name: error.headers[name]
            for name in error.headers
            if name.lower() not in ("content-type", "content-length")
        }
        return _answer(error.status, code, _sentence(error), kept)


_SENTENCES = {
    404: "There is nothing here; GET /api/v1/openapi.json lists what there is.",
    405: "This cannot be done here; GET /api/v1/openapi.json lists what can.",
    413: "That is too large.",
}
"""In place of what the library says by itself."""


def _sentence(error: web.HTTPException) -> str:
    text = (error.text or "").strip()
    by_itself = not text or text.startswith(f"{error.status}:") or error.status == 413
    return _SENTENCES.get(error.status, error.reason) if by_itself else text


def _answer(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> web.Response:
    more = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return web.json_response({"code": code, "text": text}, status=status, headers=(headers or {}) | more)

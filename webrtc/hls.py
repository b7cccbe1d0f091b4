"""/hls/<session>/: a session as HTTP live streaming. Made when somebody asks for it, by the process of the outputs;
here it is only served, to whoever may look on.
"""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

from aiohttp import web

from webrtc.calls import Calls
from webrtc.watched import Watched
from webrtc.whep import Whep

INDEX = "index.m3u8"
PLAYLIST_TYPE, SEGMENT_TYPE = "application/vnd.apple.mpegurl", "video/mp4"

STARTS_S = 12.0
"""A face that nobody looked at is drawn again, and two segments are made, within this; else: come back."""

LOOK_S = 0.1

STALE_S = 10.0
"""A playlist is written anew with each segment; one this old is of a maker that has died."""

ENOUGH = 2
"""Segments a player needs in order to begin without a pause after the first."""

SEGMENT = re.compile(r"(init-\d{1,15}\.mp4|\d{1,15}\.m4s)")
SESSION = re.compile(r"[A-Za-z0-9_-]{8,64}")


class HlsDoor:
    """GET index.m3u8 and the files it names."""

    def __init__(self, calls: Calls, whep: Whep) -> None:
        self._calls = calls
        self._whep = whep

    async def index(self, request: web.Request) -> web.Response:
        """The playlist. A first request waits until there is something to play."""
        self._whep.admit(request)
        place = self._place(request)
        try:
            watched = await self._whep.watched(request.match_info["session"])
        except web.HTTPNotFound:
            if "#EXT-X-ENDLIST" in (text := _text(place)):  # its last seconds
                return self._playlist(text)
            raise
        return self._playlist(await self._begun(place, watched))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A segment, or what a decoder is told before."""
        self._whep.admit(request)
        name = request.match_info["file"]
        path = self._place(request) / name
        if not SEGMENT.fullmatch(name) or not path.is_file():
            raise web.HTTPNotFound(text="There is no such segment (any more).\n")
        headers = {"Content-Type": SEGMENT_TYPE, "Cache-Control": f"{self._whose}, max-age=60, immutable"}
        return web.FileResponse(path, headers=headers)

    async def _begun(self, place: Path, watched: Watched) -> str:
        """The playlist, once it is new and long enough. Raises 503 when it does not come."""
        deadline = time.monotonic() + STARTS_S
        while time.monotonic() < deadline and not watched.over:
            self._calls.audience.hls(watched)
            text = _text(place)
            if text.count("#EXTINF:") >= ENOUGH and time.time() - (place / INDEX).stat().st_mtime < STALE_S:
                return text
            await asyncio.sleep(LOOK_S)
        raise web.HTTPServiceUnavailable(
            text="The stream does not begin: the outputs process is not running here, or the face is not drawn yet.\n",
            headers={"Retry-After": "2"},
        )

    def _playlist(self, text: str) -> web.Response:
        headers = {"Cache-Control": "no-cache" if self._whose == "public" else "private, no-cache"}
        return web.Response(text=text, content_type=PLAYLIST_TYPE, headers=headers)

    @property
    def _whose(self) -> str:
        """Whether caches on the way may hand it on: not where viewers need a secret."""
        return "private" if self._calls.settings.audience.token else "public"

    def _place(self, request: web.Request) -> Path:
        session = request.match_info["session"]
        if not SESSION.fullmatch(session):
            raise web.HTTPNotFound(text="There is no such conversation.\n")
        return self._calls.settings.hls_folder() / session


def _text(place: Path) -> str:
    try:
        return (place / INDEX).read_text(encoding="utf-8")
    except OSError:
        return ""

"""The modules and style sheets of the pages, from memory: a page asks for some forty of them at once, while the edge
has media to send. What is larger, and everything else, is for aiohttp's own file server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from aiohttp import web

TYPES = {".mjs": "text/javascript", ".css": "text/css"}
"""By their endings."""

LARGEST = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class PageFile:
    """One of them, as it was read."""

    path: Path
    written_ns: int
    content: bytes
    headers: Mapping[str, str]


class PageFiles:
    """Those under `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._read: dict[str, PageFile] = {}

    def add_to(self, app: web.Application) -> None:
        """Before the file server of the same addresses."""
        app.router.add_get("/static/{path:(?:js|css)/.+}", self.get)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """The file as it is now, or that it has not changed."""
        name = request.match_info["path"]
        file = self._kept(name)
        if file is None:
            path = self._path(name)
            if path.suffix not in TYPES or path.stat().st_size > LARGEST:
                return web.FileResponse(path)
            file = self._read[name] = _read(path)
        if any(f'"{tag.value}"' == file.headers["ETag"] for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=file.headers)
        return web.Response(body=file.content, headers=file.headers)

    def _kept(self, name: str) -> PageFile | None:
        """None when it was not read yet, or is another one now."""
        file = self._read.get(name)
        try:
            return file if file and file.path.stat().st_mtime_ns == file.written_ns else None
        except OSError:
            return None

    def _path(self, name: str) -> Path:
        """Raises 404 where there is no such file in the folder."""
        try:
            path = (self._folder / name).resolve()
            there = path.is_relative_to(self._folder) and path.is_file()
        except (OSError, ValueError):
            there = False
        if not there:
            raise web.HTTPNotFound
        return path


def _read(path: Path) -> PageFile:
    written_ns, content = path.stat().st_mtime_ns, path.read_bytes()
    headers = {
        "Content-Type": f"{TYPES[path.suffix]}; charset=utf-8",
        "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        "Last-Modified": formatdate(written_ns / 1e9, usegmt=True),
    }
    return PageFile(path=path, written_ns=written_ns, content=content, headers=headers)

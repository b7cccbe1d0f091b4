"""The operator's page for faces: a file comes in, `bin/avatar` judges it in a process of its own, its words go out.

The edge opens no picture itself: that would be in the process of everybody's calls.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from broker.config import ROOT
from webrtc.security import is_operator

LARGEST_UPLOAD = 300 * 1024 * 1024
LARGEST_ANSWER = 2 * 1024 * 1024
LARGEST_PREVIEW = 12 * 1024 * 1024
GIVEN_UP_S = 280
"""The command gives up by itself before; this is for a machine that stands still."""
COMMAND = (sys.executable, "-m", "workers.lipsync.adding")

Answer = dict[str, Any]


class Workshop:
    """One file at a time: it takes a core for seconds, and people are talking."""

    def __init__(self) -> None:
        self._busy = asyncio.Lock()

    def add_to(self, app: web.Application) -> None:
        """Routes, all of them for the operator only."""
        app.router.add_get("/workshop/avatars", _operators(self._list))
        app.router.add_post("/workshop/check", _operators(self._check))
        app.router.add_post("/workshop/avatars/{name}", _operators(self._add))

    async def _list(self, request: web.Request) -> web.Response:
        return _told(await self._run("list"))

    async def _check(self, request: web.Request) -> web.Response:
        """The report of the file in the body, with `preview`: a picture of everything the face can show."""
        return await self._one_at_a_time(request, self._examine)

    async def _add(self, request: web.Request) -> web.Response:
        """Make the file in the body an avatar. Query: `title`, `face`, `consent=yes`, `replace=yes`."""
        return await self._one_at_a_time(request, self._make)

    async def _examine(self, request: web.Request, file: Path) -> Answer:
        sheet = file.parent / "sheet" / "preview.png"
        sheet.parent.mkdir()
        answer = await self._run("preview", f"--out={sheet}", f"--face={_face(request)}", str(file))
        if sheet.is_file() and sheet.stat().st_size <= LARGEST_PREVIEW:
            encoded = base64.b64encode(await asyncio.to_thread(sheet.read_bytes)).decode()
            return answer | {"preview": f"data:image/png;base64,{encoded}"}
        return answer | {"preview": ""}

    async def _make(self, request: web.Request, file: Path) -> Answer:
        query = request.query
        words = [
            f"--name={_printable(request.match_info['name'])[:60]}",
            f"--title={_printable(query.get('title', ''))[:80]}",
            f"--face={_face(request)}",
            f"--called={file.name}",
            "--by=page",
        ]
        words += ["--i-may-use-this-face"] if query.get("consent") == "yes" else []
        words += ["--replace"] if query.get("replace") == "yes" else []
        return await self._run("add", *words, str(file))

    async def _one_at_a_time(
        self, request: web.Request, work: Callable[[web.Request, Path], Awaitable[Answer]]
    ) -> web.Response:
        if self._busy.locked():
            return _refused(429, "busy", "Another face is being made; try again in a moment.")
        async with self._busy:
            with tempfile.TemporaryDirectory(prefix="visavis-face-") as folder:
                file = Path(folder) / _called(request.headers.get("X-File-Name", ""))
                try:
                    await _receive(request, file)
                except OSError as error:
                    return _refused(
                        507, "disk", f"The file could not be kept ({error.strerror}); make room on the disk."
                    )
                return _told(await work(request, file))

    async def _run(self, verb: str, *words: str) -> Answer:
        """The command's answer, or one that says why there is none."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            verb,
            "--json",
            *words,
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(GIVEN_UP_S):
                out, _ = await process.communicate()
        except TimeoutError:
            out = b""
        finally:  # also when the page has gone: what it started ends with it
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        try:
            answer = json.loads(out) if len(out) <= LARGEST_ANSWER else None
        except ValueError:
            answer = None
        if isinstance(answer, dict):
            return answer
        return {"usable": False, "code": "workshop", "error": "The file could not be examined; try another one."}


def _operators(handler: Callable[[web.Request], Awaitable[web.Response]]) -> Callable[[web.Request], Any]:
    async def guarded(request: web.Request) -> web.Response:
        if not is_operator(request):
            refusal = _refused(401, "token", "This page needs the operator's token.")
            refusal.headers["WWW-Authenticate"] = "Bearer"
            return refusal
        return await handler(request)

    return guarded


async def _receive(request: web.Request, file: Path) -> None:
    """The body as a file, never whole in memory. Raises HTTPRequestEntityTooLarge beyond the bound, and OSError."""
    size = 0
    with file.open("wb") as out:
        async for piece in request.content.iter_chunked(1 << 16):
            size += len(piece)
            if size > LARGEST_UPLOAD:
                raise web.HTTPRequestEntityTooLarge(LARGEST_UPLOAD, size, text="The file is larger than 300 MB.\n")
            out.write(piece)


def _called(name: str) -> str:
    """A file name that is one and nothing else, of at most 240 bytes; the page encodes it as in an address."""
    last = re.split(r"[/\\]", unquote(name))[-1]
    plain = re.sub(r"[^\w .()-]", "_", last).strip(" .-")
    return plain[-60:].strip(" .-") or "upload"


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def _face(request: web.Request) -> int:
    text = request.query.get("face", "0")
    return int(text) if re.fullmatch(r"\d{1,3}", text) else 0


def _told(answer: Answer) -> web.Response:
    wrong = {"exists": 409, "consent": 400, "name": 400, "disk": 507}
    return web.json_response(answer, status=wrong.get(str(answer.get("code", "")), 200))


def _refused(status: int, code: str, text: str) -> web.Response:
    return web.json_response({"usable": False, "code": code, "error": text}, status=status)

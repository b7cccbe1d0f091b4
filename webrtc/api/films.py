"""Ordering films: a text or a recording to a job, the job's progress, the film."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from broker import personas
from broker.config import Settings
from broker.errors import ConfigError
from broker.films import FilmFiles, Films
from broker.jobs import Stage
from broker.messages import Told
from webrtc.api.bodies import described, read
from webrtc.api.forms import read_form
from webrtc.api.listening import BEAT_S, HEADERS, MOST
from webrtc.api.problems import Problem
from webrtc.api.sessions import DESK, caller
from webrtc.security import is_operator

FILMS: web.AppKey[Films] = web.AppKey("films", Films)
SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)

_VIDEO = re.compile(r"([A-Za-z0-9_-]{22})\.(mp4|vtt)")
TYPES = {"mp4": "video/mp4", "vtt": "text/vtt"}


@dataclass(frozen=True, kw_only=True)
class Order:
    """A film: `text` is spoken; or a recording, the part `audio` of a form, of which `text` may be the words."""

    text: str = described("", "What is said.", longest=20_000)
    persona: str = described("", "One of GET /personas; empty: the installation's.", longest=40)
    portrait: str = described("", "Another face.", longest=64)
    language: str = described("", "One of the persona's; empty: its first.", longest=20)
    size: int = described(512, "Pixels, square, a multiple of 16.", least=128, most=1024)
    fps: int = described(25, "Pictures a second.", least=5, most=50)
    sound: str = described("aac", "AAC plays everywhere; Opus is what a call sends.", known=("aac", "opus"))
    captions: bool = described(False, "A caption track, and a WebVTT file.")


def operator(request: web.Request) -> None:
    """Raises Problem for everybody else."""
    if not is_operator(request):
        raise Problem("forbidden", "This needs the operator's token.")


async def order(request: web.Request) -> web.StreamResponse:
    """POST /generate."""
    operator(request)
    films, settings = request.app[FILMS], request.app[SETTINGS]
    limits = settings.films
    if await asyncio.to_thread(films.size_bytes) >= limits.disk_mb * 1_000_000:
        raise Problem("full", f"Films take up their {limits.disk_mb} MB (films.disk_mb); delete some.")
    files = films.begin()
    try:
        multipart = request.content_type == "multipart/form-data"
        if multipart:
            wanted = await read_form(request, Order, files.recording, limits.upload_mb)
        else:
            wanted = await read(request, Order)
        _check(settings, wanted, files)
        files = films.finish(files)
        told = await request.app[DESK].ask(
            "order", **caller(request), job=files.name, order=asdict(wanted), created_s=time.time()
        )
    except BaseException:
        films.drop(files.name)
        raise
    return web.json_response(told, status=202, headers={"Location": f"/api/v1/jobs/{files.name}"})


def _check(settings: Settings, wanted: Order, files: FilmFiles) -> None:
    """Raises Problem for what can be seen now; the rest is seen by the maker."""
    if not wanted.text.strip() and not files.recording.exists():
        raise Problem("bad_request", "There is nothing to say: send a text, or a recording as the part `audio`.")
    if wanted.size % 16:
        raise Problem("bad_request", "size must be a multiple of 16.")
    _known("persona", wanted.persona, personas.known(settings.path("personas")))
    _known("face", wanted.portrait, personas.portraits(settings.path("avatars")))
    try:
        persona = personas.load(settings.path("personas"), wanted.persona or settings.sessions.persona)
    except ConfigError as error:
        raise Problem("bad_request", str(error)) from error
    if wanted.language and wanted.language not in persona.languages:
        raise Problem("bad_request", f"{persona.name} speaks {', '.join(persona.languages)}, not {wanted.language!r}.")


def _known(what: str, name: str, known: tuple[str, ...]) -> None:
    if name and name not in known:
        raise Problem("bad_request", f"There is no {what} {name[:40]!r}; known: {', '.join(known) or 'none'}.")


async def jobs(request: web.Request) -> web.StreamResponse:
    """GET /jobs."""
    operator(request)
    return web.json_response(await request.app[DESK].ask("jobs", **caller(request)))


async def _asked(request: web.Request, what: str) -> dict[str, Any]:
    """The job in the path, as the broker tells of it. Raises Problem."""
    operator(request)
    return await request.app[DESK].ask(what, **caller(request), job=request.match_info["job"][:64])


async def job_state(request: web.Request) -> web.StreamResponse:
    """GET /jobs/{job}."""
    return web.json_response(await _asked(request, "job"))


async def job_events(request: web.Request) -> web.StreamResponse:
    """GET /jobs/{job}/events: its state whenever that changes, until it is over."""
    job = (await _asked(request, "job"))["job"]
    desk, news = request.app[DESK], asyncio.Queue[dict[str, Any]](1)
    if desk.listeners >= MOST:
        raise Problem("busy", f"{MOST} programs listen already.")

    def hear(told: Told) -> None:
        if told.kind == "job":
            if news.full():
                news.get_nowait()  # a client that reads slowly is told the newest
            news.put_nowait(told.data)

    desk.listen(job, hear)
    try:
        state = await _asked(request, "job")  # what has changed since is heard
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        while True:
            await response.write(f"event: job\ndata: {json.dumps(state)}\n\n".encode())
            if Stage(state["state"]).over:
                return response
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    state = await news.get()
    finally:
        desk.unlisten(job, hear)


async def cancel(request: web.Request) -> web.StreamResponse:
    """DELETE /jobs/{job}."""
    told = await _asked(request, "unorder")
    if Stage(told["state"]).over:
        await asyncio.to_thread(request.app[FILMS].drop, told["job"])
    return web.Response(status=204)


async def video(request: web.Request) -> web.StreamResponse:
    """GET /videos/{name}; with Range."""
    found = _VIDEO.fullmatch(request.match_info["name"])
    if not found:
        raise Problem("unknown", "There is no such film.")
    files = request.app[FILMS].of(found[1])
    path = files.film if found[2] == "mp4" else files.captions
    if not path.is_file():
        raise Problem("unknown", "There is no such film.")
    headers = {"Content-Type": TYPES[found[2]], "Cache-Control": "private, max-age=3600"}
    return web.FileResponse(path, headers=headers)

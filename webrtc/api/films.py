"""Ordering films: a text or a recording to a job, the job's progress, the film."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict, dataclass

from aiohttp import web

from broker import personas
from broker.config import Settings
from broker.films import Films, Job, Stage
from webrtc.api.bodies import described, read
from webrtc.api.forms import read_form
from webrtc.api.listening import HEADERS
from webrtc.api.problems import Problem
from webrtc.security import is_operator

FILMS: web.AppKey[Films] = web.AppKey("films", Films)
SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)

LOOK_S = 0.25
"""How often a listener's job is looked at."""

_VIDEO = re.compile(r"([A-Za-z0-9_-]{22})\.(mp4|vtt)")
_TYPES = {"mp4": "video/mp4", "vtt": "text/vtt"}


@dataclass(frozen=True, kw_only=True)
class Order:
    """A film: `text` is spoken; or a recording, the part `audio` of a form, of which `text` may be the words."""

    text: str = described("", "What is said.", longest=20_000)
    persona: str = described("", "One of GET /personas; empty: the installation's.", longest=40)
    portrait: str = described("", "Another face.", longest=64)
    language: str = described("", "Empty: the persona's first.", longest=20)
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
    if await asyncio.to_thread(films.waiting) >= limits.waiting:
        raise Problem("busy", f"{limits.waiting} films wait to be made already; try again when some are.")
    if await asyncio.to_thread(films.size_bytes) >= limits.disk_mb * 1_000_000:
        raise Problem("full", f"Films take up their {limits.disk_mb} MB (films.disk_mb); delete some.")
    job = films.begin()
    try:
        multipart = request.content_type == "multipart/form-data"
        if multipart:
            wanted = await read_form(request, Order, job.recording, limits.upload_mb)
        else:
            wanted = await read(request, Order)
        _check(settings, wanted, job)
        queued = films.queue(job, asdict(wanted))
    except BaseException:
        films.drop(job)
        raise
    state = queued.state()
    assert state is not None
    place = f"/api/v1/jobs/{queued.name}"
    return web.json_response(queued.told(state), status=202, headers={"Location": place})


def _check(settings: Settings, wanted: Order, job: Job) -> None:
    """Raises Problem for what can be seen now; the rest is seen by the maker."""
    if not wanted.text.strip() and not job.recording.exists():
        raise Problem("bad_request", "There is nothing to say: send a text, or a recording as the part `audio`.")
    if wanted.size % 16:
        raise Problem("bad_request", "size must be a multiple of 16.")
    _known("persona", wanted.persona, personas.known(settings.path("personas")))
    _known("face", wanted.portrait, personas.portraits(settings.path("avatars")))


def _known(what: str, name: str, known: tuple[str, ...]) -> None:
    if name and name not in known:
        raise Problem("bad_request", f"There is no {what} {name[:40]!r}; known: {', '.join(known) or 'none'}.")


def _job(request: web.Request) -> Job:
    operator(request)
    job = request.app[FILMS].job(request.match_info["job"])
    if job is None:
        raise Problem("unknown", "There is no such job (any more).")
    return job


async def jobs(request: web.Request) -> web.StreamResponse:
    """GET /jobs."""
    operator(request)
    found = await asyncio.to_thread(request.app[FILMS].jobs)
    return web.json_response({"jobs": [job.told(state) for job, state in found]})


async def job_state(request: web.Request) -> web.StreamResponse:
    """GET /jobs/{job}."""
    job = _job(request)
    state = job.state()
    if state is None:
        raise Problem("unknown", "There is no such job (any more).")
    return web.json_response(job.told(state))


async def job_events(request: web.Request) -> web.StreamResponse:
    """GET /jobs/{job}/events: its state whenever that changes, until it is over."""
    job = _job(request)
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    told = ""
    quiet = 0.0
    while (state := job.state()) is not None:
        text = json.dumps(job.told(state))
        if text != told or quiet >= 10.0:
            told, quiet = text, 0.0
            await response.write(f"event: job\ndata: {text}\n\n".encode())
        if state.stage.over:
            break
        await asyncio.sleep(LOOK_S)
        quiet += LOOK_S
    return response


async def cancel(request: web.Request) -> web.StreamResponse:
    """DELETE /jobs/{job}."""
    job = _job(request)
    await asyncio.to_thread(request.app[FILMS].cancel, job)
    return web.Response(status=204)


async def video(request: web.Request) -> web.StreamResponse:
    """GET /videos/{name}; with Range."""
    found = _VIDEO.fullmatch(request.match_info["name"])
    job = request.app[FILMS].job(found[1]) if found else None
    state = job.state() if job else None
    if not found or not job or not state or state.stage is not Stage.DONE:
        raise Problem("unknown", "There is no such film.")
    path = job.film if found[2] == "mp4" else job.captions
    if not path.is_file():
        raise Problem("unknown", "There is no such film.")
    headers = {"Content-Type": _TYPES[found[2]], "Cache-Control": "private, max-age=3600"}
    return web.FileResponse(path, headers=headers)

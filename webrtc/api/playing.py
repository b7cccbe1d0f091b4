"""A recording spoken by the avatar in a running conversation: uploaded, made into a voice, then said like any text.

The edge opens no stranger's file: `workers.production.upload` does, in a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

from aiohttp import web

from broker.config import ROOT
from broker.noted import Note
from broker.uploads import Uploads
from webrtc.api.bodies import LONGEST_SAID, described
from webrtc.api.desk import Desk
from webrtc.api.forms import read_form
from webrtc.api.problems import STATUS, Problem
from webrtc.api.sessions import DESK, caller, named

UPLOADS: web.AppKey[Uploads] = web.AppKey("uploads", Uploads)
ONE_AT_A_TIME: web.AppKey[asyncio.Lock] = web.AppKey("voices", asyncio.Lock)
"""Making a voice takes a core for a second or more, and people are talking."""

LARGEST_MB = 32
"""100 s of stereo at 48 kHz and 24 bit are 29 MB."""

GIVEN_UP_S = 180
"""A recording of 99 s takes 10 s of one core, 16 with its text; this is for a machine that is busy."""
COMMAND = (sys.executable, "-m", "workers.production.upload")


@dataclass(frozen=True, kw_only=True)
class Play:
    """Speak a recording, the part `audio` of the form (WAV, MP3, FLAC, Ogg, M4A; at most 100 s), in place of a text."""

    text: str = described("", "Its words, for captions and better lips; without them its sounds are guessed.",
                          longest=LONGEST_SAID)  # fmt: skip
    language: str = described("", "What is spoken in it; empty: the conversation's.", longest=20)
    interrupt: bool = described(False, "Break off what is being said.")


class PlayTold(TypedDict):
    """What is said in place of a text."""

    text: Annotated[str, Note("What captions and dialogue will show; a … for each phrase whose words are not known.")]
    seconds: float
    aligned: Annotated[bool, Note("The text fits the recording.")]


async def play(request: web.Request) -> web.StreamResponse:
    """POST /sessions/{session}/play."""
    session, desk, who = named(request), request.app[DESK], caller(request)
    about = await desk.ask("look", session, **who)
    if request.content_type != "multipart/form-data":
        raise Problem("media_type", "Send multipart/form-data with the recording as its part `audio`.")
    with tempfile.TemporaryDirectory(prefix="visavis-voice-") as folder:
        recording = Path(folder) / "recording"
        wanted = await read_form(request, Play, recording, LARGEST_MB)
        if not recording.exists():
            raise Problem("bad_request", "There is no recording: send it as the part `audio`.")
        language = wanted.language or str(about["language"])
        if language not in about["languages"]:
            raise Problem("bad_request", f"This persona speaks {', '.join(about['languages'])}, not {language[:20]!r}.")
        place = request.app[UPLOADS].place(session)
        job = {"recording": str(recording), "voice": str(place), "text": wanted.text, "language": language}
        async with _free(request.app[ONE_AT_A_TIME]):
            made = await _made(job)
    done = await _said(desk, place, session, who, made["text"], language, wanted.interrupt)
    return web.json_response(done | made, status=202)


async def _said(
    desk: Desk, place: Path, session: str, who: dict[str, Any], text: str, language: str, interrupt: bool
) -> dict[str, Any]:
    """Have the broker say it; what it refuses is not kept."""
    try:
        return await desk.ask(
            "play", session, **who, upload=place.name, text=text, language=language, interrupt=interrupt
        )
    except BaseException:
        place.unlink(missing_ok=True)
        raise


@contextlib.asynccontextmanager
async def _free(lock: asyncio.Lock) -> Any:
    if lock.locked():
        raise Problem("busy", "Another recording is being made into a voice; try again in a moment.")
    async with lock:
        yield


async def _made(job: dict[str, str]) -> dict[str, Any]:
    """What the command says of the voice it has made. Raises Problem with its reason."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    out = b""
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVEN_UP_S):
                out, _ = await process.communicate(json.dumps(job).encode())
    finally:  # also when the client has gone: what it started ends with it
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return _told(out)


def _told(out: bytes) -> dict[str, Any]:
    try:
        told = json.loads(out)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Problem("bad_request", "The recording cannot be read as sound; send a WAV, MP3 or FLAC file.")
    if "error" in told:
        code = str(told.get("code"))
        raise Problem(code if code in STATUS else "bad_request", str(told["error"]))
    return told

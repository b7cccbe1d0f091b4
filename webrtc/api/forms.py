"""Forms with a recording in them: multipart/form-data, whose part `audio` goes to a file, never whole into memory."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError

from webrtc.api.bodies import LONGEST_BODY, fill
from webrtc.api.problems import Problem

T = TypeVar("T")

AUDIO = "audio"


async def read_form(request: web.Request, cls: type[T], recording: Path, most_mb: int) -> T:
    """The fields of a form as `cls`, its recording into a file. Raises Problem."""
    known = tuple(cls.__dataclass_fields__)  # type: ignore[attr-defined]
    table: dict[str, Any] = {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or not part.name:
                raise Problem("bad_request", "Each part of the form needs a name.")
            if part.name == AUDIO:
                await _upload(part, recording, most_mb)
            elif part.name in known:
                table[part.name] = _typed(cls, part.name, await _text(part))
            else:
                names = ", ".join((AUDIO, *known))
                raise Problem("bad_request", f"There is no field {part.name[:40]!r}; known: {names}.")
    except (ValueError, AssertionError, HttpProcessingError) as error:  # the last one: a part's headers
        raise Problem("bad_request", "The form cannot be read; send multipart/form-data.") from error
    return fill(cls, table)


async def _text(part: BodyPartReader) -> str:
    raw = bytearray()
    async for chunk in _chunks(part):
        raw += chunk
        if len(raw) > LONGEST_BODY:
            raise Problem("too_large", f"{part.name} is too long.")
    return raw.decode()


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(65_536):
        yield chunk


async def _upload(part: BodyPartReader, recording: Path, most_mb: int) -> None:
    if recording.exists():
        raise Problem("bad_request", "There is more than one audio part.")
    total = 0
    with recording.open("wb") as file:
        async for chunk in _chunks(part):
            total += len(chunk)
            if total > most_mb * 1_000_000:
                raise Problem("too_large", f"The recording is larger than {most_mb} MB.")
            file.write(chunk)


def _typed(cls: type[Any], name: str, text: str) -> Any:
    """A form's field, which is text, as JSON would have it."""
    kind = str(cls.__dataclass_fields__[name].type)
    if kind == "int" and re.fullmatch(r"-?\d{1,9}", text):
        return int(text)
    if kind == "bool" and text in ("true", "false", "on", "1", "0"):
        return text in ("true", "on", "1")
    return text

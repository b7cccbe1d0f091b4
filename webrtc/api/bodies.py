"""What requests bring: JSON to frozen dataclasses, every field checked; the same fields give the OpenAPI document."""

from __future__ import annotations

import dataclasses
import math
import typing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

from broker.expressions import EMOTIONS, GAZES, GESTURES
from broker.foreign_json import read_json
from broker.questions import MODES
from webrtc.api.problems import Problem

T = TypeVar("T")

LONGEST_BODY = 64 * 1024
LONGEST_SAID = 2_000


def described(
    default: Any, about: str, longest: int = 200, known: tuple[str, ...] = (), least: float | None = None,
    most: float | None = None,
) -> Any:  # fmt: skip
    """A field with its limits: `longest` of texts, `known` values (the empty one is always among them), a range."""
    metadata = {"about": about, "longest": longest, "known": known, "least": least, "most": most}
    if default is dataclasses.MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


NEEDED = dataclasses.MISSING


@dataclass(frozen=True, kw_only=True)
class Say:
    """Have the avatar say something: when nobody speaks, or at once."""

    text: str = described(NEEDED, "What is said.", longest=LONGEST_SAID)
    language: str = described("", "A language of the persona; empty: the conversation's.", longest=20)
    interrupt: bool = described(False, "Break off what is being said.")


@dataclass(frozen=True, kw_only=True)
class Chat:
    """As if the caller had typed it: the avatar answers."""

    text: str = described(NEEDED, "What is asked.", longest=LONGEST_SAID)
    id: str = described("", "Sent twice with the same id it is answered once.", longest=64)


@dataclass(frozen=True, kw_only=True)
class Act:
    """How the face is to behave, now. Empty fields leave things as they are."""

    emotion: str = described("", "Kept until the next one, or for `for_ms`.", known=EMOTIONS)
    strength: float = described(1.0, "Of the emotion.", least=0, most=1)
    for_ms: int = described(0, "How long the emotion lasts; 0: until the next.", least=0, most=600_000)
    gesture: str = described("", "Once.", known=GESTURES)
    gaze: str = described("", "Where it looks.", known=GAZES)
    motion: float = described(-1.0, "0 keeps still, 1 is lively, -1 leaves it.", least=-1, most=1)
    background: str = described("", 'A colour "#rrggbb", the name of a picture, "none" or "transparent".', longest=40)


@dataclass(frozen=True, kw_only=True)
class Switch:
    """Another persona, face or language, without dropping the call."""

    persona: str = described("", "One of GET /personas.", longest=40)
    portrait: str = described("", "A face of this installation.", longest=64)
    language: str = described("", "One of the persona's.", longest=20)


@dataclass(frozen=True, kw_only=True)
class Mute:
    """Whether the caller's microphone is listened to."""

    muted: bool = described(NEEDED, "True: only typed words are heard.")


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A question from somebody who looks on. Read out, then answered, when its turn comes."""

    text: str = described(NEEDED, "The question.", longest=300)
    name: str = described("", "Who asks.", longest=40)


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Whether those who look on may ask."""

    questions: str = described(NEEDED, "moderated: the host approves each; open: asked in turn.", known=MODES)


@dataclass(frozen=True, kw_only=True)
class Push:
    """Push a conversation to a media server: by WHIP to https://, by RTMP to rtmp(s)://, into Janus at janus+wss://."""

    url: str = described(NEEDED, "Where to; by RTMP with the key in it.", longest=4_000)
    token: str = described("", "WHIP: the bearer token. Janus: its streaming plugin's admin_key.", longest=4_000)


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """No fields."""


async def read(request: web.Request, cls: type[T]) -> T:
    """The request's JSON as `cls`. Raises Problem naming the field and what it must be."""
    if (request.content_length or 0) > LONGEST_BODY:
        raise Problem("too_large", f"A request has at most {LONGEST_BODY} bytes.")
    raw = await request.read()
    if not raw.strip():
        return fill(cls, {})
    if request.content_type != "application/json":
        raise Problem("media_type", "Send JSON, with Content-Type: application/json.")
    try:
        table = read_json(raw)
    except ValueError:
        raise Problem("bad_request", "The body is not valid JSON.") from None
    return fill(cls, table)


def fill(cls: type[T], table: Any) -> T:
    """`cls` from a JSON object. Raises Problem."""
    if not isinstance(table, dict):
        raise Problem("bad_request", "The body must be a JSON object.")
    hints = typing.get_type_hints(cls)
    fields = {each.name: each for each in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in table:
        if key not in fields:
            raise Problem("bad_request", f"There is no field {str(key)[:40]!r}; known: {', '.join(fields) or 'none'}.")
    values: dict[str, Any] = {}
    for name, each in fields.items():
        if name in table:
            values[name] = _value(hints[name], table[name], name, each.metadata)
        elif each.default is dataclasses.MISSING:
            raise Problem("bad_request", f"{name} is missing.")
    return cls(**values)


def _value(hint: Any, value: Any, name: str, limits: typing.Mapping[str, Any]) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53:
        value = float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        kind = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}[hint]
        raise Problem("bad_request", f"{name} must be {kind}.")
    if hint is str:
        if len(value) > limits["longest"]:
            raise Problem("too_large", f"{name} has {len(value)} characters; {limits['longest']} is the most.")
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise Problem("bad_request", f"{name} is not valid text: it has half a letter in it.")
        if limits["known"] and value and value not in limits["known"]:
            raise Problem("bad_request", f"{name} is one of {', '.join(limits['known'])}.")
    if hint is float and not math.isfinite(value):
        raise Problem("bad_request", f"{name} must be finite.")
    low, high = limits["least"], limits["most"]
    if low is not None and not low <= value <= high:
        raise Problem("bad_request", f"{name} is between {low} and {high}.")
    return value


def schema(cls: type[Any]) -> dict[str, Any]:
    """The JSON Schema of a body."""
    hints = typing.get_type_hints(cls)
    kinds = {str: "string", int: "integer", float: "number", bool: "boolean"}
    properties, needed = {}, []
    for each in dataclasses.fields(cls):
        told: dict[str, Any] = {"type": kinds[hints[each.name]], "description": each.metadata["about"]}
        if hints[each.name] is str:
            told["maxLength"] = each.metadata["longest"]
        if each.metadata["known"]:
            optional = [""] if each.default is not dataclasses.MISSING else []
            told["enum"] = [*optional, *each.metadata["known"]]
        if each.metadata["least"] is not None:
            told |= {"minimum": each.metadata["least"], "maximum": each.metadata["most"]}
        if each.default is dataclasses.MISSING:
            needed.append(each.name)
        else:
            told["default"] = each.default
        properties[each.name] = told
    about = (cls.__doc__ or "").strip()
    return {
        "type": "object", "description": about, "properties": properties, "additionalProperties": False,
    } | ({"required": needed} if needed else {})  # fmt: skip

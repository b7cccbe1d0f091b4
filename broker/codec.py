"""Messages to ZeroMQ frames and back, derived from the dataclass fields.

Frames: [type name, msgpack map of the plain fields, one frame for each `bytes` field in field order]. Unknown map keys
are ignored and missing ones take the field's default, so that processes of neighbouring versions understand each other;
what has its default is left out of the map.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import msgpack

from broker import messages
from broker.errors import WireError
from broker.messages import Message

Read = Callable[[Any], Any]

MAX_HEADER_BYTES = 8 * 1024 * 1024


class _Shape:
    """How one dataclass is written and read; made once per class."""

    def __init__(self, cls: type) -> None:
        hints = typing.get_type_hints(cls)
        self.cls = cls
        self.bytes_fields = tuple(f.name for f in fields(cls) if hints[f.name] is bytes)
        self.plain_fields = tuple(f.name for f in fields(cls) if hints[f.name] is not bytes)
        self.readers = {name: _item(hints[name], f"{cls.__name__}.{name}") for name in self.plain_fields}
        self.defaults = tuple((f.name, f.default) for f in fields(cls) if f.name in self.readers)
        self.required = tuple(f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING)
        self.nested = frozenset(name for name in self.plain_fields if _holds_dataclass(hints[name]))


_shape: Callable[[type], _Shape] = functools.cache(_Shape)


@functools.cache
def _types() -> dict[bytes, type[Message]]:
    found = {name: value for name, value in vars(messages).items() if isinstance(value, type)}
    return {name.encode(): cls for name, cls in found.items() if issubclass(cls, Message) and cls is not Message}


def encode(message: Message, route: int | None = None) -> list[bytes]:
    """The frames of `message`; `route` overrides its own (the shell knows it, the stage does not)."""
    shape = _shape(type(message))
    values = vars(message)
    header = {name: values[name] for name, default in shape.defaults if values[name] is not default}
    for name in shape.nested & header.keys():
        header[name] = _plain(header[name])
    if route is not None:
        header["route"] = route
    frames = [type(message).__name__.encode(), msgpack.packb(header)]
    frames.extend(getattr(message, name) for name in shape.bytes_fields)
    return frames


def decode(frames: Sequence[bytes]) -> Message:
    """The message in `frames`. Raises WireError, naming the message and the field, for anything else."""
    if len(frames) < 2:
        raise WireError(f"A message has at least two frames; this has {len(frames)}.")
    cls = _types().get(bytes(frames[0]))
    if cls is None:
        raise WireError(f"Unknown message type {bytes(frames[0][:40])!r}.")
    shape = _shape(cls)
    if len(frames) != 2 + len(shape.bytes_fields):
        raise WireError(f"{cls.__name__} has {2 + len(shape.bytes_fields)} frames; this has {len(frames)}.")
    if len(frames[1]) > MAX_HEADER_BYTES:
        raise WireError(f"{cls.__name__}: a header of {len(frames[1])} bytes is past {MAX_HEADER_BYTES}.")
    try:
        header = msgpack.unpackb(frames[1])
    except (ValueError, msgpack.UnpackException) as error:
        raise WireError(f"{cls.__name__}: the header is not msgpack ({error}).") from error
    values: dict[str, Any] = _values(shape, header)
    for name, frame in zip(shape.bytes_fields, frames[2:], strict=True):
        values[name] = bytes(frame)
    return _build(shape, values)


def _values(shape: _Shape, header: Any) -> dict[str, Any]:
    if not isinstance(header, dict):
        raise WireError(f"{shape.cls.__name__}: the header is {type(header).__name__}, not a map.")
    values = {}
    for name, value in header.items():
        if known := shape.readers.get(name):
            kind, read = known
            values[name] = value if type(value) is kind else read(value)
    return values


def _build(shape: _Shape, values: dict[str, Any]) -> Any:
    for name in shape.required:
        if name not in values:
            raise WireError(f"{shape.cls.__name__}.{name} is missing.")
    return shape.cls(**values)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _holds_dataclass(hint: Any) -> bool:
    return is_dataclass(hint) or any(_holds_dataclass(part) for part in typing.get_args(hint))


def _item(hint: Any, where: str) -> tuple[type | None, Read]:
    """The type whose values are taken as they are, where there is one, and the reader for all others."""
    return hint if hint in (bool, int, float, str) else None, _reader(hint, where)


def _reader(hint: Any, where: str) -> Read:
    """A function that checks a value against `hint` and returns it in that type."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return lambda value: value
    if origin is tuple:
        return _tuple_reader(parts, where)
    if origin is dict:
        kind, item = _item(parts[1], f"{where}[…]")
        return lambda value: {
            key: held if type(held) is kind else item(held) for key, held in _of(value, dict, where).items()
        }
    if origin is types.UnionType or origin is typing.Union:
        inner = [_reader(part, where) for part in parts if part is not type(None)]
        return lambda value: None if value is None else inner[0](value)
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda value: _build(_shape(hint), _values(_shape(hint), value))
    if hint is float:
        return lambda value: float(_of(value, (int, float), where))
    if hint is int:
        return lambda value: _of(value, int, where)
    return lambda value: _of(value, hint, where)


def _tuple_reader(parts: tuple[Any, ...], where: str) -> Read:
    if len(parts) == 2 and parts[1] is Ellipsis:
        item = _reader(parts[0], f"{where}[…]")
        return lambda value: tuple(item(held) for held in _of(value, list, where))
    items = [_reader(part, f"{where}[{n}]") for n, part in enumerate(parts)]

    def read(value: Any) -> tuple[Any, ...]:
        held = _of(value, list, where)
        if len(held) != len(items):
            raise WireError(f"{where} has {len(items)} items; this has {len(held)}.")
        return tuple(each(one) for each, one in zip(items, held, strict=True))

    return read


def _of(value: Any, kind: Any, where: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        wanted = kind.__name__ if isinstance(kind, type) else "number"
        raise WireError(f"{where} is {type(value).__name__}, not {wanted}.")
    return value

"""A frozen dataclass to bytes and back, by its field types: how a session's state lies in the database."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from typing import Any, TypeVar

import msgpack

from broker.errors import StoreError

T = TypeVar("T")


def dump(value: Any) -> bytes:
    """The bytes of a dataclass made of dataclasses, tuples, dicts, numbers, text, enums and None."""
    packed: bytes = msgpack.packb(_plain(value))
    return packed


def restore(cls: type[T], data: bytes) -> T:
    """`cls` from its bytes; unknown fields are left out, missing ones take their default. Raises StoreError."""
    try:
        return typing.cast(T, _typed(cls, msgpack.unpackb(data, strict_map_key=False)))
    except (ValueError, TypeError, KeyError, AttributeError, msgpack.UnpackException) as error:
        raise StoreError(f"A stored {cls.__name__} cannot be read ({error}).") from error


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {name: _plain(getattr(value, name)) for name in _hints(typing.cast(Any, type(value)))}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value.value if isinstance(value, enum.Enum) else value


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {each.name: hints[each.name] for each in dataclasses.fields(cls)}


def _typed(hint: Any, value: Any) -> Any:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _typed(next(each for each in parts if each is not types.NoneType), value)
    if origin is tuple:
        if len(parts) == 2 and parts[1] is Ellipsis:
            return tuple(_typed(parts[0], each) for each in value)
        return tuple(_typed(part, each) for part, each in zip(parts, value, strict=True))
    if origin is dict:
        return {key: _typed(parts[1], each) for key, each in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise TypeError(f"{hint.__name__} is {type(value).__name__}, not a map")
        return hint(**{name: _typed(each, value[name]) for name, each in _hints(hint).items() if name in value})
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    return tuple(value) if isinstance(value, list) else value

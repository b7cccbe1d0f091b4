"""A TOML table to a frozen dataclass: every key known, every value of its type, each error naming both."""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from broker.errors import ConfigError

T = TypeVar("T")

WHOLE_LIMIT = 2**63
"""TOML's whole numbers have 64 bits; those of Python's reader may have thousands of digits."""

_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
"""In no file name and no UTF-8: a zero byte, and what the environment had in another encoding."""


def read_toml(path: Path) -> dict[str, Any]:
    """The table in a file. Raises ConfigError naming the file and what to do."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist.") from None
    except (OSError, ValueError) as error:  # no UTF-8, or no path
        raise ConfigError(f"{path} cannot be read: {error}.") from error
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path} is not valid TOML: it nests too deeply.") from None
    except ValueError as error:  # a TOMLDecodeError; a plain one where a number has more than 4300 digits
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error


def fill(cls: type[T], table: Any, where: str) -> T:
    """`cls` from `table`; missing keys take their defaults. Raises ConfigError for an unknown key or a wrong type."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table, not {_name(table)}.")
    hints = typing.get_type_hints(cls)
    known = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ConfigError(f"{where} has no key {key!r}.{hint} Known keys: {', '.join(known)}.")
    return cls(**{key: _value(hints[key], value, f"{where}.{key}") for key, value in table.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(value, int) and not -WHOLE_LIMIT <= value < WHOLE_LIMIT:
        raise ConfigError(f"{where} is a number of more than 64 bits.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{where} is {value}; it must be a finite number.")
    if isinstance(value, str) and _UNWRITABLE.search(value):
        raise ConfigError(f"{where} has a zero byte or half a letter in it.")
    if hint is Any:
        return value
    if origin is typing.Literal:
        if value not in parts:
            raise ConfigError(f"{where} is {_said(value)}; it must be one of {', '.join(map(repr, parts))}.")
        return value
    if origin is types.UnionType:
        return _value(next(part for part in parts if part is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} must be a list, not {_name(value)}.")
        return tuple(_value(parts[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise ConfigError(f"{where} must be a table, not {_name(value)}.")
        return {key: _value(parts[1], item, f"{where}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return fill(hint, value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{where} must be {_kind(hint)}, not {_name(value)}.")
    return value


def _kind(hint: Any) -> str:
    return {str: "text", int: "a whole number", float: "a number", bool: "true or false"}.get(hint, str(hint))


def _name(value: Any) -> str:
    return f"{type(value).__name__} {_said(value)}"[:80]


def _said(value: Any) -> str:
    try:
        return repr(value)
    except (RecursionError, ValueError):  # tables in tables, a number of thousands of digits
        return "…"

"""What is answered as JSON Schema, from the TypedDicts that the code which answers is checked against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from broker.noted import Note

_KINDS = {str: "string", int: "integer", float: "number", bool: "boolean"}


def shape(hint: Any) -> dict[str, Any]:
    """The schema of a type; a TypedDict is referred to by its name, see `components`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if is_typeddict(hint):
        return {"$ref": f"#/components/schemas/{hint.__name__}"}
    if origin is NotRequired:
        return shape(arguments[0])
    if origin is Annotated:
        return shape(arguments[0]) | _noted(arguments[1])
    if origin is list:
        return {"type": "array", "items": shape(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": shape(arguments[1])}
    return {"type": _KINDS[hint]}


def components(*hints: Any) -> dict[str, dict[str, Any]]:
    """The schemas of all TypedDicts in these types, by name."""
    return {cls.__name__: _component(cls) for hint in hints for cls in _named(hint)}


def _component(cls: Any) -> dict[str, Any]:
    fields = _fields(cls)
    needed = [name for name, hint in fields.items() if get_origin(hint) is not NotRequired]
    about = {"description": cls.__doc__.strip()} if cls.__doc__ else {}
    properties = {name: shape(hint) for name, hint in fields.items()}
    return {"type": "object", **about, "properties": properties} | ({"required": needed} if needed else {})


def _named(hint: Any) -> Iterator[Any]:
    if is_typeddict(hint):
        yield hint
        for each in _fields(hint).values():
            yield from _named(each)
    else:
        for each in get_args(hint):
            yield from _named(each)


def _fields(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


def _noted(note: Note) -> dict[str, Any]:
    about = {"description": note.about} if note.about else {}
    return about | ({"enum": [str(value) for value in note.known]} if note.known else {})

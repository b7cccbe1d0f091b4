"""The OpenAPI document, made from the table of operations: https://spec.openapis.org/oas/v3.1.0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from webrtc.api.bodies import schema
from webrtc.api.operations import BASE, STREAM, Operation
from webrtc.api.problems import STATUS
from webrtc.api.shapes import components, shape

FORM = "multipart/form-data"
NO_CONTENT = 204

_ERROR = {
    "type": "object",
    "required": ["code", "text"],
    "properties": {"code": {"type": "string", "enum": sorted(STATUS)}, "text": {"type": "string"}},
}


def document(operations: Sequence[Operation], guarded: bool) -> dict[str, Any]:
    """The whole of it, plain data. `guarded`: those who look on need the audience's token."""
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(BASE + each.path, {})[each.method.lower()] = _operation(each, guarded)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Visavis",
            "version": "1",
            "description": "Conversations with a talking avatar, and films of one. Errors are {code, text}. "
            "From the server's own machine no token is needed, as long as it is reached on loopback only.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR} | components(*(each.answer for each in operations)),
            "securitySchemes": {
                "caller": {"type": "http", "scheme": "bearer", "description": "The token of the call's page."},
                "audience": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of those who look on.",
                },
                "operator": {"type": "http", "scheme": "bearer", "description": "The operator's token."},
            },
        },
    }


def _with_audio(shape: dict[str, Any], needed: bool) -> dict[str, Any]:
    """A form has a recording besides."""
    audio = {"type": "string", "format": "binary", "description": "A recording: WAV, MP3, FLAC, Ogg or M4A."}
    required = [*shape.get("required", ()), *(["audio"] if needed else [])]
    return shape | {"properties": {"audio": audio, **shape["properties"]}} | ({"required": required} if needed else {})


def _content(operation: Operation) -> dict[str, Any]:
    """What is given, by its media type. Of a stream of events it is the `data` of each, which 3.1 has no word for."""
    if operation.answer is None:
        return {media: {} for media in operation.media}
    answer = shape(operation.answer)
    if operation.media == (STREAM,):
        return {STREAM: {"schema": {"type": "string"}, "x-data": answer}}
    return {media: {"schema": answer} for media in operation.media}


def _operation(operation: Operation, guarded: bool) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", operation.path)
    answers: dict[str, Any] = {
        str(status): {"description": about} | ({"content": _content(operation)} if status != NO_CONTENT else {})
        for status, about in operation.gives
    }
    answers["default"] = {
        "description": "What is wrong, in words.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    told: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{operation.method} {operation.path}").strip("_").lower(),
        "summary": operation.about,
        "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names],
        "responses": answers,
    }
    if operation.body is not None:
        shape = schema(operation.body)
        only_form = operation.takes == (FORM,)
        shapes = {media: _with_audio(shape, only_form) if media == FORM else shape for media in operation.takes}
        told["requestBody"] = {
            "required": only_form or "required" in shape,
            "content": {media: {"schema": each} for media, each in shapes.items()},
        }
    if operation.who == "caller":
        told["security"] = [{"caller": []}, {"operator": []}]
    elif operation.who == "audience" and guarded:
        told["security"] = [{"audience": []}, {"operator": []}]
    elif operation.who == "operator":
        told["security"] = [{"operator": []}]
    return told

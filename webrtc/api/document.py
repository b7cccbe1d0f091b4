"""The OpenAPI document, made from the table of operations: https://spec.openapis.org/oas/v3.1.0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from webrtc.api.bodies import schema
from webrtc.api.operations import BASE, Operation
from webrtc.api.problems import STATUS

FORM = "multipart/form-data"

_ERROR = {
    "type": "object",
    "required": ["code", "text"],
    "properties": {"code": {"type": "string", "enum": sorted(STATUS)}, "text": {"type": "string"}},
}


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole of it, plain data."""
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(BASE + each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Visavis",
            "version": "1",
            "description": "Conversations with a talking avatar, and films of one. Errors are {code, text}.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {
                "caller": {"type": "http", "scheme": "bearer", "description": "The token of the call's page."},
                "operator": {"type": "http", "scheme": "bearer", "description": "The operator's token."},
            },
        },
    }


def _with_audio(shape: dict[str, Any], needed: bool) -> dict[str, Any]:
    """A form has a recording besides."""
    audio = {"type": "string", "format": "binary", "description": "A recording: WAV, MP3, FLAC, Ogg or M4A."}
    required = [*shape.get("required", ()), *(["audio"] if needed else [])]
    return shape | {"properties": {"audio": audio, **shape["properties"]}} | ({"required": required} if needed else {})


def _operation(operation: Operation) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", operation.path)
    answers: dict[str, Any] = {
        str(status): {"description": about, "content": {operation.media if n == 0 else "application/json": {}}}
        for n, (status, about) in enumerate(operation.gives)
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
    elif operation.who == "operator":
        told["security"] = [{"operator": []}]
    return told

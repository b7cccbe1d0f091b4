"""JSON that a stranger wrote, read without following it to the interpreter's recursion limit."""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST = 100

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKET = re.compile(r"[\[{\]}]")


def read_json(text: str | bytes) -> Any:
    """What `text` (bytes: UTF-8) says. Raises ValueError where it is no JSON, or nests deeper than DEEPEST.

    json alone would go down to the recursion limit before it refuses. When the garbage is collected down there, the
    finalizers of objects that have nothing to do with it fail, and what they were to close stays open.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        raise ValueError(f"JSON that nests deeper than {DEEPEST}")
    return json.loads(text)


def _depth(text: str) -> int:
    """The deepest nesting outside its strings; of what is no JSON, at least as deep as a parser gets in it."""
    depth = deepest = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest

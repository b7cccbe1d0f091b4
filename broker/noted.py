"""Notes on the fields of what clients are told: the OpenAPI document is made of them (webrtc/api/shapes.py).

What is told is a TypedDict beside the code that tells it; a field is `Annotated[str, Note("What it is.", KNOWN)]`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """`known`: the values there are, where they can be listed."""

    about: str = ""
    known: tuple[str, ...] = ()

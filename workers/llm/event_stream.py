"""Server-sent events of a chat completion: bytes in, pieces of text out. The format: WHATWG HTML, section 9.2."""

from __future__ import annotations

from typing import Any

from broker.foreign_json import read_json

MOST_BUFFERED = 1_000_000
"""Bytes without the end of an event after which it is no event stream."""


class StreamError(Exception):
    """The bytes are not a chat completion; says what was wrong."""


class ChatStream:
    """Feeds on bytes in pieces of any size. `done` once the server has said that the answer is complete."""

    def __init__(self) -> None:
        self.done = False
        self.events = 0
        self._buffer = b""

    def feed(self, piece: bytes) -> list[str]:
        """Pieces of the answer's text. Raises StreamError for what is not a completion, or an error event."""
        self._buffer += piece
        if len(self._buffer) > MOST_BUFFERED:
            raise StreamError(f"{MOST_BUFFERED} bytes without the end of an event")
        lines = self._buffer.replace(b"\r\n", b"\n").split(b"\n")
        self._buffer = lines.pop()
        return [text for line in lines if (text := self._line(line))]

    def _line(self, line: bytes) -> str:
        if not line.startswith(b"data:") or self.done:
            return ""
        data = line[5:].strip()
        if data == b"[DONE]":
            self.done = True
            return ""
        try:
            event = read_json(data)
        except ValueError as error:
            raise StreamError(f"an event that is not JSON: {data[:80]!r}") from error
        self.events += 1
        text, self.done = text_of(event)
        return text


def text_of(event: Any) -> tuple[str, bool]:
    """The text of one event (or of a whole answer), and whether it is the last. Raises StreamError."""
    if not isinstance(event, dict):
        raise StreamError(f"an event that is no object: {str(event)[:80]}")
    if event.get("error"):
        raise StreamError(f"the server reports: {str(event['error'])[:200]}")
    choices = event.get("choices")
    if not isinstance(choices, list):
        raise StreamError("an event without choices")
    if not choices:
        return "", False
    choice = choices[0] if isinstance(choices[0], dict) else {}
    part = choice.get("delta") or choice.get("message") or {}
    text = _spoken(part.get("content")) if isinstance(part, dict) else ""
    return text, bool(choice.get("finish_reason"))  # some servers send an empty one until the end


def _spoken(content: Any) -> str:
    """Text, or the texts of a list of parts; other parts, such as a model's reasoning, are not for speaking."""
    pieces = [content]
    if isinstance(content, list):
        pieces = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    if any(not isinstance(piece, str | None) for piece in pieces):
        raise StreamError("content that is not text")
    return "".join(piece or "" for piece in pieces)

"""What can go wrong with a face, in words for the person who chose the picture."""

from __future__ import annotations

from broker.errors import EngineError


class AvatarError(EngineError):
    """A picture cannot become an avatar. `code` is for programs, the message says what is wrong and what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text, code)

"""Requests for key frames, merged: at once when none was asked for lately, else never."""

from __future__ import annotations

from collections.abc import Callable

from broker.clock import NS_PER_MS

APART_NS = 300 * NS_PER_MS
"""A key frame is ten ordinary pictures. Whoever still lacks one asks again with the next picture it cannot use."""


class KeyFrameRequests:
    """One session's requests; `ask(codec)` reaches its programme."""

    def __init__(self, ask: Callable[[str], None]) -> None:
        self._ask = ask
        self._asked_ns: dict[str, int] = {}
        self.merged = 0

    def want(self, codec: str, now_ns: int) -> None:
        last_ns = self._asked_ns.get(codec)
        if last_ns is not None and now_ns - last_ns < APART_NS:
            self.merged += 1
            return
        self._asked_ns[codec] = now_ns
        self._ask(codec)

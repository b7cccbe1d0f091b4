"""The event log: every event numbered, those of the last 30 s kept for whoever missed some."""

from __future__ import annotations

import collections
from dataclasses import replace

from broker.clock import NS_PER_S
from broker.messages import Event

KEPT_NS = 30 * NS_PER_S
KEPT_EVENTS = 20_000
"""A second bound, should there be a flood of them."""

EDGE_KINDS = ("latency",)
"""Made by the edge, which shows them to its page itself."""


class EventLog:
    """Numbers events from 1 on and forgets old ones."""

    def __init__(self, first: int = 1) -> None:
        self.next_seq = first
        self._kept: collections.deque[tuple[int, Event]] = collections.deque(maxlen=KEPT_EVENTS)

    def number(self, event: Event, now_ns: int) -> Event:
        """The event with its number."""
        numbered = replace(event, seq=self.next_seq)
        self.next_seq += 1
        self._kept.append((now_ns, numbered))
        while self._kept and now_ns - self._kept[0][0] > KEPT_NS:
            self._kept.popleft()
        return numbered

    def since(self, seq: int, session: str = "") -> list[Event]:
        """What came after number `seq`, of one session or of all, as far as it is kept.

        A number not given out yet is a predecessor's: all that is kept came after it.
        """
        after = seq if seq < self.next_seq else 0
        found = []
        for _, event in reversed(self._kept):
            if event.seq <= after:
                break
            if not session or event.session == session:
                found.append(event)
        return found[::-1]

"""Packets in the order they were sent, at once when they come so, else after a short wait at the gap only.

This is no jitter buffer: nothing is delayed while nothing is missing. A recogniser does not mind jitter, and a buffer
that grows at a loss never gives the delay back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from broker.clock import NS_PER_MS

T = TypeVar("T")

WAIT_NS = 40 * NS_PER_MS
"""How long a gap may hold up what came after it: two packets, longer than networks reorder."""

JUMP = 50
"""Sequence numbers: further away than this it is a new stream, not a loss."""


@dataclass(frozen=True, kw_only=True)
class InOrder(Generic[T]):
    """A packet whose turn it is, and how many before it were given up."""

    item: T
    lost: int = 0


@dataclass
class Counts:
    """What happened on the way. `late` came after they were given up."""

    duplicate: int = 0
    late: int = 0
    lost: int = 0
    jumps: int = 0


class Reorder(Generic[T]):
    """One stream's packets by 16-bit sequence number."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._next: int | None = None
        self._held: dict[int, tuple[int, T]] = {}

    @property
    def due_ns(self) -> int | None:
        """When `expire` gives up what is missing; None while nothing is."""
        return min(arrived for arrived, _ in self._held.values()) + WAIT_NS if self._held else None

    def feed(self, sequence: int, item: T, now_ns: int) -> list[InOrder[T]]:
        """What may go on now that this packet is here."""
        if self._next is None:
            self._next = sequence
        ahead = (sequence - self._next + 0x8000) % 0x10000 - 0x8000
        if abs(ahead) > JUMP:
            self.counts.jumps += 1
            ready = self._release(len(self._held))
            self._next = (sequence + 1) % 0x10000
            return [*ready, InOrder(item=item)]
        if ahead < 0:
            self.counts.late += 1
            return []
        if sequence in self._held:
            self.counts.duplicate += 1
            return []
        self._held[sequence] = (now_ns, item)
        return self._release(0)

    def expire(self, now_ns: int) -> list[InOrder[T]]:
        """What may go on because its predecessors are given up."""
        ready: list[InOrder[T]] = []
        while (due_ns := self.due_ns) is not None and now_ns >= due_ns:
            ready += self._release(1)
        return ready

    def _release(self, gaps: int) -> list[InOrder[T]]:
        """Everything up to the next gap, or past `gaps` of them."""
        ready: list[InOrder[T]] = []
        while self._held:
            assert self._next is not None
            first = min(self._held, key=lambda sequence: (sequence - (self._next or 0)) % 0x10000)
            lost = (first - self._next) % 0x10000
            if lost:
                if gaps == 0:
                    break
                gaps -= 1
                self.counts.lost += lost
            ready.append(InOrder(item=self._held.pop(first)[1], lost=lost))
            self._next = (first + 1) % 0x10000
        return ready

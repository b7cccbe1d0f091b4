"""Who is there, what they can do and how full they are: arithmetic on `Alive` messages and `now_ns`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from broker.clock import NS_PER_S
from broker.messages import WORKER_KINDS, Alive, Peer

HUNG_AFTER_NS = 5 * NS_PER_S
"""Without a sign of life for this long a process is taken to hang. Deaths show sooner, as lost connections."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """What a process last said of itself."""

    alive: Alive
    seen_ns: int

    @property
    def peer(self) -> Peer:
        return self.alive.peer

    @property
    def ready(self) -> bool:
        return self.alive.state == "ready"


@dataclass(frozen=True, kw_only=True)
class News:
    """What an `Alive` changed."""

    newcomer: bool = False
    became_ready: bool = False
    predecessor: Peer | None = None
    """The process of the same name that this one replaces, if it was still thought to be there."""


class Registry:
    """The processes by name; a name belongs to its newest incarnation."""

    def __init__(self) -> None:
        self._processes: dict[str, Process] = {}

    def alive(self, message: Alive, now_ns: int) -> News:
        """File a sign of life."""
        before = self._processes.get(message.peer.name)
        self._processes[message.peer.name] = Process(alive=message, seen_ns=now_ns)
        if before is None or before.peer.incarnation != message.peer.incarnation:
            predecessor = before.peer if before else None
            return News(newcomer=True, became_ready=message.state == "ready", predecessor=predecessor)
        return News(became_ready=message.state == "ready" and not before.ready)

    def lost(self, peer: Peer) -> bool:
        """Its connection broke: it is dead. False when that was known or a successor has its name."""
        process = self._processes.get(peer.name)
        if process is None or process.peer.incarnation != peer.incarnation:
            return False
        del self._processes[peer.name]
        return True

    def hung(self, now_ns: int) -> list[Peer]:
        """Those that have not been heard of for too long; they are forgotten."""
        found = [each.peer for each in self._processes.values() if now_ns - each.seen_ns > HUNG_AFTER_NS]
        for peer in found:
            del self._processes[peer.name]
        return found

    def knows(self, peer: Peer) -> bool:
        """Whether this very incarnation is there."""
        process = self._processes.get(peer.name)
        return process is not None and process.peer.incarnation == peer.incarnation

    def of(self, *kinds: str) -> list[Process]:
        """The processes of these kinds, by name."""
        return [each for _, each in sorted(self._processes.items()) if each.peer.kind in kinds]

    def ready(self, kind: str) -> list[Process]:
        """Those of a kind that can take sessions, by name."""
        return [each for each in self.of(kind) if each.ready]

    def missing(self) -> tuple[str, ...]:
        """The kinds without which no conversation can start, each with its reason; empty when the set is complete."""
        return tuple(f"{kind}: {self._reason(kind)}" for kind in WORKER_KINDS if not self.ready(kind))

    def _reason(self, kind: str) -> str:
        details = [each.alive.detail or each.alive.state for each in self.of(kind)]
        return details[0] if details else "no process has come up"

    def capacity(self, limit: int) -> int:
        """Sessions that can run at once: `limit`, or what the scarcest kind has room for (0 says nothing)."""
        rooms = []
        for kind in WORKER_KINDS:
            capacities = [each.alive.capacity for each in self.ready(kind)]
            if not capacities:
                return 0
            if all(capacities):
                rooms.append(sum(capacities))
        return min([limit, *rooms])

    def table(self, now_ns: int, own: Iterable[Alive] = ()) -> tuple[dict[str, Any], ...]:
        """One row a process, as plain data, for /metrics and the console."""
        rows = [(each.alive, each.seen_ns) for _, each in sorted(self._processes.items())]
        return tuple(
            {
                "name": alive.peer.name,
                "kind": alive.peer.kind,
                "incarnation": alive.peer.incarnation,
                "state": alive.state,
                "detail": alive.detail,
                "engine": alive.engine,
                "capacity": alive.capacity,
                "sessions": alive.sessions,
                "load": alive.load,
                "front": alive.front,
                "silent_ms": (now_ns - seen_ns) // 1_000_000,
                "counters": dict(alive.counters),
            }
            for alive, seen_ns in [*((alive, now_ns) for alive in own), *rows]
        )

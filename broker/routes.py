"""A session's route: one process of each kind, chosen by how few sessions it has, mended when one dies."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from broker.messages import WORKER_KINDS, Peer
from broker.registry import Process, Registry


@dataclass(frozen=True, kw_only=True)
class Route:
    """Who serves a session. A kind without a process is absent until one comes up."""

    id: int
    peers: dict[str, Peer] = field(default_factory=dict)

    def passes(self, peer: Peer) -> bool:
        """Whether this very process is on it."""
        return self.peers.get(peer.kind) == peer


def new_route(registry: Registry, sessions: Mapping[str, int], edge: Peer) -> Route:
    """A route over the processes with the fewest sessions. `sessions` counts them by process name."""
    chosen = {kind: choose(registry.ready(kind), sessions) for kind in WORKER_KINDS}
    peers = {kind: peer for kind, peer in chosen.items() if peer}
    return Route(id=new_id(), peers=peers | {"webrtc": edge})


def mended(route: Route, registry: Registry, sessions: Mapping[str, int]) -> tuple[Route, tuple[str, ...]]:
    """The route without its dead, over their successors where there are any, and the kinds that have one now."""
    alive = {kind: peer for kind, peer in route.peers.items() if kind == "webrtc" or _serves(registry, peer)}
    found: dict[str, Peer] = {}
    for kind in WORKER_KINDS:
        if kind not in alive:
            peer = choose(registry.ready(kind), sessions)
            if peer:
                found[kind] = peer
    if not found:
        return Route(id=route.id, peers=alive), ()
    return Route(id=new_id(), peers=alive | found), tuple(found)


def choose(processes: list[Process], sessions: Mapping[str, int]) -> Peer | None:
    """The one with the fewest sessions for its room, then the least load, then the first by name."""

    def fullness(process: Process) -> tuple[float, float, str]:
        count = sessions.get(process.peer.name, 0)
        room = process.alive.capacity or 1
        return count / room, process.alive.load, process.peer.name

    return min(processes, key=fullness).peer if processes else None


def new_id() -> int:
    """A random 64-bit number, never 0."""
    return secrets.randbits(64) or 1


def _serves(registry: Registry, peer: Peer) -> bool:
    """Whether a process can go on with its sessions; one that is stopping does so while it has no successor."""
    if not registry.knows(peer):
        return False
    stopping = any(each.peer == peer and each.alive.state == "stopping" for each in registry.of(peer.kind))
    return not (stopping and registry.ready(peer.kind))

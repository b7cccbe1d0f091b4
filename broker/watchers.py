"""Who watches which session – edges for their viewers, outputs for what they make – and how many viewers there are.

Arithmetic on `Watch` and `now_ns`.
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.clock import NS_PER_S
from broker.messages import Peer, Watch

SILENT_NS = 4 * NS_PER_S
"""An edge says every second that it watches; one that does not for so long has left."""

AUDIENCE_KINDS = frozenset({"state", "sentence", "turn", "audience", "recording"})
"""Events that viewers get. What was heard of the caller before it became a question is not among them."""

OUTPUT_KINDS = AUDIENCE_KINDS | {"degraded", "act", "switch", "question", "phonemes", "visemes"}
"""Events that go into what is made of a session."""


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """An edge with viewers of one session."""

    edge: Peer
    viewers: int
    seen_ns: int
    hls: bool = False
    """Somebody there plays the session as HTTP live streaming."""


class Watchers:
    """By session and edge. What it knows, edges say again each second: a broker that starts anew asks nobody."""

    def __init__(self) -> None:
        self._watchers: dict[str, dict[str, Watcher]] = {}

    def watch(self, message: Watch, now_ns: int) -> bool:
        """File it; True when the edge is new here (or began anew)."""
        held = self._watchers.setdefault(message.session, {})
        before = held.get(message.edge.name)
        held[message.edge.name] = Watcher(
            edge=message.edge, viewers=max(0, message.viewers), seen_ns=now_ns, hls=message.hls
        )
        return before is None or before.edge != message.edge

    def leave(self, session: str, edge: Peer) -> None:
        """The edge wants no more of this session."""
        held = self._watchers.get(session, {})
        if edge.name in held and held[edge.name].edge == edge:
            del held[edge.name]
        if not held:
            self._watchers.pop(session, None)

    def forget(self, session: str) -> None:
        """The session has ended."""
        self._watchers.pop(session, None)

    def lost(self, edge: Peer) -> list[str]:
        """The edge has died: the sessions it watched."""
        sessions = [session for session, held in self._watchers.items() if edge in (w.edge for w in held.values())]
        for session in sessions:
            self.leave(session, edge)
        return sessions

    def silent(self, now_ns: int) -> list[str]:
        """Forget who has fallen silent: the sessions concerned."""
        gone = [
            (session, watcher.edge)
            for session, held in self._watchers.items()
            for watcher in held.values()
            if now_ns - watcher.seen_ns > SILENT_NS
        ]
        for session, edge in gone:
            self.leave(session, edge)
        return [session for session, _ in gone]

    def of(self, session: str) -> list[Peer]:
        """The edges that watch it."""
        return [watcher.edge for watcher in self._watchers.get(session, {}).values()]

    def hearing(self, session: str, kind: str) -> list[Peer]:
        """Those of them that get events of this kind."""
        if kind not in OUTPUT_KINDS:
            return []
        return [peer for peer in self.of(session) if kind in AUDIENCE_KINDS or peer.kind == "outputs"]

    def viewers(self, session: str) -> int:
        """Viewers at all edges together."""
        return sum(watcher.viewers for watcher in self._watchers.get(session, {}).values())

    def hls(self, session: str) -> bool:
        """Somebody at some edge plays it as HTTP live streaming."""
        return any(watcher.hls for watcher in self._watchers.get(session, {}).values())

"""Which edges want to hear of which session's events, beside those that show them to its page."""

from __future__ import annotations

from broker.clock import NS_PER_S
from broker.events import EventLog
from broker.messages import Event, Listen, Peer, Told

SILENT_NS = 5 * NS_PER_S
"""An edge says each second that it still listens."""

EVERYBODY = ""


class Listeners:
    """Edges by session; `EVERYBODY` for all sessions."""

    def __init__(self) -> None:
        self._heard_ns: dict[tuple[str, Peer], int] = {}

    def listen(self, message: Listen, log: EventLog, now_ns: int) -> list[tuple[Peer, Told]]:
        """An edge listens, goes on listening, or leaves. Returns what it missed, when it begins."""
        key = (message.session, message.edge)
        if message.leave:
            self._heard_ns.pop(key, None)
            return []
        begins = key not in self._heard_ns
        self._heard_ns[key] = now_ns
        missed = log.since(message.since, message.session) if begins and message.since >= 0 else []
        return [(message.edge, _told(event)) for event in missed]

    def told(self, event: Event) -> list[tuple[Peer, Told]]:
        """Who is to hear of an event. An edge that listens to everybody hears it once."""
        edges = {edge for session, edge in self._heard_ns if session in (EVERYBODY, event.session)}
        return [(edge, _told(event)) for edge in sorted(edges, key=lambda edge: edge.name)]

    def forget_silent(self, now_ns: int) -> None:
        """Edges that have not spoken for a while have gone."""
        self._heard_ns = {key: heard for key, heard in self._heard_ns.items() if now_ns - heard <= SILENT_NS}


def _told(event: Event) -> Told:
    return Told(session=event.session, seq=event.seq, kind=event.kind, turn=event.turn, data=event.data)

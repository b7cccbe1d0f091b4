"""Everybody who looks on at this edge: the sessions they watch, how many they are, what the broker says of these."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

from broker.clock import NS_PER_S, now_ns
from broker.config import Settings
from broker.messages import Close, Event, Message, Peer, Programme, Refused, Showing, Watch
from webrtc.personas import PersonaCards
from webrtc.watched import Watched

TOLD_S = 0.2
"""Changes in the number of viewers are told the broker together, this often at most."""

LINGER_NS = 3 * NS_PER_S
"""A session nobody watches any more is kept so long: pages reload, players reconnect."""

ANSWERED_S = 2.5
"""Within this the broker says whether it knows a session."""


class House(Protocol):
    """What the audience needs of the process around it; see calls.py."""

    @property
    def peer(self) -> Peer: ...

    @property
    def ice_servers(self) -> tuple[dict[str, Any], ...]: ...

    @property
    def own_ice_servers(self) -> tuple[dict[str, Any], ...]: ...

    def to_broker(self, message: Message, route: int) -> bool: ...

    def to(self, peer: Peer, message: Message, route: int) -> bool: ...

    def listen(self, old: Peer | None, new: Peer | None, session: str, listener: str = "") -> None: ...

    def forget_unused(self, peers: Iterable[Peer]) -> None: ...

    @property
    def personas(self) -> PersonaCards: ...

    @property
    def settings(self) -> Settings: ...


class Audience:
    """The watched sessions by id. Runs on the event loop."""

    def __init__(self, house: House) -> None:
        self.counters: Counter[str] = Counter()
        self._house = house
        self._watched: dict[str, Watched] = {}
        self._telling: asyncio.TimerHandle | None = None
        self._told: dict[str, int] = {}

    @property
    def count(self) -> int:
        """Viewers at this edge."""
        return sum(watched.count for watched in self._watched.values())

    @property
    def token(self) -> str:
        """What viewers bear besides the link; empty: nothing."""
        return self._house.settings.audience.token

    @property
    def listeners(self) -> int:
        """Event streams at this edge."""
        return sum(len(watched.streams) for watched in self._watched.values())

    async def find(self, session: str) -> Watched | None:
        """The session, ready to be joined; None when there is no such one. Raises TimeoutError without a broker."""
        watched = self._watched.get(session)
        if watched is None:
            watched = self._watched[session] = Watched(self, session)
            self._tell(watched)
        try:
            async with asyncio.timeout(ANSWERED_S):
                known = await asyncio.shield(watched.answer)
        except TimeoutError:
            if watched.empty:
                self._drop(watched, "nobody answers")
            raise
        return watched if known else None

    def hls(self, watched: Watched) -> None:
        """Somebody asks for the session as HTTP live streaming; for the first one it is made from now on."""
        before, watched.hls_ns = watched.hls, now_ns()
        if not before:
            self._tell(watched)

    def watched(self, session: str) -> Watched | None:
        """The session, if somebody here watches it already."""
        return self._watched.get(session)

    def take(self, message: Message) -> bool:
        """A message of the bus, if it concerns a watched session. True: it did."""
        watched = self._watched.get(message.session)
        if watched is None:
            return isinstance(message, Showing)
        if isinstance(message, Programme):
            watched.programme(message)
        elif isinstance(message, Event):
            watched.event(message)
        elif isinstance(message, Showing):
            before = watched.shown.peers.values() if watched.shown else ()
            watched.show(message)
            self._house.forget_unused(before)
        elif isinstance(message, Close):
            self._drop(watched, message.reason)
        elif isinstance(message, Refused) and message.code == "unknown":
            self._drop(watched, "unknown")
        else:
            return False
        return True

    def beat(self) -> None:
        """Once a second: the broker hears who watches, programmes who wants pictures; the empty are let go."""
        now = now_ns()
        for watched in list(self._watched.values()):
            if not watched.empty:
                watched.empty_ns = 0
            elif not watched.empty_ns:
                watched.empty_ns = now
            elif now - watched.empty_ns > LINGER_NS:
                self._house.to_broker(self._watch(watched, leave=True), 0)
                self._drop(watched, "nobody watches")
                continue
            self._tell(watched)
            watched.want()

    def peers(self) -> set[Peer]:
        """The programmes that are listened to."""
        return {peer for each in self._watched.values() if each.shown for peer in each.shown.peers.values()}

    def totals(self) -> Counter[str]:
        """Counters of what is watched and of what was; `viewers` is how many there are now."""
        totals = Counter(self.counters)
        totals["viewers"] = self.count
        for watched in self._watched.values():
            totals.update(watched.stats())  # type: ignore[arg-type]  # totals are whole numbers
        return totals

    async def close(self) -> None:
        """Stopping: everybody is told to come back."""
        watched, self._watched = list(self._watched.values()), {}
        for each in watched:
            for stream in each.streams:
                stream.end()
            each.end("restart")
        await asyncio.gather(*(each.closed() for each in watched))

    # --- what a watched session needs (watched.House) ---

    @property
    def peer(self) -> Peer:
        return self._house.peer

    @property
    def ice_servers(self) -> tuple[dict[str, Any], ...]:
        return self._house.ice_servers

    @property
    def own_ice_servers(self) -> tuple[dict[str, Any], ...]:
        return self._house.own_ice_servers

    def to(self, peer: Peer, message: Message, route: int) -> bool:
        return self._house.to(peer, message, route)

    def listen(self, old: Peer | None, new: Peer | None, session: str, listener: str) -> None:
        self._house.listen(old, new, session, listener)

    def card(self, persona: dict[str, Any]) -> dict[str, Any]:
        """What a page shows of a persona."""
        return self._house.personas.card(persona)

    def viewers_changed(self) -> None:
        """Somebody came or went: the broker hears soon, with whoever else does."""
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(TOLD_S, self._tell_all)

    # --- inside ---

    def _tell_all(self) -> None:
        self._telling = None
        for watched in self._watched.values():
            if watched.count != self._told.get(watched.session):
                self._tell(watched)

    def _tell(self, watched: Watched) -> None:
        self._told[watched.session] = watched.count
        self._house.to_broker(self._watch(watched), 0)

    def _watch(self, watched: Watched, leave: bool = False) -> Watch:
        edge, hls = self._house.peer, watched.hls and not leave
        return Watch(session=watched.session, edge=edge, viewers=watched.count, leave=leave, hls=hls)

    def _drop(self, watched: Watched, reason: str) -> None:
        if self._watched.get(watched.session) is watched:
            del self._watched[watched.session]
            self._told.pop(watched.session, None)
            watched.end(reason)
            self.counters.update(watched.stats())  # type: ignore[arg-type]  # totals are whole numbers
            self._house.forget_unused(watched.shown.peers.values() if watched.shown else ())

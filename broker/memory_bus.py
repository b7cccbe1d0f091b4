"""The bus's in-memory twin for tests: the same methods, no sockets, delivery as an argument."""

from __future__ import annotations

import collections
import secrets
from collections.abc import Callable

from broker import codec
from broker.messages import DATA, Message, Peer


class MemoryHub:
    """The wire between twins. `losses(sender, receiver, message)` says which messages are lost."""

    def __init__(self, losses: Callable[[Peer, Peer, Message], bool] | None = None) -> None:
        self.inboxes: dict[str, collections.deque[list[bytes]]] = {}
        self.subscriptions: dict[str, list[tuple[str, collections.deque[list[bytes]]]]] = {}
        self.losses = losses

    def down(self, peer: Peer) -> None:
        """The process is gone: its inboxes no longer take anything."""
        self.inboxes.pop(peer.data, None)
        self.inboxes.pop(peer.control, None)


class MemoryBus:
    """A process's place on a `MemoryHub`; every message goes through the codec, as on the wire."""

    def __init__(self, kind: str, name: str, hub: MemoryHub, incarnation: str | None = None) -> None:
        self.hub = hub
        self.incarnation = incarnation or secrets.token_hex(4)
        self.counters: dict[str, float] = collections.Counter()  # type: ignore[assignment]
        base = "memory://broker" if kind == "broker" else f"memory://{name}.{self.incarnation}"
        self.peer = Peer(
            kind=kind,
            name=name,
            incarnation=self.incarnation,
            data=f"{base}.data",
            control=f"{base}.control",
            pub=f"{base}.events",
        )
        self.broker = Peer(
            kind="broker",
            name="broker",
            incarnation="",
            data="memory://broker.data",
            control="memory://broker.control",
            pub="memory://broker.events",
        )
        self._data = hub.inboxes.setdefault(self.peer.data, collections.deque())
        self._control = hub.inboxes.setdefault(self.peer.control, collections.deque())
        self._sub: collections.deque[list[bytes]] = collections.deque()
        self._lost: list[Peer] = []
        self.full: set[str] = set()
        """Sessions whose receivers take nothing, as a test says."""
        self.on_message: Callable[[Message], None] | None = None

    def send(self, to: Peer, message: Message, route: int | None = None) -> bool:
        inbox = self.hub.inboxes.get(to.data if isinstance(message, DATA) else to.control)
        if inbox is None:
            self._lost.append(to)
            self.counters["outbox_dropped"] += 1
            return False
        if self.hub.losses is None or not self.hub.losses(self.peer, to, message):
            inbox.append(codec.encode(message, route))
        return True

    def publish(self, message: Message, route: int | None = None) -> None:
        frames = codec.encode(message, route)
        for session, inbox in self.hub.subscriptions.get(self.peer.pub, []):
            if session in ("", message.session):
                inbox.append(frames)

    def subscribe(self, pub: str, session: str) -> None:
        self.hub.subscriptions.setdefault(pub, []).append((session, self._sub))

    def unsubscribe(self, pub: str, session: str) -> None:
        held = self.hub.subscriptions.get(pub, [])
        self.hub.subscriptions[pub] = [each for each in held if each[0] != session or each[1] is not self._sub]

    def backlog(self, session: str) -> int:
        return 0

    @property
    def waiting(self) -> int:
        return 0

    def blocked(self) -> frozenset[str]:
        return frozenset(self.full)

    def connect(self, to: Peer) -> None:
        """Nothing to do in memory."""

    def forget(self, peer: Peer) -> None:
        """Nothing to do in memory."""

    def wake(self) -> None:
        """Nothing waits in memory."""

    def receive(self, timeout_ms: int) -> list[Message]:
        messages = [codec.decode(self._control.popleft()) for _ in range(len(self._control))]
        messages += [codec.decode(self._data.popleft()) for _ in range(len(self._data))]
        return messages + [codec.decode(self._sub.popleft()) for _ in range(len(self._sub))]

    def lost(self) -> list[Peer]:
        lost, self._lost = self._lost, []
        return lost

    def connected(self) -> list[Peer]:
        return []

    def attach(
        self,
        loop: object,
        on_message: Callable[[Message], None],
        on_lost: Callable[[Peer], None] | None = None,
        on_connected: Callable[[Peer], None] | None = None,
    ) -> None:
        """Keep the callback; the test calls `pump`."""
        self.on_message = on_message

    def pump(self) -> None:
        """Deliver what has come to the attached callback."""
        assert self.on_message is not None
        for message in self.receive(0):
            self.on_message(message)

    def close(self) -> None:
        self.hub.down(self.peer)

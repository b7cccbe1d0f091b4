"""The bus: two PULL inboxes, one PUSH per receiver's inbox, PUB and SUB; never blocks, counts what it drops.

Control is drained before data. A PUSH serves one inbox only (joined to several it would deal round-robin); what its
full or absent pipe refuses waits in an outbox bounded per receiver and per session. A receiver's death is its lost
connection.
"""

from __future__ import annotations

import asyncio
import collections
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import gethostbyname

import zmq
from zmq.utils.monitor import recv_monitor_message

from broker import codec
from broker.config import Settings
from broker.errors import ConfigError, WireError
from broker.messages import DATA, Message, Peer

logger = logging.getLogger(__name__)

BATCH = 64
"""Data messages returned by one `receive`, so that control is looked at in between."""

CONTROL_BATCH = 1000

SESSION_SHARE = 4
"""One session may fill at most this part (1/4) of a receiver's outbox."""

COUNTED = ("high_water_reached", "outbox_dropped", "publish_dropped", "forgotten_messages", "malformed")
"""There from the start, so that a 0 in /metrics says that nothing was lost.

`high_water_reached`: how often a receiver's pipe was full although it is there: credits should have kept that from
happening. What it refused waits in the outbox.
`publish_dropped`: how often a subscriber was found full. ZeroMQ passes it over until it has read half of what its pipe
holds, and does not say how much; each subscriber counts that itself (`ticks_missing`).
"""

RETRY_MS = 1
"""How soon a refused message is tried again."""


def broker_peer(settings: Settings) -> Peer:
    """Where the broker's inboxes are; the only addresses known beforehand."""
    if settings.bus.transport == "tcp":
        base = f"tcp://{settings.bus.host}"
        control, data, events = (f"{base}:{settings.bus.port + n}" for n in range(3))
    else:
        control, data, events = (
            f"ipc://{settings.run_folder()}/broker.{name}" for name in ("control", "data", "events")
        )
    return Peer(kind="broker", name="broker", incarnation="", data=data, control=control, pub=events)


def replay_address(settings: Settings) -> str:
    """Where the broker answers `since` requests for its last events (a ROUTER)."""
    if settings.bus.transport == "tcp":
        return f"tcp://{settings.bus.host}:{settings.bus.port + 3}"
    return f"ipc://{settings.run_folder()}/broker.replay"


class Outlet:
    """One PUSH to one inbox, with what it could not take yet."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], address: str, high_water_mark: int, limit: int) -> None:
        self.socket = context.socket(zmq.PUSH)
        self.socket.setsockopt(zmq.SNDHWM, high_water_mark)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.IMMEDIATE, 1)
        self.socket.setsockopt(zmq.SNDTIMEO, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self.socket.setsockopt(zmq.RECONNECT_IVL_MAX, 200)
        events = zmq.Event.HANDSHAKE_SUCCEEDED | zmq.Event.DISCONNECTED
        self.monitor = self.socket.get_monitor_socket(events)
        self.waiting: collections.deque[tuple[str, list[bytes]]] = collections.deque()
        self.share: collections.Counter[str] = collections.Counter()
        self.limit = limit
        self.connected = False
        self.socket.connect(address)

    def send(self, session: str, frames: list[bytes]) -> bool:
        """Send or keep; False when the outbox is full for this session or altogether."""
        if not self.waiting and self._push(frames):
            return True
        if len(self.waiting) >= self.limit or self.share[session] >= self.limit // SESSION_SHARE:
            return False
        self.waiting.append((session, frames))
        self.share[session] += 1
        return True

    def flush(self) -> None:
        """Send what waits, as far as the pipe takes it."""
        while self.waiting and self._push(self.waiting[0][1]):
            session, _ = self.waiting.popleft()
            self.share[session] -= 1
            if not self.share[session]:
                del self.share[session]

    def _push(self, frames: list[bytes]) -> bool:
        try:
            self.socket.send_multipart(frames, flags=zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def close(self) -> None:
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(0)


class Bus:
    """A process's place on the bus. Not thread-safe: one thread owns it, `wake` excepted."""

    def __init__(
        self, kind: str, name: str, settings: Settings, incarnation: str | None = None, publishes: bool = False
    ) -> None:
        self.settings = settings
        self.counters: dict[str, float] = collections.Counter(dict.fromkeys(COUNTED, 0))  # type: ignore[assignment]
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.incarnation = incarnation or secrets.token_hex(4)
        self.broker = broker_peer(settings)
        self.poller = zmq.Poller()
        self._outlets: dict[str, Outlet] = {}
        self._monitors: dict[zmq.Socket[bytes], str] = {}
        self._peers: dict[str, Peer] = {}
        self._lost: list[Peer] = []
        self._connected: list[Peer] = []
        self._subscriptions: dict[str, set[str]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        if settings.bus.transport == "ipc":
            private_folder(settings.run_folder())
        self._control = self._bind(kind, name, "control", zmq.PULL)
        self._data = self._bind(kind, name, "data", zmq.PULL)
        self._pub = self._bind(kind, name, "events", zmq.PUB) if publishes or kind == "broker" else None
        if self._pub:
            self._pub.setsockopt(zmq.XPUB_NODROP, 1)
        self._sub = self.context.socket(zmq.SUB)
        self._sub.setsockopt(zmq.RCVHWM, settings.bus.high_water_mark)
        self._sub.setsockopt(zmq.LINGER, 0)
        self._waker = self._wake_pair()
        for socket in (self._control, self._data, self._sub, self._waker[1]):
            self.poller.register(socket, zmq.POLLIN)
        self.peer = Peer(
            kind=kind,
            name=name,
            incarnation=self.incarnation,
            data=self._address(self._data),
            control=self._address(self._control),
            pub=self._address(self._pub) if self._pub else "",
        )

    # --- sending ---

    def send(self, to: Peer, message: Message, route: int | None = None) -> bool:
        """Send to the inbox of `to` that `message` belongs to. Never blocks; False: dropped, and counted."""
        address = to.data if isinstance(message, DATA) else to.control
        if to.control not in self._outlets:
            self.connect(to)
        outlet = self._outlet(to, address)
        was_waiting = bool(outlet.waiting)
        sent = outlet.send(message.session, codec.encode(message, route))
        if not sent:
            self._count("outbox_dropped", "outbox full", message, to=to.name)
        elif outlet.waiting:
            if not was_waiting:
                self._watch(outlet.monitor)  # it may just have gone
                if outlet.connected:
                    self._count("high_water_reached", "pipe full", message, to=to.name)
            self._retry_soon()
        return sent

    def publish(self, message: Message, route: int | None = None) -> None:
        """Send to whoever subscribed to the message's session. Passes over a subscriber that is full, and counts it."""
        assert self._pub is not None, "this process does not publish"
        frames = [message.session.encode() + b"\0", *codec.encode(message, route)]
        try:
            self._pub.send_multipart(frames, flags=zmq.NOBLOCK)
        except zmq.Again:
            self._count("publish_dropped", "subscriber full", message)
            # With NODROP a full subscriber stands in the way of all others (zmq_setsockopt(3)); without, of nobody.
            self._pub.setsockopt(zmq.XPUB_NODROP, 0)
            self._pub.send_multipart(frames, flags=zmq.NOBLOCK)
            self._pub.setsockopt(zmq.XPUB_NODROP, 1)

    def backlog(self, session: str) -> int:
        """Messages of a session that wait because a receiver's pipe is full."""
        return sum(outlet.share[session] for outlet in self._outlets.values() if outlet.waiting)

    @property
    def waiting(self) -> int:
        """Messages in the outboxes of all receivers."""
        return sum(len(outlet.waiting) for outlet in self._outlets.values())

    def blocked(self) -> frozenset[str]:
        """Sessions of which a message to some worker or edge waits. What waits for the broker holds up nobody."""
        own = (self.broker.data, self.broker.control)
        full = [outlet for address, outlet in self._outlets.items() if outlet.waiting and address not in own]
        return frozenset(session for outlet in full for session in outlet.share if session)

    def connect(self, to: Peer) -> None:
        """Connect to both inboxes of `to` beforehand, so that the first message need not wait and a death is seen."""
        self._outlet(to, to.control)
        self._outlet(to, to.data)

    def forget(self, peer: Peer) -> None:
        """Close what leads to `peer`; waiting messages are dropped."""
        for address in (peer.data, peer.control):
            outlet = self._outlets.pop(address, None)
            if outlet:
                self._unwatch(outlet)
                self.counters["forgotten_messages"] += len(outlet.waiting)
                outlet.close()
            self._peers.pop(address, None)

    # --- listening ---

    def subscribe(self, pub: str, session: str) -> None:
        """Receive what is published at `pub` about `session` ('' with a broker's pub: everything)."""
        topics = self._subscriptions.setdefault(pub, set())
        if not topics:
            self._sub.connect(pub)
        if session not in topics:
            topics.add(session)
            self._sub.setsockopt(zmq.SUBSCRIBE, _topic(session))
            if self._loop:  # setting an option can swallow the socket's edge-triggered wake-up
                self._loop.call_soon(self._pump)

    def unsubscribe(self, pub: str, session: str) -> None:
        """Stop receiving it."""
        topics = self._subscriptions.get(pub, set())
        if session in topics:
            topics.remove(session)
            self._sub.setsockopt(zmq.UNSUBSCRIBE, _topic(session))
            if self._loop:
                self._loop.call_soon(self._pump)
            if not topics:
                del self._subscriptions[pub]
                self._sub.disconnect(pub)

    def receive(self, timeout_ms: int) -> list[Message]:
        """What has come: all control, then at most a batch of data and of subscriptions. Waits at most `timeout_ms`."""
        self._flush()
        if any(outlet.waiting for outlet in self._outlets.values()):
            timeout_ms = min(timeout_ms, RETRY_MS) if timeout_ms >= 0 else RETRY_MS
        ready = dict(self.poller.poll(timeout_ms))
        for socket in ready:
            if socket in self._monitors:
                self._watch(socket)
        if self._waker[1] in ready:
            _drain(self._waker[1])
        messages: list[Message] = []
        for socket, limit in ((self._control, CONTROL_BATCH), (self._data, BATCH), (self._sub, BATCH)):
            if socket in ready:
                messages.extend(self._take(socket, limit, topic=socket is self._sub))
        return messages

    def lost(self) -> list[Peer]:
        """Receivers whose connection has broken since the last call."""
        lost, self._lost = self._lost, []
        return lost

    def connected(self) -> list[Peer]:
        """Receivers to whose control inbox a connection was made since the last call."""
        connected, self._connected = self._connected, []
        return connected

    def wake(self) -> None:
        """Make a waiting `receive` return. The one method another thread may call."""
        with self._wake_lock:
            try:
                self._waker[0].send(b"", flags=zmq.NOBLOCK)
            except zmq.ZMQError:
                pass

    # --- asyncio ---

    def attach(
        self,
        loop: asyncio.AbstractEventLoop,
        on_message: Callable[[Message], None],
        on_lost: Callable[[Peer], None] | None = None,
        on_connected: Callable[[Peer], None] | None = None,
    ) -> None:
        """Let `loop` drive the bus: callbacks instead of `receive`. ZeroMQ's FD is edge-triggered: drain each time."""
        self._loop = loop
        self._callbacks = (on_message, on_lost, on_connected)
        for socket in (self._control, self._data, self._sub, *self._monitors):
            loop.add_reader(_descriptor(socket), self._pump)
        loop.call_soon(self._pump)

    def _pump(self) -> None:
        if self._control.closed or self._loop is None:
            return
        on_message, on_lost, on_connected = self._callbacks
        messages = self.receive(0)
        if on_lost:
            for peer in self.lost():
                on_lost(peer)
        if on_connected:
            for peer in self.connected():
                on_connected(peer)
        for message in messages:
            on_message(message)
        if len(messages) >= BATCH:  # one of the sockets may not be empty yet
            self._loop.call_soon(self._pump)

    def _retry_soon(self) -> None:
        if self._loop and not getattr(self, "_retrying", False):
            self._retrying = True
            self._loop.call_later(RETRY_MS / 1000, self._retry)

    def _retry(self) -> None:
        self._retrying = False
        if not self._control.closed:
            self._flush()
            if any(outlet.waiting for outlet in self._outlets.values()):
                self._retry_soon()

    # --- ending ---

    def close(self) -> None:
        """Close everything and remove this process's socket files."""
        sockets = [self._control, self._data, self._sub, *self._waker, *([self._pub] if self._pub else [])]
        if self._loop and not self._loop.is_closed():
            for socket in (self._control, self._data, self._sub, *self._monitors):
                self._loop.remove_reader(_descriptor(socket))
        for outlet in self._outlets.values():
            outlet.flush()
            outlet.close()
        for socket in sockets:
            socket.close(0)
        self.context.term()
        for address in (self.peer.data, self.peer.control, self.peer.pub):
            if address.startswith("ipc://"):
                Path(address.removeprefix("ipc://")).unlink(missing_ok=True)

    # --- inside ---

    def _count(self, counter: str, what: str, message: Message, **facts: str) -> None:
        """Count a fault that may come a thousand times a second; log it now and then."""
        self.counters[counter] += 1
        if self.counters[counter] in (1, 10, 100) or self.counters[counter] % 1000 == 0:
            logger.error(what, extra={"type": type(message).__name__, **facts})

    def _bind(self, kind: str, name: str, inbox: str, socket_type: int) -> zmq.Socket[bytes]:
        socket = self.context.socket(socket_type)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM if socket_type == zmq.PULL else zmq.SNDHWM, self.settings.bus.high_water_mark)
        address = self._own_address(kind, name, inbox)
        try:
            socket.bind(address)
        except zmq.ZMQError as error:
            raise ConfigError(f"{address} cannot be bound ({error}): is another {name} running?") from error
        if address.startswith("ipc://"):
            os.chmod(address.removeprefix("ipc://"), 0o700)
        return socket

    def _own_address(self, kind: str, name: str, inbox: str) -> str:
        if kind == "broker":
            peer = self.broker
            address = {"control": peer.control, "data": peer.data, "events": peer.pub}[inbox]
            return address.replace(f"//{self.settings.bus.host}:", f"//{_resolved(self.settings.bus.host)}:")
        if self.settings.bus.transport == "tcp":
            return f"tcp://{_resolved(self.settings.bus.own_host or self.settings.bus.host)}:*"
        return f"ipc://{self.settings.run_folder()}/{name}.{self.incarnation}.{inbox}"

    def _address(self, socket: zmq.Socket[bytes]) -> str:
        endpoint = socket.getsockopt(zmq.LAST_ENDPOINT)
        assert isinstance(endpoint, bytes)
        address = endpoint.rstrip(b"\0").decode()
        if address.startswith("tcp://"):
            host = self.settings.bus.own_host or self.settings.bus.host
            return f"tcp://{host}:{address.rsplit(':', 1)[1]}"
        return address

    def _outlet(self, to: Peer, address: str) -> Outlet:
        outlet = self._outlets.get(address)
        if outlet is None:
            bus = self.settings.bus
            outlet = Outlet(self.context, address, bus.high_water_mark, bus.outbox)
            self._outlets[address] = outlet
            self._peers[address] = to
            self._monitors[outlet.monitor] = address
            self.poller.register(outlet.monitor, zmq.POLLIN)
            if self._loop:
                self._loop.add_reader(_descriptor(outlet.monitor), self._pump)
        return outlet

    def _unwatch(self, outlet: Outlet) -> None:
        self.poller.unregister(outlet.monitor)
        self._monitors.pop(outlet.monitor, None)
        if self._loop and not self._loop.is_closed():
            self._loop.remove_reader(_descriptor(outlet.monitor))

    def _watch(self, monitor: zmq.Socket[bytes]) -> None:
        address = self._monitors[monitor]
        while int(monitor.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            event = recv_monitor_message(monitor)["event"]
            peer = self._peers[address]
            self._outlets[address].connected = event == zmq.Event.HANDSHAKE_SUCCEEDED
            self._outlets[address].flush()
            if address != peer.control:
                continue
            if event == zmq.Event.DISCONNECTED:
                self._lost.append(peer)
            elif event == zmq.Event.HANDSHAKE_SUCCEEDED:
                self._connected.append(peer)

    def _flush(self) -> None:
        for outlet in self._outlets.values():
            if outlet.waiting:
                outlet.flush()

    def _take(self, socket: zmq.Socket[bytes], limit: int, topic: bool = False) -> Iterator[Message]:
        for _ in range(limit):
            try:
                frames = _received(socket)
            except zmq.Again:
                return
            try:
                yield codec.decode(frames[1:] if topic else frames)
            except WireError as error:
                self.counters["malformed"] += 1
                logger.warning("malformed message", extra={"reason": str(error)})

    def _wake_pair(self) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
        self._wake_lock = threading.Lock()
        sender, receiver = self.context.socket(zmq.PAIR), self.context.socket(zmq.PAIR)
        receiver.bind("inproc://wake")
        sender.connect("inproc://wake")
        return sender, receiver


def private_folder(folder: Path) -> None:
    """Make `folder` for this user alone. Raises ConfigError when it belongs to somebody else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.stat()
    if state.st_uid != os.getuid():
        raise ConfigError(f"The run folder {folder} belongs to another user: set bus.run_folder to one of your own.")
    if state.st_mode & 0o077:
        folder.chmod(0o700)


def _resolved(host: str) -> str:
    """The address of a host name: ZeroMQ binds to addresses only (zmq_tcp(7))."""
    try:
        return gethostbyname(host)
    except OSError as error:
        raise ConfigError(f"bus.host or bus.own_host {host!r} is not an address of this machine ({error}).") from error


def _descriptor(socket: zmq.Socket[bytes]) -> int:
    return int(socket.getsockopt(zmq.FD))


def _topic(session: str) -> bytes:
    return session.encode() + b"\0" if session else b""


def _received(socket: zmq.Socket[bytes]) -> list[bytes]:
    """One message's frames; zmq.Again where none is there. pyzmq's own asks the socket after each for another."""
    frames = []
    while True:
        frame = socket.recv(flags=zmq.NOBLOCK, copy=False)
        frames.append(frame.bytes)
        if not frame.more:
            return frames


def _drain(socket: zmq.Socket[bytes]) -> None:
    try:
        while True:
            socket.recv(flags=zmq.NOBLOCK)
    except zmq.Again:
        pass

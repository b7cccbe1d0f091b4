"""What is around every stage: inboxes in, outboxes out; routes, staleness, life signs, shutdown. One loop, one thread.

The stage sees only messages that concern it now: of a session it was told of, on a route that holds, of a turn that is
not cancelled. What comes before its `Open` (another process was quicker) waits a moment for it.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol

from broker.bus import Bus
from broker.clock import NS_PER_MS, NS_PER_S, now_ns
from broker.errors import VisavisError
from broker.memory_bus import MemoryBus
from broker.messages import (
    FLOW,
    Alive,
    Cancel,
    Close,
    Holding,
    Message,
    Open,
    Peer,
    Programme,
    Report,
)

logger = logging.getLogger(__name__)

ALIVE_EVERY_NS = NS_PER_S // 2
EARLY_FOR_NS = 2 * NS_PER_S
"""How long a message waits for the `Open` that explains it."""
EARLY_LIMIT = 4096
FAULTS_ALLOWED = 3
"""Exceptions within FAULT_WINDOW_NS after which the process gives up and lets the supervisor start it afresh."""
FAULT_WINDOW_NS = 10 * NS_PER_S
IDLE_POLL_MS = 100
COUNTED = (
    "dropped_stale",
    "dropped_old_route",
    "dropped_unknown",
    "dropped_closed",
    "dropped_nobody",
    "sessions_paused",
    "faults",
)
"""Told from the start, so that a 0 says that there was none."""


class Stage(Protocol):
    """One object per process with its sessions inside. No sockets, clocks, sleeps or threads.

    A stage that makes things for other workers has `pause(sessions)` too: for these, and no others, it makes nothing
    for now, since what it made last still waits to be taken; what comes in for them it keeps. Programmes' ticks go on.
    One that has engines says which in `engine_name` and why these in `engine_why`.
    """

    def accept(self, message: Message) -> None:
        """File a message."""

    def step(self, now_ns: int) -> list[Message]:
        """Do the most urgent bounded piece of work and return what is to be sent."""

    @property
    def due_ns(self) -> int | None:
        """When to call `step` again; None: only after the next `accept`."""


@dataclass
class Route:
    """A session's peers, and which route ids are still taken from which kinds."""

    peers: dict[str, Peer]
    newest: int
    cut: dict[int, set[str]] = field(default_factory=dict)
    """Route id → kinds replaced since it was given out."""
    cancelled_through: int = 0

    def renew(self, opened: Open) -> None:
        """Take over a newer `Open`: older routes no longer hold for what came from the replaced kinds."""
        for kinds in self.cut.values():
            kinds.update(opened.replaced)
        self.cut.setdefault(opened.route, set())
        self.peers, self.newest = opened.peers, opened.route
        self.cancelled_through = max(self.cancelled_through, opened.cancelled_through)

    def holds(self, route: int, senders: set[str]) -> bool | None:
        """Whether a message on `route` from one of `senders` is taken; None when the route is not known (yet)."""
        if route not in self.cut:
            return None
        return not senders & self.cut[route]


class Shell:
    """Runs a stage on a bus until told to stop."""

    def __init__(self, kind: str, bus: Bus | MemoryBus, engine: str = "") -> None:
        self.kind = kind
        self.bus = bus
        self.engine = engine
        self.stage: Stage | None = None
        self.detail = "starting"
        self.routes: dict[str, Route] = {}
        self.counters: collections.Counter[str] = collections.Counter(dict.fromkeys(COUNTED, 0))
        self.stopping = threading.Event()
        self._early: collections.deque[tuple[int, Message]] = collections.deque()
        self._blocked: frozenset[str] = frozenset()
        """Sessions whose outbox waits: their next worker is full, or dead and not replaced yet."""
        self._next_alive_ns = 0
        self._work_ns = 0
        self._faults: collections.deque[int] = collections.deque(maxlen=FAULTS_ALLOWED)

    # --- running ---

    def run(self, build: Callable[[], Stage]) -> None:
        """Build the stage beside the loop, then serve until `stop`. Raises what `build` raised."""
        failure: list[BaseException] = []

        def load() -> None:
            try:
                self.stage = build()
            except BaseException as error:  # handed to the main thread, which ends the process with it
                failure.append(error)
            self._next_alive_ns = 0
            self.bus.wake()

        self.bus.connect(self.bus.broker)
        loader = threading.Thread(target=load, name="load", daemon=True)
        loader.start()
        while not self.stopping.is_set() and not failure:
            self.turn(now_ns())
        if failure:
            self._send_alive("stopping", str(failure[0]))
            raise failure[0]
        self._send_alive("stopping", "asked to stop")

    def stop(self, *_: object) -> None:
        """Leave the loop after the step in hand; a signal handler may call it."""
        self.stopping.set()
        self.bus.wake()

    def turn(self, now: int) -> None:
        """Once around: receive, file, do one step, send."""
        for message in self.bus.receive(self._wait_ms(now)):
            self.receive(message)
        self._notice_connections()
        self._pause_blocked()
        started = now_ns()
        due = self._due_ns()
        if due is not None and due <= started:
            self._step(started)
            self._work_ns += now_ns() - started
        if started >= self._next_alive_ns:
            self._expire(started)
            self._send_alive("ready" if self.stage else "starting")
            self._next_alive_ns = started + ALIVE_EVERY_NS

    def _pause_blocked(self) -> None:
        """Let the stage leave out the sessions whose outbox is not empty; the others do not wait for them."""
        blocked = self.bus.blocked()
        if blocked != self._blocked and self.stage is not None:
            self.counters["sessions_paused"] += len(blocked - self._blocked)
            self._blocked = blocked
            if pause := getattr(self.stage, "pause", None):
                with self._guard("pause failed"):
                    pause(blocked)

    def _wait_ms(self, now: int) -> int:
        due = self._due_ns()
        if due is None:
            return IDLE_POLL_MS
        return max(0, min(IDLE_POLL_MS, -(-(due - now) // NS_PER_MS)))

    def _due_ns(self) -> int | None:
        """The stage's; None while there is none, and where it cannot say: then the next `receive` waits."""
        with self._guard("due_ns failed"):
            return self.stage.due_ns if self.stage is not None else None
        return None

    def _step(self, now: int) -> None:
        assert self.stage is not None
        outgoing: list[Message] = []
        with self._guard("step failed"):
            outgoing = self.stage.step(now)
            self.counters["steps"] += 1
        for message in outgoing:
            with self._guard(f"{type(message).__name__} not sent"):
                self.send(message)

    # --- receiving ---

    def receive(self, message: Message) -> None:
        """File a message with the stage, or drop it and count why."""
        if isinstance(message, Report):
            self._report()
        elif isinstance(message, Open):
            self._open(message)
        elif not message.session or self.stage is None:
            self._keep_early(message)
        elif isinstance(message, Close):
            self._close(message)
        else:
            self._admit(message)

    def _admit(self, message: Message) -> None:
        route = self.routes.get(message.session)
        holds = route.holds(message.route, self._senders(message)) if route else None
        if route is None or holds is None:
            self._keep_early(message)
            return
        turn = getattr(message, "turn", 0)
        if not holds:
            self.counters["dropped_old_route"] += 1
        elif 0 < turn <= route.cancelled_through:
            self.counters["dropped_stale"] += 1
        else:
            if isinstance(message, Cancel):
                route.cancelled_through = max(route.cancelled_through, message.through_turn)
            self._accept(message)

    def _senders(self, message: Message) -> set[str]:
        flow = FLOW.get(type(message), {})
        return {sender for sender, receivers in flow.items() if self.kind in receivers}

    def _accept(self, message: Message) -> None:
        assert self.stage is not None
        with self._guard(f"{type(message).__name__} refused"):
            self.stage.accept(message)

    def _open(self, message: Open) -> None:
        if self.stage is None:
            self._keep_early(message)
            return
        route = self.routes.get(message.session)
        if route is None:
            route = self.routes[message.session] = Route(peers=message.peers, newest=message.route)
        before = set(route.peers.values())
        route.renew(message)
        for peer in message.peers.values():
            if peer.name != self.bus.peer.name and self._talks_to(peer.kind):
                self.bus.connect(peer)
        self._forget_unused(before)
        self._accept(message)
        self._retry_early()

    def _close(self, message: Close) -> None:
        route = self.routes.pop(message.session, None)
        if route is not None:
            self._accept(message)
            self._forget_unused(set(route.peers.values()))

    def _talks_to(self, kind: str) -> bool:
        return any(kind in receivers.get(self.kind, ()) for receivers in FLOW.values())

    def _forget_unused(self, peers: set[Peer]) -> None:
        used = {peer for route in self.routes.values() for peer in route.peers.values()}
        for peer in peers - used:
            self.bus.forget(peer)

    # --- what came before its Open ---

    def _keep_early(self, message: Message) -> None:
        if len(self._early) >= EARLY_LIMIT:
            self._early.popleft()
            self.counters["dropped_unknown"] += 1
        self._early.append((now_ns(), message))

    def _retry_early(self) -> None:
        waiting, self._early = self._early, collections.deque()
        for came_ns, message in waiting:
            route = self.routes.get(message.session)
            if route and message.route in route.cut:
                self._admit(message)
            else:
                self._early.append((came_ns, message))

    def _expire(self, now: int) -> None:
        if self.stage is not None and any(isinstance(message, Open) for _, message in self._early):
            waiting, self._early = self._early, collections.deque()
            for _, message in waiting:
                self.receive(message)
        while self._early and self._early[0][0] < now - EARLY_FOR_NS and self.stage is not None:
            self._early.popleft()
            self.counters["dropped_unknown"] += 1

    # --- sending ---

    def send(self, message: Message) -> None:
        """Send to everyone whom FLOW names, on the session's newest route."""
        route = self.routes.get(message.session)
        if message.session and route is None:
            self.counters["dropped_closed"] += 1
            return
        number = route.newest if route else None
        if isinstance(message, Programme):
            self.bus.publish(message, number)
            return
        for kind in FLOW[type(message)].get(self.kind, ()):
            peer = self.bus.broker if kind == "broker" else route.peers.get(kind) if route else None
            if peer is None:
                self.counters["dropped_nobody"] += 1
            else:
                self.bus.send(peer, message, number)

    def _report(self) -> None:
        self._send_alive("ready" if self.stage else "starting")
        facts = getattr(self.stage, "report", None)
        for session, route in self.routes.items():
            with self._guard("report failed"):
                held = facts(session) if facts else {}
                self.bus.send(self.bus.broker, Holding(session=session, kind=self.kind, facts=held), route.newest)

    def _send_alive(self, state: str, detail: str = "") -> None:
        own = {"outbox_waiting": self.bus.waiting}
        counters = {**own, **self.bus.counters, **self.counters, **getattr(self.stage, "counters", {})}
        alive = Alive(
            peer=self.bus.peer,
            state=state,
            detail=detail or (getattr(self.stage, "engine_why", "") if state == "ready" else self.detail),
            engine=getattr(self.stage, "engine_name", self.engine),
            sessions=len(self.routes),
            load=min(1.0, self._work_ns / ALIVE_EVERY_NS),
            counters={name: float(value) for name, value in counters.items()},
        )
        self._work_ns = 0
        self.bus.send(self.bus.broker, alive)

    def _notice_connections(self) -> None:
        for peer in self.bus.lost():
            logger.info("connection lost", extra={"peer": peer.name})
        if any(peer.kind == "broker" for peer in self.bus.connected()):
            self._next_alive_ns = 0

    @contextlib.contextmanager
    def _guard(self, what: str) -> Iterator[None]:
        """Around whatever the stage does: log and count an exception; give up when they come thick."""
        try:
            yield
        except Exception:
            logger.exception(what)
            self.counters["faults"] += 1
            now = now_ns()
            if len(self._faults) == FAULTS_ALLOWED and self._faults[0] > now - FAULT_WINDOW_NS:
                raise VisavisError(f"{self.kind}: {FAULTS_ALLOWED + 1} faults in 10 s; starting afresh.") from None
            self._faults.append(now)


def stop_on_signals(shell: Shell) -> None:
    """SIGTERM and SIGINT end the shell's loop."""

    def handle(number: int, frame: FrameType | None) -> None:
        shell.stop()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)

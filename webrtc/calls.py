"""The calls of this edge: which message is whose, and what the broker last said of the fleet."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from broker.clock import NS_PER_S, now_ns
from broker.config import Settings
from broker.messages import (
    Alive,
    Close,
    Event,
    Fleet,
    Gone,
    Holding,
    Message,
    Open,
    Outputs,
    Peer,
    Programme,
    Refused,
    Report,
    Showing,
)
from webrtc.api.desk import Desk
from webrtc.audience import Audience
from webrtc.call import Call
from webrtc.errors import PageError
from webrtc.latency import LatencyTotals
from webrtc.page_messages import Hello
from webrtc.page_socket import PageSocket
from webrtc.personas import PersonaCards
from webrtc.pushes import Pushes
from webrtc.security import new_token, same, token_hash
from webrtc.turn_credentials import minted

logger = logging.getLogger(__name__)

FATAL = frozenset({"forbidden", "persona", "insecure"})
"""Refusals that trying again does not change."""

FLEET_NS = 5 * NS_PER_S
"""How long the broker's word counts; it speaks each second."""

COUNTED = ("picture_steps", "ticks_missing", "pages_too_slow", "unknown_session", "faults")
"""Told from the start, so that a 0 in /metrics says that nothing was lost."""

ALIVE_S = 0.5
DIALOGUE_S = 0.3
"""How long a resumed page waits for the broker's dialogue before it is told to begin without."""

UNANSWERED_S = 3.0
"""Without a word from the broker for so long a page is told that the server is not ready."""

ABANDONED_S = 30.0
"""How much longer than the broker this edge keeps a session without a page."""


class Wire(Protocol):
    """The part of broker.bus.Bus (or its twin) that the edge uses."""

    peer: Peer
    broker: Peer
    counters: dict[str, float]

    @property
    def waiting(self) -> int: ...

    def send(self, to: Peer, message: Message, route: int | None = None) -> bool: ...

    def subscribe(self, pub: str, session: str) -> None: ...

    def unsubscribe(self, pub: str, session: str) -> None: ...

    def receive(self, timeout_ms: int) -> list[Message]: ...

    def forget(self, peer: Peer) -> None: ...


class Calls:
    """All sessions whose caller is at this edge. Runs on the event loop."""

    def __init__(self, settings: Settings, bus: Wire, personas: PersonaCards) -> None:
        self.settings = settings
        self.counters: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
        self.latencies = LatencyTotals()
        self._personas = personas
        self.desk = Desk(self)
        self._bus = bus
        self.audience = Audience(self)
        self.pushes = Pushes(self.audience, lambda news: self.to_broker(news, 0))
        self.front = ""
        """Where browsers reach this edge, `scheme:port`; known once it listens."""
        self._calls: dict[str, Call] = {}
        self._listeners: dict[tuple[str, str], set[str]] = {}
        """Who here hears a session's programme, by its pub and the session."""
        self._fleet: Fleet | None = None
        self._fleet_ns = 0
        self._resuming: dict[str, asyncio.TimerHandle] = {}
        self.load = 0.0
        """Share of one core used since the last Alive."""
        self._busy_s = time.process_time()
        self._busy_at = time.monotonic()

    # --- pages ---

    def hello(self, page: PageSocket, hello: Hello) -> Call:
        """A page begins or resumes. Raises PageError when it may not; the session follows with the broker's `Open`."""
        if self._silent():
            raise PageError("not_ready", "The server is not ready yet (broker: not heard from).")
        resumed = bool(hello.session)
        token = hello.token or new_token()
        session = hello.session or secrets.token_urlsafe(9)
        call = self._calls.get(session)
        if call and not same(call.token_hash, token_hash(token)):
            raise PageError("forbidden", "This conversation belongs to somebody else.", fatal=True)
        if call is None:
            if not hello.persona:
                hello = _with_persona(hello, self.settings.sessions.persona)
            call = Call(self, session, token_hash(token), hello, known=resumed)
        call.secret = token
        call.resuming = resumed
        call.attach(page, hello)
        self._calls[session] = call  # only now: one the broker was not told of would never be forgotten
        asyncio.get_running_loop().call_later(UNANSWERED_S, self._unanswered, call, page)
        return call

    def goodbye(self, call: Call, page: PageSocket, final: bool) -> None:
        """A page's WebSocket has ended."""
        call.detach(page, final)
        if call.page is not None:
            return
        if call.opened is None:
            self._forget(call)
        else:
            in_s = self.settings.sessions.away_s + ABANDONED_S
            asyncio.get_running_loop().call_later(in_s, self._abandoned, call)

    # --- the bus ---

    def on_message(self, message: Message) -> None:
        """Everything the bus delivers. A fault costs one message, never the others."""
        try:
            self._dispatch(message)
        except Exception:
            self.counters["faults"] += 1
            logger.exception("message failed", extra={"type": type(message).__name__, "session": message.session})

    def _dispatch(self, message: Message) -> None:
        if isinstance(message, Fleet):
            self._fleet, self._fleet_ns = message, now_ns()
        elif isinstance(message, Report):
            self.report()
        elif isinstance(message, Outputs):
            self.pushes.want(message)
        elif self.desk.take(message):
            pass
        else:
            watched = self.audience.take(message)
            call = self._calls.get(message.session)
            if call:
                self._to_call(call, message)
            elif not watched:
                self._unknown(message)

    def _to_call(self, call: Call, message: Message) -> None:
        if isinstance(message, Showing) or (isinstance(message, Refused) and message.code == "unknown"):
            return  # about its viewers
        if isinstance(message, Programme):
            call.programme(message)
        elif isinstance(message, Event):
            call.event(message)
            if message.kind == "dialogue":
                self._welcome(call)
            elif message.kind == "switch" and call.opened:
                call.switched(self.personas.card(call.opened.persona), message)
        elif isinstance(message, Open):
            self._opened(call, message)
        elif isinstance(message, Refused):
            self._refused(call, message)
        elif isinstance(message, Close):
            call.close(message)
            self._forget(call)
        else:
            self.counters["unexpected_message"] += 1

    def on_lost(self, peer: Peer) -> None:
        """A connection broke. The broker comes back to the same address; a worker's successor has another."""
        if peer.kind == "broker":
            self._fleet = None
        else:
            self._bus.forget(peer)

    def on_connected(self, peer: Peer) -> None:
        if peer.kind == "broker":
            self.alive()

    def report(self) -> None:
        """Tell a broker that has just started what is here."""
        self.alive()
        self._each(self._report)

    def _report(self, call: Call) -> None:
        facts = {"present": call.page is not None, "persona": call.persona, "token_hash": call.token_hash}
        self.to_broker(Holding(session=call.session, kind="webrtc", facts=facts), call.route)
        call.tell_again()

    def _each(self, work: Callable[[Call], None]) -> None:
        """Do this for every call. A fault costs one of them, never the others."""
        for call in list(self._calls.values()):
            try:
                work(call)
            except Exception:
                self.counters["faults"] += 1
                logger.exception("call failed", extra={"session": call.session})

    async def run(self) -> None:
        """Say every half second that this edge is alive, and every second who wants pictures."""
        beat = 0
        while True:
            self.alive()
            self._each(Call.judge_rate)
            if beat % 2 == 0:
                self.desk.beat()
                self._each(Call.want)
                self.audience.beat()
                self.pushes.forget_over()
            self.drain()
            beat += 1
            await asyncio.sleep(ALIVE_S)

    def drain(self) -> None:
        """Take what the event loop's edge-triggered readers may have missed."""
        for message in self._bus.receive(0):
            self.on_message(message)

    def alive(self, state: str = "ready") -> None:
        now, busy_s = time.monotonic(), time.process_time()
        self.load = (busy_s - self._busy_s) / max(0.001, now - self._busy_at)
        self._busy_at, self._busy_s = now, busy_s
        message = Alive(
            peer=self._bus.peer,
            state=state,
            sessions=len(self._calls),
            load=self.load,
            counters=self.totals(),
            front=self.front,
        )
        self._bus.send(self._bus.broker, message)

    # --- what calls need (call.House) ---

    @property
    def peer(self) -> Peer:
        return self._bus.peer

    @property
    def ice_servers(self) -> tuple[dict[str, Any], ...]:
        """For a page: those of the settings, and the TURN server with credentials that expire."""
        return self.settings.server.ice_servers + minted(self.settings.server, time.time())

    @property
    def personas(self) -> PersonaCards:
        return self._personas

    @property
    def shown(self) -> bool:
        """Whoever has a call's link may look on."""
        return self.settings.audience.watch

    @property
    def away_s(self) -> float:
        """A session is kept so long without its page."""
        return self.settings.sessions.away_s

    @property
    def video_kbps(self) -> int:
        """The pictures' whole rate."""
        return self.settings.media.video_kbps

    @property
    def own_ice_servers(self) -> tuple[dict[str, Any], ...]:
        """For this edge's own end of a connection."""
        return self.settings.server.ice_servers

    def to_broker(self, message: Message, route: int) -> bool:
        return self._bus.send(self._bus.broker, message, route)

    def to(self, peer: Peer, message: Message, route: int) -> bool:
        return self._bus.send(peer, message, route)

    def listen(self, old: Peer | None, new: Peer | None, session: str, listener: str = "caller") -> None:
        """Hear the session's programme from `new` and no longer from `old`. Its caller and its viewers share it."""
        if old:
            listeners = self._listeners.get((old.pub, session), set())
            listeners.discard(listener)
            if not listeners and self._listeners.pop((old.pub, session), None) is not None:
                self._bus.unsubscribe(old.pub, session)
        if new:
            listeners = self._listeners.setdefault((new.pub, session), set())
            if not listeners:
                self._bus.subscribe(new.pub, session)
            listeners.add(listener)
        asyncio.get_running_loop().call_soon(self.drain)

    def latency(self, session: str, turn: int, record: dict[str, Any]) -> None:
        """A turn's record is complete: to listeners, to /metrics, to the log."""
        self.latencies.add(record)
        call = self._calls[session]
        self.to_broker(Event(session=session, kind="latency", turn=turn, data=record), call.route)
        logger.info("latency", extra={"session": session, "turn": turn, "latency": record})

    def count(self, name: str, by: float = 1) -> None:
        self.counters[name] += by  # type: ignore[assignment]

    # --- what the pages about this process show ---

    def missing(self) -> tuple[str, ...]:
        """Why no conversation can start; empty when one can."""
        return self._fleet.missing if self._fleet and not self._silent() else ("broker: not heard from",)

    def _silent(self) -> bool:
        return self._fleet is None or now_ns() - self._fleet_ns > FLEET_NS

    def live(self) -> tuple[dict[str, Any], ...]:
        """The sessions there are, as the broker last said."""
        return self._fleet.live if self._fleet else ()

    def call_of(self, session: str) -> Call | None:
        """The call, if its caller is at this edge."""
        return self._calls.get(session)

    def processes(self) -> tuple[dict[str, Any], ...]:
        return self._fleet.processes if self._fleet else ()

    def __len__(self) -> int:
        return len(self._calls)

    def totals(self) -> dict[str, float]:
        """All counters of this process."""
        totals: Counter[str] = Counter(self.counters)
        for call in self._calls.values():
            totals.update(call.stats())  # type: ignore[arg-type]  # totals are whole numbers
        totals.update(self.audience.totals())
        totals.update(self.pushes.totals())
        return {"outbox_waiting": self._bus.waiting, **self._bus.counters, **totals}

    async def close(self) -> None:
        """Stopping: pages are told to come back, the broker that nobody is here."""
        self.alive("stopping")
        calls, self._calls = list(self._calls.values()), {}
        for call in calls:
            if call.page:
                call.page.end()
            call.stop()
        await self.pushes.close()
        await asyncio.gather(self.audience.close(), *(call.stopped() for call in calls))

    # --- inside ---

    def _opened(self, call: Call, message: Open) -> None:
        before = call.opened.peers if call.opened else {}
        call.open(message)
        self.forget_unused(before.values())
        if call.page is None or call.page.welcomed:
            return
        if call.resuming:
            later = asyncio.get_running_loop().call_later(DIALOGUE_S, self._welcome, call)
            self._resuming[call.session] = later
        else:
            self._welcome(call)

    def forget_unused(self, peers: Iterable[Peer]) -> None:
        """What was sent to a worker after its death would be tried again for ever."""
        used = {peer for call in self._calls.values() if call.opened for peer in call.opened.peers.values()}
        used |= self.audience.peers()
        for peer in set(peers) - used:
            self._bus.forget(peer)

    def _welcome(self, call: Call) -> None:
        timer = self._resuming.pop(call.session, None)
        if timer:
            timer.cancel()
        if call.page and not call.page.welcomed and call.opened:
            call.page.welcomed = True
            resumed = call.resuming and (call.opened.turn > 0 or bool(call.dialogue))
            call.welcome(resumed, self.personas.card(call.opened.persona))

    def _refused(self, call: Call, message: Refused) -> None:
        self.counters[f"refused_{message.code}"] += 1
        if message.code == "switch":
            if call.page:
                call.page.error(PageError(message.code, message.text))
            return
        if call.page:
            call.page.error(PageError(message.code, message.text, fatal=message.code in FATAL))
            call.page.end()
            call.page = None
        if call.opened is None or message.code in FATAL:
            call.stop()
            self._forget(call)

    def _unanswered(self, call: Call, page: PageSocket) -> None:
        if page.open and not page.welcomed and call.page is page:
            lacking = "; ".join(self.missing()) or "the broker does not answer"
            page.error(PageError("not_ready", f"The server is not ready yet ({lacking}). It will begin by itself."))

    def _unknown(self, message: Message) -> None:
        """A session whose page left before it was opened must not wait for it."""
        self.counters["unknown_session"] += 1
        if isinstance(message, Open):
            self.to_broker(Gone(session=message.session, final=message.turn == 0), message.route)

    def _abandoned(self, call: Call) -> None:
        """The broker has not closed a session that nobody came back to (it lost it): do it here."""
        if call.page is None and self._calls.get(call.session) is call:
            call.stop()
            self._forget(call)

    def _forget(self, call: Call) -> None:
        if self._calls.pop(call.session, None):
            self.counters.update(call.stats())  # type: ignore[arg-type]  # totals are whole numbers


def _with_persona(hello: Hello, persona: str) -> Hello:
    return dataclasses.replace(hello, persona=persona)

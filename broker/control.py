"""The broker's decisions: messages in, addressed messages out. No sockets, no clock; `__main__` has those."""

from __future__ import annotations

import collections
import logging
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from broker import outputs
from broker.clock import NS_PER_MS, NS_PER_S
from broker.commands import obeyed
from broker.config import RecordingSettings
from broker.errors import ConfigError, StoreError
from broker.events import EDGE_KINDS, EventLog
from broker.grace import Grace
from broker.handover import wanted
from broker.jobs import Jobs
from broker.journal import Journal
from broker.limits import Buckets
from broker.listeners import Listeners
from broker.makers import Makers
from broker.messages import (
    Act,
    Alive,
    Close,
    Command,
    Event,
    Fleet,
    Gone,
    Holding,
    Listen,
    Making,
    Message,
    OutputState,
    Peer,
    Present,
    Refused,
    Report,
    SetMode,
    SpeechStarted,
    Switch,
    Watch,
)
from broker.questions import ASKED_AT_ONCE, ASKED_PER_S, Questions, advanced
from broker.registry import Registry
from broker.routes import mended, new_route
from broker.sessions import NOBODY, Outgoing, Record, Session, new_state
from broker.showing import live, showing
from broker.store import Store
from broker.streaming import stream
from broker.turns import Away, Replaced, Restarted, Returned, Timer
from broker.watchers import Watchers

logger = logging.getLogger(__name__)

FLEET_NS = NS_PER_S
STORE_AGAIN_NS = NS_PER_S
"""How long a failing database is left alone."""

TICK_NS = 20 * NS_PER_MS
STAGGER_NS = 7 * NS_PER_MS
"""Neighbouring sessions' ticks are this far apart, so that their work does not fall together."""

SESSION_ID_LIMIT = 128
TOKEN_HASH_LENGTH = 64


@dataclass(frozen=True, kw_only=True)
class ControlSettings:
    """What this process needs of the installation's settings."""

    capacity: int = 8
    away_s: float = 60.0
    persona: str = "host"
    questions: str = "off"
    refused_words: tuple[str, ...] = ()
    recording: RecordingSettings = field(default_factory=RecordingSettings)
    whip_url: str = ""
    whip_token: str = field(default="", repr=False)
    janus_url: str = ""
    janus_key: str = field(default="", repr=False)
    rtmp_url: str = field(default="", repr=False)
    hls_sound: str = "aac"
    films_waiting: int = 16


@dataclass
class Outbox:
    """What a step wants sent, published and connected, in this order: connect, send, publish."""

    connect: list[Peer] = field(default_factory=list)
    forget: list[Peer] = field(default_factory=list)
    send: list[Outgoing] = field(default_factory=list)
    publish: list[Event] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """Sessions of which nothing is to be kept."""


class Control:
    """All sessions and all processes.

    `personas` gives the snapshot of a persona or raises ConfigError; `portraits` the names of the faces there are.
    """

    def __init__(
        self,
        settings: ControlSettings,
        personas: Callable[[str], dict[str, Any]],
        store: Store | None,
        boot: str,
        portraits: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self.settings = settings
        self.registry = Registry()
        self.sessions: dict[str, Session] = {}
        self.watchers = Watchers()
        self.events = EventLog()
        self.listeners = Listeners()
        self.jobs = Jobs()
        self.askers = Buckets(ASKED_PER_S, ASKED_AT_ONCE)
        self.grace = Grace()
        self.makers = Makers(self)
        self.counters: collections.Counter[str] = collections.Counter()
        self.own: Alive | None = None
        """This process's own row for /metrics, kept up by who runs it."""
        self._personas = personas
        self._portraits = portraits
        self._journal = Journal(store, boot) if store else None
        self._outbox = Outbox()
        self._fleet_ns = 0
        self._store_again_ns = 0

    # --- the loop's side ---

    def drain(self) -> Outbox:
        """What is to be done. `write_down` comes first, so that nobody knows more of a session than a successor."""
        outbox, self._outbox = self._outbox, Outbox()
        outbox.send += [told for event in outbox.publish for told in self.listeners.told(event)]
        dead = [peer for peer in outbox.forget if peer not in outbox.connect]
        outbox.send = [(to, message) for to, message in outbox.send if to not in dead]
        return outbox

    def due_ns(self, now_ns: int) -> int:
        """When `tick` is to be called again, at the latest."""
        dues = [session.due_ns for session in self.sessions.values()]
        if any(advanced(each.record.questions, each.state) for each in self.sessions.values()):
            return now_ns
        return min([due for due in dues if due is not None] + [self._fleet_ns + FLEET_NS])

    def tick(self, now_ns: int) -> None:
        """Everything that is due."""
        for session in list(self.sessions.values()):
            try:
                self._tick_session(session, now_ns)
            except Exception:  # it would stay due, and every conversation hangs on this process
                logger.exception("session broken", extra={"session": session.id})
                self.counters["broken_session"] += 1
                self._close(session, "fault", now_ns)
        if self.grace.over(now_ns):
            self._grace_over(now_ns)
        self.listeners.forget_silent(now_ns)
        for peer in self.registry.hung(now_ns):
            logger.error("hung", extra={"peer": peer.name})
            self._without(peer, "hung", now_ns)
        each_second = now_ns - self._fleet_ns >= FLEET_NS
        if each_second:
            for name in self.watchers.silent(now_ns):
                self._tell_viewers(name, now_ns)
            if not self.grace.running:
                for session in self.sessions.values():
                    stream(self, session, now_ns)
                    self.makers.want_pushes(session, now_ns)
            self._send_fleet(now_ns)
        self._make_films(now_ns, again=each_second)

    def _tick_session(self, session: Session, now_ns: int) -> None:
        if session.due_ns is not None and session.due_ns <= now_ns:
            self._send(session.step(Timer(), now_ns), now_ns)
        self._question_time(session, now_ns)
        if session.caller_gone_ns and now_ns - session.caller_gone_ns > self.settings.away_s * NS_PER_S:
            self._close(session, "away", now_ns)

    def lost(self, peer: Peer, now_ns: int) -> None:
        """The connection to a process broke."""
        if self.registry.lost(peer):
            logger.warning("lost", extra={"peer": peer.name})
            self._without(peer, "lost", now_ns)

    def accept(self, message: Message, now_ns: int) -> None:
        """One message from the bus. What is unknown or stale is counted."""
        handler = self._handlers.get(type(message))
        if handler:
            handler(self, message, now_ns)
            return
        session = self.sessions.get(message.session)
        if session is None:
            self.counters["unknown_session"] += 1
        elif not session.current(message):
            self.counters["stale_route"] += 1
        else:
            if session.sender(message) == "webrtc":
                session.caller_gone_ns = 0
            if self.grace.too_early(session, message):
                return
            try:
                outgoing = session.accept(message, now_ns)
            except KeyError:
                self.counters["unexpected"] += 1
                return
            self._send(outgoing, now_ns)
            if isinstance(message, SpeechStarted):
                for words in self.grace.waited(session.id):
                    self._send(session.accept(words, now_ns), now_ns)

    # --- processes ---

    def _on_alive(self, message: Alive, now_ns: int) -> None:
        news = self.registry.alive(message, now_ns)
        if news.newcomer:
            self._outbox.connect.append(message.peer)
            self.post(message.peer, Report())
            self.tell("health", now_ns, process=message.peer.name, state=message.state)
        if news.predecessor:
            self._without(news.predecessor, "replaced", now_ns)
        if news.became_ready or message.state == "stopping":
            self._mend_all(now_ns)
        if message.peer.kind == "production" and message.state == "stopping":
            self.jobs.left(message.peer, orderly=True)
        if message.peer.kind == "outputs" and (news.newcomer or news.became_ready):
            for session in self.sessions.values():
                self.makers.want_outputs(session)
        if message.peer.kind == "webrtc" and (news.newcomer or news.became_ready or message.state == "stopping"):
            for session in self.sessions.values():
                self.makers.want_pushes(session, now_ns)
        if news.newcomer or news.became_ready:
            self._send_fleet(now_ns)

    def _without(self, peer: Peer, reason: str, now_ns: int) -> None:
        """A process is gone: its sessions go to others."""
        self._outbox.forget.append(peer)
        self.tell("health", now_ns, process=peer.name, state=reason)
        if peer.kind == "webrtc":
            for session in self.sessions.values():
                if session.route.passes(peer):
                    self._edge_gone(session, now_ns)
            for name in self.watchers.lost(peer):
                self._tell_viewers(name, now_ns)
            self.makers.gone(peer.name, now_ns)
        elif peer.kind == "outputs":
            self.watchers.lost(peer)
            self.makers.gone("", now_ns)
        elif peer.kind == "production":
            self.jobs.left(peer)
        else:
            self._mend_all(now_ns)
        self._send_fleet(now_ns)

    def _mend_all(self, now_ns: int) -> None:
        if self.grace.running:
            return
        for session in list(self.sessions.values()):
            self._mend(session, now_ns)

    def _mend(self, session: Session, now_ns: int) -> None:
        before = session.route
        route, replaced = mended(before, self.registry, self._counts())
        if route.id == before.id and route.peers == before.peers:
            return
        outgoing = session.reroute(route, replaced, now_ns)
        self._send(outgoing, now_ns)
        self.show(session)
        for kind in set(before.peers) - set(route.peers):
            self.tell("degraded", now_ns, session, kind=kind, step="missing", reason=f"no {kind} is running")
        for kind in replaced:
            self.tell("degraded", now_ns, session, kind=kind, step="replaced", reason=f"{kind} was replaced")

    def _counts(self) -> collections.Counter[str]:
        """Sessions by process name."""
        return collections.Counter(
            peer.name for session in self.sessions.values() for peer in session.route.peers.values()
        )

    def _send_fleet(self, now_ns: int) -> None:
        self._fleet_ns = now_ns
        fleet = Fleet(
            missing=self.registry.missing(),
            processes=self.registry.table(now_ns, [self.own] if self.own else []),
            sessions=len(self.sessions),
            capacity=self.registry.capacity(self.settings.capacity),
            live=tuple(live(session, self.watchers, now_ns) for session in self.sessions.values()),
        )
        self._outbox.send.extend((edge.peer, fleet) for edge in self.registry.of("webrtc"))

    # --- sessions ---

    def _on_present(self, message: Present, now_ns: int) -> None:
        refusal = self._refusal(message)
        if refusal:
            self.counters[f"refused_{refusal.code}"] += 1
            self.post(message.edge, replace(refusal, session=message.session))
            return
        session = self.sessions.get(message.session)
        if session is None:
            self._begin(message, now_ns)
        else:
            self._resume(session, message, now_ns)

    def _refusal(self, message: Present) -> Refused | None:
        known = self.sessions.get(message.session)
        if known:
            if not secrets.compare_digest(known.record.token_hash.encode(), message.token_hash.encode()):
                return Refused(code="forbidden", text="This conversation belongs to somebody else.")
            return None
        if not 0 < len(message.session) <= SESSION_ID_LIMIT or len(message.token_hash) != TOKEN_HASH_LENGTH:
            return Refused(code="forbidden", text="This is not a valid session.")
        missing = self.registry.missing()
        if missing or self.grace.running:
            waits = f" Waiting for {missing[0]}." if missing else ""
            return Refused(code="not_ready", text=f"The avatar is still getting ready.{waits}")
        if len(self.sessions) >= self.registry.capacity(self.settings.capacity):
            return Refused(code="capacity", text="All conversations are taken. Please try again in a few minutes.")
        return None

    def _begin(self, message: Present, now_ns: int) -> None:
        try:
            persona = self._personas(message.persona or self.settings.persona)
            ordinal = self._free_ordinal()
            state = new_state(persona, message.language, message.mode, _origin_ns(ordinal, now_ns))
        except ConfigError as error:
            refused = Refused(session=message.session, code="persona", text=str(error))
            self.post(message.edge, refused)
            return
        route = new_route(self.registry, self._counts(), message.edge)
        record = Record(
            id=message.session,
            persona=persona,
            token_hash=message.token_hash,
            ordinal=ordinal,
            route=route,
            state=state,
            questions=Questions(mode=self.settings.questions),
        )
        session = self.sessions[message.session] = Session(record)
        self._connect_edge(message.edge)
        self._send(session.to_all(session.opened()), now_ns)
        self.tell("state", now_ns, session, state="listening")
        self.makers.record_as_configured(session, now_ns)
        self.makers.push_as_configured(session, now_ns)
        logger.info("session begins", extra={"session": session.id, "persona": persona.get("id")})

    def _free_ordinal(self) -> int:
        taken = {session.record.ordinal for session in self.sessions.values()}
        return next(n for n in range(len(taken) + 1) if n not in taken)

    def _resume(self, session: Session, message: Present, now_ns: int) -> None:
        """The caller is back, perhaps at another edge, whose microphone counts anew."""
        session.caller_gone_ns = 0
        self._send(session.step(Away(), now_ns), now_ns)
        if session.route.passes(message.edge):
            self._send(session.to_edge(session.opened()), now_ns)
        else:
            self._connect_edge(message.edge)
            if not message.hears_again:
                self._send(session.step(Returned(to_new_ears=True), now_ns), now_ns)
            route = replace(
                new_route(self.registry, self._counts(), message.edge),
                peers=session.route.peers | {"webrtc": message.edge},
            )
            self._send(session.reroute(route, ("vad", "asr", "webrtc"), now_ns), now_ns)
            self.show(session)
        self._send(session.step(Returned(), now_ns), now_ns)
        if message.mode != session.state.mode:
            self._send(session.step(SetMode(mode=message.mode), now_ns), now_ns)
        lines = [{"role": e.role, "text": e.text, "interrupted": e.interrupted} for e in session.state.dialogue]
        self.tell("dialogue", now_ns, session, lines=lines)
        if viewers := self.watchers.viewers(session.id):
            self.tell("audience", now_ns, session, viewers=viewers)
        if recording := outputs.current(session.record.outputs):
            self.tell("recording", now_ns, session, **recording.told())

    def _on_gone(self, message: Gone, now_ns: int) -> None:
        session = self.sessions.get(message.session)
        if session is None or not session.current(message):
            self.counters["unknown_session"] += 1
        elif message.final:
            self._close(session, "bye", now_ns)
        else:
            self._caller_gone(session, now_ns)

    def _edge_gone(self, session: Session, now_ns: int) -> None:
        """News for a dead edge would wait in its outbox for ever: until the caller comes back, there is none."""
        peers = {kind: peer for kind, peer in session.route.peers.items() if kind != "webrtc"}
        session.reroute(replace(session.route, peers=peers), (), now_ns)
        self._caller_gone(session, now_ns)

    def _caller_gone(self, session: Session, now_ns: int) -> None:
        session.caller_gone_ns = session.caller_gone_ns or now_ns
        self._send(session.step(Away(), now_ns), now_ns)

    def _close(self, session: Session, reason: str, now_ns: int) -> None:
        outgoing = session.closed(reason)
        self._send(outgoing, now_ns)
        told = {peer for peer, _ in outgoing}
        close = Close(session=session.id, route=session.route.id, reason=reason)
        self._outbox.send.extend((edge, close) for edge in self.watchers.of(session.id) if edge not in told)
        self.watchers.forget(session.id)
        del self.sessions[session.id]
        self._outbox.ended.append(session.id)
        if self._journal:
            self._journal.forget(session.id)
        self.tell("session", now_ns, session, state="closed", reason=reason)
        logger.info("session ends", extra={"session": session.id, "reason": reason})

    def _connect_edge(self, edge: Peer) -> None:
        if not self.registry.knows(edge):
            self._outbox.connect.append(edge)

    # --- those outside ---

    def _on_command(self, message: Command, now_ns: int) -> None:
        """The control API wants something: done, and answered."""
        self._connect_edge(message.edge)
        self.post(message.edge, obeyed(self, message, now_ns))

    def _on_listen(self, message: Listen, now_ns: int) -> None:
        """An edge wants events: first those it missed."""
        self._connect_edge(message.edge)
        self._outbox.send += self.listeners.listen(message, self.events, now_ns)

    def tell_machine(self, session: Session, event: object, now_ns: int) -> None:
        """Let a session's turn machine know of something that did not come from its page."""
        self._send(session.step(event, now_ns), now_ns)

    def end(self, session: Session, now_ns: int) -> None:
        """End a session from outside."""
        self._close(session, "operator", now_ns)

    def planned(self, session: Session, switch: Switch) -> None:
        """Raises ConfigError when a `Switch` cannot be."""
        wanted(session.record.persona, session.state.language, switch, self._personas, self._portraits)

    # --- questions from those who look on ---

    def question(self, session: Session, questions: Questions, n: int, now_ns: int) -> None:
        """A session's questions have changed; `n` is the one that did, 0 the mode."""
        session.record = replace(session.record, questions=questions)
        news = next((dict(each.told()) for each in questions.asked if each.n == n), {})
        self.tell("question", now_ns, session, mode=questions.mode, **news)

    def _question_time(self, session: Session, now_ns: int) -> None:
        """Take the next question from the audience a step further, if it may."""
        step = advanced(session.record.questions, session.state)
        if step is None:
            return
        questions, question, event = step
        self.question(session, questions, question.n, now_ns)
        if event:
            self.tell_machine(session, event, now_ns)

    # --- the face, and whose it is ---

    def _on_act(self, message: Act, now_ns: int) -> None:
        session = self._of(message, now_ns)
        if session is None:
            return
        self._send(session.act(message), now_ns)
        told = {key: value for key, value in vars(message).items() if key not in ("session", "route")}
        self.tell("act", now_ns, session, **told)

    def _on_switch(self, message: Switch, now_ns: int) -> None:
        """Another persona, face or language; what cannot be is said to the caller and changes nothing."""
        session = self._of(message, now_ns)
        if session is None:
            return
        try:
            persona, language = wanted(
                session.record.persona, session.state.language, message, self._personas, self._portraits
            )
            outgoing = session.switch(persona, language, now_ns)
        except ConfigError as error:
            self.counters["refused_switch"] += 1
            self._send(session.to_edge(Refused(code="switch", text=str(error))), now_ns)
            return
        self._send(outgoing, now_ns)
        self.show(session)
        face = str((persona.get("face") or {}).get("portrait", ""))
        self.makers.record_as_configured(session, now_ns)
        self.tell("switch", now_ns, session, persona=persona.get("id", ""), portrait=face, language=language)
        logger.info("switched", extra={"session": session.id, "persona": persona.get("id"), "language": language})

    def _of(self, message: Message, now_ns: int) -> Session | None:
        """The session of something its caller did; None (and counted) when it is not there or another edge has it."""
        session = self.sessions.get(message.session)
        if session is None or not session.current(message):
            self.counters["unknown_session" if session is None else "stale_route"] += 1
            return None
        session.caller_gone_ns = 0
        return session

    # --- events ---

    def _on_event(self, message: Event, now_ns: int) -> None:
        """Numbered, published, and shown on the page unless the edge made it."""
        session = self.sessions.get(message.session)
        if message.session and session is None:
            self.counters["unknown_session"] += 1
            return
        if session and message.kind not in EDGE_KINDS:
            self._send(session.to_edge(message), now_ns)
        else:
            self._outbox.publish.append(self.events.number(message, now_ns))

    def tell(self, kind: str, now_ns: int, session: Session | None = None, /, **data: Any) -> None:
        """Make an event known: of a session, or of the processes."""
        event = Event(kind=kind, data=data)
        if session:
            self._send(session.to_edge(event), now_ns)
        else:
            self._outbox.publish.append(self.events.number(event, now_ns))

    def post(self, peer: Peer, message: Message) -> None:
        """Queue a message that is no event."""
        self._outbox.send.append((peer, message))

    def _send(self, outgoing: list[Outgoing], now_ns: int) -> None:
        """Queue messages; events are numbered and published besides."""
        for peer, message in outgoing:
            if isinstance(message, Event):
                message = self.events.number(message, now_ns)
                self._outbox.publish.append(message)
                if self._journal and message.kind == "turn":
                    self._journal.note_turn(message)
            if peer is not NOBODY:
                self._outbox.send.append((peer, message))
            if isinstance(message, Event):
                watching = self.watchers.hearing(message.session, message.kind)
                self._outbox.send.extend((edge, message) for edge in watching if edge != peer)

    # --- those who look on ---

    def _on_watch(self, message: Watch, now_ns: int) -> None:
        session = self.sessions.get(message.session)
        if session is None:
            self.watchers.forget(message.session)
            if not message.leave:
                text = "There is no such conversation (any more)."
                self.post(message.edge, Refused(session=message.session, code="unknown", text=text))
            return
        before = self.watchers.viewers(session.id)
        if message.leave:
            self.watchers.leave(session.id, message.edge)
        elif self.watchers.watch(message, now_ns):
            self._connect_edge(message.edge)
            self.post(message.edge, showing(session, self.watchers))
        if self.watchers.viewers(session.id) != before:
            self._tell_viewers(session.id, now_ns)
        if message.hls:
            stream(self, session, now_ns)

    def show(self, session: Session) -> None:
        """Tell every edge that watches where the programme is now."""
        self._outbox.send.extend((edge, showing(session, self.watchers)) for edge in self.watchers.of(session.id))

    def _tell_viewers(self, name: str, now_ns: int) -> None:
        """How many look on, to the caller and to all of them."""
        if session := self.sessions.get(name):
            self.tell("audience", now_ns, session, viewers=self.watchers.viewers(name))

    # --- what is made of a session besides its call ---

    def _on_output_state(self, message: OutputState, now_ns: int) -> None:
        session = self.sessions.get(message.session)
        if session is None:
            self.counters["unknown_session"] += 1
        else:
            self.makers.heard(session, message, now_ns)

    # --- films ---

    def _make_films(self, now_ns: int, again: bool) -> None:
        """Say who makes what, `again` or not, and to whoever listens how far it is."""
        if not self.grace.running:
            self._outbox.send += self.jobs.assigned([each.peer for each in self.registry.ready("production")], again)
        for job in self.jobs.news.told.values():
            event = Event(session=job.name, kind="job", data=dict(job.told()))
            self._outbox.publish.append(self.events.number(event, now_ns))
        self.jobs.news.told.clear()

    def _on_making(self, message: Making, now_ns: int) -> None:
        self.jobs.heard(message)

    def forget_films(self, before_s: float) -> list[str]:
        """Films that are over and were ordered before that wall time are no longer known; their names."""
        return self.jobs.expire(before_s)

    # --- surviving ---

    def write_down(self, now_ns: int) -> None:
        """Write down what changed since the last time. A failing database is told and tried again later, not fatal."""
        if self._journal is None or now_ns < self._store_again_ns:
            return
        try:
            self._journal.write_down(self.sessions.values())
            self._journal.write_jobs(self.jobs.news)
        except StoreError as error:
            self.counters["store_failed"] += 1
            self._store_again_ns = now_ns + STORE_AGAIN_NS
            if self.counters["store_failed"] in (1, 10, 100) or self.counters["store_failed"] % 1000 == 0:
                logger.error("store", extra={"reason": str(error)})
                event = Event(kind="degraded", data={"kind": "broker", "step": "store", "reason": str(error)})
                self._outbox.publish.append(self.events.number(event, now_ns))

    def restore(self, now_ns: int) -> None:
        """Take up a predecessor's sessions and films. Media has gone on; what it sent waits in the inboxes."""
        for record in self._journal.restored(now_ns) if self._journal else ():
            self.sessions[record.id] = Session(record, caller_gone_ns=now_ns)
            self._outbox.connect.extend(record.route.peers.values())
        self.jobs = Jobs(self._journal.jobs() if self._journal else ())
        if self.sessions or self.jobs.waiting():
            self.grace.begin(now_ns)
            logger.info("restored", extra={"sessions": len(self.sessions), "films": self.jobs.waiting()})

    def _on_holding(self, message: Holding, now_ns: int) -> None:
        """What a process has of a session. Of an unknown one it may forget everything."""
        session = self.sessions.get(message.session)
        if session is None:
            forget = Close(session=message.session, route=message.route, reason="unknown")
            self._outbox.send.extend((each.peer, forget) for each in self.registry.of(message.kind))
        elif message.kind == "llm":
            self.grace.holding(message)
        elif message.kind == "webrtc" and message.facts.get("present"):
            session.caller_gone_ns = 0

    def _grace_over(self, now_ns: int) -> None:
        """Who has not come back by now is dead; the others are told again what holds, in case it got lost."""
        self.jobs.unserved([each.peer for each in self.registry.of("production")])
        for session in list(self.sessions.values()):
            edge = session.route.peers.get("webrtc")
            if edge and not self.registry.knows(edge):
                self._edge_gone(session, now_ns)
            before = session.route.id
            self._mend(session, now_ns)
            if session.route.id == before:
                self._send(session.to_all(session.opened()), now_ns)
                self._send(session.step(Restarted(), now_ns), now_ns)
                if self.grace.question_lost(session):
                    self._send(session.step(Replaced(frozenset({"llm"})), now_ns), now_ns)
        self.grace.end()

    _handlers: ClassVar[dict[type[Message], Callable[[Control, Any, int], None]]] = {
        Alive: _on_alive,
        Present: _on_present,
        Gone: _on_gone,
        Watch: _on_watch,
        OutputState: _on_output_state,
        Making: _on_making,
        Event: _on_event,
        Holding: _on_holding,
        Command: _on_command,
        Listen: _on_listen,
        Act: _on_act,
        Switch: _on_switch,
    }


def _origin_ns(ordinal: int, now_ns: int) -> int:
    """The next instant on the 20 ms grid, shifted by the session's place in the stagger."""
    phase_ns = ordinal * STAGGER_NS % TICK_NS
    return now_ns + (phase_ns - now_ns) % TICK_NS

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
from broker.handover import wanted
from broker.jobs import Jobs
from broker.journal import Journal
from broker.limits import Buckets
from broker.listeners import Listeners
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
    Outputs,
    OutputState,
    Peer,
    Present,
    Refused,
    Report,
    SetMode,
    Showing,
    SpeechStarted,
    Switch,
    Transcript,
    Watch,
)
from broker.outputs import Output
from broker.push_address import JANUS
from broker.pushing import janus_of, placed, push_as_configured
from broker.questions import ASKED_AT_ONCE, ASKED_PER_S, Questions, advanced
from broker.registry import Registry
from broker.routes import mended, new_route
from broker.sessions import NOBODY, Outgoing, Record, Session, new_state
from broker.store import Store
from broker.streaming import stream
from broker.turn_state import phase
from broker.turns import Away, Replaced, Restarted, Returned, Timer
from broker.watchers import Watchers

logger = logging.getLogger(__name__)

FLEET_NS = NS_PER_S
GRACE_NS = 1_200 * NS_PER_MS
"""After a start: how long the processes of restored sessions have to say that they are there."""

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
        self.counters: collections.Counter[str] = collections.Counter()
        self.own: Alive | None = None
        """This process's own row for /metrics, kept up by who runs it."""
        self._personas = personas
        self._portraits = portraits
        self._journal = Journal(store, boot) if store else None
        self._outbox = Outbox()
        self._fleet_ns = 0
        self._grace_ns = 0
        self._store_again_ns = 0
        self._llm_holds: dict[str, set[int]] = {}
        self._early: list[Transcript] = []
        """Words that came, after a start, before the news of the utterance they belong to."""

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
            due_ns = session.due_ns
            if due_ns is not None and due_ns <= now_ns:
                self._send(session.step(Timer(), now_ns), now_ns)
            self._question_time(session, now_ns)
            if session.caller_gone_ns and now_ns - session.caller_gone_ns > self.settings.away_s * NS_PER_S:
                self._close(session, "away", now_ns)
        if self._grace_ns and now_ns >= self._grace_ns:
            self._grace_over(now_ns)
        self.listeners.forget_silent(now_ns)
        for peer in self.registry.hung(now_ns):
            logger.error("hung", extra={"peer": peer.name})
            self._without(peer, "hung", now_ns)
        each_second = now_ns - self._fleet_ns >= FLEET_NS
        if each_second:
            for name in self.watchers.silent(now_ns):
                self._tell_viewers(name, now_ns)
            if not self._grace_ns:
                for session in self.sessions.values():
                    stream(self, session, now_ns)
                    self._want_pushes(session, now_ns)
            self._send_fleet(now_ns)
        self._make_films(now_ns, again=each_second)

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
            if self._too_early(session, message):
                return
            try:
                outgoing = session.accept(message, now_ns)
            except KeyError:
                self.counters["unexpected"] += 1
                return
            self._send(outgoing, now_ns)
            if isinstance(message, SpeechStarted) and self._early:
                self._take_early(session, now_ns)

    def _too_early(self, session: Session, message: Message) -> bool:
        """Right after a start, words of an utterance whose beginning is still to be told again wait for that."""
        if not self._grace_ns or not isinstance(message, Transcript):
            return False
        if message.utterance < session.state.next_utterance:
            return False
        self._early.append(message)
        return True

    def _take_early(self, session: Session, now_ns: int) -> None:
        mine = [each for each in self._early if each.session == session.id]
        self._early = [each for each in self._early if each.session != session.id]
        for transcript in mine:
            self._send(session.accept(transcript, now_ns), now_ns)

    # --- processes ---

    def _on_alive(self, message: Alive, now_ns: int) -> None:
        news = self.registry.alive(message, now_ns)
        if news.newcomer:
            self._outbox.connect.append(message.peer)
            self._outbox.send.append((message.peer, Report()))
            self._tell("health", now_ns, process=message.peer.name, state=message.state)
        if news.predecessor:
            self._without(news.predecessor, "replaced", now_ns)
        if news.became_ready or message.state == "stopping":
            self._mend_all(now_ns)
        if message.peer.kind == "production" and message.state == "stopping":
            self.jobs.left(message.peer, orderly=True)
        if message.peer.kind == "outputs" and (news.newcomer or news.became_ready):
            for session in self.sessions.values():
                self._want_outputs(session)
        if message.peer.kind == "webrtc" and (news.newcomer or news.became_ready or message.state == "stopping"):
            for session in self.sessions.values():
                self._want_pushes(session, now_ns)
        if news.newcomer or news.became_ready:
            self._send_fleet(now_ns)

    def _without(self, peer: Peer, reason: str, now_ns: int) -> None:
        """A process is gone: its sessions go to others."""
        self._outbox.forget.append(peer)
        self._tell("health", now_ns, process=peer.name, state=reason)
        if peer.kind == "webrtc":
            for session in self.sessions.values():
                if session.route.passes(peer):
                    self._edge_gone(session, now_ns)
            for name in self.watchers.lost(peer):
                self._tell_viewers(name, now_ns)
            self._outputs_gone(peer.name, now_ns)
        elif peer.kind == "outputs":
            self.watchers.lost(peer)
            self._outputs_gone("", now_ns)
        elif peer.kind == "production":
            self.jobs.left(peer)
        else:
            self._mend_all(now_ns)
        self._send_fleet(now_ns)

    def _mend_all(self, now_ns: int) -> None:
        if self._grace_ns:
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
        self._show(session)
        for kind in set(before.peers) - set(route.peers):
            self._tell("degraded", now_ns, session, kind=kind, step="missing", reason=f"no {kind} is running")
        for kind in replaced:
            self._tell("degraded", now_ns, session, kind=kind, step="replaced", reason=f"{kind} was replaced")

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
            live=tuple(self._live(session, now_ns) for session in self.sessions.values()),
        )
        self._outbox.send.extend((edge.peer, fleet) for edge in self.registry.of("webrtc"))

    # --- sessions ---

    def _on_present(self, message: Present, now_ns: int) -> None:
        refusal = self._refusal(message)
        if refusal:
            self.counters[f"refused_{refusal.code}"] += 1
            self._outbox.send.append((message.edge, replace(refusal, session=message.session)))
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
        if missing or self._grace_ns:
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
            self._outbox.send.append((message.edge, refused))
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
        self._tell("state", now_ns, session, state="listening")
        self._record_as_configured(session, now_ns)
        push_as_configured(self, session, now_ns)
        logger.info("session begins", extra={"session": session.id, "persona": persona.get("id")})

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
            self._show(session)
        self._send(session.step(Returned(), now_ns), now_ns)
        if message.mode != session.state.mode:
            self._send(session.step(SetMode(mode=message.mode), now_ns), now_ns)
        lines = [{"role": e.role, "text": e.text, "interrupted": e.interrupted} for e in session.state.dialogue]
        self._tell("dialogue", now_ns, session, lines=lines)
        if viewers := self.watchers.viewers(session.id):
            self._tell("audience", now_ns, session, viewers=viewers)
        if recording := outputs.current(session.record.outputs):
            self._tell("recording", now_ns, session, **recording.told())

    # --- those outside ---

    def _on_command(self, message: Command, now_ns: int) -> None:
        """The control API wants something: done, and answered."""
        self._connect_edge(message.edge)
        self._outbox.send.append((message.edge, obeyed(self, message, now_ns)))

    def _on_listen(self, message: Listen, now_ns: int) -> None:
        """An edge wants events: first those it missed."""
        self._connect_edge(message.edge)
        self._outbox.send += self.listeners.listen(message, self.events, now_ns)

    def tell_machine(self, session: Session, event: object, now_ns: int) -> None:
        """Let a session's turn machine know of something that did not come from its page."""
        self._send(session.step(event, now_ns), now_ns)

    def question(self, session: Session, questions: Questions, n: int, now_ns: int) -> None:
        """A session's questions have changed; `n` is the one that did, 0 the mode."""
        session.record = replace(session.record, questions=questions)
        news = next((dict(each.told()) for each in questions.asked if each.n == n), {})
        self._tell("question", now_ns, session, mode=questions.mode, **news)

    def _question_time(self, session: Session, now_ns: int) -> None:
        """Take the next question from the audience a step further, if it may."""
        step = advanced(session.record.questions, session.state)
        if step is None:
            return
        questions, question, event = step
        self.question(session, questions, question.n, now_ns)
        if event:
            self.tell_machine(session, event, now_ns)

    def end(self, session: Session, now_ns: int) -> None:
        """End a session from outside."""
        self._close(session, "operator", now_ns)

    def planned(self, session: Session, switch: Switch) -> None:
        """Raises ConfigError when a `Switch` cannot be."""
        wanted(session.record.persona, session.state.language, switch, self._personas, self._portraits)

    def _connect_edge(self, edge: Peer) -> None:
        if not self.registry.knows(edge):
            self._outbox.connect.append(edge)

    def _free_ordinal(self) -> int:
        taken = {session.record.ordinal for session in self.sessions.values()}
        return next(n for n in range(len(taken) + 1) if n not in taken)

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

    # --- the face, and whose it is ---

    def _on_act(self, message: Act, now_ns: int) -> None:
        session = self._of(message, now_ns)
        if session is None:
            return
        self._send(session.act(message), now_ns)
        told = {key: value for key, value in vars(message).items() if key not in ("session", "route")}
        self._tell("act", now_ns, session, **told)

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
        self._show(session)
        face = str((persona.get("face") or {}).get("portrait", ""))
        self._record_as_configured(session, now_ns)
        self._tell("switch", now_ns, session, persona=persona.get("id", ""), portrait=face, language=language)
        logger.info("switched", extra={"session": session.id, "persona": persona.get("id"), "language": language})

    def _of(self, message: Message, now_ns: int) -> Session | None:
        """The session of something its caller did; None (and counted) when it is not there or another edge has it."""
        session = self.sessions.get(message.session)
        if session is None or not session.current(message):
            self.counters["unknown_session" if session is None else "stale_route"] += 1
            return None
        session.caller_gone_ns = 0
        return session

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
        self._tell("session", now_ns, session, state="closed", reason=reason)
        logger.info("session ends", extra={"session": session.id, "reason": reason})

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

    def _tell(self, kind: str, now_ns: int, session: Session | None = None, /, **data: Any) -> None:
        event = Event(kind=kind, data=data)
        if session:
            self._send(session.to_edge(event), now_ns)
        else:
            self._outbox.publish.append(self.events.number(event, now_ns))

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
                self._outbox.send.append((message.edge, Refused(session=message.session, code="unknown", text=text)))
            return
        before = self.watchers.viewers(session.id)
        if message.leave:
            self.watchers.leave(session.id, message.edge)
        elif self.watchers.watch(message, now_ns):
            self._connect_edge(message.edge)
            self._outbox.send.append((message.edge, self._showing(session)))
        if self.watchers.viewers(session.id) != before:
            self._tell_viewers(session.id, now_ns)
        if message.hls:
            stream(self, session, now_ns)

    def _show(self, session: Session) -> None:
        """Tell every edge that watches where the programme is now."""
        self._outbox.send.extend((edge, self._showing(session)) for edge in self.watchers.of(session.id))

    def _showing(self, session: Session) -> Showing:
        return Showing(
            session=session.id,
            route=session.route.id,
            persona=session.record.persona,
            language=session.state.language,
            origin_ns=session.state.origin_ns,
            state="away" if session.caller_gone_ns else phase(session.state),
            viewers=self.watchers.viewers(session.id),
            recording=dict(recording.told()) if (recording := outputs.current(session.record.outputs)) else {},
            janus=janus_of(session.record.outputs),
            peers={kind: peer for kind, peer in session.route.peers.items() if kind == "programme"},
        )

    def _tell_viewers(self, name: str, now_ns: int) -> None:
        """How many look on, to the caller and to all of them."""
        if session := self.sessions.get(name):
            self._tell("audience", now_ns, session, viewers=self.watchers.viewers(name))

    def _live(self, session: Session, now_ns: int) -> dict[str, Any]:
        persona = session.record.persona
        return {
            "session": session.id,
            "persona": str(persona.get("id", "")),
            "name": str(persona.get("name", "")),
            "portrait": str((persona.get("face") or {}).get("portrait", "")),
            "viewers": self.watchers.viewers(session.id),
            "away": bool(session.caller_gone_ns) or phase(session.state) == "away",
            "edge": session.route.peers["webrtc"].name if "webrtc" in session.route.peers else "",
            "age_s": max(0, now_ns - session.state.origin_ns) // NS_PER_S,
        }

    # --- what is made of a session besides its call ---

    def make(self, session: Session, output: Output, now_ns: int) -> None:
        """Something is to be made of it from now on."""
        session.record = replace(session.record, outputs=outputs.begun(session.record.outputs, output))
        self._made_otherwise(session, output, now_ns)

    def unmake(self, session: Session, output: Output, now_ns: int) -> None:
        """It is not wanted any more."""
        made, over = outputs.stopped(session.record.outputs, output)
        session.record = replace(session.record, outputs=made)
        self._made_otherwise(session, over, now_ns)

    def _made_otherwise(self, session: Session, output: Output, now_ns: int) -> None:
        """One output more, or less: who makes it is told, and who listens."""
        if output.kind in outputs.EDGES:
            self._want_pushes(session, now_ns)
        else:
            self._want_outputs(session)
        if output.kind == JANUS:
            self._show(session)
        self._tell_output(session, output, now_ns)

    def _record_as_configured(self, session: Session, now_ns: int) -> None:
        """A conversation begins, or goes on with another persona: what holds for it now."""
        rules = self.settings.recording
        rule, running = outputs.rule(rules, session.record.persona), outputs.current(session.record.outputs)
        if rule == "every" and running is None:
            self.make(session, outputs.recording(rules, "config"), now_ns)
        elif rule == "never" and running:
            self.unmake(session, running, now_ns)

    def _want_outputs(self, session: Session) -> None:
        message = Outputs(session=session.id, route=session.route.id, wanted=outputs.wanted(session.record.outputs))
        self._outbox.send.extend((each.peer, message) for each in self.registry.ready("outputs"))

    def _want_pushes(self, session: Session, now_ns: int) -> None:
        """Every edge hears what it pushes of a session, be it nothing: a push may have gone to another meanwhile."""
        before = session.record.outputs
        if not any(each.kind in outputs.EDGES for each in before):
            return
        edges = [each.peer for each in self.registry.ready("webrtc")]
        if not self._grace_ns:  # before, one that has not reported yet would be taken for dead
            caller = session.route.peers.get("webrtc")
            made = placed(before, [edge.name for edge in edges], caller.name if caller else "")
            session.record = replace(session.record, outputs=made)
            for old, new in zip(before, made, strict=True):
                if old.told() != new.told():
                    self._tell_output(session, new, now_ns)
        for edge in edges:
            wanted = outputs.wanted(session.record.outputs, edge.name)
            self._outbox.send.append((edge, Outputs(session=session.id, route=session.route.id, wanted=wanted)))

    def _on_output_state(self, message: OutputState, now_ns: int) -> None:
        session = self.sessions.get(message.session)
        if session is None:
            self.counters["unknown_session"] += 1
            return
        made, news = outputs.heard(session.record.outputs, message)
        session.record = replace(session.record, outputs=made)
        if news:
            self._tell_output(session, news, now_ns)

    def _outputs_gone(self, edge: str, now_ns: int) -> None:
        """Their maker has died, an edge or (empty) the process of the outputs: what goes on begins again elsewhere, or
        with its successor."""
        for session in self.sessions.values():
            made, news = outputs.unserved(session.record.outputs, edge)
            session.record = replace(session.record, outputs=made)
            for each in news:
                self._tell_output(session, each, now_ns)
            if edge:
                self._want_pushes(session, now_ns)

    def _tell_output(self, session: Session, output: Output, now_ns: int) -> None:
        if output.kind == outputs.RECORDING:
            self._tell("recording", now_ns, session, **output.told())
        else:
            self._tell("output", now_ns, session, id=output.id, output=output.kind, **output.told())

    # --- films ---

    def _make_films(self, now_ns: int, again: bool) -> None:
        """Say who makes what, `again` or not, and to whoever listens how far it is."""
        if not self._grace_ns:
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
            self._grace_ns = now_ns + GRACE_NS
            logger.info("restored", extra={"sessions": len(self.sessions), "films": self.jobs.waiting()})

    def _on_holding(self, message: Holding, now_ns: int) -> None:
        """What a process has of a session. Of an unknown one it may forget everything."""
        session = self.sessions.get(message.session)
        if session is None:
            forget = Close(session=message.session, route=message.route, reason="unknown")
            self._outbox.send.extend((each.peer, forget) for each in self.registry.of(message.kind))
        elif message.kind == "llm":
            self._llm_holds.setdefault(message.session, set()).update(_numbers(message.facts.get("turns")))
        elif message.kind == "webrtc" and message.facts.get("present"):
            session.caller_gone_ns = 0

    def _grace_over(self, now_ns: int) -> None:
        """Who has not come back by now is dead; the others are told again what holds, in case it got lost."""
        self._grace_ns = 0
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
                self._ask_what_got_lost(session, now_ns)
        self._llm_holds.clear()
        self._early.clear()

    def _ask_what_got_lost(self, session: Session, now_ns: int) -> None:
        """A question written down but not sent, or sent to a predecessor of nobody."""
        held = self._llm_holds.get(session.id, set())
        for answer in (session.state.answer, session.state.attempt):
            if answer and answer.kind == "answer" and not answer.complete and answer.turn not in held:
                self._send(session.step(Replaced(frozenset({"llm"})), now_ns), now_ns)
                return

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


def _numbers(value: Any) -> list[int]:
    return [each for each in value if isinstance(each, int)] if isinstance(value, list | tuple) else []

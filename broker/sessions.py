"""One session: its turn machine, its route, its caller, and the record by which a successor of this process goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from broker.acting import lasting
from broker.expressions import rules_of
from broker.handover import languages_of, taken
from broker.languages import nearest
from broker.messages import (
    FLOW,
    WORKER_KINDS,
    Act,
    Attend,
    Buffered,
    Close,
    Commit,
    Emitted,
    Event,
    Failed,
    Message,
    Open,
    Peer,
    Sentence,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    Transcript,
)
from broker.outputs import Made
from broker.questions import Questions
from broker.recovery import microphone_restart
from broker.routes import Route
from broker.turn_state import TurnSettings, TurnState, attention, committed_turns
from broker.turns import Accept, Action, Leaving, Missed, Replaced, due_ns, step

SENDERS: dict[type[Message], str] = {
    SpeechStarted: "vad",
    SpeechPaused: "vad",
    SpeechResumed: "vad",
    SpeechEnded: "vad",
    Transcript: "asr",
    Sentence: "llm",
    Emitted: "programme",
    Buffered: "programme",
}
"""Which kind a message of a session comes from, where its type says so; the others come from the edge."""

OLD_ROUTES_KEPT = 16

Outgoing = tuple[Peer, Message]


@dataclass(frozen=True, kw_only=True)
class OldRoute:
    """A route before the current one. What came over it is still good, unless its sender was replaced since."""

    id: int
    replaced_since: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Record:
    """All of a session that outlives this process."""

    id: str
    persona: dict[str, Any]
    token_hash: str
    ordinal: int
    """Its place in the stagger of ticks."""
    route: Route
    old_routes: tuple[OldRoute, ...] = ()
    state: TurnState = field(default_factory=TurnState)
    act: Act = field(default_factory=Act)
    """How the face was told to behave, as far as it still holds."""
    questions: Questions = field(default_factory=Questions)
    """From those who look on."""
    outputs: Made = ()
    """What is made of it besides the call."""


class Session:
    """A session while it lives. Turns what its machine wants into messages with addresses."""

    def __init__(self, record: Record, caller_gone_ns: int = 0) -> None:
        self.record = record
        self.caller_gone_ns = caller_gone_ns
        """Since when nobody has called; 0: somebody does."""
        self.stream_again_ns = 0
        """When it may be made into a stream again; see streaming.py."""

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def state(self) -> TurnState:
        return self.record.state

    @property
    def route(self) -> Route:
        return self.record.route

    @property
    def due_ns(self) -> int | None:
        return due_ns(self.record.state)

    # --- what comes ---

    def current(self, message: Message) -> bool:
        """Whether a message's sender still serves this session. The edge may leave the route out."""
        if message.route == self.route.id:
            return True
        kind = self.sender(message)
        if message.route == 0:
            return kind == "webrtc"
        old = next((each for each in self.record.old_routes if each.id == message.route), None)
        return old is not None and kind not in old.replaced_since

    def step(self, event: object, now_ns: int) -> list[Outgoing]:
        """Tell the machine, and address what it wants."""
        state, actions = step(self.state, event, now_ns)
        if state is not self.state:
            self.record = replace(self.record, state=state)
        return [outgoing for action in actions for outgoing in self._addressed(action)]

    def accept(self, message: Message, now_ns: int) -> list[Outgoing]:
        """A message from a process that serves the session."""
        outgoing = self.step(message, now_ns)
        if isinstance(message, Sentence) and self._voice_lost(message):
            outgoing += self.step(Missed(message), now_ns)
        return outgoing

    def _voice_lost(self, sentence: Sentence) -> bool:
        """The llm sent it to a tts that has been replaced since, or its voice may have gone to such a programme."""
        old = next((each for each in self.record.old_routes if each.id == sentence.route), None)
        return old is not None and not {"tts", "programme"}.isdisjoint(old.replaced_since)

    @staticmethod
    def sender(message: Message) -> str:
        """The kind a message of a session comes from."""
        if isinstance(message, Failed):
            return message.kind
        return SENDERS.get(type(message), "webrtc")

    # --- what goes ---

    def _addressed(self, action: Action) -> Iterator[Outgoing]:
        if isinstance(action, Accept):
            for kind in ("tts", "llm"):
                yield from self._to(kind, Commit(turn=action.turn))
        elif isinstance(action, Event):
            yield from self._to("webrtc", action)
        else:
            for kind in FLOW[type(action)]["broker"]:
                yield from self._to(kind, action)

    def _to(self, kind: str, message: Message) -> Iterator[Outgoing]:
        peer = self.route.peers.get(kind)
        if peer:
            yield peer, replace(message, session=self.id, route=self.route.id)
        elif isinstance(message, Event):
            yield NOBODY, replace(message, session=self.id)

    def to_all(self, message: Message) -> list[Outgoing]:
        """To every process of the route."""
        return [outgoing for kind in (*WORKER_KINDS, "webrtc") for outgoing in self._to(kind, message)]

    def to_edge(self, message: Message) -> list[Outgoing]:
        """To the caller's edge, if there is one."""
        return list(self._to("webrtc", message))

    # --- routes ---

    def opened(self, replaced: tuple[str, ...] = ()) -> Open:
        """What a process of the route needs to know."""
        state = self.state
        mic_from, utterance = microphone_restart(state)
        if "webrtc" in replaced:
            # A new edge has none of the microphone's past: its samples count from 0 again. The page may have some.
            mic_from = 0
        return Open(
            persona=self.record.persona,
            language=state.language,
            origin_ns=state.origin_ns,
            peers=self.route.peers,
            replaced=replaced,
            mic_from=mic_from,
            utterance=utterance,
            turn=state.turn,
            cancelled_through=state.cancelled_through,
            committed=committed_turns(state),
            held=state.held,
            mode=state.mode,
        )

    def reroute(self, route: Route, replaced: tuple[str, ...], now_ns: int) -> list[Outgoing]:
        """Take a new route: everyone is told, then the successors get what they need."""
        if route.id == self.route.id:
            self.record = replace(self.record, route=route)
            return []
        kinds = frozenset(replaced)
        old = [
            OldRoute(id=each.id, replaced_since=tuple(sorted({*each.replaced_since, *kinds})))
            for each in (*self.record.old_routes, OldRoute(id=self.route.id, replaced_since=()))
        ]
        self.record = replace(self.record, route=route, old_routes=tuple(old[-OLD_ROUTES_KEPT:]))
        outgoing = self.to_all(self.opened(replaced))
        if "programme" in kinds:
            outgoing += self._bearing()
        return outgoing + self.step(Replaced(kinds), now_ns)

    # --- the face, and whose it is ---

    def act(self, act: Act) -> list[Outgoing]:
        """The face is to behave like this; what lasts is told to a successor of the programme, too."""
        self.record = replace(self.record, act=lasting(self.record.act, act))
        return list(self._to("programme", act))

    def _bearing(self) -> list[Outgoing]:
        """What a new programme must know of the face."""
        told: list[Message] = [Attend(state=attention(self.state))]
        if self.record.act != Act():
            told.append(self.record.act)
        return [outgoing for message in told for outgoing in self._to("programme", message)]

    def switch(self, persona: dict[str, Any], language: str, now_ns: int) -> list[Outgoing]:
        """Another snapshot from here on: what the old persona says ends, all hear of the new one, who then greets.

        Raises ConfigError, with nothing changed, for wrong numbers in the persona's [turns].
        """
        another = persona.get("id") != self.record.persona.get("id")
        event = taken(persona, language, greets=another)
        outgoing = self.step(Leaving(), now_ns) if another else []
        self.record = replace(self.record, persona=persona)
        outgoing += self.to_all(replace(self.opened(), language=language))
        return outgoing + self.step(event, now_ns)

    def closed(self, reason: str) -> list[Outgoing]:
        """Everyone forgets it."""
        return self.to_all(Close(reason=reason))


NOBODY = Peer(kind="", name="", incarnation="", data="", control="")
"""The address of news about a session that has no edge: it is published only."""


def new_state(persona: dict[str, Any], language: str, mode: str, origin_ns: int) -> TurnState:
    """The beginning of a conversation. Raises ConfigError for wrong numbers in the persona's [turns]."""
    languages = languages_of(persona)
    return TurnState(
        settings=TurnSettings.of(dict(persona.get("turns") or {}), f"{persona.get('id', 'persona')}.turns"),
        languages=languages,
        language=nearest(language, languages) or languages[0],
        mode=mode if mode in ("voice", "text") else "voice",
        origin_ns=origin_ns,
        greeting=str(persona.get("greeting") or ""),
        expressions=rules_of(persona),
    )


def essence(state: TurnState) -> tuple[object, ...]:
    """What of a state must be written down when it changes: not where a sample or an acknowledgement stands."""
    hands = tuple(
        (each.turn, len(each.said), each.complete, each.committed, each.done, len(each.hearing.words), each.accepted_ns)
        for each in (state.attempt, state.answer, state.moment, state.settling.answer if state.settling else None)
        if each
    )
    ears = tuple((each.number, each.ended_ns) for each in (state.utterance, state.ending) if each)
    rest = (
        state.turn,
        state.cancelled_through,
        state.dialogue,
        state.waiting,
        state.says,
        state.carried,
        state.greeting,
    )
    return (
        *rest,
        hands,
        ears,
        state.next_utterance,
        state.presence,
        state.mode,
        state.language,
        state.held,
        state.gone,
    )

"""The llm stage: questions in, sentences out, for all sessions at once. Which engine thinks, each persona says."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from broker.clock import NS_PER_MS
from broker.errors import ConfigError, EngineError
from broker.expressions import Expression, expressed, rules_of
from broker.messages import Ask, Cancel, Close, Commit, Event, Failed, Message, Open, Sentence
from workers.engines import Reasons
from workers.fallback import Change
from workers.llm.engine import ActsOnCommit, Brain, Question, Said, Stepped, Trouble
from workers.llm.library import Library
from workers.llm.phrases import phrase

logger = logging.getLogger(__name__)


@dataclass
class _Session:
    persona: Mapping[str, Any]
    language: str
    brain: Brain | None
    rules: tuple[Expression, ...] = ()
    """What the face does with which sentence."""
    next_n: dict[int, int] = field(default_factory=dict)
    """Turn in hand → the number of its next sentence."""
    committed: set[int] = field(default_factory=set)
    """Turns that were committed before they were asked: control overtakes data."""
    told: Change | None = None
    """The newest step to another engine, or back, that it was told of."""


class LlmStage:
    """Sessions and the engines they use. Work in hand is the engines'; here are only numbers of sentences."""

    def __init__(
        self,
        brain_for: Callable[[Mapping[str, Any]], Brain],
        library: Library | None = None,
        reasons: Reasons | None = None,
    ) -> None:
        """`brain_for` gives the (shared) engine of a persona, or raises EngineError saying what is missing. `library`:
        where the engines' documents come from; what it cannot read is told to the operator. `reasons`: of the engines
        that `brain_for` has given."""
        self.counters: Counter[str] = Counter()
        self._brain_for = brain_for
        self._library = library
        self._reasons = reasons or Reasons("brain")
        self._sessions: dict[str, _Session] = {}
        self._outgoing: list[Message] = []
        self._paused: frozenset[str] = frozenset()
        self._kept: list[Said | Trouble | Stepped] = []
        """What the engines said meanwhile for sessions that are paused."""
        self._stepped_ns = 0
        self._next_brain = 0

    @property
    def engine_name(self) -> str:
        """The engines at hand, for the console."""
        return self._reasons.names

    @property
    def engine_why(self) -> str:
        return self._reasons.words

    @property
    def due_ns(self) -> int | None:
        unread = self._library is not None and self._library.has_unread
        if self._outgoing or unread or any(item.session not in self._paused for item in self._kept):
            return 0
        waits = [wait for brain in self._brains() if (wait := brain.waiting) is not None]
        if not waits:
            return None
        return 0 if min(waits) == 0 else self._stepped_ns + min(waits) * NS_PER_MS

    def accept(self, message: Message) -> None:
        match message:
            case Open():
                self._open(message)
            case Close():
                self._cancel(message.session, 2**62)
                self._sessions.pop(message.session, None)
            case Ask():
                self._ask(message)
            case Cancel():
                self._cancel(message.session, message.through_turn)
            case Commit():
                self._commit(message.session, message.turn)
            case _:
                pass  # Hold and Resume change nothing here: what was asked is answered, whoever may hear it

    def pause(self, sessions: frozenset[str]) -> None:
        """No sentence of these is given out for now."""
        self._paused = sessions

    def step(self, now_ns: int) -> list[Message]:
        self._stepped_ns = now_ns
        outgoing, self._outgoing = self._outgoing, []
        for name, problems in self._library.unread() if self._library else ():
            self.counters["documents_unread"] += len(problems)
            outgoing.append(Event(kind="documents", data={"persona": name, "problems": list(problems)}))
        outgoing += self._messages(self._kept)
        brains = self._brains()
        if not outgoing and brains:
            self._next_brain = (self._next_brain + 1) % len(brains)
            for brain in brains[self._next_brain :] + brains[: self._next_brain]:
                outgoing += self._messages(brain.poll(), before=self._kept)
                if outgoing:
                    break
        return outgoing

    def report(self, session: str) -> dict[str, Any]:
        """What is held of a session, for `Holding`."""
        known = self._sessions.get(session)
        return {"turns": sorted(known.next_n) if known else []}

    # --- messages in ---

    def _open(self, message: Open) -> None:
        """A new session, another route, or another persona: turns in hand that are not cancelled are answered still."""
        self._cancel(message.session, message.cancelled_through)
        known = self._sessions.get(message.session)
        if known is None:
            known = _Session(message.persona, message.language, self._find_brain(message), _rules(message))
            self._sessions[message.session] = known
        elif known.persona != message.persona:
            before = known.brain
            known.persona, known.brain, known.rules = message.persona, self._find_brain(message), _rules(message)
            if before is not None and before is not known.brain:
                before.cancel(message.session, 2**62)
                known.next_n.clear()
        known.language = message.language
        for turn in message.committed:
            self._commit(message.session, turn)
        if known.brain is not None:
            known.brain.prepare(message.persona, message.language)

    def _find_brain(self, message: Open) -> Brain | None:
        try:
            return self._brain_for(message.persona)
        except EngineError as error:
            logger.error("no brain", extra={"session": message.session, "reason": str(error)})
            data = {"code": f"llm_{error.code}", "text": str(error)}
            self._outgoing.append(Event(session=message.session, kind="error", data=data))
            return None

    def _ask(self, ask: Ask) -> None:
        known = self._sessions.get(ask.session)
        if known is None:
            self.counters["asked_unknown_session"] += 1
            return
        if ask.turn in known.next_n:
            return
        if known.brain is None:
            text, language = phrase("refused", ask.language)
            self.counters["llm_missing"] += 1
            missing = Trouble(session=ask.session, turn=ask.turn, code="llm_missing", text=text, language=language)
            self._outgoing.append(_failed(missing))
            return
        known.next_n[ask.turn] = len(ask.said_so_far)
        speculative = ask.speculative and ask.turn not in known.committed
        known.committed = {turn for turn in known.committed if turn > ask.turn}
        known.brain.submit(
            Question(
                session=ask.session,
                turn=ask.turn,
                text=ask.text,
                language=ask.language or known.language,
                persona=known.persona,
                history=ask.history,
                said_so_far=ask.said_so_far,
                speculative=speculative,
            )
        )

    def _commit(self, session: str, turn: int) -> None:
        known = self._sessions.get(session)
        if known is None:
            return
        if turn not in known.next_n:
            known.committed.add(turn)
        if isinstance(known.brain, ActsOnCommit):
            known.brain.commit(session, turn)

    def _cancel(self, session: str, through_turn: int) -> None:
        known = self._sessions.get(session)
        if known is None:
            return
        for turn in [turn for turn in known.next_n if turn <= through_turn]:
            del known.next_n[turn]
            self.counters["cancelled"] += 1
        known.committed = {turn for turn in known.committed if turn > through_turn}
        if known.brain is not None:
            known.brain.cancel(session, through_turn)

    # --- messages out ---

    def _messages(
        self, items: Sequence[Said | Trouble | Stepped], before: Sequence[Said | Trouble | Stepped] = ()
    ) -> list[Message]:
        """Those of sessions that are not paused; the others are kept, in order, after those kept `before`."""
        self._kept = [*before, *(item for item in items if item.session in self._paused)]
        given = [item for item in items if item.session not in self._paused]
        return [message for item in given if (message := self._message(item))]

    def _message(self, item: Said | Trouble | Stepped) -> Message | None:
        known = self._sessions.get(item.session)
        if isinstance(item, Stepped):
            return self._stepped(known, item) if known else None
        if known is None or item.turn not in known.next_n:
            return None
        if isinstance(item, Trouble):
            del known.next_n[item.turn]
            self.counters[item.code] += 1
            logger.warning(
                "no answer", extra={"session": item.session, "turn": item.turn, "code": item.code, "why": item.detail}
            )
            return _failed(item)
        n = known.next_n[item.turn]
        known.next_n[item.turn] = n + 1
        if item.last:
            del known.next_n[item.turn]
        self.counters[f"said_{item.kind}"] += 1
        return Sentence(
            session=item.session,
            turn=item.turn,
            n=n,
            text=item.text,
            language=item.language,
            last=item.last,
            tags=expressed(known.rules, item.kind or "answer", item.text, item.tags) if item.text else dict(item.tags),
            passage=item.passage,
            confidence=item.confidence,
            kind=item.kind or "answer",
            took_ns=item.took_ns,
        )

    def _stepped(self, known: _Session, item: Stepped) -> Event | None:
        told, known.told = known.told, item.change
        news = item.change is not told and (told is not None or item.change.step != "full")
        return item.change.event(item.session, "llm") if news else None

    def _brains(self) -> list[Brain]:
        brains = {id(known.brain): known.brain for known in self._sessions.values() if known.brain is not None}
        return list(brains.values())


def _failed(trouble: Trouble) -> Failed:
    return Failed(
        session=trouble.session,
        turn=trouble.turn,
        code=trouble.code,
        text=trouble.text,
        language=trouble.language,
        kind="llm",
    )


def _rules(message: Open) -> tuple[Expression, ...]:
    """The persona's; the broker has checked them."""
    try:
        return rules_of(message.persona)
    except ConfigError as error:
        logger.error("expressions left out", extra={"session": message.session, "reason": str(error)})
        return ()

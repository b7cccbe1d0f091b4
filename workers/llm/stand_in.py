"""The persona's own documents answer when its language model does not: a `Brain` around the two."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from broker.clock import NS_PER_MS, NS_PER_S, now_ns
from workers.fallback import Fallback
from workers.llm.engine import ActsOnCommit, Brain, Question, Said, Stepped, Trouble
from workers.llm.phrases import phrase

logger = logging.getLogger(__name__)

PATIENCE_S = 15.0
"""Where the persona's `brain.timeout_s` says nothing."""

_Key = tuple[str, int]


@dataclass
class _Asked:
    """A question in hand."""

    question: Question
    by_ns: int
    """When the first sentence should have come."""
    begun: bool = False
    trouble: Trouble | None = None
    """Why the documents are asked; it is said after all where they know nothing."""


class WithStandIn:
    """See `engine.Brain`. One judgement for each server that personas name; whoever has no documents gets an apology.

    What `brain` raises is taken for trouble of the turns in hand: an apology is better than silence.
    """

    def __init__(self, brain: Brain, stand_in: Brain, clock: Callable[[], int] = now_ns) -> None:
        self.name = brain.name
        self._brain, self._stand_in, self._clock = brain, stand_in, clock
        self._fallbacks: dict[str, Fallback] = {}
        self._reasons: dict[str, Trouble] = {}
        """Of each server in trouble, the newest."""
        self._asked: dict[_Key, _Asked] = {}
        self._news: list[Said | Trouble | Stepped] = []

    def prepare(self, persona: Mapping[str, Any], language: str) -> None:
        self._brain.prepare(persona, language)
        if _has_documents(persona):
            self._stand_in.prepare(persona, language)

    def submit(self, question: Question) -> None:
        now = self._clock()
        patience_s = float(_brain_of(question).get("timeout_s") or PATIENCE_S)
        asked = _Asked(question, now + round(patience_s * NS_PER_S), begun=bool(question.said_so_far))
        self._asked[question.session, question.turn] = asked
        fallback = self._fallback(question)
        if change := fallback.poll(now):
            logger.info("engine changed", extra={"step": change.step, "reason": change.reason})
        if fallback.reduced and _has_documents(question.persona) and not asked.begun:
            self._ask_documents(asked, self._reasons[_server(question)])
            return
        self._tell(asked)
        try:
            self._brain.submit(question)
        except Exception as error:  # see the class
            self._fail(asked, _broken(asked, error))

    def poll(self) -> list[Said | Trouble | Stepped]:
        for item in self._from_brain():
            asked = self._asked.get((item.session, item.turn))
            if asked is None or asked.trouble:
                continue
            if isinstance(item, Trouble):
                self._fail(asked, item)
            else:
                self._pass_on(asked, item)
        self._give_up_silent()
        for item in _plain(self._stand_in.poll()):
            if asked := self._asked.get((item.session, item.turn)):
                self._from_documents(asked, item)
        news, self._news = self._news, []
        return news

    def cancel(self, session: str, through_turn: int) -> None:
        self._brain.cancel(session, through_turn)
        self._stand_in.cancel(session, through_turn)
        for key in [key for key in self._asked if key[0] == session and key[1] <= through_turn]:
            del self._asked[key]
        self._news = [each for each in self._news if isinstance(each, Stepped) or self._in_hand(each)]

    def commit(self, session: str, turn: int) -> None:
        """See `engine.ActsOnCommit`; the documents do nothing but talk."""
        if isinstance(self._brain, ActsOnCommit):
            self._brain.commit(session, turn)

    @property
    def waiting(self) -> int | None:
        if self._news:
            return 0
        waits = [wait for each in (self._brain, self._stand_in) if (wait := each.waiting) is not None]
        now = self._clock()
        silent = [asked.by_ns for asked in self._asked.values() if not asked.begun and not asked.trouble]
        waits += [max(0, -(-(by_ns - now) // NS_PER_MS)) for by_ns in silent]
        return min(waits, default=None)

    def _in_hand(self, item: Said | Trouble) -> bool:
        return (item.session, item.turn) in self._asked

    # --- what comes of it ---

    def _from_brain(self) -> list[Said | Trouble]:
        try:
            return _plain(self._brain.poll())
        except Exception as error:  # see the class
            if not self._asked:
                raise
            for asked in [each for each in self._asked.values() if not each.trouble]:
                with contextlib.suppress(Exception):  # it is broken; should it mend, nobody waits for this
                    self._brain.cancel(asked.question.session, asked.question.turn)
                self._fail(asked, _broken(asked, error))
            return []

    def _pass_on(self, asked: _Asked, item: Said) -> None:
        asked.begun = True
        self._news.append(item)
        if item.last:
            self._forget(asked)

    def _fail(self, asked: _Asked, trouble: Trouble) -> None:
        """The documents answer instead, if nothing was said yet; for some time they are asked at once."""
        reason = f"{self.name} gives no answer ({trouble.code})"
        self._fallback(asked.question).fail(self.name, self._clock(), reason)
        trouble = replace(trouble, language=trouble.language or asked.question.language)  # others may be told it, too
        self._reasons[_server(asked.question)] = trouble
        if asked.begun or not _has_documents(asked.question.persona):
            self._forget(asked)
            self._news.append(trouble)
        else:
            extra = {"session": trouble.session, "code": trouble.code, "why": trouble.detail}
            logger.warning("documents answer", extra=extra)
            self._ask_documents(asked, trouble)

    def _ask_documents(self, asked: _Asked, trouble: Trouble) -> None:
        asked.trouble = trouble
        self._tell(asked)
        self._stand_in.submit(asked.question)

    def _from_documents(self, asked: _Asked, item: Said | Trouble) -> None:
        trouble = asked.trouble
        knows_nothing = isinstance(item, Trouble) or (item.kind == "unknown" and not asked.begun)
        if trouble and knows_nothing:
            self._forget(asked)
            self._news.append(replace(trouble, session=asked.question.session, turn=asked.question.turn))
            return
        assert isinstance(item, Said)
        asked.begun = True
        self._news.append(item)
        if item.last:
            self._forget(asked)

    def _give_up_silent(self) -> None:
        now = self._clock()
        for asked in [each for each in self._asked.values() if not each.begun and not each.trouble]:
            if now >= asked.by_ns:
                question = asked.question
                self._brain.cancel(question.session, question.turn)
                self._fail(asked, _trouble(asked, "llm_timeout", "timeout", "silent"))

    def _tell(self, asked: _Asked) -> None:
        change = self._fallback(asked.question).newest
        if change and (asked.trouble or change.step == "full"):
            self._news.append(Stepped(asked.question.session, change))

    def _forget(self, asked: _Asked) -> None:
        self._asked.pop((asked.question.session, asked.question.turn), None)

    def _fallback(self, question: Question) -> Fallback:
        return self._fallbacks.setdefault(_server(question), Fallback((self.name, self._stand_in.name), 1, 1.0))


def _plain(items: Sequence[Said | Trouble | Stepped]) -> list[Said | Trouble]:
    """What an engine says; it knows of no other that could stand in."""
    return [item for item in items if not isinstance(item, Stepped)]


def _brain_of(question: Question) -> Mapping[str, Any]:
    brain: Mapping[str, Any] = question.persona.get("brain") or {}
    return brain


def _server(question: Question) -> str:
    return str(_brain_of(question).get("url") or "")


def _has_documents(persona: Mapping[str, Any]) -> bool:
    return bool((persona.get("knowledge") or {}).get("folder"))


def _broken(asked: _Asked, error: Exception) -> Trouble:
    logger.error("the brain broke", extra={"session": asked.question.session}, exc_info=error)
    return _trouble(asked, "llm_failed", "broken", type(error).__name__)


def _trouble(asked: _Asked, code: str, phrase_name: str, detail: str) -> Trouble:
    question = asked.question
    text, language = phrase(phrase_name, question.language)
    return Trouble(session=question.session, turn=question.turn, code=code, text=text, language=language, detail=detail)

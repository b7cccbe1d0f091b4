"""What the llm stage needs of a brain, and the table of those that exist. An engine knows no bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from broker.messages import Exchange
from workers.fallback import Change

ENGINES: Mapping[str, str] = {
    "knowledge": "workers.llm.knowledge_engine:KnowledgeEngine",
    "openai": "workers.llm.openai_engine:OpenAiEngine",
}
"""Name in a persona's `[brain] engine` → where the class is; imported when a persona first needs it."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One turn to be answered."""

    session: str
    turn: int
    text: str
    language: str
    persona: Mapping[str, Any]
    history: Sequence[Exchange] = ()
    said_so_far: Sequence[str] = ()
    speculative: bool = False
    """The person may still go on, and the answer be thrown away: see `ActsOnCommit`."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """One sentence of an answer, or (empty, `last`) its end."""

    session: str
    turn: int
    text: str
    last: bool
    language: str
    tags: Mapping[str, Any] = field(default_factory=dict)
    passage: str = ""
    confidence: float = 1.0
    kind: str = "answer"
    took_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """The turn gets no (further) answer. `code` for programs, `text` a kind sentence, `detail` for the log."""

    session: str
    turn: int
    code: str
    text: str
    language: str = ""
    """Of `text`; empty: the question's."""
    detail: str = ""


@dataclass(frozen=True)
class Stepped:
    """Another engine than the persona's stands in, or does no more; said with every question that this concerns."""

    session: str
    change: Change


class Brain(Protocol):
    """An engine. `submit` and `cancel` return at once; `poll` does at most one short piece of work."""

    name: str

    def prepare(self, persona: Mapping[str, Any], language: str) -> None:
        """A conversation with this persona begins: load what it needs, beside."""

    def submit(self, question: Question) -> None:
        """Take a question; a further one of the same session does not replace it."""

    def poll(self) -> Sequence[Said | Trouble | Stepped]:
        """What has become known since the last call, in order within each turn."""

    def cancel(self, session: str, through_turn: int) -> None:
        """Forget the session's turns up to this one; nothing more of them comes out of `poll`."""

    @property
    def waiting(self) -> int | None:
        """Milliseconds after which `poll` may have something; 0 for work at hand, None when nothing is in hand."""


@runtime_checkable
class ActsOnCommit(Protocol):
    """What a brain has besides if it does more than talk: it books, sends, switches something on.

    What changes the world waits, while a question is `speculative`, until its turn is committed; a cancelled turn never
    is. A question that is not speculative is committed already. After a crash a successor may be asked a committed turn
    again: session and turn together name the deed, for whoever must not do it twice.
    """

    def commit(self, session: str, turn: int) -> None:
        """The turn's answer will be heard. Returns at once; may come twice, and for turns this brain never had."""

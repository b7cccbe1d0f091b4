"""The first moments after a broker's start: who has not come back yet may still, and what comes too early waits."""

from __future__ import annotations

from typing import Any

from broker.clock import NS_PER_MS
from broker.messages import Holding, Message, Transcript
from broker.sessions import Session

GRACE_NS = 1_200 * NS_PER_MS
"""How long the processes of restored sessions have to say that they are there."""


class Grace:
    """What is known only meanwhile; afterwards nothing of it is left."""

    def __init__(self) -> None:
        self._over_ns = 0
        self._early: list[Transcript] = []
        """Words that came before the news of the utterance they belong to."""
        self._asked: dict[str, set[int]] = {}
        """By session: the turns that an llm has a question of."""

    @property
    def running(self) -> bool:
        return bool(self._over_ns)

    def begin(self, now_ns: int) -> None:
        """Sessions were restored."""
        self._over_ns = now_ns + GRACE_NS

    def over(self, now_ns: int) -> bool:
        """It is time to `end` it."""
        return self.running and now_ns >= self._over_ns

    def end(self) -> None:
        """Forget everything."""
        self._over_ns = 0
        self._early.clear()
        self._asked.clear()

    def too_early(self, session: Session, message: Message) -> bool:
        """Words of an utterance whose beginning is still to be told again wait for that."""
        if not self.running or not isinstance(message, Transcript):
            return False
        if message.utterance < session.state.next_utterance:
            return False
        self._early.append(message)
        return True

    def waited(self, session: str) -> list[Transcript]:
        """The words of this session that came too early: now they may go on."""
        mine = [each for each in self._early if each.session == session]
        self._early = [each for each in self._early if each.session != session]
        return mine

    def holding(self, message: Holding) -> None:
        """An llm says what it has of a session."""
        self._asked.setdefault(message.session, set()).update(_numbers(message.facts.get("turns")))

    def question_lost(self, session: Session) -> bool:
        """A question was written down but not sent, or sent to a predecessor of nobody."""
        asked = self._asked.get(session.id, set())
        answers = (answer for answer in (session.state.answer, session.state.attempt) if answer)
        return any(each.kind == "answer" and not each.complete and each.turn not in asked for each in answers)


def _numbers(value: Any) -> list[int]:
    return [each for each in value if isinstance(each, int)] if isinstance(value, list | tuple) else []

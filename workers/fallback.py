"""Which of several engines serves now: the best that keeps up; after trouble a simpler one, and later the better again.

One object for each engine that others can stand in for. It knows no engine, only names and what became of their work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from broker.clock import NS_PER_S
from broker.messages import Event

AGAIN_NS = 20 * NS_PER_S
"""How long another engine stands in before the better one is tried again …"""
AGAIN_AT_MOST_NS = 640 * NS_PER_S
"""… and twice as long each time it was tried too early, up to this."""
PROVEN_NS = 60 * NS_PER_S
"""An engine that serves for so long was not tried too early."""


@dataclass(frozen=True)
class Change:
    """Another engine serves from now on. `step` is its name, or `full` when it is the best; `reason` is a clause."""

    step: str
    reason: str

    def event(self, session: str, kind: str) -> Event:
        """What the session's page and all listeners are told; `kind` is the stage's."""
        return Event(session=session, kind="degraded", data={"kind": kind, "step": self.step, "reason": self.reason})


class Fallback:
    """`names`: the engines, best first. Trouble is a share of `too_much` in the last `window` pieces of work."""

    def __init__(self, names: Sequence[str], window: int, too_much: float) -> None:
        self._names = tuple(names)
        self._too_much = too_much
        self._bad: deque[bool] = deque(maxlen=window)
        self._rung = 0
        self._since_ns = 0
        self._came_up = False
        """The last step was one up."""
        self._again_ns = AGAIN_NS
        self.newest: Change | None = None
        """The last step down or up; a session that begins on a lower rung is told it."""

    @property
    def name(self) -> str:
        """The engine that serves now."""
        return self._names[self._rung]

    @property
    def reduced(self) -> bool:
        """Another than the best serves."""
        return self._rung > 0

    def note(self, name: str, bad: bool, now_ns: int, reason: str) -> Change | None:
        """What became of a piece of `name`'s work; `reason` says of many bad ones what is wrong.

        Returns the step down if this was one too many. Work of an engine that does not serve any more does not count.
        """
        if name != self.name:
            return None
        self._bad.append(bad)
        return self.fail(name, now_ns, reason) if bad and self._troubled() else None

    def fail(self, name: str, now_ns: int, reason: str) -> Change | None:
        """`name` cannot go on: the next one serves at once. None if it does already, or there is none."""
        if name != self.name or self._rung + 1 == len(self._names):
            return None
        if self._came_up:
            proven = now_ns - self._since_ns >= PROVEN_NS
            self._again_ns = AGAIN_NS if proven else min(2 * self._again_ns, AGAIN_AT_MOST_NS)
        return self._move(1, now_ns, f"{reason}; {self._names[self._rung + 1]} stands in")

    def poll(self, now_ns: int) -> Change | None:
        """The step up, when the engine that stands in has done well for long enough."""
        if not self.reduced or now_ns - self._since_ns < self._again_ns:
            return None
        if self._troubled():  # so much is going on here that the better one would fare worse
            self._since_ns = now_ns
            return None
        return self._move(-1, now_ns, f"{self._names[self._rung - 1]} is tried again")

    def _troubled(self) -> bool:
        return len(self._bad) == self._bad.maxlen and sum(self._bad) >= self._too_much * len(self._bad)

    def _move(self, rungs: int, now_ns: int, reason: str) -> Change:
        self._rung += rungs
        self._since_ns, self._came_up = now_ns, rungs < 0
        self._bad.clear()
        self.newest = Change(self.name if self.reduced else "full", reason)
        return self.newest

"""Which turn may sound: committed, not cancelled, the oldest first, and none during a hold.

Pure values, so that the turn machine can be explored together with the very gate that runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FINISHED_KEPT = 64
"""Finished turns remembered, so that a repeated `Commit` does not open one again."""


@dataclass(frozen=True)
class Gate:
    """What the broker has said so far. Every method is idempotent and returns the gate afterwards."""

    committed: frozenset[int] = frozenset()
    """May sound, not finished yet."""
    cancelled_through: int = 0
    held: bool = False
    finished: frozenset[int] = frozenset()

    @property
    def turn(self) -> int:
        """The turn whose voice is next, held or not; 0: none. A later one waits until it is finished or cancelled."""
        return min(self.committed, default=0)

    @property
    def sounding(self) -> int:
        """The turn that may sound in the next tick; 0: none."""
        return 0 if self.held else self.turn

    def stale(self, turn: int) -> bool:
        """Whether voice of this turn can never sound (again)."""
        return turn <= self.cancelled_through or turn in self.finished

    def commit(self, turn: int) -> Gate:
        """This turn may be heard."""
        return self if self.stale(turn) else replace(self, committed=self.committed | {turn})

    def cancel(self, through_turn: int) -> Gate:
        """All turns up to this one are stale for ever. Ends a hold."""
        through = max(self.cancelled_through, through_turn)
        return Gate(
            committed=frozenset(turn for turn in self.committed if turn > through),
            cancelled_through=through,
            held=False,
            finished=frozenset(turn for turn in self.finished if turn > through),
        )

    def hold(self) -> Gate:
        """Nothing sounds until `resume` or `cancel`."""
        return replace(self, held=True)

    def resume(self) -> Gate:
        """Sound again."""
        return replace(self, held=False)

    def finish(self, turn: int) -> Gate:
        """The last sample of this turn went out."""
        kept = sorted(self.finished | {turn})[-FINISHED_KEPT:]
        return replace(self, committed=self.committed - {turn}, finished=frozenset(kept))

    def unfinish(self, turn: int) -> Gate:
        """Of this finished turn the end was not heard: it sounds again. A cancelled one never does."""
        if turn not in self.finished:
            return self
        return replace(self, committed=self.committed | {turn}, finished=self.finished - {turn})

    def reopen(self, committed: tuple[int, ...], cancelled_through: int, held: bool) -> Gate:
        """What an `Open` says, on top of what is known: a cancel is for ever, a finished turn stays finished."""
        gate = self
        if cancelled_through > self.cancelled_through:
            gate = gate.cancel(cancelled_through)
        for turn in committed:
            gate = gate.commit(turn)
        return replace(gate, held=held)

"""One step of the turn machine in the making: the state so far, and what is to be done about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from broker.messages import Event, Message
from broker.turn_state import TurnState


@dataclass(frozen=True, kw_only=True)
class Accept:
    """Action: llm and tts may treat `turn` as wanted (tools may run); it may not sound yet."""

    turn: int


Action = Message | Accept
"""What a step wants done: a message for where `messages.FLOW` sends it, or an acceptance."""


class Move:
    """Gathers what one step changes. The states and actions themselves are frozen."""

    def __init__(self, state: TurnState, now_ns: int) -> None:
        self.state = state
        self.now_ns = now_ns
        self.actions: list[Action] = []

    def set(self, **changes: Any) -> None:
        """Change fields of the state; names are checked by the dataclass."""
        self.state = replace(self.state, **changes)

    def do(self, *actions: Action) -> None:
        """Want something done, in this order."""
        self.actions.extend(actions)

    def tell(self, kind: str, turn: int = 0, /, **data: Any) -> None:
        """Let listeners and the page know."""
        self.actions.append(Event(kind=kind, turn=turn, data=data))

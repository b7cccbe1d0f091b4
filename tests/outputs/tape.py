"""A scripted output: keeps what it is given, and does as the test says."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from broker.messages import Event, Programme
from workers.outputs.sink import Order

PATIENCE_S = 20


class Tape:
    """A `Sink`. `held`: it stands still; `trouble` is raised with the next tick."""

    made: list[Tape]

    def __init__(self, order: Order) -> None:
        self.order = order
        self.wants = frozenset(order.wanted.get("codecs", ("h264",)))
        self.needs_key: frozenset[str] = frozenset()
        self.key_every_s = float(order.wanted.get("key_every_s", 0.0))
        self.data: dict[str, Any] = {"name": order.data.get("name", "tape")}
        self.counters: Counter[str] = Counter(tapes=1)
        self.ticks: list[int] = []
        self.events: list[str] = []
        self.closed = ""
        self.trouble: Exception | None = None
        self.free = threading.Event()
        self.free.set()
        Tape.made.append(self)

    def tick(self, tick: Programme) -> None:
        self.free.wait(PATIENCE_S)
        if self.trouble:
            raise self.trouble
        self.ticks.append(tick.tick)
        self.counters["taped"] += 1

    def event(self, event: Event) -> None:
        self.events.append(event.kind)

    def close(self, reason: str) -> None:
        self.closed = reason


def until(holds: Callable[[], Any], otherwise: str) -> Any:
    """Wait for another thread."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := holds():
            return found
        time.sleep(0.002)
    raise AssertionError(otherwise)


def tick(n: int, **more: Any) -> Programme:
    return Programme(session="s", tick=n, programme_sample=960 * n, opus=b"o", mouth=bytes(15), **more)

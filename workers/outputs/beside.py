"""A sink in a thread of its own: a disk or network that stands still holds up neither the others nor the programme."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from broker.errors import VisavisError
from broker.messages import Event, Programme
from workers.outputs.sink import RefusedError, Sink

logger = logging.getLogger(__name__)

MOST_WAITING = 1_500
"""Ticks a sink may be behind (30 s, some 4 MB); those that come then are lost to it, and counted."""


class Beside:
    """One output. `state` and `text` are `OutputState`'s; `changed` is called, from the thread, when they change."""

    def __init__(self, name: str, build: Callable[[], Sink], changed: Callable[[], None]) -> None:
        self.name, self.state, self.text = name, "starting", ""
        self.dropped = 0
        self._build, self._changed = build, changed
        self._sink: Sink | None = None
        self._waiting: deque[Programme | Event] = deque()
        self._news = threading.Condition()
        self._ending: str | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    # --- from the process's loop ---

    @property
    def ended(self) -> bool:
        return self.state not in ("starting", "on")

    @property
    def wants(self) -> frozenset[str]:
        return self._sink.wants if self._sink and not self.ended else frozenset()

    @property
    def needs_key(self) -> frozenset[str]:
        return self._sink.needs_key if self._sink and not self.ended else frozenset()

    @property
    def key_every_s(self) -> float:
        return self._sink.key_every_s if self._sink and not self.ended else 0.0

    @property
    def data(self) -> dict[str, Any]:
        return self._sink.data if self._sink else {}

    @property
    def counters(self) -> Mapping[str, float]:
        own = {"output_ticks_dropped": self.dropped}
        return Counter(own) + Counter(self._sink.counters) if self._sink else own  # type: ignore[arg-type]

    def put(self, item: Programme | Event) -> None:
        """A tick or an event; never waits."""
        with self._news:
            if self.ended or self._ending is not None:
                return
            if len(self._waiting) >= MOST_WAITING:
                self.dropped += 1
                return
            self._waiting.append(item)
            self._news.notify()

    def close(self, reason: str) -> None:
        """Finish what is in hand, soon."""
        with self._news:
            self._ending = self._ending or reason
            self._news.notify()

    def join(self, timeout_s: float) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout_s)

    # --- the thread ---

    def _run(self) -> None:
        state, text = "over", ""
        try:
            self._sink = self._build()
            self._become("on", "")
            self._serve(self._sink)
        except RefusedError as error:
            state, text = "refused", str(error)
        except (OSError, ValueError, VisavisError) as error:
            state, text = "failed", str(error)
        except Exception:
            logger.exception("output failed", extra={"output": self._thread.name})
            state, text = "failed", "It failed; the log of the outputs process says why."
        self._finish()
        self._become(state, text)

    def _serve(self, sink: Sink) -> None:
        while True:
            with self._news:
                while not self._waiting and self._ending is None:
                    self._news.wait()
                if not self._waiting:
                    return
                item = self._waiting.popleft()
            if isinstance(item, Event):
                sink.event(item)
            else:
                sink.tick(item)

    def _finish(self) -> None:
        if self._sink is None:
            return
        try:
            self._sink.close(self._ending or "error")
        except Exception:
            logger.exception("output not finished", extra={"output": self._thread.name})

    def _become(self, state: str, text: str) -> None:
        with self._news:
            self.state, self.text = state, text
            if self.ended:
                self._waiting.clear()
        self._changed()

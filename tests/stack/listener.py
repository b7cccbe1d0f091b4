"""Listens to the event PUB as any third party would."""

from __future__ import annotations

import threading
from types import TracebackType

from broker.bus import Bus
from broker.config import Settings
from broker.messages import Event


class Listener:
    """Collects every event until left."""

    def __init__(self, settings: Settings) -> None:
        self.events: list[Event] = []
        self._bus = Bus("listener", "listener", settings)
        self._bus.subscribe(self._bus.broker.pub, "")
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="listener")

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._bus.close()

    def _listen(self) -> None:
        while not self._done.is_set():
            self.events += [message for message in self._bus.receive(50) if isinstance(message, Event)]

    def of(self, kind: str, turn: int | None = None) -> list[Event]:
        """Events of one kind so far, of one turn or of all."""
        return [event for event in list(self.events) if event.kind == kind and turn in (None, event.turn)]

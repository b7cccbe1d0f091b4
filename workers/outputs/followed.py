"""One session of which something is made: its programme once, for all its outputs; pictures and key frames for them."""

from __future__ import annotations

import logging
import time
from collections import Counter
from functools import partial
from typing import Any, Protocol

from broker.clock import now_ns
from broker.config import Settings
from broker.key_frames import KeyFrameRequests
from broker.messages import Event, KeyFrame, Message, OutputState, Peer, Programme, Showing, Wanted, Watch
from workers.outputs.beside import Beside
from workers.outputs.sink import Order, Sink, maker

logger = logging.getLogger(__name__)

CODECS = ("h264", "vp8")
RATE_HZ = 48_000


class Host(Protocol):
    """What it needs of the process around it; see service.py."""

    @property
    def settings(self) -> Settings: ...

    @property
    def peer(self) -> Peer: ...

    def to_broker(self, message: Message) -> None: ...

    def to(self, peer: Peer, message: Message, route: int) -> None: ...

    def listen(self, old: Peer | None, new: Peer | None, session: str) -> None: ...

    def wake(self) -> None:
        """Called from any thread: `tell` is called soon."""


class Followed:
    """A session while something of it is wanted. All of it runs in the process's loop; the outputs beside it."""

    def __init__(self, host: Host, session: str) -> None:
        self.session = session
        self.shown: Showing | None = None
        self.outputs: dict[str, Beside] = {}
        self.counters: Counter[str] = Counter()
        self._host = host
        self._rows: dict[str, dict[str, Any]] = {}
        self._told: dict[str, tuple[str, str, dict[str, Any]]] = {}
        self._ending: list[Beside] = []
        self._keys = KeyFrameRequests(self._ask_key)
        self._key_sample: dict[str, int] = {}
        """When the last key frame of a codec came."""
        self._last_tick = -1
        self._wanted = (-1, -1)

    @property
    def empty(self) -> bool:
        """Nothing is wanted of it any more."""
        return not self._rows

    @property
    def finished(self) -> bool:
        """Nothing of it is being finished any more."""
        return not self._ending

    @property
    def names(self) -> frozenset[str]:
        """What is made of it, as its outputs and those before them call it."""
        given = [dict(row.get("data") or {}) for row in self._rows.values()]
        made = [output.data for output in [*self.outputs.values(), *self._ending]]
        return frozenset(str(each["name"]) for each in [*given, *made] if "name" in each)

    # --- the broker and the programme speak ---

    def want(self, rows: tuple[dict[str, Any], ...]) -> None:
        """All that is wanted of it now."""
        self._rows = {str(row["id"]): row for row in rows}
        for name in [name for name in self.outputs if name not in self._rows]:
            self._end(name, "asked to stop")
        self._begin()
        self._told.clear()
        self.tell()

    def show(self, message: Showing) -> None:
        """Where its programme is; again whenever that changes."""
        old, new = (each.peers.get("programme") if each else None for each in (self.shown, message))
        if self.shown is None or self.shown.origin_ns != message.origin_ns:
            self._last_tick, self._key_sample = -1, {}
        self.shown = message
        if old != new:
            self._host.listen(old, new, self.session)
            self._wanted = (-1, -1)
        self._begin()
        self.ask()

    def tick(self, tick: Programme) -> None:
        """20 ms of the programme, to all outputs."""
        if tick.tick <= self._last_tick:
            return
        if self._last_tick >= 0:
            self.counters["ticks_missing"] += tick.tick - self._last_tick - 1
        self._last_tick = tick.tick
        for codec, key in (("h264", tick.h264_key), ("vp8", tick.vp8_key)):
            if key:
                self._key_sample[codec] = tick.programme_sample
        for output in self.outputs.values():
            output.put(tick)
        self._want_keys(tick.programme_sample)

    def event(self, event: Event) -> None:
        for output in self.outputs.values():
            output.put(event)

    def end(self, reason: str) -> None:
        """The session is over, or this process: everything is finished. It may begin anew."""
        self._rows = {}
        for name in list(self.outputs):
            self._end(name, reason)
        if self.shown:
            self._host.listen(self.shown.peers.get("programme"), None, self.session)
        self.shown = None

    def join(self, deadline: float) -> list[str]:
        """Wait for what is being finished, until `time.monotonic()` is there; what is not, by name."""
        for output in self._ending:
            output.join(max(0.0, deadline - time.monotonic()))
        return [output.name for output in self._ending if not output.ended]

    # --- what it says ---

    def beat(self) -> None:
        """Once a second: that it is here, and which pictures it wants."""
        self._host.to_broker(Watch(session=self.session, edge=self._host.peer, leave=self.empty))
        for output in [each for each in self._ending if each.ended]:
            self._ending.remove(output)
            self.counters.update(output.counters)  # type: ignore[arg-type]  # totals are whole numbers
        self.ask(always=True)

    def ask(self, always: bool = False) -> None:
        """Tell the programme which pictures are made use of."""
        programme = self.shown.peers.get("programme") if self.shown else None
        h264, vp8 = (sum(codec in each.wants for each in self.outputs.values()) for codec in CODECS)
        if self.shown and programme and (always or (h264, vp8) != self._wanted):
            self._wanted = (h264, vp8)
            wanted = Wanted(session=self.session, edge=f"{self._host.peer.name}/outputs", h264=h264, vp8=vp8)
            self._host.to(programme, wanted, self.shown.route)

    def tell(self) -> None:
        """Tell the broker how its outputs do, where that is news."""
        for name, output in self.outputs.items():
            news = (output.state, output.text, output.data)
            if output.state != "starting" and self._told.get(name) != news:
                self._told[name] = news
                state, text, data = news
                self._host.to_broker(OutputState(session=self.session, id=name, state=state, text=text, data=data))
        self.ask()

    def totals(self) -> Counter[str]:
        totals = Counter(self.counters)
        for output in [*self.outputs.values(), *self._ending]:
            totals.update(output.counters)  # type: ignore[arg-type]  # totals are whole numbers
        return totals

    # --- inside ---

    def _begin(self) -> None:
        if self.shown is None:
            return
        for name, row in self._rows.items():
            if name not in self.outputs:
                build = partial(_built, str(row["kind"]), self._order(row))
                self.outputs[name] = Beside(f"{row['kind']} {self.session}", build, self._host.wake)

    def _order(self, row: dict[str, Any]) -> Order:
        assert self.shown is not None
        return Order(
            settings=self._host.settings,
            session=self.session,
            persona=self.shown.persona,
            language=self.shown.language,
            origin_ns=self.shown.origin_ns,
            wanted=dict(row.get("settings") or {}),
            data=dict(row.get("data") or {}),
        )

    def _end(self, name: str, reason: str) -> None:
        output = self.outputs.pop(name)
        output.close(reason)
        self._ending.append(output)
        self._told.pop(name, None)

    def _want_keys(self, sample: int) -> None:
        needed = {codec for output in self.outputs.values() for codec in output.needs_key}
        for output in self.outputs.values():
            every = output.key_every_s * RATE_HZ
            needed |= {codec for codec in output.wants if every and sample - self._key_sample.get(codec, 0) >= every}
        for codec in needed:
            self._keys.want(codec, now_ns())

    def _ask_key(self, codec: str) -> None:
        programme = self.shown.peers.get("programme") if self.shown else None
        if self.shown and programme:
            self._host.to(programme, KeyFrame(session=self.session, codec=codec), self.shown.route)


def _built(kind: str, order: Order) -> Sink:
    return maker(kind)(order)

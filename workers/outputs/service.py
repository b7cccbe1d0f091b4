"""`python -m workers.outputs.service`: the process that records and streams. It follows each session once for all its
outputs, as an edge does for its viewers; what is to be made, the broker knows.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections import Counter
from typing import Any

from broker import logs
from broker.bus import Bus
from broker.clock import NS_PER_S, now_ns
from broker.config import Settings, load
from broker.errors import VisavisError
from broker.memory_bus import MemoryBus
from broker.messages import Alive, Close, Event, Message, Outputs, Peer, Programme, Refused, Report, Showing
from broker.orphan import end_with_parent
from broker.shelf import Shelf
from workers.outputs.followed import Followed
from workers.outputs.recorder import finish_left
from workers.outputs.sink import STOPPED

logger = logging.getLogger(__name__)

KIND = "outputs"
NICE = 5
ALIVE_NS = NS_PER_S // 2
BEAT_NS = NS_PER_S
SWEEP_NS = 3600 * NS_PER_S
"""How often recordings that are too old are looked for."""
LEFT_NS = 20 * NS_PER_S
"""When, after the start, recordings are completed that a killed process left: those that go on are going on by then."""
WAIT_MS = 100
FINISH_S = 2.0
"""How long what is being made may take, all together, to be finished when this process is asked to stop; so it is gone
in less than 3 s. Measured at nice 5: a recording of an hour takes 27 ms as MP4, 90 ms as MP4 and WebM; one of four
hours 0.6 s; a push 0.1 s. What takes longer, such as an hour of WebM that a killed process had begun (14 s) or a disk
that stands still, is left as a killed process leaves it: good up to its last second, for `recorder.finish_left`."""

COUNTED = ("ticks_missing", "output_ticks_dropped", "unknown_session", "faults")


class Service:
    """The sessions something is made of, by id. One loop, one thread; each output has a thread beside it."""

    def __init__(self, settings: Settings, bus: Bus | MemoryBus) -> None:
        self.settings = settings
        self.counters: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
        self._bus = bus
        self._followed: dict[str, Followed] = {}
        self._stopping = False
        self._alive_ns = self._beat_ns = 0
        self._sweep_ns = -SWEEP_NS
        self._left_ns = now_ns() + LEFT_NS
        self._busy_s, self._busy_at = time.process_time(), time.monotonic()

    def serve(self) -> None:
        """Until `stop`."""
        self._bus.connect(self._bus.broker)
        while not self._stopping:
            self.turn(now_ns())
        deadline = time.monotonic() + FINISH_S
        self.alive("stopping")
        for followed in self._followed.values():
            followed.end(STOPPED)
        for followed in self._followed.values():
            for name in followed.join(deadline):
                logger.warning("output not finished", extra={"session": followed.session, "output": name})

    def stop(self, *_: Any) -> None:
        """End soon; may be called by a signal."""
        self._stopping = True
        self._bus.wake()

    def turn(self, now: int) -> None:
        """Once around: receive, and what is due."""
        for message in self._bus.receive(WAIT_MS):
            try:
                self.take(message)
            except Exception:  # a fault costs one message, never the other sessions
                self.counters["faults"] += 1
                logger.exception("message failed", extra={"type": type(message).__name__, "session": message.session})
        for peer in self._bus.lost():
            if peer.kind != "broker":
                self._bus.forget(peer)
        if any(peer.kind == "broker" for peer in self._bus.connected()):
            self._alive_ns = 0
        for followed in list(self._followed.values()):
            followed.tell()
        if now - self._alive_ns >= ALIVE_NS:
            self._alive_ns = now
            self.alive()
        if now - self._beat_ns >= BEAT_NS:
            self._beat_ns = now
            self.beat()
        if now - self._sweep_ns >= SWEEP_NS:
            self._sweep_ns = now
            threading.Thread(target=self._sweep, name="sweep", daemon=True).start()  # a disk may take its time
        if self._left_ns and now >= self._left_ns:
            self._left_ns = 0
            going = frozenset[str]().union(*(followed.names for followed in self._followed.values()))
            threading.Thread(target=self._finish_left, args=(going,), name="left", daemon=True).start()

    def take(self, message: Message) -> None:
        """One message of the bus."""
        if isinstance(message, Report):
            self.alive()
            return
        followed = self._followed.get(message.session)
        if isinstance(message, Outputs) and (followed or message.wanted):
            if followed is None:
                followed = self._followed[message.session] = Followed(self, message.session)
                followed.want(message.wanted)
                followed.beat()
            else:
                followed.want(message.wanted)
        elif followed is None:
            self.counters["unknown_session"] += not isinstance(message, Programme | Outputs | Close)
        elif isinstance(message, Programme):
            followed.tick(message)
        elif isinstance(message, Event):
            followed.event(message)
        elif isinstance(message, Showing):
            before = followed.shown
            followed.show(message)
            self._forget_unused(before)
        elif isinstance(message, Close) or (isinstance(message, Refused) and message.code == "unknown"):
            before = followed.shown
            followed.end(message.reason if isinstance(message, Close) else "unknown")
            self._forget_unused(before)

    def beat(self) -> None:
        """Once a second: the broker hears what is followed; what is done with is let go."""
        for followed in list(self._followed.values()):
            followed.beat()
            if followed.empty and followed.finished:
                del self._followed[followed.session]
                self.counters.update(followed.totals())
                self._leave(followed)

    def alive(self, state: str = "ready") -> None:
        """That this process is there, and what it has counted."""
        now, busy_s = time.monotonic(), time.process_time()
        load = (busy_s - self._busy_s) / max(0.001, now - self._busy_at)
        self._busy_at, self._busy_s = now, busy_s
        totals = Counter(self.counters)
        for followed in self._followed.values():
            totals.update(followed.totals())
        counters = {"outbox_waiting": float(self._bus.waiting), **self._bus.counters, **totals}
        sessions = len(self._followed)
        self.to_broker(Alive(peer=self._bus.peer, state=state, sessions=sessions, load=load, counters=counters))

    # --- what a followed session needs (followed.Host) ---

    @property
    def peer(self) -> Peer:
        return self._bus.peer

    def to_broker(self, message: Message) -> None:
        self._bus.send(self._bus.broker, message)

    def to(self, peer: Peer, message: Message, route: int) -> None:
        self._bus.send(peer, message, route)

    def listen(self, old: Peer | None, new: Peer | None, session: str) -> None:
        if old:
            self._bus.unsubscribe(old.pub, session)
        if new:
            self._bus.subscribe(new.pub, session)

    def wake(self) -> None:
        self._bus.wake()

    # --- inside ---

    def _sweep(self) -> None:
        shelf = Shelf.of(self.settings.path("recordings"), self.settings.recording)
        try:
            for place in shelf.expire():
                logger.info("recording removed", extra={"folder": place.name})
        except OSError as error:
            logger.warning("recordings not looked over", extra={"reason": str(error)})

    def _finish_left(self, going: frozenset[str]) -> None:
        try:
            for name in finish_left(self.settings, going):
                logger.info("recording finished for a killed process", extra={"folder": name})
        except (OSError, ValueError) as error:
            logger.warning("recordings not finished", extra={"reason": str(error)})

    def _leave(self, followed: Followed) -> None:
        before = followed.shown
        followed.end("nothing is wanted")
        self._forget_unused(before)

    def _forget_unused(self, shown: Showing | None) -> None:
        """What was sent to a programme after its death would be tried again for ever."""
        used = {peer for each in self._followed.values() if each.shown for peer in each.shown.peers.values()}
        for peer in set(shown.peers.values() if shown else ()) - used:
            self._bus.forget(peer)


def main() -> int:
    """The exit status: 0 after a signal, 2 when a setting is wrong."""
    parser = argparse.ArgumentParser(prog="python -m workers.outputs.service", description=__doc__)
    parser.add_argument("--name", default=KIND, help="its name on the bus; there is one such process")
    name = parser.parse_args().name
    end_with_parent()
    try:
        settings = load()
        logs.start(name, settings.log.level)
        os.nice(NICE)
        bus = Bus(KIND, name, settings)
    except VisavisError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    service = Service(settings, bus)
    signal.signal(signal.SIGTERM, service.stop)
    signal.signal(signal.SIGINT, service.stop)
    try:
        service.serve()
    finally:
        bus.close()
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # an output that waits for its disk must not keep an asked-for exit waiting

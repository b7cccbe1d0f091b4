"""`python -m workers.production.service`: makes the films ordered through the edge, one at a time, at nice 10.

The broker says what is to be made (`Make`) and is told how far it is (`Making`): see broker/jobs.py. One thread has the
bus, another makes.
"""

from __future__ import annotations

import argparse
import logging
import os
import queue
import signal
import sys
import threading
import time
from dataclasses import replace
from typing import Any

from broker import logs, profile
from broker.bus import Bus
from broker.clock import NS_PER_S, now_ns
from broker.config import Settings, load
from broker.errors import VisavisError
from broker.films import Films
from broker.memory_bus import MemoryBus
from broker.messages import Alive, Make, Making, Message, Peer, Report
from broker.orphan import end_with_parent

logger = logging.getLogger(__name__)

KIND = "production"
NICE = 10
ALIVE_NS = NS_PER_S // 2
SAID_NS = 3 * NS_PER_S // 10
"""How often it is told how far a film is."""
WAIT_MS = 100
LEAVE_S = 0.1
"""That this process ends has then been said."""
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

NOTHING = Make()


class CancelledError(VisavisError):
    """It is not wanted any more."""


class Maker:
    """Makes films in a thread of its own, one after the other. `wish` may be called by any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._films = Films(settings.path("films"))
        self._wishes: queue.SimpleQueue[Make] = queue.SimpleQueue()
        self._wish = NOTHING
        self.state: Making | None = None
        """How far the newest film is; replaced whole."""
        threading.Thread(target=self._work, name="maker", daemon=True).start()

    def wish(self, wish: Make) -> bool:
        """This is to be made, and nothing else; False when that is known already."""
        if (wish.job, wish.attempt) == (self._wish.job, self._wish.attempt):
            return False
        self._wish = wish
        self._wishes.put(wish)
        return True

    def _work(self) -> None:
        while True:
            wish = self._wishes.get()
            if wish is self._wish and wish.job:
                logger.info("film begins", extra={"job": wish.job})
                self.state = Making(job=wish.job, attempt=wish.attempt, state="making")
                self.state = self._made(wish, self.state)
                state = self.state
                logger.info("film ends", extra={"job": wish.job, "state": state.state, "reason": state.text})

    def _made(self, wish: Make, state: Making) -> Making:
        began = time.monotonic()

        def progress(share: float) -> None:
            if self._wish is not wish:
                raise CancelledError("It is not wanted any more.")
            self.state = replace(state, share=share)

        try:
            # What these need is loaded with the first film: most installations have none to make.
            from workers.production.make import make
            from workers.production.order import order

            files = self._films.of(wish.job)
            recording = files.recording if files.recording.exists() else None
            wanted = order(self._settings, recording=recording, **wish.order)
            made = make(self._settings, wanted, files.film, progress)
        except (VisavisError, ValueError, TypeError, OSError) as error:
            return replace(state, state="failed", code=str(getattr(error, "code", "order")), text=str(error))
        except Exception as error:  # a fault costs this film, not those after it
            logger.exception("film failed", extra={"job": wish.job})
            return replace(state, state="failed", code="fault", text=f"The film could not be made: {error}")
        return replace(
            state,
            state="done",
            share=1.0,
            seconds=round(made.seconds, 2),
            took_s=round(time.monotonic() - began, 2),
            captions=wanted.captions,
        )


class Service:
    """What the broker wants made, to the maker; what the maker says, to the broker."""

    def __init__(self, settings: Settings, bus: Bus | MemoryBus) -> None:
        self.maker = Maker(settings)
        self._bus = bus
        self._stopping = False
        self._alive_ns = self._said_ns = 0
        self._said: Making | None = None
        self._busy_s, self._busy_at = time.process_time(), time.monotonic()

    @property
    def peer(self) -> Peer:
        return self._bus.peer

    def serve(self) -> None:
        """Until `stop`; a film that is being made then is made anew by a successor."""
        self._bus.connect(self._bus.broker)
        while not self._stopping:
            self.turn(now_ns())
        self._alive("stopping")
        time.sleep(LEAVE_S)

    def stop(self, *_: Any) -> None:
        """End soon; may be called by a signal."""
        self._stopping = True
        self._bus.wake()

    def turn(self, now: int) -> None:
        """Once around: receive, and what is due."""
        for message in self._bus.receive(WAIT_MS):
            self._take(message)
        self._bus.lost()
        if any(peer.kind == "broker" for peer in self._bus.connected()):
            self._alive_ns = 0
        if now - self._alive_ns >= ALIVE_NS:
            self._alive_ns = now
            self._alive()
        state = self.maker.state
        if state is not None and state is not self._said and (state.state != "making" or now - self._said_ns > SAID_NS):
            self._say(state)

    def _take(self, message: Message) -> None:
        if isinstance(message, Report):
            self._alive()
        elif isinstance(message, Make) and not self.maker.wish(message):
            state = self.maker.state
            if state and (state.job, state.attempt) == (message.job, message.attempt):
                self._say(state)  # the broker may not have heard it the first time

    def _say(self, state: Making) -> None:
        self._said, self._said_ns = state, now_ns()
        self._bus.send(self._bus.broker, state)

    def _alive(self, state: str = "ready") -> None:
        now, busy_s = time.monotonic(), time.process_time()
        load = (busy_s - self._busy_s) / max(0.001, now - self._busy_at)
        self._busy_at, self._busy_s = now, busy_s
        counters = {"outbox_waiting": float(self._bus.waiting), **self._bus.counters}
        self._bus.send(self._bus.broker, Alive(peer=self._bus.peer, state=state, load=load, counters=counters))


def main() -> int:
    """The exit status: 0 after a signal, 2 when a setting is wrong."""
    parser = argparse.ArgumentParser(prog="python -m workers.production.service", description=__doc__)
    parser.add_argument("--name", default=KIND, help="its name on the bus; each process needs one of its own")
    name = parser.parse_args().name
    end_with_parent()
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    try:
        settings = load()
        logs.start(name, settings.log.level)
        profile.enforce(settings.stages.profile)
        os.nice(NICE)
        bus = Bus(KIND, name, settings)
    except VisavisError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    service = Service(settings, bus)
    signal.signal(signal.SIGTERM, service.stop)
    signal.signal(signal.SIGINT, service.stop)
    service.serve()
    bus.close()
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a film in the middle must not keep an asked-for exit waiting

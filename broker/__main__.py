"""`python -m broker`: the control process. Wires the bus, the database, the clock and `Control` together."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zmq

from broker import logs, personas
from broker.bus import Bus, replay_address
from broker.clock import NS_PER_MS, now_ns
from broker.config import Settings, load
from broker.control import Control, ControlSettings
from broker.errors import ConfigError, StoreError
from broker.films import Films
from broker.foreign_json import read_json
from broker.messages import Alive, Event
from broker.orphan import end_with_parent
from broker.store import Store
from broker.uploads import Uploads

logger = logging.getLogger(__name__)

LONGEST_WAIT_MS = 100
FILMS_S = 600.0
"""How often films that are too old are looked for."""
REQUEST_LIMIT = 4096
"""Bytes of one replay request."""


class Broker:
    """The process: receives, lets `Control` decide, sends. `serve` returns after `stop`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.bus = Bus("broker", "broker", settings)
        self.replay = Replay(self.bus, replay_address(settings))
        self.store = Store(settings.path("store"))
        self.uploads = Uploads(settings.path("uploads"))
        self.films = Films(settings.path("films"))
        self.faults = 0
        self._films_s = -FILMS_S
        self.control = Control(
            ControlSettings(
                capacity=settings.sessions.capacity,
                away_s=settings.sessions.away_s,
                persona=settings.sessions.persona,
                questions=settings.audience.questions,
                refused_words=settings.audience.refused_words,
                recording=settings.recording,
                whip_url=settings.audience.whip_url,
                whip_token=settings.audience.whip_token,
                janus_url=settings.audience.janus_url,
                janus_key=settings.audience.janus_key,
                rtmp_url=settings.audience.rtmp_url,
                hls_sound=settings.audience.hls_sound,
                films_waiting=settings.films.waiting,
            ),
            personas=lambda name: personas.load(settings.path("personas"), name).snapshot(),
            store=self.store,
            boot=boot_id(),
            portraits=lambda: personas.portraits(settings.path("avatars")),
        )
        self._stopping = False

    def serve(self) -> None:
        """Until `stop`."""
        self.control.restore(now_ns())
        self.uploads.keep(self.control.sessions)
        while not self._stopping:
            self._turn()
        self._send()
        self.store.close()
        self.replay.close()
        self.bus.close()

    def stop(self, *_: Any) -> None:
        """End soon; may be called by a signal."""
        self._stopping = True
        self.bus.wake()

    def _turn(self) -> None:
        wait_ns = self.control.due_ns(now_ns()) - now_ns()
        messages = self.bus.receive(min(LONGEST_WAIT_MS, max(0, -(-wait_ns // NS_PER_MS))))
        lost = self.bus.lost()
        if lost:
            # What the dead still sent comes first: a word it let out must not be spoken again.
            messages += self.bus.receive(0)
        for message in messages:
            with self._guard(f"{type(message).__name__} refused"):
                self.control.accept(message, now_ns())
        for peer in lost:
            with self._guard(f"the loss of {peer.name} went wrong"):
                self.control.lost(peer, now_ns())
        with self._guard("a replay request refused"):
            self.replay.answer(self.control)
        self.control.own = Alive(
            peer=self.bus.peer,
            state="ready",
            sessions=len(self.control.sessions),
            counters={
                "outbox_waiting": self.bus.waiting,
                "faults": self.faults,
                **self.bus.counters,
                **self.control.counters,
            },
        )
        self.control.tick(now_ns())
        self._send()
        if time.monotonic() - self._films_s > FILMS_S:
            self._films_s = time.monotonic()
            self._forget_films()

    @contextlib.contextmanager
    def _guard(self, what: str) -> Iterator[None]:
        """What goes wrong over one message or peer is logged and counted; every conversation hangs on this process."""
        try:
            yield
        except Exception:
            logger.exception(what)
            self.faults += 1

    def _forget_films(self) -> None:
        """Old films go, files and all; a disk may take its time."""
        keep_s = self.settings.films.keep_h * 3600
        old = self.control.forget_films(time.time() - keep_s)
        known = {job.name for job in self.control.jobs.all()}

        def remove() -> None:
            for name in old:
                self.films.drop(name)
            self.films.sweep(known, keep_s)

        threading.Thread(target=remove, name="films", daemon=True).start()

    def _send(self) -> None:
        self.control.write_down(now_ns())
        outbox = self.control.drain()
        for peer in outbox.forget:
            self.bus.forget(peer)
        for peer in outbox.connect:
            self.bus.connect(peer)
        for peer, message in outbox.send:
            self.bus.send(peer, message)
        for event in outbox.publish:
            self.bus.publish(event)
        for session in outbox.ended:
            self.uploads.forget(session)


class Replay:
    """Answers "what came after event number n": JSON request {"since": n, "session": ""}, JSON list back."""

    def __init__(self, bus: Bus, address: str) -> None:
        self.bus = bus
        self.address = address
        self.socket = bus.context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 0)
        if address.startswith("ipc://"):
            Path(address.removeprefix("ipc://")).unlink(missing_ok=True)
        self.socket.bind(address)
        bus.poller.register(self.socket, zmq.POLLIN)

    def answer(self, control: Control) -> None:
        """Every request that has come; a malformed one gets {"error": …}."""
        while True:
            try:
                *envelope, request = self.socket.recv_multipart(flags=zmq.NOBLOCK)
                self.socket.send_multipart([*envelope, json.dumps(replayed(control, request)).encode()], zmq.NOBLOCK)
            except zmq.Again:
                return
            except zmq.ZMQError as error:
                logger.warning("replay", extra={"reason": str(error)})
                return

    def close(self) -> None:
        self.bus.poller.unregister(self.socket)
        self.socket.close(0)
        if self.address.startswith("ipc://"):
            Path(self.address.removeprefix("ipc://")).unlink(missing_ok=True)


def replayed(control: Control, request: bytes) -> Any:
    """The answer to one request, as plain data."""
    try:
        if len(request) > REQUEST_LIMIT:
            raise ValueError("the request is too long")
        asked = read_json(request)
        events = control.events.since(int(asked["since"]), str(asked.get("session", "")))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        return {"error": f'Send {{"since": number, "session": id or ""}} ({error}).'}
    return [_row(event) for event in events]


def _row(event: Event) -> dict[str, Any]:
    return dataclasses.asdict(event)


def boot_id() -> str:
    """Tells this start of the machine from others: instants of the monotonic clock mean nothing after the next."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def main() -> int:
    """The exit status: 0 after a signal, 2 when a setting or the database is wrong."""
    try:
        settings = load()
        logs.start("broker", settings.log.level)
        end_with_parent()
        broker = Broker(settings)
    except (ConfigError, StoreError) as error:
        print(f"broker: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, broker.stop)
    signal.signal(signal.SIGINT, broker.stop)
    logger.info("ready", extra={"control": broker.bus.peer.control})
    broker.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())

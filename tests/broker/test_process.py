"""`python -m broker` as a process: on a real bus, killed and started again."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from broker.__main__ import Broker
from broker.bus import Bus, broker_peer, replay_address
from broker.config import Settings, load
from broker.messages import WORKER_KINDS, Alive, Ask, Event, Message, Open, Present, Refused, Typed

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 20


class Around:
    """The broker's process and one process of each kind, all of them in this test."""

    def __init__(self, folder: Path) -> None:
        self.environ = os.environ | {
            "VISAVIS_BUS_RUN_FOLDER": str(folder / "r"),
            "VISAVIS_PATHS_STORE": str(folder / "v.sqlite"),
            "VISAVIS_PATHS_PERSONAS": str(folder / "personas"),
        }
        (folder / "personas").mkdir()
        (folder / "personas" / "host.toml").write_text('name = "Host"\ngreeting = "Hello."\n')
        self.settings: Settings = load(environ=self.environ)
        self.buses = {kind: Bus(kind, f"{kind}-1", self.settings) for kind in (*WORKER_KINDS, "webrtc")}
        self.got: list[tuple[str, Message]] = []
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        self.process = subprocess.Popen([sys.executable, "-m", "broker"], cwd=ROOT, env=self.environ)
        return self.process

    def alive(self) -> None:
        for bus in self.buses.values():
            bus.send(broker_peer(self.settings), Alive(peer=bus.peer, state="ready"))

    def until(self, found: Callable[[], object]) -> None:
        """Let messages come until `found`; the processes say that they are alive meanwhile."""
        end = time.monotonic() + PATIENCE_S
        said = 0.0
        while not found():
            assert time.monotonic() < end, f"it never came; got {[type(m).__name__ for _, m in self.got]}"
            if time.monotonic() - said > 0.3:
                self.alive()
                said = time.monotonic()
            for kind, bus in self.buses.items():
                self.got += [(kind, message) for message in bus.receive(2)]

    def has(self, kind: str, message: type[Message]) -> list[Message]:
        return [each for to, each in self.got if to == kind and isinstance(each, message)]

    def present(self) -> None:
        """Ask for a session until there is one."""
        edge = self.buses["webrtc"]
        caller = Present(
            session="s1", persona="host", token_hash=hashlib.sha256(b"x").hexdigest(), edge=edge.peer, mode="text"
        )

        def opened() -> bool:
            if not self.has("webrtc", Open):
                edge.send(edge.broker, caller)
            return bool(self.has("webrtc", Open))

        self.until(opened)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for bus in self.buses.values():
            bus.close()


@pytest.fixture
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Around]:
    house = Around(tmp_path_factory.mktemp("b"))
    yield house
    house.close()


def _until_lost(bus: Bus) -> None:
    """What is sent before the connection is seen to be gone goes down with it; the page would send it again."""
    deadline = time.monotonic() + PATIENCE_S
    while not any(peer.kind == "broker" for peer in bus.lost()):
        assert time.monotonic() < deadline, "the broker's death was not noticed"
        bus.receive(10)


def test_a_question_survives_the_kill_of_the_broker(around: Around) -> None:
    around.present()
    opened = around.has("webrtc", Open)[-1]
    around.buses["webrtc"].send(broker_peer(around.settings), Typed(session="s1", route=opened.route, text="one"))
    around.until(lambda: around.has("llm", Ask))
    around.process.send_signal(signal.SIGKILL)
    around.process.wait()
    _until_lost(around.buses["webrtc"])
    around.buses["webrtc"].send(broker_peer(around.settings), Typed(session="s1", route=opened.route, text="two"))
    around.got.clear()
    around.start()
    around.until(lambda: [ask for ask in around.has("llm", Ask) if isinstance(ask, Ask) and ask.text == "two"])
    asks = [ask for ask in around.has("llm", Ask) if isinstance(ask, Ask)]
    assert min(ask.turn for ask in asks if ask.text == "two") > 1
    assert asks[-1].history[0].text == "one"


def test_events_can_be_heard_and_asked_for_again(around: Around) -> None:
    around.present()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    request = context.socket(zmq.REQ)
    request.setsockopt(zmq.LINGER, 0)
    request.setsockopt(zmq.RCVTIMEO, PATIENCE_S * 1000)
    request.connect(replay_address(around.settings))
    around.buses["tts"].send(
        broker_peer(around.settings),
        Event(session="s1", route=around.has("webrtc", Open)[-1].route, kind="visemes", data={"n": 7}),
    )
    around.until(lambda: [e for e in around.has("webrtc", Event) if isinstance(e, Event) and e.kind == "visemes"])
    request.send(json.dumps({"since": 0, "session": "s1"}).encode())
    events = json.loads(request.recv())
    assert [event["data"] for event in events if event["kind"] == "visemes"] == [{"n": 7}]
    seqs = [event["seq"] for event in events]
    assert seqs == sorted(set(seqs))
    for rubbish in (b"", b"{", b"[]", b'{"since": "x"}', b'{"since": 1e999}', b"x" * 10_000, b"[" * 4_000, b"\xff\xfe"):
        request.send(rubbish)
        assert "error" in json.loads(request.recv())
    request.close()
    context.term()


def test_what_goes_wrong_over_one_message_does_not_end_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("b")
    environ = {"VISAVIS_BUS_RUN_FOLDER": str(folder / "r"), "VISAVIS_PATHS_STORE": str(folder / "v.sqlite")}
    broker = Broker(load(environ=environ))
    edge = Bus("webrtc", "webrtc-0", broker.settings)
    accept, seen = broker.control.accept, []

    def accept_none_typed(message: Message, now: int) -> None:
        if isinstance(message, Typed):
            raise RuntimeError("boom")
        seen.append(message)
        accept(message, now)

    broker.control.accept = accept_none_typed  # type: ignore[method-assign]
    for message in (Typed(session="s1", text="one"), Alive(peer=edge.peer, state="ready")):
        edge.send(edge.broker, message)
    deadline = time.monotonic() + PATIENCE_S
    while not seen:
        assert time.monotonic() < deadline
        edge.receive(0)
        broker._turn()
    assert broker.faults == 1
    assert broker.control.own
    assert broker.control.own.counters["faults"] == 1, "it shows in /metrics"
    broker.stop()
    broker.serve()
    edge.close()


def test_a_signal_ends_it_cleanly_and_leaves_no_sockets(around: Around) -> None:
    around.present()
    around.process.send_signal(signal.SIGTERM)
    assert around.process.wait(timeout=PATIENCE_S) == 0
    left = [path.name for path in around.settings.run_folder().iterdir() if path.name.startswith("broker")]
    assert left == []


def test_a_wrong_setting_or_database_is_said_in_a_sentence(tmp_path: Path) -> None:
    store = tmp_path / "v.sqlite"
    store.write_text("not a database " * 200)
    environ = os.environ | {"VISAVIS_BUS_RUN_FOLDER": str(tmp_path / "r"), "VISAVIS_PATHS_STORE": str(store)}
    done = subprocess.run(
        [sys.executable, "-m", "broker"], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "move it away" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_is_let_in_while_a_kind_is_missing(around: Around) -> None:
    lonely = around.buses.pop("tts")
    lonely.close()
    edge = around.buses["webrtc"]
    around.alive()
    caller = Present(session="s1", persona="host", token_hash=hashlib.sha256(b"x").hexdigest(), edge=edge.peer)
    edge.send(edge.broker, caller)
    around.until(lambda: around.has("webrtc", Refused))
    refused = around.has("webrtc", Refused)[0]
    assert isinstance(refused, Refused)
    assert refused.code == "not_ready"


def test_it_ends_with_the_supervisor_that_started_it(tmp_path: Path) -> None:
    environ = os.environ | {
        "VISAVIS_BUS_RUN_FOLDER": str(tmp_path / "r"),
        "VISAVIS_PATHS_STORE": str(tmp_path / "v.sqlite"),
        "SUPERVISOR_ENABLED": "1",
    }
    start = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'broker'])"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", start], cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert supervisor.stdout
    assert b"ready" in supervisor.stdout.readline()
    supervisor.kill()
    supervisor.communicate(timeout=PATIENCE_S)  # until the last who could still write is gone
    assert not (tmp_path / "r" / "broker.control").exists()

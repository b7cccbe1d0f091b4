"""The bus over real ZeroMQ sockets: order, back-pressure, death, isolation."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from broker.bus import Bus
from broker.config import ROOT, BusSettings, Settings
from broker.errors import ConfigError
from broker.messages import Hold, Message, MicFrame, Peer, Programme, Typed

PATIENCE_S = 30.0
"""A busy machine takes its time; only a message that never comes costs as much."""


@pytest.fixture
def settings() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="vis", dir="/tmp") as folder:
        yield Settings(bus=BusSettings(run_folder=folder))


Make = Callable[..., Bus]


@pytest.fixture
def make(settings: Settings) -> Iterator[Make]:
    made: list[Bus] = []

    def build(kind: str, name: str = "", **changes: object) -> Bus:
        bus_settings = dataclasses.replace(settings.bus, **changes)  # type: ignore[arg-type]
        bus = Bus(kind, name or kind, Settings(bus=bus_settings), publishes=kind == "programme")
        made.append(bus)
        return bus

    yield build
    for bus in made:
        bus.close()


def collect(bus: Bus, count: int, within_s: float = PATIENCE_S) -> list[Message]:
    found: list[Message] = []
    deadline = time.monotonic() + within_s
    while len(found) < count and time.monotonic() < deadline:
        found += bus.receive(50)
    return found


def frame(n: int, session: str = "s") -> MicFrame:
    return MicFrame(session=session, mic_sample=n, pcm=b"\0" * 640)


def test_messages_arrive_in_order(make: Make) -> None:
    vad, edge = make("vad"), make("webrtc")
    for n in range(500):
        assert edge.send(vad.peer, frame(n))
    got = []
    while len(got) < 500:
        edge.receive(0)
        got += vad.receive(10)
    assert [m.mic_sample for m in got if isinstance(m, MicFrame)] == list(range(500))


def test_control_is_drained_before_data(make: Make) -> None:
    tts, broker = make("tts"), make("broker")
    for n in range(100):
        broker.send(tts.peer, frame(n))
    broker.send(tts.peer, Hold(session="s"))
    deadline = time.monotonic() + PATIENCE_S
    while broker.backlog("s") and time.monotonic() < deadline:
        broker.receive(1)
    time.sleep(0.1)  # let the last one cross the socket
    assert isinstance(tts.receive(100)[0], Hold)


def test_a_send_to_nobody_waits_and_is_delivered_when_the_receiver_comes(make: Make) -> None:
    edge = make("webrtc")
    for n in range(20):
        assert edge.send(edge.broker, Typed(session="s", text=str(n)))
    assert edge.backlog("s") == 20
    broker = make("broker")
    got: list[Message] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(got) < 20 and time.monotonic() < deadline:
        edge.receive(1)
        got += broker.receive(10)
    assert [m.text for m in got if isinstance(m, Typed)] == [str(n) for n in range(20)]
    assert edge.backlog("s") == 0


def test_a_full_receiver_never_blocks_and_drops_are_counted(make: Make) -> None:
    vad, edge = make("vad", high_water_mark=10), make("webrtc", high_water_mark=10, outbox=40)
    sent = sum(edge.send(vad.peer, frame(n)) for n in range(5000))
    assert sent < 5000
    assert edge.counters["outbox_dropped"] == 5000 - sent


def test_a_full_pipe_is_a_counted_fault_and_a_receiver_that_is_not_there_is_none(make: Make) -> None:
    edge = make("webrtc", high_water_mark=10)
    edge.send(edge.broker, Typed(session="s", text="to nobody yet"))
    assert edge.counters["high_water_reached"] == 0, "it waits for somebody who is not there"
    vad = make("vad", high_water_mark=10)
    edge.send(vad.peer, frame(0))
    assert _delivered(edge, vad) == 1
    assert edge.counters["high_water_reached"] == 0
    for n in range(1, 200):
        edge.send(vad.peer, frame(n))
    assert edge.counters["high_water_reached"] == 1, "once, and not for each message behind it"
    assert _delivered(edge, vad) == 199, "what it refused comes later"
    edge.send(vad.peer, frame(200))
    assert edge.counters["high_water_reached"] == 1


def _delivered(sender: Bus, receiver: Bus) -> int:
    """Messages that arrive until nothing waits and nothing comes any more."""
    count, deadline = 0, time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        sender.receive(1)
        came = len(receiver.receive(100))
        count += came
        if not came and not sender.backlog("s"):
            break
    return count


def test_one_session_cannot_fill_the_outbox_for_the_others(make: Make) -> None:
    edge = make("webrtc", outbox=40)
    for n in range(100):
        edge.send(edge.broker, Typed(session="greedy", text=str(n)))
    assert edge.backlog("greedy") == 10
    assert edge.send(edge.broker, Typed(session="modest", text="hello"))


def test_publications_reach_only_their_session(make: Make) -> None:
    programme, edge = make("programme"), make("webrtc")
    edge.subscribe(programme.peer.pub, "one")
    deadline = time.monotonic() + PATIENCE_S
    got: list[Message] = []
    while len(got) < 3 and time.monotonic() < deadline:
        for session in ("one", "oneness", "two"):
            programme.publish(Programme(session=session, tick=0, programme_sample=0, opus=b"", mouth=b""))
        got += edge.receive(20)
    assert {m.session for m in got} == {"one"}
    edge.unsubscribe(programme.peer.pub, "one")
    collect(edge, 10_000, 0.2)
    programme.publish(Programme(session="one", tick=0, programme_sample=0, opus=b"", mouth=b""))
    assert collect(edge, 1, 0.2) == []


def test_a_full_subscriber_is_passed_over_and_counted_and_the_others_lose_nothing(make: Make) -> None:
    programme = make("programme", high_water_mark=50)
    full, well, elsewhere = (make("webrtc", f"webrtc-{n}", high_water_mark=50) for n in range(3))
    for edge, session in ((full, "one"), (well, "one"), (elsewhere, "two")):
        edge.subscribe(programme.peer.pub, session)
    got: dict[Bus, list[int]] = {well: [], elsewhere: []}

    def say(tick: int) -> None:
        for session in ("one", "two"):
            programme.publish(Programme(session=session, tick=tick, programme_sample=0, opus=b"o" * 80, mouth=b""))

    def play(tick: int) -> None:
        say(tick)
        deadline = time.monotonic() + PATIENCE_S
        for edge, ticks in got.items():
            while not ticks or ticks[-1] != tick:
                assert time.monotonic() < deadline, f"tick {tick} never came"
                ticks += [m.tick for m in edge.receive(1000) if isinstance(m, Programme) and m.tick >= 0]

    # Subscriptions are on their way; what they are tried with is no tick of the programme.
    joined: set[Bus] = set()
    deadline = time.monotonic() + PATIENCE_S
    while joined != set(got):
        assert time.monotonic() < deadline, "nobody hears anything"
        say(-1)
        joined |= {edge for edge in got if edge.receive(20)}
    for tick in range(5000):
        play(tick)
    assert got == {well: list(range(5000)), elsewhere: list(range(5000))}
    assert programme.counters["publish_dropped"] > 0

    begun, late = programme.counters["publish_dropped"], collect(full, 5000, 1.0)
    assert 0 < len(late) < 5000
    play(5000)
    assert [m.tick for m in collect(full, 1) if isinstance(m, Programme)] == [5000], "who reads again, hears again"
    assert programme.counters["publish_dropped"] == begun


CHILD = """
import sys, pathlib
from broker.bus import Bus
from broker.config import BusSettings, Settings
bus = Bus("vad", "vad-0", Settings(bus=BusSettings(run_folder=sys.argv[1])), incarnation="aa")
print("up", flush=True)
while True:
    bus.receive(1000)
"""


def test_a_killed_receiver_is_noticed_by_its_connection(make: Make, settings: Settings) -> None:
    broker, run = make("broker"), settings.run_folder()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(run)], cwd=ROOT, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."}
    )
    assert child.stdout
    assert child.stdout.readline()
    peer = Peer(kind="vad", name="vad-0", incarnation="aa", data=f"ipc://{run}/vad-0.aa.data", control="")
    peer = dataclasses.replace(peer, control=f"ipc://{run}/vad-0.aa.control")
    broker.connect(peer)
    deadline = time.monotonic() + PATIENCE_S
    while not broker.connected() and time.monotonic() < deadline:
        broker.receive(50)
    child.send_signal(signal.SIGKILL)
    child.wait()
    lost: list[Peer] = []
    while not lost and time.monotonic() < deadline:
        broker.receive(50)
        lost = broker.lost()
    child.stdout.close()
    assert [p.name for p in lost] == ["vad-0"]


def test_malformed_frames_are_counted_and_do_no_harm(make: Make) -> None:
    vad = make("vad")
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    push = context.socket(zmq.PUSH)
    push.connect(vad.peer.data)
    for junk in ([b"junk"], [b"MicFrame", b"\xc1", b""], [b"", b"", b"", b""]):
        push.send_multipart(junk)
    deadline = time.monotonic() + PATIENCE_S
    while vad.counters["malformed"] < 3 and time.monotonic() < deadline:
        assert vad.receive(50) == []
    push.close(0)
    context.term()
    assert vad.counters["malformed"] == 3


def test_a_closed_bus_leaves_no_socket_files(settings: Settings) -> None:
    bus = Bus("programme", "programme-0", settings, publishes=True)
    run = settings.run_folder()
    assert len(list(run.iterdir())) == 3
    bus.close()
    assert list(run.iterdir()) == []


def test_the_run_folder_and_its_sockets_are_private(make: Make, settings: Settings) -> None:
    make("broker")
    assert settings.run_folder().stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in settings.run_folder().iterdir())


def four_free_ports() -> int:
    """The first of four in a row that nobody listens on, below those that the system deals out to connections."""
    for first in random.sample(range(20_000, 32_000, 4), 100):
        try:
            for port in range(first, first + 4):
                with socket.socket() as probe:
                    probe.bind(("", port))
        except OSError:
            continue
        return first
    raise AssertionError("no four free ports in a row")


def test_a_second_process_of_the_same_name_is_refused_in_words(make: Make, tmp_path: Path) -> None:
    port = four_free_ports()
    first = make("broker", transport="tcp", port=port)
    assert first.peer.control.startswith("tcp://")
    with pytest.raises(ConfigError, match="another broker"):
        make("broker", transport="tcp", port=port)


def test_tcp_carries_the_same_messages(make: Make) -> None:
    port = four_free_ports()
    broker = make("broker", transport="tcp", port=port)
    edge = make("webrtc", transport="tcp", port=port)
    edge.send(edge.broker, Typed(session="s", text="over tcp"))
    got: list[Message] = []
    deadline = time.monotonic() + PATIENCE_S
    while not got and time.monotonic() < deadline:
        edge.receive(1)
        got = broker.receive(50)
    assert isinstance(got[0], Typed)
    assert got[0].text == "over tcp"


def test_who_waits_for_a_worker_is_known_and_nobody_else(make: Make) -> None:
    vad, edge = make("vad", high_water_mark=10), make("webrtc", high_water_mark=10)
    edge.send(edge.broker, Typed(session="waits-for-the-broker", text="hello"))
    assert edge.blocked() == frozenset()
    deadline = time.monotonic() + PATIENCE_S
    edge.send(vad.peer, frame(0))
    while edge.blocked() and time.monotonic() < deadline:
        edge.receive(1)
    assert edge.blocked() == frozenset()
    for n in range(1, 200):
        edge.send(vad.peer, frame(n))
    assert edge.blocked() == {"s"}
    while edge.blocked() and time.monotonic() < deadline:
        edge.receive(1)
        vad.receive(1)
    assert edge.blocked() == frozenset()

"""The process that records and streams, between a broker and programmes that a test plays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from broker.clock import now_ns
from broker.config import Settings
from broker.memory_bus import MemoryBus, MemoryHub
from broker.messages import (
    Alive,
    Close,
    Event,
    KeyFrame,
    Message,
    Outputs,
    OutputState,
    Programme,
    Refused,
    Report,
    Showing,
    Wanted,
    Watch,
)
from tests.outputs.tape import Tape, tick, until
from workers.outputs import sink
from workers.outputs.service import LEFT_NS, Service

M = TypeVar("M", bound=Message)


class World:
    """The process with a broker and two programmes around it."""

    def __init__(self, settings: Settings) -> None:
        hub = MemoryHub()
        self.broker = MemoryBus("broker", "broker", hub)
        self.programmes = [MemoryBus("programme", f"programme-{n}", hub) for n in range(2)]
        self.bus = MemoryBus("outputs", "outputs", hub)
        self.service = Service(settings, self.bus)
        self.heard: list[Message] = []
        self.asked: list[list[Message]] = [[], []]

    def turn(self) -> None:
        self.service.turn(now_ns())
        self.heard += self.broker.receive(0)
        for asked, programme in zip(self.asked, self.programmes, strict=True):
            asked += programme.receive(0)

    def tell(self, message: Message) -> None:
        self.broker.send(self.bus.peer, message)
        self.turn()

    def want(self, *names: str, **settings: Any) -> None:
        rows = tuple({"id": name, "kind": "tape", "settings": settings, "data": {}} for name in names)
        self.tell(Outputs(session="s", wanted=rows))

    def show(self, programme: int = 0, route: int = 7) -> None:
        peers = {"programme": self.programmes[programme].peer}
        more: dict[str, Any] = {"language": "en", "origin_ns": 1, "state": "listening", "viewers": 0}
        self.tell(Showing(session="s", route=route, persona={"id": "vera"}, peers=peers, **more))

    def play(self, *ticks: Programme, programme: int = 0) -> None:
        for each in ticks:
            self.programmes[programme].publish(each)
        self.turn()

    def begun(self, count: int = 1) -> list[Tape]:
        until(lambda: len(Tape.made) >= count and self.turn() is None, "nothing is made")
        until(lambda: self.turn() or sum(each.state == "on" for each in self.of(OutputState)) >= count, "not told")
        return Tape.made

    def of(self, kind: type[M]) -> list[M]:
        return [message for message in self.heard if isinstance(message, kind)]

    def asks(self, kind: type[M], programme: int = 0) -> list[M]:
        return [message for message in self.asked[programme] if isinstance(message, kind)]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    monkeypatch.setitem(sink.KINDS, "tape", "tests.outputs.tape:Tape")
    Tape.made = []
    settings = Settings()
    world = World(replace(settings, paths=replace(settings.paths, recordings=str(tmp_path / "recordings"))))
    yield world
    for each in Tape.made:
        each.free.set()
    world.service.stop()
    world.service.serve()


def test_it_watches_what_is_wanted_and_says_which_pictures_it_needs(world: World) -> None:
    world.want("a", codecs=("h264", "vp8"))
    assert {(each.session, each.viewers, each.edge.kind) for each in world.of(Watch)} == {("s", 0, "outputs")}
    world.show()
    world.begun()
    until(lambda: world.turn() or world.asks(Wanted)[-1].h264, "no pictures are wanted")
    wanted = world.asks(Wanted)[-1]
    assert (wanted.h264, wanted.vp8, wanted.route) == (1, 1, 7)
    assert [(each.id, each.state, each.data) for each in world.of(OutputState)] == [("a", "on", {"name": "tape"})]
    world.tell(Report())
    assert world.of(Alive)[-1].counters["tapes"] == 1


def test_all_outputs_of_a_session_hang_on_one_subscription(world: World) -> None:
    world.want("a", "b")
    world.show()
    tapes = world.begun(2)
    world.play(tick(1), tick(2), tick(2), tick(1), tick(4))
    world.tell(Event(session="s", kind="turn"))
    for tape in tapes:
        until(lambda tape=tape: tape.ticks == [1, 2, 4] and tape.events == ["turn"], "it does not hear all, once")
    assert world.service._followed["s"].totals()["ticks_missing"] == 1
    assert len(world.bus.hub.subscriptions[world.programmes[0].peer.pub]) == 1


def test_key_frames_come_when_needed_and_at_least_so_often(world: World) -> None:
    world.want("a", key_every_s=2.0)
    world.show()
    (tape,) = world.begun()
    world.play(tick(100, h264=b"x", h264_key=True))
    world.play(tick(101))
    assert world.asks(KeyFrame) == []
    world.play(tick(200))
    assert [(each.codec, each.route) for each in world.asks(KeyFrame)] == [("h264", 7)]
    world.play(tick(201))
    assert len(world.asks(KeyFrame)) == 1, "asked for once in a while"
    tape.needs_key = frozenset({"vp8"})
    world.play(tick(202, h264=b"x", h264_key=True))
    assert [each.codec for each in world.asks(KeyFrame)] == ["h264", "vp8"]


def test_when_the_programme_dies_its_successor_is_followed(world: World) -> None:
    world.want("a")
    world.show()
    (tape,) = world.begun()
    world.play(tick(1))
    world.show(programme=1, route=8)
    world.play(tick(2), programme=0)
    world.play(tick(3), programme=1)
    until(lambda: tape.ticks == [1, 3], "the successor is not heard alone")
    assert world.asks(Wanted, 1)[-1].route == 8


def test_what_is_wanted_no_longer_is_finished_and_the_session_left(world: World) -> None:
    world.want("a", "b")
    world.show()
    tapes = world.begun(2)
    world.want("b")
    until(lambda: sum(bool(tape.closed) for tape in tapes) == 1, "none of them is finished")
    world.want()
    until(lambda: all(tape.closed for tape in tapes), "it goes on")
    world.service.beat()
    world.turn()
    assert world.of(Watch)[-1].leave


def test_a_session_that_ends_ends_all_and_may_begin_anew(world: World) -> None:
    world.want("a")
    world.show()
    (tape,) = world.begun()
    world.play(tick(500))
    world.tell(Close(session="s", reason="bye"))
    until(lambda: tape.closed == "bye", "it was not finished")
    world.want("c")
    world.show(route=9)
    until(lambda: len(Tape.made) == 2, "it does not begin anew")
    world.play(tick(1))
    until(lambda: Tape.made[1].ticks == [1], "the new one's ticks are taken for old ones")


def test_a_session_the_broker_does_not_know_is_let_go(world: World) -> None:
    world.want("a")
    world.show()
    (tape,) = world.begun()
    world.tell(Refused(session="s", code="unknown", text="There is no such conversation (any more)."))
    until(lambda: tape.closed == "unknown", "it goes on for ever")


def test_a_broker_that_starts_anew_is_told_again(world: World) -> None:
    world.want("a")
    world.show()
    world.begun()
    world.heard.clear()
    world.tell(Report())
    assert world.of(Alive)
    world.want("a")
    assert [(each.id, each.state) for each in world.of(OutputState)] == [("a", "on")]
    assert len(Tape.made) == 1, "what is made goes on"


def test_a_successor_is_given_what_the_killed_one_said(world: World) -> None:
    rows = ({"id": "a", "kind": "tape", "settings": {}, "data": {"name": "before"}},)
    world.tell(Outputs(session="s", wanted=rows))
    world.show()
    (tape,) = world.begun()
    assert tape.order.data == {"name": "before"}


def test_an_unknown_kind_is_refused_with_the_known_ones(world: World) -> None:
    world.tell(Outputs(session="s", wanted=({"id": "a", "kind": "hologram"},)))
    world.show()
    until(lambda: world.turn() or world.of(OutputState), "nothing is said")
    told = world.of(OutputState)[-1]
    assert told.state == "failed"
    assert "recording" in told.text


def test_recordings_that_are_too_old_are_removed(world: World, tmp_path: Path) -> None:
    old = tmp_path / "recordings" / "old"
    old.mkdir(parents=True)
    (old / "recording.json").write_text(json.dumps({"session": "s", "parts": []}))
    os.utime(old / "recording.json", (1_000_000, 1_000_000))
    world.turn()
    until(lambda: not old.exists(), "it stays for ever")


def test_what_a_killed_one_left_is_finished_once_those_that_go_on_are_known(world: World, tmp_path: Path) -> None:
    for name in ("left", "going"):
        place = tmp_path / "recordings" / name
        place.mkdir(parents=True)
        (place / "recording.json").write_text(json.dumps({"session": name, "parts": []}))
    world.tell(Outputs(session="s", wanted=({"id": "a", "kind": "tape", "settings": {}, "data": {"name": "going"}},)))
    world.service.turn(now_ns() + LEFT_NS)

    def complete(name: str) -> bool:
        return "ended" in json.loads((tmp_path / "recordings" / name / "recording.json").read_text())

    until(lambda: complete("left"), "it is not finished")
    assert not complete("going")

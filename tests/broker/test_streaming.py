"""A session streamed: HLS goes with its players."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from broker.messages import Message, Outputs, OutputState, Watch
from broker.store import Store
from broker.streaming import AGAIN_NS
from tests.broker.test_control import House, peer, to

MAKER = peer("outputs")
EDGE = peer("webrtc", 2)


def house(**settings: Any) -> House:
    world = House(**settings)
    world.alive(MAKER)
    world.present()
    return world


def wanted(world: House) -> list[tuple[str, dict[str, Any]]]:
    """(kind, settings) of all that is to be made."""
    rows = [message for name, message in to(world.sent, Outputs) if name == MAKER.name][-1].wanted
    return [(row["kind"], row["settings"]) for row in rows]


def plays(world: House, hls: bool = True, leave: bool = False) -> list[tuple[str, Message]]:
    return list(world(Watch(session="s1", edge=EDGE, hls=hls, leave=leave)))


def test_it_is_streamed_while_somebody_plays_it() -> None:
    world = house()
    plays(world, hls=False)
    world.wait(1.1)
    assert not to(world.sent, Outputs) or wanted(world) == []
    plays(world)
    plays(world)
    assert wanted(world) == [("hls", {"sound": "aac"})]
    plays(world, hls=False)
    world.wait(1.1)
    assert wanted(world) == []
    plays(world)
    assert wanted(world) == [("hls", {"sound": "aac"})], "the next player is not made to wait"


def test_a_stream_whose_players_edge_falls_silent_ends() -> None:
    world = house()
    plays(world)
    for _ in range(7):
        world.wait(1.0)
    assert wanted(world) == []


def test_a_stream_that_fails_is_tried_again_but_not_at_once() -> None:
    world = house()
    plays(world)
    row = to(world.sent, Outputs)[-1][1].wanted[0]
    world(OutputState(session="s1", id=row["id"], state="failed", text="No space left on device."))
    before = len(to(world.sent, Outputs))
    plays(world)
    assert len(to(world.sent, Outputs)) == before
    for _ in range(AGAIN_NS // 10**9 + 1):
        world.wait(1.0)
        world.alive(MAKER)
        plays(world)
    assert len(to(world.sent, Outputs)) > before


def test_a_stream_nobody_plays_any_more_does_not_outlive_a_restart_of_the_broker(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    world = House(store)
    world.alive(MAKER)
    world.present()
    plays(world)
    after = House(store, instances=0)
    after.control.restore(after.now_ns)
    after.up(2)
    after.alive(MAKER)
    for _ in range(10):
        after.wait(1.0)
    assert wanted(after) == []

"""A session streamed onward: HLS goes with its players, RTMP pushes are the operator's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from broker.control import ControlSettings
from broker.messages import Command, Done, Event, Message, Outputs, OutputState, Watch
from broker.store import Store
from broker.streaming import AGAIN_NS, MOST_PUSHES
from tests.broker.test_control import TOKEN, House, one, peer, to

MAKER = peer("outputs")
EDGE = peer("webrtc", 2)
URL = "rtmp://live.example/app/secret-key"


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


def operate(world: House, what: str, operator: bool = True, **data: Any) -> Done:
    return one(
        world(Command(session="s1", id="1", edge=EDGE, what=what, token_hash=TOKEN, operator=operator, data=data)), Done
    )


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


def test_the_operator_pushes_it_and_sees_how_that_goes_without_the_key() -> None:
    world = house()
    row = operate(world, "push", url=URL).data
    assert (row["url"], row["state"]) == ("rtmp://live.example/app/…", "connecting")
    assert wanted(world) == [("rtmp", {"url": URL})]
    data = {"state": "live", "reason": ""}
    world(OutputState(session="s1", id=row["id"], state="on", data=data))
    assert operate(world, "pushes").data["pushes"] == [row | data]
    assert not [event for _, event in to(world.sent, Event) if "secret-key" in str(event)]
    assert operate(world, "unpush", id=row["id"]).code == ""
    assert wanted(world) == []
    assert operate(world, "pushes").data["pushes"] == []
    assert operate(world, "unpush", id=row["id"]).code == "unknown"


def test_a_push_is_not_the_caller_s_to_order_and_needs_an_address_and_somebody_to_make_it() -> None:
    world = house()
    for what in ("push", "pushes", "unpush"):
        assert operate(world, what, operator=False, url=URL).code == "forbidden"
    assert operate(world, "push", url="rtmp://host").code == "bad_request"
    for _ in range(MOST_PUSHES):
        assert operate(world, "push", url=URL).code == ""
    assert operate(world, "push", url=URL).code == "busy"
    world.lose(MAKER)
    assert operate(world, "push", url=URL).code == "not_ready"


def test_every_conversation_is_pushed_where_the_settings_say_so() -> None:
    world = house(rtmp_url="rtmp://live.example/app/{persona}-{session}")
    assert wanted(world) == [("rtmp", {"url": "rtmp://live.example/app/host-s1"})]
    assert operate(world, "pushes").data["pushes"][0]["state"] == "connecting"


def test_a_key_in_the_settings_is_not_written_to_logs() -> None:
    assert "secret-key" not in repr(ControlSettings(rtmp_url=URL))


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

"""A session pushed to media servers: whose it is to want, which process does it, what a death leaves of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broker.control import ControlSettings
from broker.messages import Command, Done, Event, Outputs, OutputState, Showing, Watch
from broker.pushing import MOST
from broker.store import Store
from tests.broker.test_control import TOKEN, House, one, peer, to

MAKER = peer("outputs")
RTMP = "rtmp://live.example/app/secret-key"
WHIP = "https://live.example/whip"
JANUS = "janus+ws://127.0.0.1:8188"
FIRST, SECOND = peer("webrtc"), peer("webrtc", 2)


def house(edges: int = 2, **settings: Any) -> House:
    """A conversation whose caller is at the first of the edges."""
    world = House(**settings)
    world.alive(MAKER)
    for number in range(2, edges + 1):
        world.alive(peer("webrtc", number))
    world.present()
    return world


def operate(world: House, what: str, operator: bool = True, edge: int = 1, **data: Any) -> Done:
    command = Command(
        session="s1", id="1", edge=peer("webrtc", edge), what=what, token_hash=TOKEN, operator=operator, data=data
    )
    return one(world(command), Done)


def wanted(world: House, of: str) -> list[tuple[str, dict[str, Any]]]:
    """(kind, settings) of all that a process is to make."""
    said = [message for name, message in to(world.sent, Outputs) if name == of]
    return [(row["kind"], row["settings"]) for row in said[-1].wanted] if said else []


def says(world: House, row: dict[str, Any], state: str, reason: str = "") -> list[Any]:
    return world(OutputState(session="s1", id=row["id"], state="on", data={"state": state, "reason": reason}))


def rows(world: House, edge: int = 1) -> list[dict[str, Any]]:
    return list(operate(world, "pushes", edge=edge).data["pushes"])


def told(world: House, since: int = 0) -> list[str]:
    """What listeners hear of outputs."""
    return [event.data["state"] for event in world.published[since:] if event.kind == "output"]


@pytest.mark.parametrize(
    ("url", "kind", "shown", "by"),
    [
        (RTMP, "rtmp", "rtmp://live.example/app/…", MAKER.name),
        (WHIP, "whip", WHIP, FIRST.name),
        (JANUS, "janus", JANUS, FIRST.name),
    ],
)
def test_the_operator_pushes_it_and_any_edge_says_how_that_goes_without_the_secret(
    url: str, kind: str, shown: str, by: str
) -> None:
    world = house()
    token = {} if kind == "rtmp" else {"token": "secret-key"}
    row = operate(world, "push", edge=2, url=url, **token).data
    assert (row["url"], row["state"]) == (shown, "connecting")
    assert wanted(world, by) == [(kind, {"url": url} | token)]
    assert wanted(world, SECOND.name) == []
    says(world, row, "live")
    assert rows(world, 1) == rows(world, 2) == [row | {"state": "live"}]
    assert told(world) == ["starting", "on"]
    assert not [event for event in world.published if "secret-key" in str(event)]
    assert operate(world, "unpush", edge=2, id=row["id"]).code == ""
    assert wanted(world, by) == []
    assert rows(world) == []
    assert operate(world, "unpush", id=row["id"]).code == "unknown"


def test_a_push_is_not_the_caller_s_to_order_and_needs_an_address_and_somebody_to_make_it() -> None:
    world = house()
    for what in ("push", "pushes", "unpush"):
        assert operate(world, what, operator=False, url=RTMP).code == "forbidden"
    for url in ("rtmp://host", "ftp://x", "https://", "janus+http://x", "", "https://[x/"):
        assert operate(world, "push", url=url).code == "bad_request", url
    for url in (RTMP, WHIP):
        for _ in range(MOST):
            assert operate(world, "push", url=url).code == ""
        assert operate(world, "push", url=url).code == "busy"
    assert operate(world, "push", url=JANUS).code == "busy", "an edge's pushes are counted together"
    world.lose(MAKER)
    world = house()
    world.lose(MAKER)
    assert operate(world, "push", url=RTMP).code == "not_ready"
    assert operate(world, "push", url=WHIP).code == "", "edges need nobody for theirs"


def test_every_conversation_is_pushed_where_the_settings_say_so() -> None:
    world = house(
        whip_url="https://live.example/{persona}-{session}",
        whip_token="secret-key",
        janus_url="ws://127.0.0.1:8188",
        janus_key="secret-key",
        rtmp_url="rtmp://live.example/app/{persona}-{session}",
    )
    assert wanted(world, MAKER.name) == [("rtmp", {"url": "rtmp://live.example/app/host-s1"})]
    assert wanted(world, FIRST.name) == [
        ("whip", {"url": "https://live.example/host-s1", "token": "secret-key"}),
        ("janus", {"url": JANUS, "token": "secret-key"}),
    ]
    assert {row["state"] for row in rows(world)} == {"connecting"}


def test_an_address_in_the_settings_that_is_none_stops_nothing() -> None:
    world = house(whip_url="https://[{persona}/", janus_url="ws://127.0.0.1:8188")
    assert wanted(world, FIRST.name) == [("janus", {"url": JANUS})]
    assert len(rows(world)) == 1


def test_a_secret_in_the_settings_is_not_written_to_logs() -> None:
    settings = ControlSettings(rtmp_url=RTMP, whip_token="secret-key", janus_key="secret-key")
    assert "secret-key" not in repr(settings)


def test_when_the_edge_that_pushes_dies_another_takes_it_up_and_keeps_it() -> None:
    world = house()
    row = operate(world, "push", url=WHIP).data
    says(world, row, "live")
    begin = len(world.published)
    world.lose(FIRST)
    assert wanted(world, SECOND.name) == [("whip", {"url": WHIP})]
    assert rows(world, 2) == [row | {"state": "connecting"}]
    says(world, row, "live")
    assert told(world, begin) == ["starting", "on"]
    world.alive(peer("webrtc", incarnation="b"))
    world.wait(1.1)
    assert wanted(world, FIRST.name) == []
    assert wanted(world, SECOND.name) == [("whip", {"url": WHIP})], "it stays where it goes well"
    world(OutputState(session="s1", id="another", state="on", data={"state": "live"}))
    assert rows(world, 1) == [row | {"state": "live"}]


def test_when_there_is_only_one_edge_its_successor_takes_it_up() -> None:
    world = house(edges=1)
    row = operate(world, "push", url=JANUS).data
    says(world, row, "live")
    world.lose(FIRST)
    world.wait(3.0)
    assert rows(world) == [row | {"state": "connecting"}]
    begin = len(world.sent)
    world.alive(peer("webrtc", incarnation="b"))
    assert [message.wanted[0]["id"] for name, message in to(world.sent[begin:], Outputs) if name == FIRST.name] == [
        row["id"]
    ]


def test_a_successor_that_is_quicker_than_the_news_of_the_death_is_told_too() -> None:
    world = house(edges=1)
    row = operate(world, "push", url=WHIP).data
    says(world, row, "live")
    begin, published = len(world.sent), len(world.published)
    world.alive(peer("webrtc", incarnation="b"))
    assert to(world.sent[begin:], Outputs)
    assert told(world, published) == ["starting"]
    assert rows(world) == [row | {"state": "connecting"}]


def test_an_edge_that_stops_in_order_hands_its_pushes_on() -> None:
    world = house()
    operate(world, "push", url=WHIP)
    world.alive(FIRST, "stopping")
    assert wanted(world, SECOND.name) == [("whip", {"url": WHIP})]


def test_lost_messages_cost_a_second() -> None:
    world = house()
    row = operate(world, "push", url=WHIP).data
    for _ in range(2):
        begin = len(world.sent)
        world.wait(1.1)
        again = [(name, message.wanted) for name, message in to(world.sent[begin:], Outputs)]
        assert [(name, [each["id"] for each in rows]) for name, rows in again] == [
            (FIRST.name, [row["id"]]),
            (SECOND.name, []),
        ]
    operate(world, "unpush", id=row["id"])
    begin = len(world.sent)
    world.wait(1.1)
    assert [message.wanted for _, message in to(world.sent[begin:], Outputs)] == [(), ()], "its end is said again, too"
    says(world, row, "live")
    assert rows(world) == [], "what its edge said before it knew does not bring it back"


def test_a_broker_that_restarts_knows_what_is_pushed_and_by_whom(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    world = House(store)
    world.alive(SECOND)
    world.present()
    row = operate(world, "push", url=JANUS, token="key").data
    says(world, row, "live")
    after = House(store, instances=0)
    after.control.restore(after.now_ns)
    after.alive(SECOND)
    after.wait(0.5)
    assert wanted(after, SECOND.name) == [], "the edge that has it is not taken for dead before it has reported"
    after.up(2)
    assert wanted(after, FIRST.name) == [("janus", {"url": JANUS, "token": "key"})]
    assert rows(after) == [row | {"state": "live"}]
    after.wait(2.5)
    assert wanted(after, FIRST.name) == [("janus", {"url": JANUS, "token": "key"})]
    assert wanted(after, SECOND.name) == []


def test_an_edge_that_died_with_the_broker_is_replaced_by_another(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    world = House(store)
    world.present()
    says(world, operate(world, "push", url=JANUS).data, "live")
    after = House(store, instances=0)
    after.control.restore(after.now_ns)
    after.control.registry.lost(FIRST)
    for kind in ("vad", "asr", "llm", "tts", "programme", "lipsync"):
        after.alive(peer(kind))
    after.alive(SECOND)
    after.wait(2.5)
    assert wanted(after, SECOND.name) == [("janus", {"url": JANUS})]


def test_every_edge_that_shows_it_knows_in_which_janus_it_is() -> None:
    world = house()
    assert one(world(Watch(session="s1", edge=SECOND)), Showing).janus == ""
    begin = len(world.sent)
    row = operate(world, "push", url=JANUS, token="key").data
    assert [(name, shown.janus) for name, shown in to(world.sent[begin:], Showing)] == [
        (SECOND.name, "ws://127.0.0.1:8188")
    ]
    assert one(world(Watch(session="s1", edge=FIRST)), Showing).janus == "ws://127.0.0.1:8188"
    begin = len(world.sent)
    operate(world, "unpush", id=row["id"])
    assert {shown.janus for _, shown in to(world.sent[begin:], Showing)} == {""}


def test_listeners_hear_of_pushes_what_they_hear_of_other_outputs() -> None:
    world = house()
    row = operate(world, "push", url=WHIP).data
    (event,) = [event for event in world.published if event.kind == "output"]
    assert isinstance(event, Event)
    assert event.data == {"id": row["id"], "output": "whip", "state": "starting", "by": "operator", "text": ""}

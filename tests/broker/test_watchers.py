"""Edges that watch a session for their viewers: what they are told, how viewers are counted, who has left."""

from __future__ import annotations

import hashlib
from typing import Any

from broker.messages import Close, Event, Fleet, Gone, Message, Open, Peer, Played, Present, Refused, Showing, Watch
from tests.broker.test_control import TOKEN, House, one, peer, to

S = 1_000_000_000
CALLERS, OTHER, THIRD = peer("webrtc"), peer("webrtc", 2), peer("webrtc", 3)


def house() -> House:
    world = House()
    world.alive(OTHER)
    world.alive(THIRD)
    world.present()
    return world


def watch(world: House, edge: Peer, viewers: int = 1, **more: Any) -> list[tuple[str, Message]]:
    return world(Watch(session="s1", edge=edge, viewers=viewers, **more))


def audience(sent: list[tuple[str, Message]]) -> list[tuple[str, int]]:
    return [(name, event.data["viewers"]) for name, event in to(sent, Event) if event.kind == "audience"]


def test_a_watcher_is_told_where_the_programme_is_and_never_the_callers_route() -> None:
    world = house()
    showing = one(watch(world, OTHER), Showing)
    assert set(showing.peers) == {"programme"}
    assert showing.route == world.route()
    assert showing.persona["id"] == "host"
    assert showing.origin_ns == world.control.sessions["s1"].state.origin_ns
    assert not to(watch(world, OTHER), Showing), "once is enough"


def test_an_unknown_session_is_refused_as_such() -> None:
    world = house()
    refused = one(world(Watch(session="nobody", edge=OTHER)), Refused)
    assert refused.code == "unknown"
    assert not world(Watch(session="nobody", edge=OTHER, leave=True))


def test_viewers_are_summed_over_edges_and_told_to_all_of_them_and_the_caller() -> None:
    world = house()
    watch(world, OTHER, 3)
    sent = watch(world, THIRD, 2)
    assert dict(audience(sent)) == {"webrtc-1": 5, "webrtc-2": 5, "webrtc-3": 5}
    assert not audience(watch(world, THIRD, 2)), "no news"
    assert dict(audience(watch(world, OTHER, leave=True))) == {"webrtc-1": 2, "webrtc-3": 2}
    assert dict(audience(world.lose(THIRD))) == {"webrtc-1": 0}


def test_an_edge_that_falls_silent_has_left() -> None:
    world = house()
    watch(world, OTHER, 3)
    sent = world.wait(6)
    assert audience(sent)[-1] == ("webrtc-1", 0)
    assert not world.control.watchers.of("s1")


def test_watchers_hear_of_states_sentences_and_turns_and_of_nothing_else() -> None:
    world = house()
    watch(world, OTHER)
    for kind in ("state", "sentence", "turn", "heard", "degraded", "error", "dialogue", "step"):
        world.from_(Event(kind=kind, turn=1))
    told = {event.kind for name, event in to(world.sent, Event) if name == "webrtc-2"}
    assert told <= {"state", "sentence", "turn", "audience"}
    assert {"state", "sentence", "turn"} <= told


def test_the_callers_own_edge_watches_too_and_hears_everything_once() -> None:
    world = house()
    watch(world, CALLERS)
    sent = world.from_(Event(kind="state", data={"state": "speaking"}))
    assert [name for name, event in to(sent, Event)] == ["webrtc-1"]
    sent = world.from_(Gone(final=True))
    assert [name for name, _ in to(sent, Close)].count("webrtc-1") == 1


def test_a_new_programme_is_shown_at_once() -> None:
    world = house()
    watch(world, OTHER)
    before = world.control.sessions["s1"].route.peers["programme"]
    sent = world.lose(before)
    (name, showing), *_ = to(sent, Showing)
    assert name == "webrtc-2"
    assert showing.peers["programme"] != before
    assert showing.route == world.route()
    kinds = [type(message) for _, message in sent]
    assert kinds.index(Open) < kinds.index(Showing), "the programme knows the route before viewers ask on it"


def test_the_end_is_told_and_the_way_there_is_away() -> None:
    world = house()
    watch(world, OTHER)
    world.from_(Played(programme_sample=0))
    sent = world.from_(Gone())
    states = [event.data["state"] for name, event in to(sent, Event) if name == "webrtc-2" and event.kind == "state"]
    assert states == ["away"]
    assert one(watch(world, THIRD, 1), Showing).state == "away"
    sent = world.from_(Gone(final=True))
    assert {"webrtc-2", "webrtc-3"} <= {name for name, _ in to(sent, Close)}


def test_a_caller_who_comes_back_at_another_edge_is_followed() -> None:
    world = house()
    watch(world, OTHER, 2)
    sent = world(Present(session="s1", persona="host", token_hash=TOKEN, edge=THIRD))
    assert [name for name, _ in to(sent, Showing)] == ["webrtc-2"]
    assert ("webrtc-3", 2) in audience(sent), "the page that comes back is told who looks on"


def test_every_edge_knows_what_is_live() -> None:
    world = house()
    watch(world, OTHER, 4)
    fleets = [fleet for name, fleet in to(world.wait(1.1), Fleet) if name == "webrtc-2"]
    (row,) = fleets[-1].live
    assert row["session"] == "s1"
    assert row["viewers"] == 4
    assert row["edge"] == "webrtc-1"
    assert hashlib.sha256(b"secret").hexdigest() not in str(fleets[-1]), "nothing of the caller's token"

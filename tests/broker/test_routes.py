"""Who is there, who is chosen, and what is replaced."""

from __future__ import annotations

from broker.events import KEPT_NS, EventLog
from broker.messages import WORKER_KINDS, Alive, Event, Peer
from broker.registry import HUNG_AFTER_NS, Registry
from broker.routes import choose, mended, new_route


def peer(kind: str, number: int = 1, incarnation: str = "a") -> Peer:
    return Peer(kind=kind, name=f"{kind}-{number}", incarnation=incarnation, data="d", control="c")


def registry(instances: int = 2, state: str = "ready", **more: int) -> Registry:
    found = Registry()
    for kind in WORKER_KINDS:
        for number in range(1, instances + 1):
            found.alive(Alive(peer=peer(kind, number), state=state, **more), 0)  # type: ignore[arg-type]
    return found


def test_the_process_with_the_fewest_sessions_for_its_room_is_chosen() -> None:
    known = Registry()
    known.alive(Alive(peer=peer("tts", 1), state="ready", capacity=2), 0)
    known.alive(Alive(peer=peer("tts", 2), state="ready", capacity=8), 0)
    assert choose(known.ready("tts"), {"tts-1": 1, "tts-2": 3}) == peer("tts", 2)
    assert choose([], {}) is None


def test_only_ready_processes_are_chosen() -> None:
    known = registry(state="starting")
    assert not new_route(known, {}, peer("webrtc")).peers.keys() - {"webrtc"}
    assert len(known.missing()) == len(WORKER_KINDS)


def test_a_mended_route_keeps_the_living_and_gets_a_new_number() -> None:
    known = registry()
    route = new_route(known, {}, peer("webrtc"))
    known.lost(peer("tts"))
    again, replaced = mended(route, known, {})
    assert replaced == ("tts",)
    assert again.id != route.id
    assert {kind for kind in route.peers if again.peers[kind] != route.peers[kind]} == {"tts"}
    assert mended(again, known, {}) == (again, ())


def test_a_stopping_process_is_left_only_if_somebody_can_take_over() -> None:
    known = registry(1)
    route = new_route(known, {}, peer("webrtc"))
    known.alive(Alive(peer=peer("llm"), state="stopping"), 1)
    assert mended(route, known, {}) == (route, ())
    known.alive(Alive(peer=peer("llm", 2), state="ready"), 1)
    assert mended(route, known, {})[1] == ("llm",)


def test_silence_is_a_hang_and_a_sign_of_life_ends_it() -> None:
    known = Registry()
    known.alive(Alive(peer=peer("asr"), state="ready"), 0)
    assert known.hung(HUNG_AFTER_NS) == []
    assert known.hung(HUNG_AFTER_NS + 1) == [peer("asr")]
    assert known.ready("asr") == []
    assert known.alive(Alive(peer=peer("asr"), state="ready"), HUNG_AFTER_NS + 2).newcomer


def test_the_news_of_an_old_incarnation_is_not_news() -> None:
    known = Registry()
    known.alive(Alive(peer=peer("asr"), state="ready"), 0)
    assert known.alive(Alive(peer=peer("asr", incarnation="b"), state="ready"), 1).predecessor == peer("asr")
    assert not known.lost(peer("asr"))
    assert known.lost(peer("asr", incarnation="b"))


def test_capacity_is_that_of_the_scarcest_kind() -> None:
    known = registry(2, capacity=4)
    assert known.capacity(100) == 8
    assert known.capacity(3) == 3
    known.lost(peer("llm", 1))
    assert known.capacity(100) == 4
    assert registry(1).capacity(5) == 5, "without a word about room only the setting counts"
    known.lost(peer("llm", 2))
    assert known.capacity(100) == 0


def test_events_are_numbered_and_forgotten_after_half_a_minute() -> None:
    log = EventLog()
    seqs = [log.number(Event(session="a", kind="state"), 0).seq, log.number(Event(session="b", kind="state"), 1).seq]
    assert seqs == [1, 2]
    assert [event.seq for event in log.since(0)] == [1, 2]
    assert [event.seq for event in log.since(1)] == [2]
    assert [event.seq for event in log.since(0, "a")] == [1]
    log.number(Event(kind="health"), KEPT_NS + 1)
    assert [event.seq for event in log.since(0)] == [2, 3]

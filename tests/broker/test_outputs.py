"""What is made of a session besides its call: who may want it, who is told, what a death and a restart leave of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from broker.config import RecordingSettings
from broker.messages import Close, Command, Done, Event, Message, Outputs, OutputState, Present, Showing, Switch, Watch
from broker.store import Store
from tests.broker.test_control import TOKEN, House, one, peer, to

MAKER = peer("outputs")


def house(**recording: Any) -> House:
    world = House(recording=RecordingSettings(**recording))
    world.alive(MAKER)
    return world


def command(world: House, what: str, operator: bool = False, token: str = TOKEN, **data: Any) -> Done:
    told = Command(session="s1", id="1", edge=peer("webrtc"), what=what, token_hash=token, operator=operator, data=data)
    return one(world(told), Done)


def heard(sent: list[tuple[str, Message]]) -> list[tuple[str, str]]:
    """(to whom, state) of the news about recordings."""
    return [(name, event.data["state"]) for name, event in to(sent, Event) if event.kind == "recording"]


def wanted(sent: list[tuple[str, Message]]) -> tuple[dict[str, Any], ...]:
    return [message for name, message in to(sent, Outputs) if name == MAKER.name][-1].wanted


def on(world: House, **data: Any) -> list[tuple[str, Message]]:
    row = wanted(world.sent)[0]
    return world(OutputState(session="s1", id=row["id"], state="on", data={"name": "tape", **data}))


def test_a_caller_has_the_call_recorded_and_all_are_told() -> None:
    world = house()
    world.present()
    world(Watch(session="s1", edge=peer("webrtc", 2), viewers=1))
    begin = len(world.sent)
    done = command(world, "record", format="both", sound="aac")
    assert (done.code, done.data["state"], done.data["by"]) == ("", "starting", "caller")
    row = wanted(world.sent[begin:])[0]
    assert (row["kind"], row["settings"]) == ("recording", {"formats": ["mp4", "webm"], "sound": "aac"})
    assert heard(on(world)) == [("webrtc-1", "on"), ("webrtc-2", "on")]
    assert heard(on(world)) == [], "told once"
    assert one(world(Watch(session="s1", edge=peer("webrtc", 3))), Showing).recording["state"] == "on"
    sent = len(world.sent)
    assert command(world, "unrecord").data["state"] == "over"
    assert wanted(world.sent[sent:]) == ()
    assert ("webrtc-2", "over") in heard(world.sent[sent:])


def test_wanted_twice_it_is_recorded_once() -> None:
    world = house()
    world.present()
    for _ in range(2):
        command(world, "record")
    assert len(wanted(world.sent)) == 1


def test_every_conversation_is_recorded_where_the_settings_or_the_persona_say_so() -> None:
    world = house(sessions="every")
    sent = world.present()
    assert heard(sent) == [("webrtc-1", "starting")]
    assert wanted(sent)[0]["settings"] == {"formats": ["mp4"], "sound": "opus"}
    refused = command(world, "unrecord")
    assert refused.code == "forbidden"
    assert "ends the call" in refused.text
    assert command(world, "unrecord", operator=True, token="").data["state"] == "over"

    world = house()
    world.control._personas = lambda name: {**_persona(name), "recording": "every" if name == "campus" else ""}
    assert heard(world.present()) == []
    assert heard(world(Switch(session="s1", persona="campus"))) == [("webrtc-1", "starting")]


def _persona(name: str) -> dict[str, Any]:
    return {"id": name, "languages": ("en",), "greeting": "Hello.", "turns": {}}


def test_where_it_is_off_or_not_for_callers_they_are_told_so() -> None:
    world = house(sessions="never")
    world.present()
    assert command(world, "record").code == "off"
    assert command(world, "record", operator=True).code == "off"
    world = house(callers=False)
    world.present()
    assert command(world, "record").code == "forbidden"
    assert command(world, "record", operator=True, token="").data["by"] == "operator"
    assert command(world, "record", token="x" * 64).code == "forbidden"


def test_without_a_recorder_the_answer_says_so() -> None:
    world = House()
    world.present()
    assert command(world, "record").code == "not_ready"
    assert world.control.registry.missing() == (), "conversations go on without one"


def test_a_refusal_is_told_with_its_sentence_and_ends_it() -> None:
    world = house()
    world.present()
    command(world, "record")
    row = wanted(world.sent)[0]
    sent = world(OutputState(session="s1", id=row["id"], state="refused", text="The disk is nearly full."))
    events = [event for _, event in to(sent, Event) if event.kind == "recording"]
    assert events[0].data == {"state": "refused", "by": "caller", "text": "The disk is nearly full."}
    assert command(world, "recording").data["text"] == "The disk is nearly full."
    assert command(world, "record").data["state"] == "starting", "it may be tried again"
    assert len(wanted(world.sent)) == 1


def test_a_successor_goes_on_where_the_killed_one_was() -> None:
    world = house()
    world.present()
    command(world, "record")
    on(world)
    assert heard(world.lose(MAKER)) == [("webrtc-1", "starting")]
    begin = len(world.sent)
    world.alive(peer("outputs", incarnation="b"))
    assert wanted(world.sent[begin:])[0]["data"] == {"name": "tape"}
    assert heard(on(world)) == [("webrtc-1", "on")]


def test_a_broker_that_restarts_knows_what_is_recorded(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    world = House(store)
    world.alive(MAKER)
    world.present()
    command(world, "record")
    on(world)
    after = House(store, instances=0)
    after.control.restore(after.now_ns)
    after.up(2)
    after.alive(MAKER)
    assert wanted(after.sent)[0]["data"] == {"name": "tape"}
    assert command(after, "recording").data["state"] == "on"


def test_its_maker_hears_what_belongs_on_a_time_line_and_that_it_is_over() -> None:
    world = house()
    world.present()
    world(Watch(session="s1", edge=MAKER))
    for kind in ("state", "degraded", "visemes", "heard", "error"):
        world.from_(Event(kind=kind, turn=1))
    told = {event.kind for name, event in to(world.sent, Event) if name == MAKER.name}
    assert {"state", "degraded", "visemes"} <= told
    assert not told & {"heard", "error", "dialogue", "output"}
    command(world, "end", operator=True)
    assert [name for name, _ in to(world.sent, Close) if name == MAKER.name] == [MAKER.name]


def test_who_comes_back_is_told_that_it_is_recorded() -> None:
    world = house()
    world.present()
    command(world, "record")
    on(world)
    sent = world(Present(session="s1", persona="host", token_hash=TOKEN, edge=peer("webrtc")))
    assert heard(sent) == [("webrtc-1", "on")]

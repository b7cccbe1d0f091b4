"""Who may talk in which conversation, what survives a page, and what the broker is told."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from broker.memory_bus import MemoryBus
from broker.messages import (
    Act,
    Alive,
    Event,
    Gone,
    Holding,
    Interrupt,
    MicFrame,
    Peer,
    Present,
    Refused,
    Report,
    SetMode,
    Switch,
    Typed,
    Wanted,
)
from broker.personas import Face, Persona
from tests.webrtc.opus_encoder import chirps
from tests.webrtc.scene import Microphone, Page, Scene, page, scene, until


def at_an_edge(tmp_path: Path, story: Callable[[Scene, Page], Awaitable[None]]) -> None:
    async def run() -> None:
        async with scene(tmp_path) as world, page(world) as caller:
            await story(world, caller)

    asyncio.run(run())


def test_a_page_says_hello_and_gets_its_session(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        session = await caller.hello(mode="text", language="en")
        assert session["persona"]["name"] == "Vera"
        assert session["persona"]["poster"] == "/avatars/vera/poster.jpg"
        assert session["persona"]["suggestions"] == ["Hello?"]
        assert (session["resumed"], session["dialogue"], session["ice"]) == (False, [], [])
        [present] = world.of(Present)
        assert (present.persona, present.mode, present.language, present.session) == (
            "host",
            "text",
            "en",
            session["session"],
        )
        assert present.token_hash == hashlib.sha256(session["token"].encode()).hexdigest()
        assert present.edge == world.edge.peer

    at_an_edge(tmp_path, story)


def test_the_token_itself_never_travels(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        session = await caller.hello()
        await caller.leave()
        await until(lambda: world.of(Gone))
        assert session["token"] not in repr(world.said)

    at_an_edge(tmp_path, story)


def test_what_the_person_does_reaches_the_broker(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        name = (await caller.hello())["session"]
        await caller.send("text", text=" What is this? ", id="a1")
        await caller.send("interrupt")
        await caller.send("mode", mode="text")
        await until(lambda: world.of(SetMode))
        [typed] = world.of(Typed)
        assert (typed.text, typed.id, typed.session, typed.route) == ("What is this?", "a1", name, 5)
        assert world.of(Interrupt, name)
        assert world.of(SetMode)[0].mode == "text"

    at_an_edge(tmp_path, story)


def test_what_the_broker_decides_reaches_the_page(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        name = (await caller.hello())["session"]
        world.event(name, "state", state="thinking")
        world.event(name, "heard", utterance=2, text="hello the", final=False)
        world.event(name, "sentence", 4, n=0, text="Hi.", language="en", passage="p", kind="small_talk")
        world.event(name, "turn", 4, what="interrupted", heard="Hi")
        world.event(name, "degraded", step="still", reason="lipsync is away")
        world.event(name, "error", code="server", text="Something broke.")
        await caller.hears("error")
        assert caller.all("state")[-1]["state"] == "thinking"
        assert caller.all("heard") == [{"type": "heard", "utterance": 2, "text": "hello the", "final": False}]
        assert caller.all("sentence")[0]["turn"] == 4
        assert caller.all("sentence")[0]["text"] == "Hi."
        assert caller.all("turn") == [{"type": "turn", "turn": 4, "what": "interrupted", "heard": "Hi"}]
        assert caller.all("degraded")[0]["step"] == "still"

    at_an_edge(tmp_path, story)


def test_an_act_and_a_switch_reach_the_broker_and_what_it_becomes_the_page(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        name = (await caller.hello())["session"]
        await caller.send("act", emotion="happy", motion=0)
        await caller.send("switch", persona="campus", language="es")
        await until(lambda: world.of(Switch))
        assert world.of(Act) == [Act(session=name, route=5, emotion="happy", motion=0.0)]
        assert world.of(Switch) == [Switch(session=name, route=5, persona="campus", language="es")]
        robin = Persona(id="campus", name="Robin", face=Face(portrait="vera", motion=0.5)).snapshot()
        world.open(name, persona=robin, language="es")
        world.event(name, "switch", persona="campus", portrait="vera", language="es")
        switched = await caller.hears("switched")
        assert switched["language"] == "es"
        assert switched["persona"]["name"] == "Robin"
        assert (switched["persona"]["poster"], switched["persona"]["motion"]) == ("/avatars/vera/poster.jpg", 0.5)
        world.tell(Report())
        await until(lambda: [h for h in world.of(Holding) if h.facts["persona"] == "campus"])

    at_an_edge(tmp_path, story)


def test_a_switch_that_is_refused_is_told_and_the_call_goes_on(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        name = (await caller.hello())["session"]
        await caller.send("switch", persona="nobody")
        world.tell(Refused(session=name, code="switch", text="There is no persona 'nobody'."))
        error = await caller.hears("error")
        assert (error["code"], error["text"], error["fatal"]) == ("switch", "There is no persona 'nobody'.", False)
        await caller.send("text", text="Hello?", id="a1")
        await until(lambda: world.of(Typed))
        assert caller.closed is None

    at_an_edge(tmp_path, story)


def test_a_reloaded_page_resumes_with_its_token_and_keeps_the_dialogue(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        first = await caller.hello()
        world.dialogue = [{"role": "user", "text": "Who are you?", "interrupted": False}]
        await caller.leave()
        gone = await until(lambda: world.of(Gone))
        assert not gone[0].final
        async with page(world) as again:
            second = await again.hello(session=first["session"], token=first["token"])
            assert (second["session"], second["token"], second["resumed"]) == (first["session"], first["token"], True)
            assert second["dialogue"] == world.dialogue
            assert second["audio_offset"] == first["audio_offset"]
            assert len(world.of(Present)) == 2

    at_an_edge(tmp_path, story)


def test_an_edge_that_was_restarted_resumes_what_the_broker_knows(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        world.answering = False
        await caller.connect()
        await caller.send("hello", persona="host", session="fromBefore12", token="t" * 32)
        await until(lambda: world.of(Present))
        replaced = ("vad", "asr", "webrtc")
        world.open("fromBefore12", turn=6, replaced=replaced, mic_from=64_000, utterance=3)
        world.event("fromBefore12", "dialogue", lines=[{"role": "user", "text": "Hi", "interrupted": False}])
        session = await caller.hears("session")
        assert session["resumed"]
        assert session["dialogue"][0]["text"] == "Hi"
        await caller.call(Microphone(chirps(1.0)))
        frame: MicFrame = (await until(lambda: world.frames))[0]
        assert frame.mic_sample == 64_000, "where the broker says that vad begins again"

    at_an_edge(tmp_path, story)


def test_a_session_the_broker_no_longer_knows_begins_anew(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        session = await caller.hello(session="longForgotten", token="t" * 32)
        assert (session["session"], session["resumed"], session["dialogue"]) == ("longForgotten", False, [])

    at_an_edge(tmp_path, story)


def test_a_page_is_told_to_wait_while_the_broker_is_not_heard_from(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        world.telling = False
        world.calls.on_lost(world.broker.peer)
        await caller.connect()
        await caller.send("hello", persona="host")
        error = await caller.hears("error")
        assert (error["code"], error["fatal"]) == ("not_ready", False)
        assert not world.of(Present), "a broker that starts must not find callers who have left"

    at_an_edge(tmp_path, story)


def test_a_page_that_left_before_its_session_was_opened_does_not_keep_a_place(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        world.answering = False
        await caller.connect()
        await caller.send("hello", persona="host")
        present = (await until(lambda: world.of(Present)))[0]
        await caller.leave()
        await until(lambda: len(world.calls) == 0)
        world.open(present.session)
        gone = (await until(lambda: world.of(Gone)))[0]
        assert gone.final
        assert gone.session == present.session

    at_an_edge(tmp_path, story)


def test_a_wrong_token_is_refused_and_the_conversation_goes_on(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        session = await caller.hello()
        async with page(world) as thief:
            await thief.connect()
            await thief.send("hello", persona="host", session=session["session"], token="guess")
            error = await thief.hears("error")
            assert (error["code"], error["fatal"]) == ("forbidden", True)
            await until(lambda: thief.closed)
        assert len(world.of(Present)) == 1
        assert not world.of(Gone)
        await caller.send("text", text="still here")
        await until(lambda: world.of(Typed))

    at_an_edge(tmp_path, story)


def test_nothing_is_forwarded_for_a_session_before_the_broker_has_opened_it(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        world.answering = False
        await caller.connect()
        await caller.send("hello", persona="host", session="somebodyElses", token="guess")
        for kind in ("interrupt", "bye"):
            await caller.send("text", text="listen to me")
            await caller.send(kind)
        await until(lambda: caller.closed)
        assert [each for each in world.said if not isinstance(each, Alive)] == world.of(Present)

    at_an_edge(tmp_path, story)


def test_refusals_are_told_with_the_brokers_words(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        world.refuse = {"capacity": "Eight people are talking already. Please try again in a minute."}
        await caller.connect()
        await caller.send("hello", persona="host")
        error = await caller.hears("error")
        assert (error["code"], error["fatal"]) == ("capacity", False)
        assert "Eight people" in error["text"]
        await until(lambda: caller.closed)
        assert len(world.calls) == 0

    at_an_edge(tmp_path, story)


def test_bye_ends_the_session_at_once(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        name = (await caller.hello())["session"]
        await caller.send("bye")
        gone = await until(lambda: world.of(Gone))
        assert gone[0].final
        assert gone[0].session == name
        world.close(name, "bye")
        await until(lambda: len(world.calls) == 0)
        await until(lambda: caller.closed)

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize(
    ("reason", "why"), [("operator", "operator"), ("away", "away"), ("unknown", "restarted"), ("tired", "server")]
)
def test_a_session_the_broker_closes_tells_its_page(tmp_path: Path, reason: str, why: str) -> None:
    async def story(world: Scene, caller: Page) -> None:
        name = (await caller.hello())["session"]
        await caller.call()
        world.close(name, reason)
        error = await caller.hears("error")
        assert (error["code"], error["fatal"]) == ("ended", True), "an end, and no fault"
        assert why in error["text"]
        await until(lambda: caller.closed)
        await until(lambda: len(world.calls) == 0)
        world.tick(name, 1)

    at_an_edge(tmp_path, story)


def test_a_second_window_takes_the_conversation_over(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        first = await caller.hello()
        async with page(world) as second:
            await second.hello(session=first["session"], token=first["token"])
            error = await caller.hears("error")
            assert (error["code"], error["fatal"]) == ("elsewhere", True)
            await until(lambda: caller.closed)
            await second.send("text", text="here now")
            await until(lambda: world.of(Typed))
            assert not world.of(Gone), "the caller is still here"

    at_an_edge(tmp_path, story)


def test_a_broker_that_starts_anew_is_told_what_is_here(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        session = await caller.hello()
        world.said.clear()
        world.tell(Report())
        [holding] = await until(lambda: world.of(Holding))
        assert holding.session == session["session"]
        assert holding.kind == "webrtc"
        expected = hashlib.sha256(session["token"].encode()).hexdigest()
        assert holding.facts == {"present": True, "persona": "host", "token_hash": expected}
        assert world.of(Alive)[0].sessions == 1

    at_an_edge(tmp_path, story)


def test_a_broker_that_starts_anew_is_told_again_what_was_typed_lately_under_the_same_id(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        await caller.hello()
        await caller.send("text", text="with an id", id="a1")
        await caller.send("text", text="without one")
        first = await until(lambda: len(world.of(Typed)) == 2 and world.of(Typed))
        assert all(typed.id for typed in first)
        world.said.clear()
        world.tell(Report())
        again = await until(lambda: len(world.of(Typed)) == 2 and world.of(Typed))
        assert [(typed.text, typed.id) for typed in again] == [(typed.text, typed.id) for typed in first]
        assert world.of(SetMode)[0].mode == "voice"

    at_an_edge(tmp_path, story)


def test_a_caller_whose_arrival_a_broker_took_along_is_announced_again(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        world.answering = False
        await caller.connect()
        await caller.send("hello", persona="host", mode="voice")
        await until(lambda: world.of(Present))
        world.said.clear()
        world.tell(Report())
        await until(lambda: world.of(Present))

    at_an_edge(tmp_path, story)


def test_a_successor_of_the_programme_is_heard_and_the_old_one_no_longer(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        session = await caller.hello()
        name = session["session"]
        await caller.call()
        await world.play(name, 10)
        await until(lambda: len(caller.packets["audio"]) > 5)
        dead, world.programme = world.programme, MemoryBus("programme", "programme-2", world.hub)
        world.open(name, route=9, replaced=("programme",))
        wanted = await until(lambda: [each for each in world.asked if isinstance(each, Wanted) and each.route == 9])
        assert wanted[0].h264 == 1
        await world.play(name, 10, first=20)
        await until(
            lambda: (caller.packets["audio"][-1].timestamp - caller.packets["audio"][0].timestamp) % 2**32 > 960 * 20
        )
        world.programme = dead
        await world.play(name, 5, first=40)
        await asyncio.sleep(0.05)
        assert (caller.packets["audio"][-1].timestamp - session["audio_offset"]) % 2**32 == 960 * 29

    at_an_edge(tmp_path, story)


def test_nothing_waits_for_a_dead_worker_once_no_call_has_it(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        forgotten: list[Peer] = []
        world.edge.forget = forgotten.append  # type: ignore[method-assign,assignment]
        name = (await caller.hello())["session"]
        other = MemoryBus("vad", "vad-2", world.hub)
        peers = {bus.peer.kind: bus.peer for bus in (other, world.programme, world.edge)}
        world.open(name, route=9, peers=peers, replaced=("vad",), mic_from=0)
        await until(lambda: forgotten)
        assert forgotten == [world.vad.peer]

    at_an_edge(tmp_path, story)


def test_two_calls_do_not_hear_each_other(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        async with page(world) as other:
            one, two = await caller.hello(), await other.hello()
            assert one["session"] != two["session"]
            assert one["token"] != two["token"]
            await caller.call(Microphone(chirps(1.0)))
            await other.call()
            await world.play(one["session"], 20)
            await until(lambda: len(caller.packets["audio"]) > 10)
            assert not other.packets["audio"]
            assert not other.pictures
            assert {frame.session for frame in world.frames} == {one["session"]}
            world.event(one["session"], "turn", 1, what="committed", text="mine", end_sample=0)
            assert (await caller.hears("user"))["text"] == "mine"
            assert not other.all("user")

    at_an_edge(tmp_path, story)


def test_a_page_that_vanishes_leaves_the_others_alone(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        async with page(world) as other:
            one, two = await caller.hello(), await other.hello()
            await caller.call()
            await other.call()
            other.socket._response.connection.transport.abort()  # type: ignore[union-attr]  # no closing handshake at all
            await until(lambda: world.of(Gone, two["session"]))
            await world.play(one["session"], 20)
            await until(lambda: len(caller.packets["audio"]) >= 15)

    at_an_edge(tmp_path, story)


def test_the_latency_of_a_turn_is_recorded_for_page_and_listeners(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        session = await caller.hello()
        name = session["session"]
        await caller.call(Microphone(chirps(1.0)))
        await until(lambda: len(world.frames) >= 40)
        world.event(name, "turn", 1, what="asked", text="hi", speculative=True)
        world.event(name, "step", name="end_of_turn", took_ns=0, utterance=0, end_sample=320 * 15)
        committed = {"text": "hi", "utterance": 0, "end_sample": 320 * 15, "saved_ms": 40, "wasted": 0}
        world.event(name, "turn", 1, what="committed", speculative=True, **committed)
        world.event(name, "sentence", 1, n=0, text="Hello.")
        await caller.hears("sentence")
        world.tick(name, 3, speaking=True, turn=1)
        await asyncio.sleep(0.05)
        await caller.send("played", rtp=(session["audio_offset"] + 960 * 3) % 2**32, t=1.0)
        record = await caller.hears("latency")
        assert record["turn"] == 1
        assert 50 < record["total_ms"] < 5000
        assert record["speculated"]
        event = await until(lambda: [each for each in world.of(Event) if each.kind == "latency"])
        assert event[0].data["total_ms"] == record["total_ms"]
        async with world.http.get(f"{world.url}/metrics") as response:
            assert "visavis_mouth_to_ear_seconds_count 1" in await response.text()

    at_an_edge(tmp_path, story)

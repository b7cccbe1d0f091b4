"""What viewers are told in writing, who is counted, what becomes of them when something dies or ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from broker.clock import now_ns
from broker.config import Audience
from broker.messages import Event, Fleet, KeyFrame, Wanted
from tests.webrtc.scene import Page, Scene, scene, until
from tests.webrtc.viewer import Listener, Viewer

SESSION = "session-1"


def at_an_edge(tmp_path: Path, story: Callable[[Scene], Awaitable[None]], audience: Audience | None = None) -> None:
    async def run() -> None:
        async with scene(tmp_path, audience) as world:
            world.origins[SESSION] = now_ns()
            await story(world)

    asyncio.run(run())


def test_words_come_with_the_rtp_time_at_which_they_sound(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        viewer = await Viewer(world).watch(SESSION)
        listener = await Listener().listen(world, SESSION)
        opening = await listener.hears("session")
        assert opening["persona"]["name"] == "Vera"
        assert opening["state"] == "listening"
        world.event(SESSION, "sentence", 3, n=0, text="Hello there.", language="en", passage="secret", kind="answer")
        world.tick(SESSION, 7, words=((3, 0, 0, "Hello", 7 * 960 + 100, 9600),))
        said = await listener.hears("words")
        assert said["words"] == [[3, 0, 0, "Hello", (7 * 960 + 100 + opening["audio_offset"]) % 2**32, 9600]]
        await until(lambda: viewer.packets["audio"])
        assert viewer.packets["audio"][0].timestamp == (7 * 960 + opening["audio_offset"]) % 2**32
        assert (await listener.hears("sentence")) == {
            "type": "sentence", "turn": 3, "n": 0, "text": "Hello there.", "language": "en"
        }  # fmt: skip
        late = await Listener().listen(world, SESSION)
        assert (await late.hears("words")) == said, "who joins is told what is on the air"
        for each in (listener, late, viewer):
            await each.close()

    at_an_edge(tmp_path, story)


def test_viewers_are_not_told_what_is_the_callers_own(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        listener = await Listener().listen(world, SESSION)
        await listener.hears("session")
        world.event(SESSION, "heard", utterance=0, text="my name is secret", final=False)
        world.event(SESSION, "latency", 1, total_ms=1)
        world.event(SESSION, "dialogue", lines=[{"role": "user", "text": "secret"}])
        world.event(SESSION, "turn", 1, what="asked", text="secret so far", speculative=True)
        world.event(SESSION, "error", code="x", text="secret")
        world.event(SESSION, "turn", 1, what="committed", text="When do you open?", speculative=True)
        assert (await listener.hears("turn"))["text"] == "When do you open?"
        assert "secret" not in str(listener.said)
        assert "token" not in str(listener.said)
        await listener.close()

    at_an_edge(tmp_path, story)


def test_a_page_that_draws_the_face_itself_gets_the_mouth_and_no_picture_is_made_for_it(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        viewer = await Viewer(world, ("audio",)).watch(SESSION)
        drawing = await Listener().listen(world, SESSION, "?playing&mouth")
        watching = await Listener().listen(world, SESSION, "?playing")
        await drawing.hears("session")
        await watching.hears("session")
        for n in range(4):
            world.tick(SESSION, n, mouth=bytes(range(15)), face={"blink": 0.5})
        frames = (await drawing.hears("mouth", 1))["frames"]
        assert frames[0][:2] == [2 * 960, list(range(15))]
        assert frames[0][2] == {"blink": 0.5}
        assert not watching.all("mouth")
        await until(lambda: [each for each in world.asked if isinstance(each, Wanted)])
        wants = [each for each in world.asked if isinstance(each, Wanted)]
        assert all(not each.h264 and not each.vp8 for each in wants)
        for each in (drawing, watching, viewer):
            await each.close()

    at_an_edge(tmp_path, story)


def test_ticks_that_never_came_are_counted_while_somebody_looks_on_and_after(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        viewer = await Viewer(world, ("audio",)).watch(SESSION)
        for n in (3, 4, 4, 7, 8, 10):
            world.tick(SESSION, n)
        await until(lambda: world.calls.totals()["ticks_missing"] == 3)
        await viewer.close()
        world.close(SESSION, "ended")
        await until(lambda: world.calls.audience.watched(SESSION) is None)
        assert world.calls.totals()["ticks_missing"] == 3

    at_an_edge(tmp_path, story)


def test_who_looks_on_is_told_what_the_face_stands_before(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        listener = await Listener().listen(world, SESSION)
        assert (await listener.hears("session"))["background"] == ""
        world.tick(SESSION, 0, background="dusk")
        assert (await listener.hears("background"))["background"] == "dusk"
        late = await Listener().listen(world, SESSION)
        assert (await late.hears("session"))["background"] == "dusk"
        for each in (listener, late):
            await each.close()

    at_an_edge(tmp_path, story)


def test_players_and_pages_are_each_counted_once(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        player = await Viewer(world).watch(SESSION)
        page = await Viewer(world, ("audio",)).watch(SESSION)
        pages_events = await Listener().listen(world, SESSION, "?playing")
        reader = await Listener().listen(world, SESSION)
        await until(lambda: world.watching(SESSION)[-1].viewers == 3)
        world.event(SESSION, "audience", viewers=17)
        assert (await reader.hears("audience"))["viewers"] == 17, "the broker knows those of the other edges"
        for each in (player, page, pages_events, reader):
            await each.close()
        await until(lambda: world.watching(SESSION)[-1].viewers == 0, 40)

    at_an_edge(tmp_path, story)


def test_a_crashed_programme_is_followed_to_its_successor(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        from broker.memory_bus import MemoryBus

        viewer = await Viewer(world).watch(SESSION)
        playing = asyncio.ensure_future(world.play(SESSION, 40))
        await until(lambda: viewer.pictures > 3)
        await playing
        world.programme = MemoryBus("programme", "programme-2", world.hub)
        world.asked.clear()
        world.show(SESSION, route=6)
        await until(lambda: [each for each in world.asked if isinstance(each, Wanted) and each.h264 == 1])
        assert all(each.route == 6 for each in world.asked)
        before = viewer.pictures
        # The successor's pictures count anew, so that the first one is a gap: a key frame is asked of it.
        await world.play(SESSION, 60, first=100)
        await until(lambda: viewer.pictures > before + 5)
        assert not [each for each in world.asked if isinstance(each, KeyFrame) and each.route != 6]
        await viewer.close()

    at_an_edge(tmp_path, story)


def test_the_end_of_a_session_ends_its_viewers(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        viewer = await Viewer(world).watch(SESSION)
        listener = await Listener().listen(world, SESSION)
        await listener.hears("session")
        world.origins.pop(SESSION)
        world.close(SESSION, "bye")
        assert (await listener.hears("ended"))["reason"] == "bye"
        await until(lambda: listener.ended)
        await until(lambda: viewer.connection.connectionState == "closed")
        assert world.calls.audience.watched(SESSION) is None
        assert (await Listener().listen(world, SESSION)).status == 404
        await viewer.close()

    at_an_edge(tmp_path, story)


def test_caller_and_viewers_at_one_edge_share_a_subscription_and_nothing_else(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        caller = Page(world)
        session = (await caller.hello())["session"]
        await caller.call()
        viewer = await Viewer(world).watch(session)
        listener = await Listener().listen(world, session)
        await listener.hears("session")
        playing = asyncio.ensure_future(world.play(session, 2000))
        await until(lambda: viewer.pictures > 3 and caller.pictures)
        world.event(session, "state", state="speaking")
        await listener.hears("state")
        await caller.hears("state", 1)
        world.event(session, "audience", viewers=1)
        assert (await caller.hears("audience"))["viewers"] == 1
        await viewer.close()
        await listener.close()
        await until(lambda: world.calls.audience.watched(session) is None, 40)
        before = len(caller.packets["audio"])
        await until(lambda: len(caller.packets["audio"]) > before + 10)
        playing.cancel()
        await caller.close()

    at_an_edge(tmp_path, story)


def test_a_page_that_does_not_read_is_given_up(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port, limit=1024)
        writer.write(f"GET /view/{SESSION}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await until(lambda: world.calls.audience.listeners)
        for n in range(4000):
            world.event(SESSION, "sentence", n + 1, n=0, text="x" * 4000, language="en")
            if n % 50 == 0:
                await asyncio.sleep(0.01)
            if not world.calls.audience.listeners:
                break
        await until(lambda: not world.calls.audience.listeners)
        assert world.calls.audience.totals()["event_streams_too_slow"] == 1
        writer.close()
        del reader

    at_an_edge(tmp_path, story)


def test_the_list_is_for_whom_the_operator_allows(tmp_path: Path) -> None:
    row = {"session": SESSION, "persona": "host", "name": "Vera", "portrait": "vera", "viewers": 2, "away": False}

    async def ask(world: Scene, **headers: str) -> tuple[int, Any]:
        async with world.http.get(f"{world.url}/live/sessions", headers=headers) as response:
            return response.status, await response.json() if response.status == 200 else await response.text()

    async def listed(world: Scene) -> None:
        world.telling = False
        world.tell(
            Fleet(missing=(), processes=(), sessions=1, capacity=8, live=(row | {"age_s": 5, "edge": "webrtc-1"},))
        )
        await until(world.calls.live)
        status, answer = await ask(world, **{"X-Forwarded-For": "192.0.2.1"})
        assert status == 200
        assert answer["sessions"][0]["poster"] == "/avatars/vera/poster.jpg"
        assert "edge" not in answer["sessions"][0]

    async def unlisted(world: Scene) -> None:
        assert (await ask(world, **{"X-Forwarded-For": "192.0.2.1"}))[0] == 403

    at_an_edge(tmp_path, listed, Audience(list=True))
    at_an_edge(tmp_path, unlisted, Audience(list=False))


@pytest.mark.parametrize("load", [0.1, 0.9])
def test_a_busy_edge_sends_new_viewers_to_one_with_room(tmp_path: Path, load: float) -> None:
    async def story(world: Scene) -> None:
        world.telling = False
        others = tuple(
            {"name": f"webrtc-{n}", "kind": "webrtc", "state": "ready", "front": f"http:{9000 + n}", "load": at}
            for n, at in ((1, 0.0), (2, 0.3), (3, 0.2))
        )
        world.tell(Fleet(missing=(), processes=others, sessions=1, capacity=8))
        await until(world.calls.processes)
        world.calls.alive()
        type(world.calls).load, before = property(lambda self: load, lambda self, value: None), 0  # type: ignore[assignment,method-assign]
        try:
            headers = {"Content-Type": "application/sdp"}
            offer = await Viewer(world).offer()
            where = f"{world.url}/whep/{SESSION}"
            async with world.http.post(where, data=offer, headers=headers, allow_redirects=False) as response:
                if load < 0.5:
                    assert response.status == 201
                    return
                assert response.status == 307
                place = response.headers["Location"]
                assert place.startswith(f"http://127.0.0.1:9003/whep/{SESSION}?moved=")
                assert "http://127.0.0.1:9002" in response.headers["Content-Security-Policy"], "its page may go there"
            path = place.removeprefix("http://127.0.0.1:9003")
            async with world.http.post(
                world.url + path, data=offer, headers=headers, allow_redirects=False
            ) as response:
                assert response.status == 201, "whoever was sent on once is not sent on again"
            for method in ("DELETE", "PATCH"):
                elsewhere = f"{world.url}/whep/{SESSION}/webrtc-2.abc"
                async with world.http.request(method, elsewhere, allow_redirects=False) as response:
                    assert response.status == 307
                    assert response.headers["Location"] == f"http://127.0.0.1:9002/whep/{SESSION}/webrtc-2.abc"
            origin = {"Origin": "http://127.0.0.1:9002"}
            async with world.http.options(where, headers=origin) as response:
                assert response.status == 200, "pages of the other edges may play here"
        finally:
            del type(world.calls).load
            world.calls.load = float(before)

    at_an_edge(tmp_path, story)


def test_one_sessions_events_never_reach_anothers_viewers(tmp_path: Path) -> None:
    async def story(world: Scene) -> None:
        world.origins["session-2"] = time.monotonic_ns()
        one, two = await Listener().listen(world, SESSION), await Listener().listen(world, "session-2")
        await one.hears("session")
        await two.hears("session")
        world.event(SESSION, "sentence", 1, n=0, text="for one", language="en")
        world.event("session-2", "sentence", 1, n=0, text="for two", language="en")
        await one.hears("sentence")
        await two.hears("sentence")
        assert "for two" not in str(one.said)
        assert "for one" not in str(two.said)
        assert not world.of(Event)
        await one.close()
        await two.close()

    at_an_edge(tmp_path, story)


def test_a_page_is_told_whether_there_is_anything_to_share(tmp_path: Path) -> None:
    for watch in (True, False):

        async def story(world: Scene, watch: bool = watch) -> None:
            caller = Page(world)
            assert (await caller.hello())["share"] is watch
            await caller.close()

        at_an_edge(tmp_path, story, Audience(watch=watch))

"""The REST interface to running conversations, against the real broker's decisions."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from broker.answering import SAYS_LIMIT
from broker.clock import now_ns
from broker.errors import EngineError
from broker.messages import Act, Ask, Event, Open, Played, Speak
from broker.uploads import Uploads
from tests.wav import wav_bytes
from tests.webrtc.scene import until
from tests.webrtc.served import OPERATOR, SESSION, TOKEN, Served, at_an_edge

BASE = f"/api/v1/sessions/{SESSION}"


def routed(world: Served, kind: type[Any]) -> list[Any]:
    return [message for message in world.routed if isinstance(message, kind)]


def listening(world: Served) -> None:
    """The page has played something: somebody hears the avatar; and the greeting is broken off."""
    world.control.accept(Played(session=SESSION, programme_sample=0), now_ns())


def test_what_is_to_be_said_is_spoken(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        listening(world)
        status, _ = await world.ask("POST", f"{BASE}/say", TOKEN, json={"text": "Dinner.", "interrupt": True})
        assert status == 202
        await until(lambda: [each for each in routed(world, Speak) if each.text == "Dinner."])

    at_an_edge(tmp_path, story)


def sound(seconds: float, rate_hz: int = 16_000, loud: int = 8_000) -> bytes:
    """A WAV of somebody humming, on and off."""
    times = np.arange(int(seconds * rate_hz)) / rate_hz
    hum = loud * np.sin(2 * np.pi * 160 * times) * (np.sin(2 * np.pi * 1.5 * times) > 0)
    return wav_bytes(hum.astype(np.int16), rate_hz)


def form(recording: bytes | None, **fields: str) -> aiohttp.FormData:
    made = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        made.add_field(name, value)
    if recording is not None:
        made.add_field("audio", recording, filename="../../speech.wav", content_type="audio/wav")
    return made


def test_a_recording_is_made_into_a_voice_and_spoken(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        listening(world)
        status, told = await world.ask("POST", f"{BASE}/play", TOKEN, data=form(sound(2.0), interrupt="true"))
        assert status == 202, told
        listening(world)  # still there, however long that took
        assert told["seconds"] == 2.0
        found = await until(lambda: [each for each in routed(world, Speak) if each.upload])
        assert found[0].text == told["text"]
        uploads = Uploads(world.settings.path("uploads"))
        voice = uploads.voice(SESSION, found[0].upload)
        assert sum(len(piece.pcm) for piece in voice) == 2 * 96_000
        with pytest.raises(EngineError):
            uploads.voice("session-two", found[0].upload)

    at_an_edge(tmp_path, story)


def test_what_is_no_recording_is_refused_in_words_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        world.begin("session-two", "another-token")
        url, good = f"{BASE}/play", sound(1.0)
        for data, token, expected in (
            (form(None, text="no sound"), TOKEN, (400, "bad_request")),
            (form(b"this is not sound"), TOKEN, (400, "bad_request")),
            (form(good[:60] + b"\xff" * 8), TOKEN, (400, "bad_request")),
            (form(sound(1.0, loud=0)), TOKEN, (400, "bad_request")),
            (form(b"#EXTM3U\nfile:///etc/passwd\n"), TOKEN, (400, "bad_request")),
            (form(good, nonsense="1"), TOKEN, (400, "bad_request")),
            (form(good, language="xx"), TOKEN, (400, "bad_request")),
            (form(good, interrupt="perhaps"), TOKEN, (400, "bad_request")),
            (form(good, text="a" * 2_001), TOKEN, (413, "too_large")),
            (form(good + bytes(33_000_000)), TOKEN, (413, "too_large")),
            (form(good), "another-token", (403, "forbidden")),
            (form(good), "", (403, "forbidden")),
        ):
            status, told = await world.ask("POST", url, token, data=data)
            assert (status, told["code"]) == expected, told
            assert told["text"].endswith("."), told
        status, told = await world.ask("POST", url, TOKEN, json={"text": "a"})
        assert (status, told["code"]) == (415, "media_type")
        assert not [path for path in world.settings.path("uploads").rglob("*") if path.is_file()]

    at_an_edge(tmp_path, story)


def test_a_recording_that_the_broker_refuses_is_not_kept(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        for n in range(SAYS_LIMIT):
            assert (await world.ask("POST", f"{BASE}/say", TOKEN, json={"text": f"Number {n}."}))[0] == 202
        status, told = await world.ask("POST", f"{BASE}/play", TOKEN, data=form(sound(1.0)))
        assert (status, told["code"]) == (429, "busy")
        assert not [path for path in world.settings.path("uploads").rglob("*") if path.is_file()]

    at_an_edge(tmp_path, story)


def test_a_chat_line_is_asked_once(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        for _ in range(2):
            status, _ = await world.ask("POST", f"{BASE}/chat", TOKEN, json={"text": "Who are you?", "id": "1"})
            assert status == 202
        await until(lambda: routed(world, Ask))
        assert [each.text for each in routed(world, Ask)] == ["Who are you?"]

    at_an_edge(tmp_path, story)


def test_the_face_acts_and_switches(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        assert (await world.ask("POST", f"{BASE}/act", TOKEN, json={"gesture": "nod"}))[0] == 202
        await until(lambda: [each for each in routed(world, Act) if each.gesture == "nod"])
        assert (await world.ask("POST", f"{BASE}/switch", OPERATOR, json={"persona": "campus"}))[0] == 202
        await until(lambda: [each for each in routed(world, Open) if each.persona["id"] == "campus"])
        status, answer = await world.ask("POST", f"{BASE}/switch", TOKEN, json={"persona": "nobody"})
        assert (status, answer["code"]) == (400, "switch")
        assert "campus" in answer["text"]

    at_an_edge(tmp_path, story)


def test_mute_and_end(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        assert (await world.ask("POST", f"{BASE}/mute", TOKEN, json={"muted": True}))[0] == 202
        assert (await world.ask("GET", BASE, TOKEN))[1]["mode"] == "text"
        assert (await world.ask("POST", f"{BASE}/end", TOKEN))[0] == 202
        assert (await world.ask("GET", BASE, OPERATOR))[0] == 404
        assert (await world.ask("GET", BASE, TOKEN))[0] == 403, "who may not does not learn whether it is there"

    at_an_edge(tmp_path, story)


def test_only_the_operator_sees_all_conversations(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        world.begin("session-two", "another-token")
        status, answer = await world.ask("GET", "/api/v1/sessions", OPERATOR)
        assert status == 200
        assert {row["session"] for row in answer["sessions"]} == {SESSION, "session-two"}
        for token in ("", TOKEN, "wrong", OPERATOR + "x"):
            assert (await world.ask("GET", "/api/v1/sessions", token))[0] == 403, token

    at_an_edge(tmp_path, story)


def test_one_callers_token_is_nothing_to_another_conversation(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        world.begin("session-two", "another-token")
        for method, path in (
            ("GET", ""), ("POST", "/say"), ("POST", "/chat"), ("POST", "/interrupt"), ("POST", "/act"),
            ("POST", "/switch"), ("POST", "/mute"), ("POST", "/end"), ("GET", "/events"),
        ):  # fmt: skip
            fields = {"/say": {"text": "a"}, "/chat": {"text": "a"}, "/mute": {"muted": True}}.get(path, {})
            for token in ("", "another-token", "wrong"):
                status, answer = await world.ask(method, BASE + path, token, json=fields)
                assert (status, answer["code"]) == (403, "forbidden"), (path, token)
        assert (await world.ask("GET", BASE, TOKEN))[1]["dialogue"] == []

    at_an_edge(tmp_path, story)


async def lines(response: aiohttp.ClientResponse, count: int) -> list[dict[str, Any]]:
    """The next `count` events of a stream."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        line = (await asyncio.wait_for(response.content.readline(), 5)).decode()
        if line.startswith("data: "):
            found.append(json.loads(line[6:]))
    return found


def test_events_come_as_they_happen_and_what_was_missed_comes_first(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "10.0.0.9"}
        url = world.url + BASE + "/events"

        def happen(number: int, session: str = SESSION) -> None:
            world.control.accept(Event(session=session, kind="test", data={"n": number}), now_ns())

        world.begin("session-two", "another-token")
        async with world.http.get(url, headers=headers) as stream:
            await stream.content.readline()
            happen(1)
            happen(99, "session-two")
            happen(2)
            first = await lines(stream, 2)
            assert [(event["kind"], event["data"]) for event in first] == [("test", {"n": 1}), ("test", {"n": 2})]
        happen(3)
        async with world.http.get(url, headers=headers | {"Last-Event-ID": str(first[0]["seq"])}) as stream:
            assert [event["data"]["n"] for event in await lines(stream, 2)] == [2, 3]
            happen(4)
            assert [event["data"]["n"] for event in await lines(stream, 1)] == [4]
        async with world.http.ws_connect(url, headers=headers) as socket:
            happen(5)
            assert json.loads((await asyncio.wait_for(socket.receive(), 10)).data)["data"] == {"n": 5}
            assert (await world.ask("POST", f"{BASE}/end", TOKEN))[0] == 202
            while not socket.closed:
                message = await asyncio.wait_for(socket.receive(), 10)
                assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.CLOSE)

    at_an_edge(tmp_path, story)


def test_a_listener_goes_on_after_the_broker_has_restarted(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "10.0.0.9"}
        async with world.http.get(world.url + BASE + "/events", headers=headers) as stream:
            await stream.content.readline()
            for n in range(3):
                world.control.accept(Event(session=SESSION, kind="test", data={"n": n}), now_ns())
            await lines(stream, 3)
            world.control = world.born()
            await until(lambda: world.control.registry.missing() == ())
            world.begin()
            world.control.accept(Event(session=SESSION, kind="test", data={"n": 7}), now_ns())
            while (await lines(stream, 1))[0]["data"].get("n") != 7:
                pass

    at_an_edge(tmp_path, story)


def test_a_broker_that_does_not_answer_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrtc.api.desk.ANSWERED_S", 0.1)

    async def story(world: Served) -> None:
        monkeypatch.setattr(world.control, "accept", lambda message, now_ns: None)
        status, answer = await world.ask("GET", BASE, TOKEN)
        assert (status, answer["code"]) == (503, "not_ready")

    at_an_edge(tmp_path, story)


WRONG: tuple[Any, ...] = (
    None, 1, "x", [], [[]], {"text": 1}, {"text": None}, {"text": ""}, {"text": "  "}, {"text": "a" * 2_001},
    {"text": "a", "nonsense": 1}, {"text": "\ud800"}, {"muted": "yes"}, {"strength": 1e400}, {"strength": 7},
    {"for_ms": 10**30}, {"emotion": "hungry"}, {"gesture": "wave"}, {"background": "../x"}, {"motion": True},
    {"persona": "../../etc/passwd"}, {"language": "xx"}, {"portrait": "../x"}, {"text": {"a": 1}},
)  # fmt: skip


def test_nonsense_is_refused_in_words_and_breaks_nothing(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        for path in ("say", "chat", "act", "switch", "mute"):
            for wrong in WRONG:
                raw = json.dumps(wrong).encode()
                status, answer = await world.ask(
                    "POST", f"{BASE}/{path}", TOKEN, data=raw, headers={"Content-Type": "application/json"}
                )
                if status != 202:
                    assert 400 <= status < 500, (path, wrong, answer)
                    assert set(answer) == {"code", "text"}, (path, wrong)
        chance = random.Random(7)
        for _ in range(60):
            raw = bytes(chance.randrange(256) for _ in range(chance.randrange(40)))
            status, answer = await world.ask(
                "POST", f"{BASE}/act", TOKEN, data=raw, headers={"Content-Type": "application/json"}
            )
            assert status in (202, 400), (raw, answer)
        big = b"[" * 70_000
        assert (await world.ask("POST", f"{BASE}/say", TOKEN, data=big))[0] == 413
        deep = b"[" * 60_000
        headers = {"Content-Type": "application/json"}
        assert (await world.ask("POST", f"{BASE}/say", TOKEN, data=deep, headers=headers))[0] == 400
        status, answer = await world.ask("POST", f"{BASE}/say", TOKEN, data=b"text=a", headers={"Content-Type": "a/b"})
        assert (status, answer["code"]) == (415, "media_type")
        for path in ("/api/v1/sessions/..%2f..%2fetc", "/api/v1/sessions/%00", "/api/v1/nothing", "/api/v2/sessions"):
            status, answer = await world.ask("GET", path, OPERATOR)
            assert (status, answer["code"]) == (404, "unknown"), path
        status, answer = await world.ask("DELETE", BASE, OPERATOR)
        assert (status, answer["code"]) == (405, "method")
        for bad in ("x", "-1", "1e3", "9" * 30):
            status, _ = await world.ask("GET", f"{BASE}/events", TOKEN, headers={"Last-Event-ID": bad})
            assert status == 400, bad
        assert world.calls.counters["faults"] == 0

    at_an_edge(tmp_path, story)


def test_a_page_elsewhere_may_not_use_it(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        status, answer = await world.ask(
            "GET", "/api/v1/sessions", OPERATOR, headers={"Origin": "https://elsewhere.example"}
        )
        assert (status, answer["code"]) == (403, "forbidden")

    at_an_edge(tmp_path, story)


def test_those_who_look_on_ask_and_the_host_decides(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        questions = f"{BASE}/questions"
        status, answer = await world.ask("POST", questions, json={"name": "Ana", "text": "When?"})
        assert (status, answer["code"]) == (409, "off")
        assert (await world.ask("POST", f"{BASE}/audience", TOKEN, json={"questions": "moderated"}))[0] == 202
        status, question = await world.ask("POST", questions, json={"name": "Ana", "text": "When?"})
        assert (status, question["n"], question["state"]) == (202, 1, "waiting")
        assert (await world.ask("GET", questions))[0] == 403, "who asked what is for the host"
        assert (await world.ask("POST", f"{questions}/1/approve"))[0] == 403
        assert (await world.ask("POST", f"{questions}/1/approve", TOKEN))[0] == 202
        _, every = await world.ask("GET", questions, TOKEN)
        assert [(each["name"], each["state"]) for each in every["questions"]] == [("Ana", "approved")]
        assert (await world.ask("POST", f"{questions}/x/approve", TOKEN))[0] == 404
        assert (await world.ask("POST", "/api/v1/sessions/nobody-here/questions", json={"text": "a"}))[0] == 404
        answers = [await world.ask("POST", questions, json={"text": f"again {n}"}) for n in range(4)]
        assert answers[-1][1]["code"] == "rate"

    at_an_edge(tmp_path, story)


def test_the_operator_sees_which_engine_each_process_runs_and_why(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        assert (await world.ask("GET", "/api/v1/processes", TOKEN))[0] == 403
        status, told = await world.ask("GET", "/api/v1/processes", OPERATOR)
        assert status == 200
        (tts,) = [each for each in told["processes"] if each["kind"] == "tts"]
        assert (tts["state"], tts["engine"], tts["detail"]) == ("ready", "humming", "humming: configured")

    at_an_edge(tmp_path, story)

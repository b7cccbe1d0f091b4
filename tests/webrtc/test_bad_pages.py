"""Pages that are broken or mean harm: each gets a sentence or is closed, and the edge serves the next one."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.messages import Holding, Report, Typed
from tests.webrtc.scene import Page, Scene, page, scene, until
from webrtc import answerer, signaling
from webrtc.page_messages import Hello
from webrtc.page_socket import PageSocket


def at_an_edge(tmp_path: Path, story: Callable[[Scene, Page], Awaitable[None]]) -> None:
    """Run `story`, and see that the edge still works after it."""

    async def run() -> None:
        async with scene(tmp_path) as world, page(world) as caller:
            await story(world, caller)
            async with page(world) as next_one:
                await next_one.hello()
                await next_one.send("text", text="works")
                await until(lambda: any(each.text == "works" for each in world.of(Typed)))

    asyncio.run(run())


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"type":"dance"}', '{"type":"played","rtp":-5,"t":0}', '{"type":"hello"}']
)
def test_a_malformed_message_is_answered_and_the_call_goes_on(tmp_path: Path, text: str) -> None:
    async def story(world: Scene, caller: Page) -> None:
        await caller.hello()
        await caller.socket.send_str(text)
        error = await caller.hears("error")
        assert (error["code"], error["fatal"]) == ("bad_message", False)
        await caller.send("text", text="and yet")
        await until(lambda: world.of(Typed))

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "hello", "persona": "\ud800"},
        {"type": "hello", "language": "\udfff"},
        {"type": "text", "text": "\udcff"},
    ],
    ids=["persona", "language", "text"],
)
def test_half_a_letter_costs_nobody_a_conversation(tmp_path: Path, message: dict[str, str]) -> None:
    """A broker that restarts afterwards is told of every call: bytes made of it could not be sent."""

    async def story(world: Scene, caller: Page) -> None:
        if message["type"] == "text":
            await caller.hello()
        else:
            await caller.connect()
        await caller.socket.send_str(json.dumps(message))
        error = await caller.hears("error")
        assert (error["code"], error["fatal"]) == ("bad_message", False)
        async with page(world) as bystander:
            session = (await bystander.hello())["session"]
            world.tell(Report())
            await until(lambda: world.of(Holding, session))
            assert len(world.of(Holding)) == len(world.calls) == (2 if message["type"] == "text" else 1)
            assert not world.calls.counters["faults"]

    at_an_edge(tmp_path, story)


def test_a_call_the_broker_cannot_be_told_of_is_not_kept(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        socket = PageSocket(cast(Any, SimpleNamespace(closed=False)), lambda: None)
        with pytest.raises(UnicodeEncodeError):
            world.calls.hello(socket, Hello(persona="\ud800"))
        socket.abort()
        assert not len(world.calls)

    at_an_edge(tmp_path, story)


def test_a_fault_of_one_call_is_not_the_others(tmp_path: Path) -> None:
    """Neither when a new broker is told of them, nor in the edge's own beat."""

    async def story(world: Scene, caller: Page) -> None:
        broken = world.calls.call_of((await caller.hello())["session"])
        assert broken
        async with page(world) as bystander:
            session = (await bystander.hello())["session"]
            broken.persona, broken.fanout = "\ud800", cast(Any, SimpleNamespace(totals=dict))
            world.tell(Report())
            await until(lambda: world.of(Holding, session))
            assert not world.of(Holding, broken.session)
            faults = world.calls.counters["faults"]
            assert faults
            await until(lambda: world.calls.counters["faults"] > faults)
            asked = len(world.asked)
            await until(lambda: len(world.asked) > asked)
            assert {each.session for each in world.asked[asked:]} == {session}

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize(
    "first", [{"type": "text", "text": "hi"}, {"type": "offer", "sdp": "v=0"}, {"type": "interrupt"}]
)
def test_the_first_message_must_be_hello(tmp_path: Path, first: dict[str, object]) -> None:
    async def story(world: Scene, caller: Page) -> None:
        await caller.connect()
        await caller.socket.send_str(json.dumps(first))
        assert (await caller.hears("error"))["fatal"]
        await until(lambda: caller.closed)

    at_an_edge(tmp_path, story)


def test_a_socket_that_says_nothing_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signaling, "HELLO_S", 0.1)

    async def story(world: Scene, caller: Page) -> None:
        await caller.connect()
        assert (await caller.hears("error"))["code"] == "bad_message"
        await until(lambda: caller.closed)

    at_an_edge(tmp_path, story)


def test_bytes_are_not_text(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        await caller.hello()
        await caller.socket.send_bytes(b"\x00\xff")
        assert (await caller.hears("error"))["code"] == "bad_message"
        await until(lambda: caller.closed)

    at_an_edge(tmp_path, story)


def test_a_huge_message_closes_the_socket(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        await caller.hello()
        await caller.socket.send_str('{"type":"text","text":"' + "a" * 150_000 + '"}')
        assert (await caller.hears("error"))["code"] == "too_large"
        await caller.socket.send_str("a" * 1_000_000)
        await until(lambda: caller.closed == 1009)

    at_an_edge(tmp_path, story)


def test_a_flood_is_stopped(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        await caller.hello()
        for _ in range(signaling.MESSAGE_BURST + 100):
            if caller.closed:
                break
            try:
                await caller.send("interrupt")
            except ConnectionError:
                break
        error = await caller.hears("error")
        assert (error["code"], error["fatal"]) == ("rate", True)
        await until(lambda: caller.closed)

    at_an_edge(tmp_path, story)


def test_a_page_that_never_reads_is_given_up_and_nobody_waits_for_it(tmp_path: Path) -> None:
    async def story(world: Scene, caller: Page) -> None:
        name = (await caller.hello(mouth=True))["session"]
        caller._tasks[0].cancel()
        caller.socket._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        text = "x" * 20_000
        for _ in range(800):
            world.event(name, "heard", text=text)
        async with page(world) as other:
            await other.hello()
        await until(lambda: world.calls.counters["pages_too_slow"] == 1)

    at_an_edge(tmp_path, story)


OFFERS = [
    "",
    "v=0",
    "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
    "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio x y\r\n",
    (
        "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\n"
        "a=rtpmap:0 PCMU/8000\r\na=ice-ufrag:a\r\na=ice-pwd:b\r\na=mid:0\r\na=sendrecv\r\n"
    ),
]


@pytest.mark.parametrize("sdp", OFFERS)
def test_an_offer_that_cannot_be_answered_gets_a_sentence(tmp_path: Path, sdp: str) -> None:
    async def story(world: Scene, caller: Page) -> None:
        await caller.hello()
        await caller.send("offer", sdp=sdp)
        error = await caller.hears("error")
        assert (error["code"], error["fatal"]) == ("sdp", False)
        await caller.call()

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize("seed", range(6))
def test_damaged_offers_and_candidates_do_no_harm(tmp_path: Path, seed: int) -> None:
    async def story(world: Scene, caller: Page) -> None:
        chance = random.Random(seed)
        await caller.hello()

        def damaged(sdp: str) -> str:
            lines = sdp.splitlines()
            for _ in range(4):
                at = chance.randrange(len(lines))
                lines[at] = chance.choice(
                    [lines[at][: chance.randrange(1 + len(lines[at]))], lines[at] * 2, "a=" + "z" * 50]
                )
            return "\r\n".join(lines) + "\r\n"

        with pytest.raises(AssertionError):
            await asyncio.wait_for(_call(caller, damaged), 3.0)
        await caller.send("candidate", candidate={"candidate": "candidate:nonsense", "sdpMid": "0"})
        await caller.send(
            "candidate", candidate={"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "77"}
        )
        await caller.send("candidate", candidate=None)
        await caller.call()

    at_an_edge(tmp_path, story)


async def _call(caller: Page, edit: Callable[[str], str]) -> None:
    """A call that may or may not come about; raises AssertionError in either case, so that the test can go on."""
    try:
        await asyncio.wait_for(caller.call(edit=edit), 1.0)
    except Exception as error:
        raise AssertionError from error
    raise AssertionError


def test_without_a_network_path_the_page_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answerer, "CONNECT_S", 0.3)

    async def story(world: Scene, caller: Page) -> None:
        await caller.hello()

        def nowhere(sdp: str) -> str:
            return "\r\n".join(line for line in sdp.splitlines() if not line.startswith("a=candidate")) + "\r\n"

        from aiortc import RTCConfiguration, RTCPeerConnection

        connection = RTCPeerConnection(RTCConfiguration([]))
        connection.addTransceiver("audio", "sendrecv")
        await connection.setLocalDescription(await connection.createOffer())
        await caller.send("offer", sdp=nowhere(connection.localDescription.sdp))
        error = await caller.hears("error")
        assert error["code"] == "ice"
        await connection.close()

    at_an_edge(tmp_path, story)
    # the edge itself needs no such limit to answer the next page

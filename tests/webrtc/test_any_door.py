"""Bad input for every door there is, from the edge's own tables: a new one is tried by itself.

Whatever comes, the answer is a status below 500 with a sentence, nothing of this machine or of another conversation is
in it, and the edge serves the next one.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import random
import re
import struct
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.clock import now_ns
from broker.config import Audience
from broker.films import Films
from broker.messages import Event, Typed
from broker.outputs import Output
from broker.uploads import Uploads
from tests.production.damaged import KINDS, sound_file
from tests.production.damaged import damaged as damaged_bytes
from tests.webrtc.rough_path import RoughPath
from tests.webrtc.scene import Page, page, scene, until
from tests.webrtc.served import OPERATOR, SESSION, TOKEN, Served, at_an_edge
from webrtc import signaling, whep, whip_in, workshop
from webrtc.api import playing
from webrtc.api.document import document
from webrtc.api.operations import OPERATIONS
from webrtc.security import new_token

OTHER, OTHERS_TOKEN, SECRET = "session-two", "another-token-0123456789", "what-the-other-one-said"

PLACES = (
    SESSION, "nobody", "..", "../..", "../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd",
    "%00", "a\u0000b", ".", "~root", "C:\\windows", "a" * 3_000, "\u202e", "😀", "%", "%ff", "1", "-1", "null", " ",
    "*", "{session}",
)  # fmt: skip

CONTENT_TYPES = (
    "application/json", "application/sdp", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain",
    "application/trickle-ice-sdpfrag", "application/json; charset=nonsense", "a", "",
)  # fmt: skip

SDP = (
    "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n"
)

FIELDS = sorted({name for each in OPERATIONS if each.body for name in each.body.__dataclass_fields__})

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.sampled_from(PLACES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
tables = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=12), values, max_size=4)


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


bodies = st.one_of(
    st.binary(max_size=200),
    (tables | values).map(as_json),
    st.sampled_from(
        [SDP, SDP * 3, "v=0", "--x\r\n\r\n", "--x\r\nContent-Disposition: form-data; name=audio\r\n\r\nx"]
    ).map(str.encode),
)
requests = st.fixed_dictionaries(
    {
        "places": st.lists(st.sampled_from(PLACES) | st.text(max_size=20), min_size=3, max_size=3),
        "body": bodies,
        "type": st.sampled_from(CONTENT_TYPES),
        "token": st.sampled_from(["", TOKEN, OPERATOR, "wrong", "a" * 5_000]),
        "headers": st.dictionaries(
            st.sampled_from(
                ["Last-Event-ID", "Range", "If-Match", "Origin", "X-File-Name", "Accept", "X-Forwarded-For", "Cookie"]
            ),
            st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
            max_size=2,
        ),
        "query": st.text(max_size=12),
    }
)
ANY_EDGE = settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def doors(world: Served) -> list[tuple[str, str]]:
    """Method and path of every route, its variables in braces."""
    found = [
        (route.method, re.sub(r"{(\w+):[^}]*}", r"{\1}", resource.canonical))
        for resource in world.runner.app.router.resources()
        for route in resource
    ]
    return [(method, path) for method, path in found if method not in ("OPTIONS", "*")]


def filled(path: str, places: list[str]) -> str:
    """A path with these in the places of its variables."""
    names = iter(places)
    return re.sub(r"{\w+}", lambda _: quote(next(names, "x"), safe="%/."), path)


async def knock(world: Served, method: str, path: str, wish: dict[str, Any]) -> tuple[str, int, str, str]:
    """Where it arrived, and status, type and text of the answer; streams are let go once they have begun."""
    query = f"?{quote(wish['query'])}" if wish["query"] else ""
    headers = {"Content-Type": wish["type"], "X-Forwarded-For": "10.0.0.9"} | wish["headers"]
    if wish["token"]:
        headers["Authorization"] = f"Bearer {wish['token']}"
    url = world.url + filled(path, wish["places"]) + query
    body = None if method in ("GET", "HEAD") else wish["body"]
    timeout = aiohttp.ClientTimeout(total=30)
    async with world.http.request(
        method, url, data=body, headers=headers, allow_redirects=False, timeout=timeout
    ) as response:
        stream = response.content_type == "text/event-stream"
        text = "" if stream else (await response.read()).decode("latin1")
        return response.url.path, response.status, response.content_type, text


def fits(method: str, path: str, wish: dict[str, Any], place: str, status: int, kind: str, text: str) -> None:
    """An answer as it may be."""
    about = (method, path, wish, place, status, text[:200])
    assert status < 500 or status == 503, about
    if status == 503 and path != "/ready" and method != "HEAD":
        assert "not running" in text or "not ready" in text, about  # what it needs is not there in these tests
    for secret in ("root:x:0:0", OTHERS_TOKEN, SECRET, "Traceback"):
        assert secret not in text, about
    if wish["token"] != OPERATOR:
        assert OPERATOR not in text, about
    if status >= 400 and place.startswith("/api/") and method != "HEAD":
        assert kind == "application/json", about
        told = json.loads(text)
        assert set(told) == {"code", "text"}, about
        assert told["text"].strip().endswith((".", ")", "?")), about


async def unharmed(world: Served, before: tuple[Any, ...]) -> None:
    """The other conversation is as it was, and the edge serves."""
    assert others(world) == before
    assert (await world.ask("GET", "/health"))[0] == 200
    assert world.calls.counters["faults"] == 0


def others(world: Served) -> tuple[Any, ...]:
    session = world.control.sessions[OTHER]
    return session.record.persona["id"], session.state.mode, session.state.dialogue, session.state.says


def with_another(world: Served) -> tuple[Any, ...]:
    world.begin(OTHER, OTHERS_TOKEN)
    world.control.accept(Event(session=OTHER, kind="test", data={"said": SECRET}), now_ns())
    return others(world)


@ANY_EDGE
@given(st.lists(requests, min_size=2, max_size=2))
def test_any_request_at_any_door_is_answered_in_words(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, wishes: list[Any]
) -> None:
    monkeypatch.setattr(workshop, "COMMAND", ("true",))  # the operator could have seconds of work done

    async def story(world: Served) -> None:
        before = with_another(world)
        for method, path in doors(world):
            if method == "GET" and path == "/ws":
                continue  # it has tests of its own
            for wish in wishes if "{" in path or method != "GET" else wishes[:1]:
                fits(method, path, wish, *(await knock(world, method, path, wish)))
                if SESSION not in world.control.sessions:
                    world.begin()
        await unharmed(world, before)

    at_an_edge(tmp_path_factory.mktemp("edge"), story)


@ANY_EDGE
@given(st.lists(st.tuples(tables, st.sampled_from([TOKEN, OPERATOR])), min_size=3, max_size=3))
def test_any_json_for_any_operation_of_the_document(
    tmp_path_factory: pytest.TempPathFactory, wishes: list[Any]
) -> None:
    """Fields are nearly right: names as the document has them, values of the wrong kind, size or spelling."""

    async def story(world: Served) -> None:
        before = with_another(world)
        for path, methods in document(OPERATIONS, guarded=False)["paths"].items():
            for method, operation in methods.items():
                if "requestBody" not in operation:
                    continue
                for table, token in wishes:
                    url = path.replace("{session}", SESSION).replace("{n}", "1").replace("{name}", "x")
                    shape = next(iter(operation["requestBody"]["content"].values()))["schema"]
                    right = {name: _right(shape["properties"][name]) for name in shape.get("required", ())}
                    wish = {"places": [], "body": as_json(right | table), "type": "application/json", "token": token,
                            "headers": {}, "query": ""}  # fmt: skip
                    fits(method.upper(), url, wish, *(await knock(world, method.upper(), url, wish)))
                    if SESSION not in world.control.sessions:
                        world.begin()
        await unharmed(world, before)

    at_an_edge(tmp_path_factory.mktemp("edge"), story)


def _right(shape: dict[str, Any]) -> Any:
    if "enum" in shape:
        return shape["enum"][-1]
    return {"string": "hello", "integer": 1, "number": 0.5, "boolean": True}[shape["type"]]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_body_that_is_not_encoded_as_it_says_is_refused_at_every_door(tmp_path: Path, coding: str) -> None:
    async def story(world: Served) -> None:
        before, refused = with_another(world), 0
        headers = {"Content-Encoding": coding, "Authorization": f"Bearer {OPERATOR}", "Connection": "close"}
        for method, path in doors(world):
            if method not in ("POST", "PUT", "PATCH"):
                continue
            for kind in ("application/json", "application/sdp", "multipart/form-data; boundary=x"):
                async with world.http.request(
                    method,
                    world.url + filled(path, [SESSION]),
                    data=b"neither of them",
                    headers=headers | {"Content-Type": kind},
                    skip_auto_headers=["Content-Length"],
                ) as response:
                    text = await response.text()
                    assert 400 <= response.status < 500 or response.status == 503, (path, kind, text)
                    refused += "encoded" in text
        assert refused > 5
        await unharmed(world, before)

    at_an_edge(tmp_path, story)


@pytest.mark.parametrize("place", ["/static/", "/static/js/", "/avatars/vera/", "/backdrops/"])
def test_a_name_longer_than_a_file_can_have_is_not_found(tmp_path: Path, place: str) -> None:
    async def story(world: Served) -> None:
        before = with_another(world)
        assert (await world.ask("GET", place + "a" * 5_000))[0] == 404
        await unharmed(world, before)

    at_an_edge(tmp_path, story)


def test_no_path_leads_out_of_what_is_served(tmp_path: Path) -> None:
    """With every spelling of "up" there is; sent raw, since clients tidy paths before they send them."""

    async def story(world: Served) -> None:
        ups = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..\\", "....//", "..;/", "%252e%252e/", "/", "..%00/")
        bases = {re.sub(r"{.*", "", path) for _, path in doors(world)} | {"/"}
        for base in sorted(bases):
            for up in ups:
                for target in ("etc/passwd", "proc/self/environ"):
                    text = await raw(
                        world, f"GET {base.rstrip('/')}/{up * 9}{target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
                    )
                    status = int(text.split(" ")[1])
                    assert status in (200, 301, 302, 400, 401, 403, 404, 405), (base, up, text[:200])
                    assert "root:x:0:0" not in text, (base, up)
                    assert "PATH=" not in text, (base, up)

    at_an_edge(tmp_path, story)


async def raw(world: Served, text: str | bytes, within_s: float = 5.0) -> str:
    """What comes back on a bare connection for these bytes; empty when it is closed without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    try:
        writer.write(text if isinstance(text, bytes) else text.encode("latin1"))
        await writer.drain()
        if isinstance(text, bytes):
            writer.write_eof()
        return (await asyncio.wait_for(reader.read(65_536), within_s)).decode("latin1")
    except (ConnectionError, TimeoutError):
        return ""
    finally:
        writer.close()


GARBAGE: tuple[bytes, ...] = (
    b"", b"\r\n\r\n", b"GET", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: elsewhere\r\n\r\n",
    b"POST /api/v1/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
    b"POST /api/v1/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999\r\n\r\nx",
    b"POST /api/v1/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"b" * 100_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: 1\r\n" * 20_000 + b"\r\n",
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00" * 5_000, b"\xff" * 5_000,
)  # fmt: skip


def test_garbage_on_a_bare_connection_harms_nobody(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        chance = random.Random(5)
        for text in (*GARBAGE, *(chance.randbytes(chance.randrange(1, 4_000)) for _ in range(40))):
            answer = await raw(world, text)
            assert not answer or re.match(r"HTTP/1\.[01] [1234]\d\d ", answer), (text[:60], answer[:200])
            assert "Traceback" not in answer
        many = await asyncio.gather(*(raw(world, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ") for _ in range(40)))
        assert len(many) == 40
        assert (await world.ask("GET", "/health"))[0] == 200

    at_an_edge(tmp_path, story)


BAD = "\xff\xfe\xed\xa0\x80"
"""Sent as these bytes (latin1): no UTF-8, which is what aiohttp takes headers for."""

RAW_HEADERS = (
    f"Authorization: Bearer {BAD}", f"Authorization: {BAD}", f"Authorization: Bearer {'é' * 60}",
    f"Origin: http://{BAD}", f"Origin: {BAD}", f"If-Match: {BAD}", f"Last-Event-ID: {BAD}", f"Range: bytes={BAD}",
    f"Accept: {BAD}", f"X-File-Name: {BAD}", f"Cookie: {BAD}={BAD}", f"X-Forwarded-For: {BAD}", f"Forwarded: {BAD}",
    f"Content-Type: application/{BAD}", f"Content-Type: application/json; charset={BAD}",
    f"Content-Type: multipart/form-data; boundary={BAD}", f"If-Modified-Since: {BAD}", f"If-None-Match: {BAD}",
    f"If-Range: {BAD}", f"Accept-Encoding: {BAD}", f"Content-Encoding: {BAD}",
    f"Access-Control-Request-Method: {BAD}", f"Expect: {BAD}", f"Expect: 100-continue{BAD}",
)  # fmt: skip

HANDSHAKES = (
    f"Upgrade: {BAD}", f"Upgrade: websocket\r\nSec-WebSocket-Version: {BAD}",
    f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {BAD}",
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQé==",
    f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {BAD}",
)  # fmt: skip


def guarded(world: Served) -> None:
    """Those who look on need a secret, so that every door asks who it is, and none makes a stream for a stranger."""
    audience = Audience(token="the-audiences-secret", origins=("*",))
    world.calls.settings = dataclasses.replace(world.calls.settings, audience=audience)


async def answered(world: Served, method: str, target: str, head: str = "", body: str = "") -> str:
    """What a bare connection from elsewhere gets for exactly these bytes (latin1)."""
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: 127.0.0.1",
        "X-Forwarded-For: 10.0.0.9",
        f"Content-Length: {len(body)}",
    ]
    lines += [head] if head else []
    lines += [] if "Upgrade:" in head else ["Connection: close"]
    answer = await raw(world, "\r\n".join(lines) + "\r\n\r\n" + body)
    assert re.match(r"HTTP/1\.[01] [234]\d\d ", answer), (method, target, head, answer[:300])
    assert "Traceback" not in answer
    return answer


def test_header_bytes_that_are_no_text_are_answered_at_every_door(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        guarded(world)
        before = with_another(world)
        for method, path in doors(world):
            target = filled(path, [SESSION, "webrtc-1.x", "y"])
            for head in RAW_HEADERS:
                if "Content-" in head and method in ("GET", "HEAD"):
                    continue
                answer = await answered(world, method, target, head, "{}" if method != "GET" else "")
                if head.startswith("Authorization") and re.match(r"/(whep|hls|view/.*/events|whip)", path):
                    assert not re.match(r"HTTP/1\.[01] 2", answer), (path, head)
        await unharmed(world, before)

    at_an_edge(tmp_path, story)


def test_an_expectation_that_is_not_met_is_refused_in_words(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        for expected in (BAD, "a miracle"):
            for method, target in (("GET", "/health"), ("POST", f"/whep/{SESSION}"), ("GET", "/nowhere")):
                answer = await answered(world, method, target, f"Expect: {expected}")
                assert answer.startswith("HTTP/1.1 417 "), (target, answer[:200])
                assert answer.endswith("Nothing but 100-continue can be expected here.\n")
        async with world.http.get(f"{world.url}/health", expect100=True) as response:
            assert response.status == 200

    at_an_edge(tmp_path, story)


def test_a_handshake_that_is_none_is_answered(tmp_path: Path) -> None:
    async def story(world: Served) -> None:
        for head in HANDSHAKES:
            for target in ("/ws", f"/api/v1/sessions/{SESSION}/events"):
                more = f"{head}\r\nConnection: Upgrade"
                if target.startswith("/api"):
                    more += f"\r\nAuthorization: Bearer {TOKEN}"
                answer = await answered(world, "GET", target, more)
                assert " 400 " in answer or "text/event-stream" in answer, (head, target, answer[:200])

    at_an_edge(tmp_path, story)


def test_numbers_of_any_length_in_an_address_are_answered(tmp_path: Path) -> None:
    """Python refuses to make a number of more than 4300 digits."""

    async def story(world: Served) -> None:
        guarded(world)
        for digits in ("9" * 5_000, "0" * 5_000, "٣" * 20, "-" + "1" * 5_000, "1e5", ""):
            soon = f"00{int(time.time()) + 5}{digits}"
            for target in (
                f"/whep/{SESSION}?moved={quote(digits)}",
                f"/whep/{SESSION}?moved={quote(soon)}.{'0' * 64}",
                f"/whip/{SESSION}?moved={quote(soon)}",
            ):
                answer = await answered(world, "POST", target, "Content-Type: application/sdp", "v=0")
                assert re.match(r"HTTP/1\.[01] (40[134]|422) ", answer), (target[:80], answer[:100])
            for target in (
                f"/view/{SESSION}/events?moved={quote(soon)}",
                f"/hls/{SESSION}/index.m3u8?moved={quote(soon)}",
            ):
                assert " 401 " in (await answered(world, "GET", target))[:20]
            for door in ("whep", "whip"):
                target = f"/{door}/{SESSION}/webrtc-{quote(digits)}.name"
                bearer = "Authorization: Bearer the-audiences-secret"
                assert " 404 " in (await answered(world, "DELETE", target, bearer))[:20]
            number = digits.encode().decode("latin1")
            await answered(world, "GET", f"/api/v1/sessions/{SESSION}/events", f"Last-Event-ID: {number}")
            await answered(world, "POST", f"/api/v1/sessions/{SESSION}/questions/{quote(digits)}/approve")

    at_an_edge(tmp_path, story)


def damaged(text: str, chance: random.Random) -> str:
    """One of the many ways in which a session description can be wrong, one to four times."""
    lines = text.splitlines()
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(lines))
        line = lines[at]
        match chance.randrange(9):
            case 0:
                lines[at] = line[: chance.randrange(len(line) + 1)]
            case 1:
                del lines[at : at + chance.randrange(1, 4)]
            case 2:
                lines[at:at] = [chance.choice(lines)] * chance.choice([1, 2, 50])
            case 3:
                lines[at] = re.sub(
                    r"\d+", chance.choice(["0", "-1", "65536", "9" * 30, "9" * 5_000, "٣", "1e9", ""]), line
                )
            case 4:
                lines[at] = "".join(chance.choice([letter, letter, letter, "é", "\0", " ", "="]) for letter in line)
            case 5:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], line
            case 6:
                lines[at] = line.replace(
                    "a=", chance.choice(["a=" + "z" * 3_000, "b=", "a=ssrc:", "a=fmtp:", "a=rtpmap:"])
                )
            case 7:
                words = line.split(" ")
                lines[at] = " ".join(chance.sample(words, len(words)))
            case _:
                lines[at] = chance.choice(STRANGE)
        lines = lines or ["v=0"]
    return chance.choice(["\r\n", "\r\n", "\n"]).join(lines) + chance.choice(["\r\n", ""])


STRANGE = (
    "a=mid:" + "x" * 300, "a=mid:", "a=group:BUNDLE 0 1 2", "a=group:BUNDLE", "a=setup:holdconn", "a=setup:passive",
    "a=setup:actpass", "a=fingerprint:sha-256 00", "a=fingerprint:md5 " + ":".join(["00"] * 16), "a=fingerprint:",
    "a=rtpmap:111 opus/0", "a=rtpmap:111 opus/-1/0", "a=rtpmap:111", "a=fmtp:96 apt=96", "a=fmtp:97 apt=x",
    "a=ice-ufrag:", "a=ice-pwd:" + "p" * 300, "a=ice-lite", "a=inactive", "a=sendonly", "a=extmap:0 x", "a=extmap:x",
    "a=rtcp-mux", "a=rtcp-fb:* nack", "a=ssrc:1 cname", "a=ssrc:x cname:y", "a=ssrc-group:FID 1", "a=sctp-port:x",
    "a=candidate:1 1 udp 1 192.0.2.1 99999 typ host", "a=candidate:1 1 udp 1 ::1 9 typ host", "a=msid:", "c=IN IP6 ::",
    "a=candidate:1 2 udp -1 192.0.2.1 9 typ", "a=candidate:1 1 udp 1 224.0.0.1 9 typ host", "c=IN IP4", "m=", "m=audio",
    "a=candidate:1 1 udp 1 192.0.2.1 9 typ relay raddr", "m=video 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/AVP 0",
)  # fmt: skip


@pytest.mark.parametrize("door", ["whip", "whep"])
def test_damaged_offers_and_candidates_are_answered_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    """Of a sender with the caller's token, and of players: what aiortc stumbles over is told, and nothing stays."""
    monkeypatch.setattr(whip_in, "OFFER_BURST", 10_000)
    monkeypatch.setattr(whep, "JOIN_BURST", 10_000)

    async def story(world: Served) -> None:
        before, chance, faults = with_another(world), random.Random(11), []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        async with page(world) as caller:
            told = await caller.hello()
            bearer = {"Authorization": f"Bearer {told['token']}", "X-Forwarded-For": "10.0.0.9"}
            url = f"{world.url}/{door}/{told['session']}"
            offer = await an_offer("sendonly" if door == "whip" else "recvonly")
            came: dict[int, int] = {}
            for n in range(120):
                sdp = damaged(offer, chance) if n else offer
                kind = {"Content-Type": "application/sdp"} | bearer
                async with world.http.post(url, data=sdp.encode(), headers=kind) as response:
                    text, headers = await response.text(), response.headers
                came[response.status] = came.get(response.status, 0) + 1
                assert response.status in (201, 400, 413, 422), (sdp, response.status, text)
                if response.status != 201:
                    assert len(text) > 15, (sdp, text)
                    continue
                for _ in range(4):
                    fragment = damaged(FRAGMENT + chance.choice(offer.splitlines()) + "\r\n", chance)
                    trickle = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": headers["ETag"]} | bearer
                    place = headers["Location"]
                    async with world.http.patch(place, data=fragment.encode(), headers=trickle) as r:
                        assert r.status in (204, 400, 413, 422), (fragment, r.status, await r.text())
                async with world.http.delete(headers["Location"], headers=bearer) as r:
                    assert r.status == 200
            assert min(came.get(201, 0), came.get(422, 0)) > 10, came
            await unharmed(world, before)
            await until(lambda: not world.calls.audience.count)
            assert not faults, faults[0]

    at_an_edge(tmp_path, story)


FRAGMENT = (
    "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
    "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n"
    "a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ srflx raddr 10.0.0.1 rport 9\r\n"
)


async def an_offer(direction: str) -> str:
    connection = RTCPeerConnection(RTCConfiguration([]))
    for kind in ("audio", "video"):
        connection.addTransceiver(kind, direction)
    await connection.setLocalDescription(await connection.createOffer())
    sdp = str(connection.localDescription.sdp)
    await connection.close()
    return sdp


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # aiohttp's, at a damaged Content-Disposition
def test_damaged_forms_are_answered_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At both doors that take a recording. What its reader makes of damaged files is in tests/production."""
    monkeypatch.setattr(playing, "COMMAND", ("/bin/true",))

    async def story(world: Served) -> None:
        before, chance = with_another(world), random.Random(4)
        for kind in KINDS:
            whole = form_of(sound_file(kind, 0.2))
            for n in range(25):
                for path, token in ((f"/api/v1/sessions/{SESSION}/play", TOKEN), ("/api/v1/generate", OPERATOR)):
                    body = damaged_bytes(whole, chance) if n else whole
                    wish = {"places": [], "body": body, "type": "multipart/form-data; boundary=x", "token": token,
                            "headers": {}, "query": ""}  # fmt: skip
                    fits("POST", path, wish, *(await knock(world, "POST", path, wish)))
        await unharmed(world, before)

    at_an_edge(tmp_path, story)


def form_of(recording: bytes) -> bytes:
    head = b'Content-Disposition: form-data; name="audio"; filename="speech"\r\nContent-Type: audio/wav\r\n\r\n'
    text = b'Content-Disposition: form-data; name="text"\r\n\r\nHello there.\r\n'
    return b"--x\r\n" + text + b"--x\r\n" + head + recording + b"\r\n--x--\r\n"


def test_garbage_in_a_websocket_ends_that_socket_alone(tmp_path: Path) -> None:
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    upgrade = f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n".encode()

    async def run() -> None:
        async with scene(tmp_path) as world, page(world) as caller:
            await caller.hello()
            chance = random.Random(3)
            for n in range(40):
                frames = chance.randbytes(chance.randrange(2, 300)) if n else b"\x81\xff" + struct.pack("!Q", 2**62)
                reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
                writer.write(upgrade + frames)
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
                assert b" 101 " in head or b" 429 " in head or b" 503 " in head, head
                writer.close()
            await caller.send("text", text="works")
            await until(lambda: [each for each in world.said if getattr(each, "text", "") == "works"])

    asyncio.run(run())


def test_garbage_on_the_medias_port_is_not_heard(tmp_path: Path) -> None:
    """From a stranger, and from the caller's own address: nothing but what is theirs and whole is taken."""

    async def run() -> None:
        async with scene(tmp_path) as world, page(world) as caller:
            session = (await caller.hello())["session"]
            path, chance = RoughPath(), random.Random(9)
            await caller.call(path=path)
            await world.play(session, 10)
            stranger = await _stranger(path._edge)
            (own,) = path._backs.values()
            playing = asyncio.ensure_future(world.play(session, 60, first=10))
            for n in range(400):
                first = chance.choice([0, 1, 20, 22, 23, 63, 64, 127, 128, 144, 191, 192, 255])
                data = bytes([first]) + chance.randbytes(chance.randrange(0, 1_300))
                (stranger if n % 2 else own.transport).sendto(data, path._edge)
                if n % 20 == 0:
                    await asyncio.sleep(0.01)
            await playing
            await until(lambda: len(_ticks(caller, 0)) >= 60)
            assert caller.connection
            assert caller.connection.connectionState == "connected"
            assert not [frame for frame in world.frames if any(frame.pcm)], "nobody spoke"
            stranger.close()
            path.close()

    asyncio.run(run())


def test_nobody_notices_a_stranger_who_sends_nonsense(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversation on the same edge goes on, in sound and in writing, while others break offers and messages."""
    monkeypatch.setattr(signaling, "CONNECTION_BURST", 10_000)

    async def run() -> None:
        async with scene(tmp_path) as world, page(world) as bystander:
            session = (await bystander.hello())["session"]
            await bystander.call()
            await world.play(session, 5)
            await until(lambda: _ticks(bystander, 0))
            first = len(bystander.packets["audio"])
            playing = asyncio.ensure_future(world.play(session, 150, first=5))
            chance, sent = random.Random(13), 0
            caller_offer, player_offer = await an_offer("sendrecv"), await an_offer("recvonly")
            headers = {"Content-Type": "application/sdp"}
            while not playing.done() or sent < 20:
                async with page(world) as stranger:
                    await stranger.hello()
                    await stranger.send("offer", sdp=damaged(caller_offer, chance))
                    for _ in range(5):
                        candidate = {"candidate": chance.choice(STRANGE).removeprefix("a="), "sdpMid": "0"}
                        await stranger.send("candidate", candidate=candidate)
                        await stranger.socket.send_str(chance.choice(MESSAGES))
                    url, data = f"{world.url}/whep/{session}", damaged(player_offer, chance).encode()
                    async with world.http.post(url, data=data, headers=headers) as response:
                        assert response.status in (201, 400, 413, 422, 429)
                    await stranger.hears("error")
                    sent += 1
            await until(lambda: len(_ticks(bystander, first)) >= 150)
            sequence = [packet.sequence_number for packet in bystander.packets["audio"][first:]]
            assert len(set(sequence)) >= 150
            assert bystander.connection
            assert bystander.connection.connectionState == "connected"
            assert not bystander.all("error")
            assert bystander.closed is None
            await bystander.send("text", text="and I go on")
            await until(lambda: [each for each in world.of(Typed, session) if each.text == "and I go on"])
            assert not world.calls.counters["faults"]

    asyncio.run(run())


MESSAGES = (
    "{", "[]", "null",
    '{"type":"dance"}', '{"type":"text","text":"\\ud800"}', '{"type":"offer","sdp":"v=0"}', "[" * 9_000,
    '{"type":"played","rtp":-5,"t":0}', '{"type":"hello"}', '{"type":"candidate","candidate":{"candidate":7}}',
    '{"type":"switch","persona":"' + "x" * 300 + '"}',
    '{"type":"act","motion":1e999}', '{"type":"again","what":"begins"}',
)  # fmt: skip


async def _stranger(edge: tuple[str, int]) -> Any:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    return transport


def _ticks(caller: Page, since: int) -> set[int]:
    return {packet.timestamp for packet in caller.packets["audio"][since:]}


def test_names_that_open_something_cannot_be_guessed(tmp_path: Path) -> None:
    """Each has 72 random bits or more, and no two are alike."""
    names: dict[str, list[str]] = {}

    async def run() -> None:
        async with scene(tmp_path) as world:
            for _ in range(5):
                async with page(world) as caller:
                    told = await caller.hello()
                    names.setdefault("session", []).append(told["session"])
                    names.setdefault("token", []).append(told["token"])
                    for door, direction in (("whep", "recvonly"), ("whip", "sendonly")):
                        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {told['token']}"}
                        url = f"{world.url}/{door}/{told['session']}"
                        async with world.http.post(url, data=await an_offer(direction), headers=headers) as response:
                            assert response.status == 201
                            owner, _, name = response.headers["Location"].rpartition("/")[2].partition(".")
                            assert owner == "webrtc-1"
                            names.setdefault(door, []).append(name)

    asyncio.run(run())
    uploads, films = Uploads(tmp_path / "uploads"), Films(tmp_path / "films")
    names["token"] += [new_token() for _ in range(500)]
    names["upload"] = [uploads.place("s").name for _ in range(500)]
    names["job and film"] = [films.finish(films.begin()).name for _ in range(100)]
    names["push and other output"] = [Output(kind="rtmp", by="operator").id for _ in range(500)]
    for kind, found in names.items():
        assert len(set(found)) == len(found) >= 5, kind
        letters = set("".join(found))
        bits = 4 if letters <= set("0123456789abcdef") else 6
        assert len(letters) >= (16 if bits == 4 else 30), kind
        assert all(len(name) * bits >= 72 for name in found), kind
    assert os.sep not in Uploads(tmp_path).place("../../x").name

"""The REST interface of a running stack: a film is made, and a call in a real browser is operated from outside."""

from __future__ import annotations

import io
import json
import time
import urllib.request
from typing import Any

import av
import numpy as np
import pytest

from tests.stack.caller import RATE_HZ, Caller, wav_bytes
from tests.stack.running import Stack
from tests.tts.voiced import VOICES
from workers.tts.delivery import Delivery

pytestmark = pytest.mark.browser


def ask(stack: Stack, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        f"{stack.url}api/v1{path}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def play(stack: Stack, session: str, wav: bytes, text: str) -> Any:
    """Upload a recording to be spoken."""
    edge = "a-boundary-of-no-sound"
    fields = f'--{edge}\r\nContent-Disposition: form-data; name="text"\r\n\r\n{text}\r\n'
    audio = f'--{edge}\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
    body = fields.encode() + audio.encode() + wav + f"\r\n--{edge}--\r\n".encode()
    request = urllib.request.Request(
        f"{stack.url}api/v1/sessions/{session}/play",
        data=body,
        headers={"Content-Type": f"multipart/form-data; boundary={edge}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def spoken(text: str) -> bytes:
    """A voice that is not the persona's, as a WAV."""
    delivery, pcm = Delivery(text, VOICES.choose({"en": {"engine": "flite", "voice": "rms"}}, "en", text)), b""
    while True:
        if (piece := delivery.read()) is not None:
            pcm += piece.pcm
            if piece.last:
                return wav_bytes(np.frombuffer(pcm, np.int16), 48_000)


def test_a_recording_is_spoken_in_the_call_with_its_words(stack: Stack) -> None:
    text = "This was recorded, and my lips may move to it."
    with Caller(stack.url) as caller:
        call = caller.open("?persona=host").start()
        call.until(lambda: [m for m in call.messages("turn") if m["what"] == "finished"], "it did not greet")
        session = call.messages("session")[0]["session"]
        call.collect()
        begins = call.audio_frame()
        made = play(stack, session, spoken(text), text)
        assert made["aligned"]
        call.until(
            lambda: [m for m in call.messages("turn") if m["what"] == "finished" and m["heard"] == text],
            "the recording was not heard",
            within_s=40,
        )
        heard = sum(b - max(a, begins) for a, b in call.collect().audible() if b > begins) / RATE_HZ
        assert heard > 0.6 * made["seconds"], "it is heard, not only told"
        shown = [word[3] for message in call.messages("words") for word in message["words"]]
        assert shown[-len(text.split()) :] == text.split()


def test_a_film_is_made_beside_the_calls(stack: Stack) -> None:
    job = ask(stack, "POST", "/generate", {"text": "Hello, this is a film.", "size": 256, "captions": True})
    deadline = time.monotonic() + 60
    while (job := ask(stack, "GET", f"/jobs/{job['job']}"))["state"] in ("queued", "making"):
        assert time.monotonic() < deadline, job
        time.sleep(0.2)
    assert job["state"] == "done", job
    with (
        urllib.request.urlopen(stack.url + job["video"][1:], timeout=10) as answer,
        av.open(io.BytesIO(answer.read())) as film,
    ):
        assert {stream.type for stream in film.streams} == {"video", "audio", "subtitle"}


def test_a_film_whose_maker_is_killed_is_made_all_the_same(stack: Stack) -> None:
    wish = {"text": "This is said again and again. " * 30, "size": 256}
    place = f"/jobs/{ask(stack, 'POST', '/generate', wish)['job']}"
    deadline = time.monotonic() + 120
    while not (told := ask(stack, "GET", place))["share"]:
        assert time.monotonic() < deadline, told
        time.sleep(0.1)
    stack.kill("production")
    assert told["state"] == "making"
    while (told := ask(stack, "GET", place))["state"] in ("queued", "making"):
        assert time.monotonic() < deadline, told
        time.sleep(0.2)
    assert told["state"] == "done", told
    assert told["seconds"] > 30


def test_a_call_is_operated_from_outside(stack: Stack) -> None:
    with Caller(stack.url) as caller:
        call = caller.open("?persona=host").start()
        call.until(lambda: [m for m in call.messages("turn") if m["what"] == "finished"], "it did not greet")
        session = call.messages("session")[0]["session"]
        assert session in [row["session"] for row in ask(stack, "GET", "/sessions")["sessions"]]
        ask(stack, "POST", f"/sessions/{session}/say", {"text": "Dinner is ready."})
        call.until(
            lambda: [m for m in call.messages("turn") if m["what"] == "finished" and m["heard"] == "Dinner is ready."],
            "what the host wanted said was not heard",
        )
        ask(stack, "POST", f"/sessions/{session}/audience", {"questions": "open"})
        ask(stack, "POST", f"/sessions/{session}/questions", {"name": "Ana", "text": "What is Visavis?"})
        call.until(
            lambda: [
                m for m in call.messages("turn") if m["what"] == "finished" and m["heard"].startswith("Ana asks:")
            ],
            "the question was not read out",
            within_s=40,
        )
        call.until(
            lambda: ask(stack, "GET", f"/sessions/{session}/questions")["questions"][0]["state"] == "answered",
            "the question was not answered",
            within_s=40,
        )
        ask(stack, "POST", f"/sessions/{session}/end")

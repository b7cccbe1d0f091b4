"""The REST interface of a running stack: a film is made, and a call in a real browser is operated from outside."""

from __future__ import annotations

import io
import json
import time
import urllib.request
from typing import Any

import av
import pytest

from tests.stack.caller import Caller
from tests.stack.running import Stack

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


def test_a_call_is_operated_from_outside(stack: Stack) -> None:
    with Caller(stack.url) as caller:
        call = caller.open("?persona=host").start()
        call.until(lambda: [m for m in call.messages("turn") if m["what"] == "finished"], "it did not greet")
        (session,) = [row["session"] for row in ask(stack, "GET", "/sessions")["sessions"]]
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

"""The REST interface of a running stack: a film is made, and a call in a real browser is operated from outside."""

from __future__ import annotations

import base64
import functools
import io
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import av
import cv2
import numpy as np
import pytest

from broker import personas
from broker.config import load
from broker.expressions import EMOTIONS
from tests.stack.caller import RATE_HZ, Caller, wav_bytes
from tests.stack.running import Stack
from tests.tts.voiced import VOICES
from workers.lipsync.face import FaceState
from workers.lipsync.portrait_engine import PortraitEngine
from workers.tts.delivery import Delivery

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

FILMED_S = 400
"""On a busy machine a minute's film may take that."""


def ask(stack: Stack, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        f"{stack.url}api/v1{path}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
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
        )
        heard = sum(b - max(a, begins) for a, b in call.collect().audible() if b > begins) / RATE_HZ
        assert heard > 0.6 * made["seconds"], "it is heard, not only told"
        shown = [word[3] for message in call.messages("words") for word in message["words"]]
        assert shown[-len(text.split()) :] == text.split()


def test_a_film_is_made_beside_the_calls(stack: Stack) -> None:
    job = ask(stack, "POST", "/generate", {"text": "Hello, this is a film.", "size": 256, "captions": True})
    deadline = time.monotonic() + FILMED_S
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
    deadline = time.monotonic() + FILMED_S
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


def test_films_outlive_the_whole_stack(stack: Stack) -> None:
    """One that is done, one that is being made and one that waits, over a stop and a start of everything."""
    wishes = [{"text": text, "size": 256} for text in ("Done.", "This is said again and again. " * 30, "And this.")]
    with_its_own = Stack()
    try:
        with_its_own.start()
        done, making, waiting = (ask(with_its_own, "POST", "/generate", wish)["job"] for wish in wishes)
        told = until(with_its_own, making, lambda job: job["share"] > 0)
        assert told["state"] == "making"
        assert ask(with_its_own, "GET", f"/jobs/{waiting}")["state"] == "queued"
        with_its_own.down()
        assert with_its_own.processes() == {}
        with_its_own.start()
        assert [job["job"] for job in ask(with_its_own, "GET", "/jobs")["jobs"]] == [done, making, waiting]
        for job, least_s in ((done, 0.5), (making, 30), (waiting, 0.5)):
            told = until(with_its_own, job, lambda job: job["state"] not in ("queued", "making"))
            assert told["state"] == "done", told
            assert told["seconds"] > least_s
            with urllib.request.urlopen(with_its_own.url + told["video"][1:], timeout=10) as answer:
                film = answer.read()
            with av.open(io.BytesIO(film)) as container:
                assert sum(1 for _ in container.decode(video=0)) == pytest.approx(25 * told["seconds"], abs=2)
    finally:
        with_its_own.stop()


def until(stack: Stack, job: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The job, once `holds`."""
    deadline = time.monotonic() + FILMED_S
    while not holds(told := ask(stack, "GET", f"/jobs/{job}")):
        assert time.monotonic() < deadline, told
        time.sleep(0.1)
    return dict(told)


def test_an_interruption_from_outside_ends_the_answer_and_an_emotion_is_on_the_face(stack: Stack) -> None:
    with Caller(stack.url) as caller:
        call = caller.open("?persona=host&mode=text").start()
        call.until(lambda: [m for m in call.messages("turn") if m["what"] == "finished"], "it did not greet")
        session = call.messages("session")[0]["session"]
        text = "This is a long story, which goes on and on. " * 8
        greeted = len(call.messages("words"))
        call.renew_ear()
        ask(stack, "POST", f"/sessions/{session}/say", {"text": text})
        call.until(lambda: len(call.messages("words")) > greeted + 8, "it did not begin")
        ask(stack, "POST", f"/sessions/{session}/interrupt")
        cut = call.until(lambda: [m for m in call.messages("turn") if m["what"] == "interrupted"], "it goes on")[0]
        assert 0 < len(cut["heard"]) < len(text) / 2
        assert text.startswith(cut["heard"])
        line = ask(stack, "GET", f"/sessions/{session}")["dialogue"][-1]
        assert line == {"role": "avatar", "text": cut["heard"], "interrupted": True}
        call.until(lambda: call.state() == "listening", "it does not listen")
        listens_from = call.audio_frame()
        call.until(lambda: call.audio_frame() > listens_from + 3 * RATE_HZ, "the audio clock stands still")
        silent_from = call.audio_frame() - RATE_HZ
        assert all(end < silent_from for _, end in call.collect().audible()), "it is silent"

        ask(stack, "POST", f"/sessions/{session}/act", {"motion": 0})
        for emotion in ("happy", "concerned"):
            ask(stack, "POST", f"/sessions/{session}/act", {"emotion": emotion, "strength": 1})
            call.until(lambda wanted=emotion: looks(call) == wanted, f"it does not look {emotion}")


def looks(call: Caller) -> str:
    """The emotion in which the portrait is most like the picture on the page."""
    png = call.page.evaluate(
        "() => { const canvas = document.createElement('canvas');"
        " [canvas.width, canvas.height] = [avatar.videoWidth, avatar.videoHeight];"
        " canvas.getContext('2d').drawImage(avatar, 0, 0); return canvas.toDataURL().split(',')[1]; }"
    )
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(png), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return min(EMOTIONS, key=lambda emotion: float(np.abs(face(emotion, len(picture)) - picture).mean()))


@functools.cache
def face(emotion: str, size: int) -> np.ndarray:
    """The host's portrait, drawn here."""
    engine = PortraitEngine(load())
    avatar = engine.still(engine.find(personas.load(load().path("personas"), "host").face.portrait), size)
    drawn = avatar.paint(FaceState(emotion=emotion, emotion_strength=1.0))
    return cv2.cvtColor(drawn, cv2.COLOR_BGR2GRAY).astype(float)


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
        )
        call.until(
            lambda: ask(stack, "GET", f"/sessions/{session}/questions")["questions"][0]["state"] == "answered",
            "the question was not answered",
        )
        ask(stack, "POST", f"/sessions/{session}/end")

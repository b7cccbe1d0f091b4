"""Another persona in the middle of an answer, and a face that does as it is told: one call in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.stack.caller import HERE, Caller
from tests.stack.running import Stack

pytestmark = pytest.mark.browser

BLACK = 40
"""Mean of a picture, of 255, below which nobody would see a face."""
STOOD_STILL_MS = 5_000
"""Somebody would see that; a busy machine may show no picture for less."""
STILL = 0.002


@pytest.fixture(scope="module")
def call(stack: Stack) -> Iterator[Caller]:
    with Caller(stack.url) as caller:
        caller.page.add_init_script((HERE / "witness.js").read_text(encoding="utf-8"))
        yield caller.open("?persona=host").start()


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def turns(call: Caller, *what: str, since_ms: float = 0) -> list[dict[str, Any]]:
    return [m for m in call.messages("turn") if m["what"] in what and m["at"] > since_ms]


def now_ms(call: Caller) -> float:
    return float(call.page.evaluate("performance.now()"))


def frames(call: Caller, since_ms: float) -> list[tuple[dict[str, float], str, list[int]]]:
    """Face, emotion and mouth of every tick since."""
    messages = [m for m in call.messages("mouth") if m["at"] > since_ms]
    return [(face, emotion, mouth) for m in messages for _, mouth, face, emotion in m["frames"]]


def turned(seen: list[tuple[dict[str, float], str, list[int]]]) -> float:
    """How far the head was out of its rest, at most."""
    return max(abs(face[axis]) for face, _, _ in seen for axis in ("yaw", "pitch", "roll"))


def go_on_with(call: Caller, persona: str) -> None:
    call.page.click("#people")
    call.page.click(f"#people-list label[data-persona={persona}]")


def pitch(call: Caller, from_ms: float, to_ms: float) -> float:
    seen = [hz for at, hz in call.page.evaluate("witness.pitch") if from_ms < at < to_ms]
    assert len(seen) >= 10, "no voice was heard"
    return float(np.median(seen))


def test_another_persona_takes_over_in_the_middle_of_an_answer(call: Caller) -> None:
    began = 0.0
    if call.messages("switched"):  # a first attempt on a busy machine
        began = now_ms(call)
        go_on_with(call, "host")
    call.until(lambda: turns(call, "finished", since_ms=began), "it did not greet")
    call.type("What is Visavis?")
    call.until(lambda: call.state() == "speaking", "no answer began")
    call.wait(2.0)
    asked = now_ms(call)
    go_on_with(call, "helpdesk")
    switched = call.until(
        lambda: next((m for m in call.messages("switched") if m["at"] > asked), None), "the edge did not switch"
    )
    assert switched["persona"]["name"] == "Sam"
    cut = call.until(lambda: turns(call, "interrupted", since_ms=asked), "the answer was not ended")[0]
    heard, text = words(cut["heard"]), words(cut["text"])
    assert 0 < len(heard) < len(text)
    assert text[: len(heard)] == heard, "what stays in the dialogue is how the answer began"
    greeting = call.until(lambda: turns(call, "finished", since_ms=switched["at"]), "the new one did not greet")[0]
    assert greeting["heard"] == "Hello, this is Sam from the IT helpdesk. What is the trouble?"
    assert pitch(call, began, asked) / pitch(call, switched["at"] + 500, greeting["at"]) > 1.25, "a deeper voice"
    assert "happy" in {emotion for _, emotion, _ in frames(call, switched["at"])}, "a greeting is friendly"


def test_the_call_went_on_and_the_page_shows_who_it_is_with(call: Caller) -> None:
    assert len(call.messages("session")) == 1
    assert len(call.messages("offer", "out")) == 1, "nothing was negotiated again"
    assert call.messages("error") == []
    assert call.page.inner_text("#with") == "Sam"
    assert "Sam goes on with you" in call.page.inner_text("#dialogue")
    assert not call.page.is_visible("#people-menu")


def test_the_faces_changed_between_two_pictures_and_none_was_black(call: Caller) -> None:
    switched = call.messages("switched")[-1]["at"]
    of_the_new = f"witness.pictures.filter(([at]) => at > {switched}).length"
    call.until(lambda: call.page.evaluate(of_the_new) > 75, "few pictures came after it")
    seen = call.page.evaluate("witness.pictures")
    at, pictures = np.array([t for t, _ in seen]), np.array([p for _, p in seen], float)
    assert pictures[10:].mean(axis=1).min() > BLACK
    before, after = pictures[at < switched][-50:], pictures[-50:]
    assert np.abs(before.mean(axis=0) - after.mean(axis=0)).mean() > 3 * before.std(axis=0).mean(), "another face"
    around = (at[1:] > switched - 1_000) & (at[:-1] < switched + 3_000)
    assert np.diff(at)[around].max() < STOOD_STILL_MS, "the picture did not stand still meanwhile"


def test_who_took_over_answers_from_their_own_documents_and_remembers_the_dialogue(call: Caller) -> None:
    asked = now_ms(call)
    call.type("I forgot my password")
    answer = call.until(lambda: turns(call, "finished", since_ms=asked), "no answer")[0]
    said = [m for m in call.messages("sentence") if m["turn"] == answer["turn"]]
    assert said[0]["passage"].startswith("accounts")
    assert "What is Visavis?" in call.page.inner_text("#dialogue")


def test_what_it_does_not_know_concerns_it(call: Caller) -> None:
    asked = now_ms(call)
    call.type("How heavy is the planet Jupiter?")
    call.until(lambda: turns(call, "finished", since_ms=asked), "no answer")
    shown = [face["emotion_strength"] for face, emotion, _ in frames(call, asked) if emotion == "concerned"]
    assert shown
    assert max(shown) > 0.5


def test_somebody_who_is_not_there_changes_nothing(call: Caller) -> None:
    call.page.evaluate("line.send(JSON.stringify({ type: 'switch', persona: 'nobody' }))")
    error = call.until(lambda: call.messages("error"), "nothing was said")[0]
    assert error["code"] == "switch"
    assert "Known personas: campus, helpdesk, host" in error["text"]
    assert not error["fatal"]
    assert call.page.inner_text("#with") == "Sam"
    asked = now_ms(call)
    call.type("Thank you")
    call.until(lambda: turns(call, "finished", since_ms=asked), "the call did not go on")


def test_it_keeps_still_when_asked_to_and_goes_on_talking(call: Caller) -> None:
    call.page.click("#people")
    if not call.page.is_checked("#still"):
        call.page.click("label:has(#still)")
    call.page.keyboard.press("Escape")
    call.until(
        lambda: (seen := frames(call, now_ms(call) - 1_000)) and turned(seen) < STILL, "the head does not rest", 30
    )
    asked = now_ms(call)
    call.type("How do I print?")
    call.until(lambda: turns(call, "finished", since_ms=asked), "no answer")
    shown = frames(call, asked)
    assert turned(shown) < STILL
    assert max(max(mouth[1:]) for _, _, mouth in shown) > 100, "the lips go on"
    assert max(face["blink"] for face, _, _ in shown) > 0.9, "so do the lids"
    acts = call.messages("act", "out")
    assert [act["motion"] for act in acts] == [0]


def test_nothing_complained(call: Caller, stack: Stack) -> None:
    assert [line for line in call.console if line.startswith("error")] == []
    faults = re.findall(r"^visavis_\w*faults\w*\{[^}]*\} ([0-9.]+)", stack.metrics(), re.MULTILINE)
    assert all(float(count) == 0 for count in faults)

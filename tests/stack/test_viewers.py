"""One caller and those who look on, each in a real browser: joining, hearing, reading, the host away, the end."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from bench.joins import WAYS, joined
from tests.e2e.page_harness.browser import SOFTWARE_3D
from tests.stack.caller import RATE_HZ, Caller
from tests.stack.running import Stack
from webrtc import vendor

pytestmark = pytest.mark.browser

ORDER_JS = """
window.order = [];
const fetched = window.fetch;
window.fetch = (...what) => {
  if (what[1]?.method === "POST" && String(what[0]).includes("/whep/")) order.push("offer");
  return fetched(...what);
};
window.__THREE_DEVTOOLS__ = new EventTarget(); // three.js tells it that it is there
window.__THREE_DEVTOOLS__.addEventListener("register", () => order.push("three.js"));
document.addEventListener("drawn", () => order.includes("drawn") || order.push("drawn"), true);
"""

THERE = all(vendor.complete(name, package) for name, package in vendor.catalogue().items())


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def finished(caller: Caller) -> list[dict[str, Any]]:
    """Turns that were heard to their end."""
    return [message for message in caller.messages("turn") if message["what"] == "finished"]


def session_of(caller: Caller) -> str:
    return str(caller.messages("session")[0]["session"])


def questions(stack: Stack, caller: Caller, mode: str) -> None:
    """Whether those who look on may ask."""
    wish = json.dumps({"questions": mode}).encode()
    address = f"{stack.url}api/v1/sessions/{session_of(caller)}/audience"
    urllib.request.urlopen(urllib.request.Request(address, wish, {"Content-Type": "application/json"}), timeout=30)


@contextmanager
def another(stack: Stack, caller: Caller, flags: Sequence[str]) -> Iterator[Caller]:
    """One more who looks on for a while."""
    with Caller(stack.url, beside=caller, flags=flags) as late:
        try:
            yield late
        finally:
            # A browser that is ended at once does not get to say that its viewer leaves.
            late.page.goto("about:blank")
            caller.until(lambda: caller.page.inner_text("#audience") == "1 watching", "who left is still counted")


@pytest.fixture(scope="module")
def caller(stack: Stack) -> Iterator[Caller]:
    with Caller(stack.url) as caller:
        yield caller.open("?persona=campus&mode=text").start()


@pytest.fixture(scope="module")
def viewer(stack: Stack, caller: Caller) -> Iterator[Caller]:
    """Joins while the avatar talks."""
    caller.until(lambda: finished(caller), "the greeting was not heard")
    caller.type("How do I apply for a place at the university?")
    caller.until(lambda: caller.state() == "speaking", "no answer began")
    with Caller(stack.url, beside=caller) as viewer:
        viewer.open(f"view/{session_of(caller)}")
        yield viewer


def test_a_viewer_joins_in_the_middle_sees_hears_and_reads(caller: Caller, viewer: Caller) -> None:
    viewer.page.wait_for_function("document.querySelector('video#avatar').videoWidth > 0")
    viewer.until(lambda: viewer.state() in ("speaking", "listening"), "the viewer page is not live")
    caller.until(lambda: len(finished(caller)) >= 2, "the greeting and the answer did not end")
    done = len(finished(caller))
    caller.type("When is the library open?")
    caller.until(lambda: len(finished(caller)) > done, "the second answer did not end")
    said = words(finished(caller)[-1]["heard"])
    viewer.until(
        lambda: (shown := words(viewer.page.inner_text("#captions"))) and said[-len(shown) :] == shown,
        "what is read is not what was said",
    )
    viewer.until(
        lambda: viewer.page.inner_text("#asked").strip() == "When is the library open?", "the question is not read"
    )
    recording = viewer.collect()
    heard_s = sum(b - a for a, b in recording.audible()) / RATE_HZ
    assert heard_s > 2.0, "the answers were heard"
    assert len(recording.pictures) > 20, "pictures moved"


@pytest.mark.parametrize(
    "front", ["2d", pytest.param("3d", marks=pytest.mark.skipif(not THERE, reason="python -m webrtc.vendor brings it"))]
)
def test_who_joins_in_the_middle_hears_and_sees(stack: Stack, caller: Caller, viewer: Caller, front: str) -> None:
    """Nothing after the first picture has to come for it; `bin/bench joins` says how soon."""
    with another(stack, caller, SOFTWARE_3D) as late:
        found = joined(late.page, f"{stack.url}view/{session_of(caller)}{WAYS[front]}", front)
        shown = "[data-front=avatar3d]" if front == "3d" else "[data-picture=moving]"
        late.page.wait_for_selector(f"#face{shown}", timeout=60_000)
    # In what order a page hears of connection, sound and picture, some ms apart, is its browser's own affair.
    assert min(found.connected, found.sound, found.seen) > 0


@pytest.mark.skipif(not THERE, reason="python -m webrtc.vendor brings it")
def test_the_offer_is_out_before_anything_runs_that_draws_in_3d(stack: Stack, caller: Caller, viewer: Caller) -> None:
    with another(stack, caller, SOFTWARE_3D) as late:
        late.page.add_init_script(ORDER_JS)
        late.open(f"view/{session_of(caller)}{WAYS['3d']}")
        late.until(lambda: "drawn" in late.page.evaluate("order"), "no head is drawn", 60)
        assert late.page.evaluate("order.filter((what, n) => order.indexOf(what) === n)") == [
            "offer",
            "three.js",
            "drawn",
        ]
        offers = late.page.evaluate("order.filter((what) => what === 'offer').length")
        assert offers == 1, "what was begun is taken over"


def test_a_viewer_whose_browser_cannot_draw_in_3d_sees_the_pictures(
    stack: Stack, caller: Caller, viewer: Caller
) -> None:
    with another(stack, caller, ["--disable-3d-apis"]) as late:
        late.open(f"view/{session_of(caller)}{WAYS['3d']}")
        late.until(lambda: "front=3d" not in late.page.url, "it still waits for a head", 60)
        late.until(
            lambda: late.page.evaluate("document.querySelector('video#avatar').videoWidth"), "there is no picture", 60
        )
        late.until(lambda: late.state() in ("speaking", "listening"), "it is not live")


def test_both_are_told_how_many_look_on(caller: Caller, viewer: Caller) -> None:
    viewer.until(lambda: viewer.page.inner_text("#viewers") == "1 watching", "the viewer is not counted")
    caller.until(lambda: caller.page.inner_text("#audience") == "1 watching", "the caller is not told")
    assert viewer.page.evaluate("document.querySelector('#start, #text, #interrupt') === null"), "viewers only look on"


def test_the_list_is_not_shown_unless_the_operator_wants_it(stack: Stack, caller: Caller) -> None:
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    assert stack.get("live/sessions", elsewhere)[0] == 403
    assert session_of(caller) in stack.get("live/sessions")[1], "the operator sees them"


def test_who_may_see_the_list_chooses_a_conversation_there(stack: Stack, caller: Caller, viewer: Caller) -> None:
    with Caller(stack.url, beside=caller) as operator:
        operator.open("live")
        operator.page.click(f'#broadcasts a[href="/view/{session_of(caller)}"]', timeout=60_000)
        operator.until(lambda: operator.state() in ("speaking", "listening"), "it is not live")


def test_sound_that_the_browser_holds_back_comes_with_a_tap(stack: Stack, caller: Caller, viewer: Caller) -> None:
    with Caller(stack.url, beside=caller, flags=["--autoplay-policy=document-user-activation-required"]) as late:
        late.open(f"view/{session_of(caller)}")
        late.page.wait_for_selector("#unlock:not([hidden])", timeout=60_000)
        late.until(lambda: len(late.collect().pictures) > 10, "no picture moves before the tap")
        assert late.page.evaluate("document.querySelector('video#avatar').muted")
        late.page.click("#unlock")
        late.page.evaluate("window.ear.context.resume()")
        assert not late.page.is_visible("#unlock")
        assert late.page.is_visible("#sound")
        caller.type("How do I borrow books?")
        late.until(lambda: late.collect() and late.recording.audible(), "nothing is heard after the tap")


def test_those_who_look_on_ask_on_the_page_and_are_answered(stack: Stack, caller: Caller, viewer: Caller) -> None:
    assert not viewer.page.is_visible("#ask"), "questions are not taken until the host says so"
    asked = len(finished(caller))
    try:
        questions(stack, caller, "open")
        viewer.until(lambda: viewer.page.is_visible("#ask"), "the page has no box for questions")
        viewer.page.fill("#ask-name", "Ana")
        viewer.page.fill("#ask-text", "When is the library open?")
        viewer.page.click("#ask button")
        viewer.until(lambda: "in turn" in viewer.page.inner_text("#ask-news"), "it is not said that it was taken")
        caller.until(
            lambda: any(
                turn["heard"].startswith("Ana asks: When is the library open") for turn in finished(caller)[asked:]
            ),
            "the question was not read out",
        )
        caller.until(lambda: len(finished(caller)) >= asked + 2, "it was not answered")
    finally:
        questions(stack, caller, "off")
        viewer.until(lambda: not viewer.page.is_visible("#ask"), "the box for questions stays")


def test_when_the_caller_leaves_the_host_is_away_and_comes_back(caller: Caller, viewer: Caller) -> None:
    caller.page.goto("about:blank")
    viewer.until(lambda: viewer.state() == "away", "the host is not away")
    assert "away" in viewer.page.inner_text("#pause").lower()
    caller.page.go_back()
    caller.until(lambda: caller.state() == "listening", "the caller did not come back")
    viewer.until(lambda: viewer.state() == "listening", "the viewer does not see the host again")
    assert not viewer.page.is_visible("#pause")


def test_an_edge_that_dies_is_come_back_to(stack: Stack, caller: Caller, viewer: Caller) -> None:
    before = len(viewer.collect().pictures)
    stack.kill("webrtc")
    viewer.until(lambda: viewer.state() == "connecting" or len(viewer.collect().pictures) > before + 60, "not noticed")
    viewer.until(lambda: viewer.state() in ("listening", "away"), "the viewer did not come back")
    caller.until(lambda: caller.state() == "listening", "the caller did not come back")
    at = len(viewer.collect().pictures)
    viewer.until(lambda: len(viewer.collect().pictures) > at + 10, "no pictures after the edge's death")


def test_the_end_is_shown(caller: Caller, viewer: Caller) -> None:
    if caller.page.is_visible("#stop"):  # not by a first attempt
        caller.page.click("#stop")
    viewer.until(lambda: viewer.state() == "ended", "the end was not seen")
    assert "ended" in viewer.page.inner_text("#pause")
    complaints = [line for line in viewer.console if line.startswith("error") and "Failed to load" not in line]
    assert [line for line in complaints if "ERR_" not in line] == []


def test_a_viewer_who_comes_too_late_is_told(stack: Stack, caller: Caller) -> None:
    with Caller(stack.url, beside=caller) as viewer:
        viewer.open("view/nobody-is-here")
        viewer.until(lambda: viewer.state() == "absent", "nothing was said")
        assert stack.get("view/nobody-is-here/events")[0] == 404

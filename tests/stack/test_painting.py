"""What the call page paints while somebody talks: words, not half the page with every drawing.

On a machine whose CPU draws, painting takes the time that the sound needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bench.barge_in import settle
from bench.spoken import speak, trimmed
from tests.stack.caller import Caller, wav_bytes

pytestmark = pytest.mark.browser

TRACED_S = 2.0
GLOW = "getComputedStyle(document.querySelector('#aura')).opacity"
TILES = 200
"""In that time. Words alone are about 50; a glow that is painted anew with each drawing was 1000."""


@pytest.fixture(autouse=True)
def in_peace(caller: Caller) -> Iterator[None]:
    yield
    settle(caller)


def tiles_painted(caller: Caller, meanwhile: Callable[[], Any]) -> int:
    """How many tiles the page rasterises while `meanwhile` goes on."""
    devtools = caller.page.context.new_cdp_session(caller.page)
    events: list[dict[str, Any]] = []
    complete: list[bool] = []
    devtools.on("Tracing.dataCollected", lambda piece: events.extend(piece["value"]))
    devtools.on("Tracing.tracingComplete", lambda _: complete.append(True))
    categories = ["cc", "disabled-by-default-devtools.timeline", "devtools.timeline"]
    devtools.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": {"includedCategories": categories}})
    meanwhile()
    caller.wait(TRACED_S)
    devtools.send("Tracing.end")
    caller.until(lambda: complete, "the trace does not end")
    devtools.detach()
    assert any(event["name"] == "FireAnimationFrame" for event in events), "nothing was traced"
    return sum(event["name"] == "RasterTask" for event in events)


def test_while_the_avatar_talks(caller: Caller) -> None:
    caller.type("When is the library open?")
    caller.until(lambda: caller.state() == "speaking", "no answer")
    caller.until(lambda: 0.5 <= float(caller.page.evaluate(GLOW)) <= 0.9, "it does not glow")
    painted = tiles_painted(caller, lambda: None)
    assert painted < TILES


def test_while_the_person_talks(caller: Caller) -> None:
    levels = "window.levels = []; setInterval(() => levels.push(document.querySelector('#mute').style.cssText), 40)"
    caller.page.evaluate(levels)
    question = wav_bytes(trimmed(speak("what sports can i do here please", "rms")), 16_000)
    painted = tiles_painted(caller, lambda: caller.say(question, "question"))
    assert len(set(caller.page.evaluate("window.levels"))) > 2, "the ring around the microphone does not move"
    assert painted < TILES

"""The call page in a thumb's hands: nothing sticks out, everything can be tapped, the face is seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.page_harness.browser import SOFTWARE_3D
from tests.stack.caller import HERE, Caller
from tests.stack.running import Stack

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 390, 844
SMALLEST_PX = 40

LOOK = (HERE / "reach.js").read_text(encoding="utf-8")
FACE = """() => {
  const video = document.querySelector("video#avatar");
  const { left, top, width, height } = video.getBoundingClientRect();
  return { size: [width, height], seen: document.elementFromPoint(left + width / 2, top + height * 0.4) === video };
}"""


@pytest.fixture(scope="module")
def phone(stack: Stack) -> Iterator[Caller]:
    device: dict[str, Any] = {"is_mobile": True, "has_touch": True, "device_scale_factor": 2}
    with Caller(stack.url, viewport=(WIDTH, HEIGHT), flags=SOFTWARE_3D, **device) as caller:
        yield caller


def all_is_within_reach(phone: Caller, fewest: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> set[str]:
    """Names of the controls there are; whatever does not scroll lies in the picture and is hit where it is tapped."""
    if phone.page.is_visible("#dismiss"):  # what a busy machine has to say lies over the tabs
        phone.page.tap("#dismiss")
    looked = phone.page.evaluate(LOOK)
    assert looked["page"] == list(size), "the page itself does not scroll"
    assert looked["out"] == []
    controls = looked["controls"]
    assert len(controls) >= fewest
    small = [c for c in controls if min(c["box"]["width"], c["box"]["height"]) < SMALLEST_PX]
    assert small == []
    fixed = [c for c in controls if not c["scrolls"]]
    covered = [c for c in fixed if not c["hit"] or c["box"]["top"] < 0 or c["box"]["bottom"] > size[1]]
    assert covered == [], phone.page.inner_text("#notice")
    for one, other in ((a, b) for a in fixed for b in fixed if a is not b):
        assert not _overlap(one["box"], other["box"]), f"{one['name']} lies over {other['name']}"
    return {c["name"] for c in controls}


def _overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    return (
        min(one["right"], other["right"]) - max(one["left"], other["left"]) > 0.5
        and min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) > 0.5
    )


def test_before_the_call(phone: Caller) -> None:
    phone.open("?persona=host")
    phone.page.wait_for_selector("#start:not([disabled])")
    assert {"start", "microphone-test", "Speak", "Type"} <= all_is_within_reach(phone, 7)


def test_in_the_call_the_face_is_seen_and_every_control_can_be_tapped(phone: Caller) -> None:
    if phone.page.is_visible("#start"):
        phone.page.tap("#start")
    else:  # a first attempt on a busy machine
        phone.type("What is Visavis?")
    phone.until(lambda: phone.state() == "speaking", "it does not talk")
    phone.page.wait_for_function("document.querySelector('video#avatar')?.videoWidth > 0", timeout=60_000)
    names = all_is_within_reach(phone, 10)
    assert {"mute", "mode", "people", "interrupt", "stop", "text", "send"} <= names
    face = phone.page.evaluate(FACE)
    assert face["size"][0] == WIDTH
    assert face["size"][1] > 0.3 * HEIGHT
    assert face["seen"]
    phone.page.wait_for_selector("#face[data-picture=moving]")


def test_long_captions_stay_within_the_picture(phone: Caller) -> None:
    phone.page.fill("#text", "What is Visavis?")
    phone.page.tap("#send")
    phone.until(lambda: len(phone.page.inner_text("#captions")) > 60, "no captions came")
    all_is_within_reach(phone, 10)
    face, captions = (
        phone.page.evaluate(f"() => document.querySelector('{name}').getBoundingClientRect().toJSON()")
        for name in ("#face", "#captions")
    )
    assert captions["top"] > face["top"] + 0.3 * face["height"], "the eyes are not written over"
    assert captions["bottom"] <= face["bottom"] + 0.5


def test_a_microphone_is_chosen_from_the_change_menu(phone: Caller) -> None:
    phone.page.tap("#people")
    phone.page.tap("#microphone-choice")
    phone.page.wait_for_selector("#microphone-menu:popover-open select")
    box = phone.page.evaluate("() => document.querySelector('#microphone-menu').getBoundingClientRect().toJSON()")
    assert box["left"] >= 0
    assert box["right"] <= WIDTH
    assert box["bottom"] <= HEIGHT
    assert phone.page.locator("#microphone-menu select option").count() >= 1
    phone.page.keyboard.press("Escape")
    phone.page.keyboard.press("Escape")
    phone.page.wait_for_selector("#people-menu", state="hidden")


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (932, 430)], ids=["small", "large"])
def test_lying_on_its_side_the_face_has_one_half_and_the_controls_the_other(
    phone: Caller, size: tuple[int, int]
) -> None:
    phone.page.set_viewport_size({"width": size[0], "height": size[1]})
    try:
        assert {"mute", "stop", "text", "send"} <= all_is_within_reach(phone, 8, size)
        face, text = (
            phone.page.evaluate(f"() => document.querySelector('{name}').getBoundingClientRect().toJSON()")
            for name in ("video#avatar", "#dialogue-panel")
        )
        assert face["width"] > 0.4 * size[0]
        assert face["height"] > 0.7 * size[1]
        assert text["left"] >= face["right"] - 0.5
        assert text["height"] > 0.3 * size[1], "there is room to read"
    finally:
        phone.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


def test_it_ends_and_complains_of_nothing(phone: Caller) -> None:
    if phone.page.is_visible("#stop"):  # not by a first attempt
        phone.page.tap("#stop")
    phone.page.wait_for_selector("#lobby", state="visible")
    assert [line for line in phone.console if line.startswith("error")] == []

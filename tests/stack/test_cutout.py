"""What a face stands before, live: the page's own, a colour, its own again; nothing is negotiated anew."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.stack.caller import Caller
from tests.stack.running import Stack
from tests.stack.test_control_api import ask

pytestmark = pytest.mark.browser


def shown(caller: Caller) -> np.ndarray:
    """(h, w, 3) BGR: the face as a person sees it."""
    picture = cv2.imdecode(np.frombuffer(caller.page.locator(".picture").screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def test_a_transparent_background_shows_the_pages_own(stack: Stack) -> None:
    with Caller(stack.url) as caller:
        caller.open("?persona=host&mode=text&background=transparent")
        caller.start()
        size = caller.page.evaluate("(({videoWidth, videoHeight}) => [videoWidth, videoHeight])(avatar)")
        assert size[0] == 2 * size[1]
        caller.page.wait_for_selector("#face[data-picture=moving]")
        caller.wait(1.0)
        picture = shown(caller).astype(int)
    height, width = picture.shape[:2]
    beside = picture[height // 3, width // 12]
    nose = picture[height // 2, width // 2]
    assert beside[2] >= beside[0], "the page is warm, the portrait's own background is cool"
    assert beside.min() > 200
    assert nose[2] > nose[0] + 40, "skin"


def test_the_background_changes_by_the_api_in_the_middle_of_a_call(stack: Stack) -> None:
    with Caller(stack.url) as caller:
        caller.open("?persona=host&mode=text").start()
        session = caller.messages("session")[0]["session"]

        def stands_before(background: str) -> np.ndarray:
            """The picture's upper corners, once it is so."""
            ask(stack, "POST", f"/sessions/{session}/act", {"background": background})
            caller.until(
                lambda: [m["background"] for m in caller.messages("background")][-1:] == [background],
                "the page was not told",
                60,
            )
            wide = background == "transparent"
            caller.until(
                lambda: caller.page.evaluate("avatar.videoWidth > avatar.videoHeight") == wide, "no picture", 60
            )
            caller.until(
                lambda: (caller.page.get_attribute("#face", "data-cutout") is not None) == wide, "no canvas", 60
            )
            assert caller.page.input_value("#background") == background
            picture = shown(caller).astype(int)
            return picture[picture.shape[0] // 12, [picture.shape[1] // 6, -picture.shape[1] // 6]].mean(0)

        own = shown(caller).astype(int)[20, 60]
        caller.until(lambda: np.abs(stands_before("#c03040") - (0x40, 0x30, 0xC0)).max() < 25, "no colour came", 60)
        beside = stands_before("transparent")
        assert beside.min() > 200, "the page's own"
        caller.until(lambda: np.abs(stands_before("none") - own).max() < 40, "its own did not come back", 60)
        assert len(caller.messages("offer", "out")) == 1

"""The figure laid over the page: no background comes along, and the mouth still speaks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.stack.caller import Caller
from tests.stack.running import Stack

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

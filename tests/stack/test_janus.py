"""A viewer page in a real browser that plays a conversation from Debian's Janus: seen, heard, read; and Janus dies."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator

import pytest

from tests.stack.caller import Caller
from tests.stack.running import Stack, free_port
from tests.stack.spoken_to import SpokenTo
from webrtc.janus_server import JanusServer, janus

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("janus"), reason="needs Janus: apt-get install janus"),
]
KEY = "the tests' key to mountpoints"
WITHIN_S = 60


@pytest.fixture(scope="module")
def server() -> Iterator[JanusServer]:
    with janus(free_port(), KEY) as server:
        yield server


@pytest.fixture(scope="module")
def spoken(stack: Stack, server: JanusServer) -> Iterator[SpokenTo]:
    """A conversation that is pushed into Janus."""
    with SpokenTo(stack.url) as spoken:
        wish = json.dumps({"url": f"janus+{server.url}", "token": KEY}).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(door(stack, spoken), data=wish, headers=headers), timeout=30)
        yield spoken


def door(stack: Stack, spoken: SpokenTo) -> str:
    return f"{stack.url}api/v1/sessions/{spoken.session}/push"


def state(stack: Stack, spoken: SpokenTo) -> str:
    with urllib.request.urlopen(door(stack, spoken), timeout=30) as reply:
        return str(json.load(reply)["pushes"][0]["state"])


def test_the_viewer_page_plays_from_janus_and_comes_back_after_its_death(
    stack: Stack, server: JanusServer, spoken: SpokenTo
) -> None:
    with Caller(stack.url) as viewer:
        viewer.until(lambda: state(stack, spoken) == "live", "it is not pushed", WITHIN_S)
        viewer.open(f"view/{spoken.session}?via=janus")
        seen_and_heard(viewer)
        viewer.until(lambda: viewer.page.inner_text("#captions").strip(), "no captions", WITHIN_S)
        server.stop(kill=True)
        viewer.until(lambda: viewer.state() == "connecting", "the page does not notice", WITHIN_S)
        viewer.until(lambda: state(stack, spoken) != "live", "the edge does not notice", WITHIN_S)
        server.start()
        seen_and_heard(viewer)
        viewer.page.evaluate("document.querySelector('#captions').replaceChildren()")
        viewer.until(lambda: viewer.page.inner_text("#captions").strip(), "no captions afterwards", WITHIN_S)


def seen_and_heard(viewer: Caller) -> None:
    """From now on."""
    viewer.until(lambda: viewer.state() in ("speaking", "listening", "thinking"), "it is not live", WITHIN_S)
    pictures, sounds = (len(found) for found in (viewer.collect().pictures, viewer.recording.audible()))
    viewer.until(lambda: len(viewer.collect().pictures) > pictures + 10, "no picture moves", WITHIN_S)
    viewer.until(lambda: viewer.collect() and len(viewer.recording.audible()) > sounds, "nothing is heard", WITHIN_S)

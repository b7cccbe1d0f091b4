"""A viewer page in a real browser that plays a conversation from Debian's Janus: seen, heard, read; and Janus dies."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator

import pytest

from tests.e2e.page_harness.browser import SOFTWARE_3D
from tests.stack.caller import Caller
from tests.stack.in_time import HEARD_JS, WATCH_JS
from tests.stack.reading import shapes, words_late_ms
from tests.stack.running import Stack, free_port
from tests.stack.spoken_to import SpokenTo
from webrtc import vendor
from webrtc.janus_server import JanusServer, janus

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("janus"), reason="needs Janus: apt-get install janus"),
]
KEY = "the tests' key to mountpoints"
WITHIN_S = 60
LONG_S = 120
"""A head is drawn by the CPU, and sentences come one after the other."""

TOGETHER_MS = 1_000
"""Captions and the sound of their words, on a machine that draws heads meanwhile."""

SHAPES = 6
"""Of the fourteen there are; a few sentences have more."""

UNDATED_JS = """
const dated = RTCRtpReceiver.prototype.getStats;
RTCRtpReceiver.prototype.getStats = async function () {
  const found = await dated.call(this);
  return new Map([...found].map(([id, entry]) => [id, { ...entry, estimatedPlayoutTimestamp: undefined }]));
};
"""
"""A browser that does not say how the server dates what it plays."""
WHEP_JS = "performance.getEntriesByType('resource').some(({ name }) => name.includes('/whep/'))"

THERE = all(vendor.complete(name, package) for name, package in vendor.catalogue().items())


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


@pytest.mark.skipif(not THERE, reason="needs static/vendor: python -m webrtc.vendor")
def test_a_page_that_draws_the_face_itself_speaks_in_time(stack: Stack, server: JanusServer, spoken: SpokenTo) -> None:
    with Caller(stack.url, flags=SOFTWARE_3D) as viewer:
        viewer.page.add_init_script(WATCH_JS)
        viewer.page.add_init_script(HEARD_JS)
        viewer.until(lambda: state(stack, spoken) == "live", "it is not pushed", WITHIN_S)
        viewer.open(f"view/{spoken.session}?via=janus&front=3d&quality=low")
        viewer.page.wait_for_selector("#face[data-front=avatar3d]", timeout=1000 * LONG_S)
        viewer.until(lambda: len(shapes(viewer)) >= SHAPES, "the mouth does not move", LONG_S)
        late_ms = words_late_ms(stack, viewer, spoken.session, LONG_S)
        assert -TOGETHER_MS < late_ms < TOGETHER_MS


@pytest.mark.skipif(not THERE, reason="needs static/vendor: python -m webrtc.vendor")
def test_where_its_mouth_would_stand_still_a_page_that_draws_the_face_goes_over_to_the_edge(
    stack: Stack, server: JanusServer, spoken: SpokenTo
) -> None:
    with Caller(stack.url, flags=SOFTWARE_3D) as viewer:
        viewer.page.add_init_script(UNDATED_JS)
        viewer.page.add_init_script(WATCH_JS)
        viewer.until(lambda: state(stack, spoken) == "live", "it is not pushed", WITHIN_S)
        viewer.open(f"view/{spoken.session}?via=janus&front=3d&quality=low")
        viewer.until(lambda: viewer.state() in ("speaking", "listening", "thinking"), "it is not live", LONG_S)
        assert not viewer.page.evaluate(WHEP_JS), "it plays from Janus"
        viewer.page.wait_for_selector("#face[data-front=avatar3d]", timeout=1000 * LONG_S)
        viewer.until(lambda: viewer.page.evaluate(WHEP_JS), "it stays with Janus", WITHIN_S)
        viewer.until(lambda: len(shapes(viewer)) >= SHAPES, "the mouth does not move", LONG_S)
        assert not viewer.page.is_visible("#wordless"), "there are words again"


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

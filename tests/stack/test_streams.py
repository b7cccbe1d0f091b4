"""HLS and RTMP out of the real stack: the viewer page by hls.js, ffprobe at the edge's playlist, a real nginx."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.page_harness.browser import SOFTWARE_3D
from tests.outputs.media_server import MediaServer, lacking
from tests.outputs.programme import probe
from tests.stack.caller import Caller
from tests.stack.doors import Push, until
from tests.stack.in_time import HEARD_JS, WATCH_JS
from tests.stack.reading import shapes, words_late_ms
from tests.stack.running import Stack
from tests.stack.spoken_to import SpokenTo
from webrtc import vendor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe is not here: apt-get install ffmpeg"),
    pytest.mark.skipif(
        not all(vendor.complete(name, package) for name, package in vendor.catalogue().items()),
        reason="needs static/vendor: python -m webrtc.vendor",
    ),
]

LONG_S = 90
TOGETHER_MS = 1_000
"""Captions and the sound of their words, on a machine that draws heads meanwhile; a stream is four seconds behind, so
that any mistake would be seconds."""

SHAPES = 6
"""Of the fourteen there are; a few sentences have more."""

LISTEN_JS = """() => {
  const video = document.querySelector("video#avatar");
  window.ear.stream = window.heard.stream = video.captureStream();
  window.ear.renew();
  window.ear.watch(video);
}"""


@pytest.fixture(scope="module")
def spoken(stack: Stack) -> Iterator[SpokenTo]:
    with SpokenTo(stack.url) as spoken:
        yield spoken


@pytest.fixture(scope="module")
def viewer(stack: Stack, spoken: SpokenTo) -> Iterator[Caller]:
    with Caller(stack.url) as viewer:
        viewer.page.add_init_script(HEARD_JS)
        yield viewer.open(f"view/{spoken.session}?via=hls")


def played_s(viewer: Caller) -> float:
    return float(viewer.page.evaluate("document.querySelector('video').currentTime"))


def test_a_page_that_draws_the_face_itself_speaks_in_time(stack: Stack, spoken: SpokenTo) -> None:
    with Caller(stack.url, flags=SOFTWARE_3D) as viewer:
        viewer.page.add_init_script(WATCH_JS)
        viewer.page.add_init_script(HEARD_JS)
        viewer.open(f"view/{spoken.session}?via=hls&front=3d&quality=low")
        viewer.page.wait_for_selector("#face[data-front=avatar3d]", timeout=1000 * LONG_S)
        viewer.until(lambda: viewer.state() in ("listening", "speaking", "thinking"), "nothing is played", LONG_S)
        viewer.page.evaluate(LISTEN_JS)
        viewer.until(lambda: len(shapes(viewer)) >= SHAPES, "the mouth does not move", LONG_S)
        late_ms = words_late_ms(stack, viewer, spoken.session, LONG_S)
        assert -TOGETHER_MS < late_ms < TOGETHER_MS


def test_a_page_without_webrtc_sees_hears_and_reads_in_time(stack: Stack, spoken: SpokenTo, viewer: Caller) -> None:
    viewer.until(lambda: viewer.state() in ("listening", "speaking", "thinking"), "nothing is played", LONG_S)
    assert viewer.page.evaluate("document.documentElement.dataset.path") == "hls"
    assert viewer.page.evaluate("document.querySelector('video').videoWidth") == stack.settings.media.size
    viewer.page.evaluate(LISTEN_JS)
    before = played_s(viewer)
    late_ms = words_late_ms(stack, viewer, spoken.session, LONG_S)
    assert -TOGETHER_MS < late_ms < TOGETHER_MS
    assert played_s(viewer) > before + 3
    viewer.until(lambda: len(viewer.collect().pictures) > 60, "no pictures move")
    assert viewer.page.inner_text("#asked").strip() in spoken.questions


def test_it_is_what_ffprobe_expects_of_a_live_stream(stack: Stack, spoken: SpokenTo, viewer: Caller) -> None:
    told = probe(f"{stack.url}hls/{spoken.session}/index.m3u8", "-show_streams")
    kinds = {each["codec_type"]: each for each in told["streams"]}
    assert {kind: each["codec_name"] for kind, each in kinds.items()} == {"video": "h264", "audio": "aac"}
    assert kinds["video"]["width"] == kinds["video"]["height"] == stack.settings.media.size
    assert abs(float(kinds["video"]["start_time"]) - float(kinds["audio"]["start_time"])) < 0.03


@pytest.mark.skipif(bool(lacking()), reason=lacking())
def test_it_is_pushed_by_rtmp_and_comes_back(stack: Stack, spoken: SpokenTo, tmp_path: Path) -> None:
    server, pulled = MediaServer(tmp_path).start(), tmp_path / "pulled.flv"
    try:
        with Push(stack, spoken.session, server.url("secret-key")) as push:
            command = ["ffmpeg", "-v", "error", "-i", server.url("secret-key"), "-t", "3", "-c", "copy", str(pulled)]
            subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
            told = probe(pulled, "-show_streams", "-count_packets")
            kinds = {each["codec_type"]: each for each in told["streams"]}
            assert {kind: each["codec_name"] for kind, each in kinds.items()} == {"video": "h264", "audio": "aac"}
            assert kinds["video"]["width"] == kinds["video"]["height"] == stack.settings.media.size
            assert min(int(each["nb_read_packets"]) for each in kinds.values()) > 30
            server.kill()
            until(lambda: push.state == "waiting", "nobody noticed that the server died")
            server.start()
            until(lambda: push.state == "live", "the push did not come back")
        assert push.state == "", "it is pushed no longer"
    finally:
        server.kill()
    logs = stack.settings.run_folder() / "logs"
    assert not [path.name for path in logs.glob("*.log*") if re.search(rb"secret-key", path.read_bytes())]


def test_it_goes_on_after_the_outputs_process_died(stack: Stack, viewer: Caller) -> None:
    stack.kill("outputs")
    before = played_s(viewer)
    viewer.until(lambda: played_s(viewer) > before + 8, "it does not play any more", LONG_S)


def test_the_end_is_shown_after_it_was_played(spoken: SpokenTo, viewer: Caller) -> None:
    # Ended: by a first attempt on a busy machine.
    viewer.until(lambda: viewer.state() in ("listening", "speaking", "thinking", "ended"), "it is not played", LONG_S)
    spoken.leave()
    viewer.until(lambda: viewer.state() == "ended", "the end was not seen", LONG_S)
    complaints = [line for line in viewer.console if line.startswith("error") and "Failed to load" not in line]
    assert [line for line in complaints if "ERR_" not in line] == []

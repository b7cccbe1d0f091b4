"""HLS and RTMP out of the real stack: a viewer page by hls.js, ffprobe at the edge's playlist, a real nginx."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.outputs.media_server import MediaServer, lacking, until
from tests.outputs.programme import probe
from tests.stack.caller import Caller
from tests.stack.running import Stack
from tests.stack.test_viewers import finished, session_of, words

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe is not here: apt-get install ffmpeg"),
]


@pytest.fixture(scope="module")
def caller(stack: Stack) -> Iterator[Caller]:
    with Caller(stack.url) as caller:
        yield caller.open("?persona=campus&mode=text").start()


@pytest.fixture(scope="module")
def viewer(stack: Stack, caller: Caller) -> Iterator[Caller]:
    with Caller(stack.url, beside=caller) as viewer:
        yield viewer.open(f"view/{session_of(caller)}?via=hls")


def ask(stack: Stack, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = json.dumps(body).encode() if body else None
    headers = {"Content-Type": "application/json"} if body else {}
    request = urllib.request.Request(f"{stack.url}api/v1/{path}", data=data, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as reply:
        text = reply.read()
        return json.loads(text) if text else None


def played_s(viewer: Caller) -> float:
    return float(viewer.page.evaluate("document.querySelector('video').currentTime"))


def test_a_page_without_webrtc_sees_hears_and_reads_in_time(caller: Caller, viewer: Caller) -> None:
    viewer.until(lambda: viewer.state() in ("listening", "speaking"), "nothing is played", 60)
    assert viewer.page.evaluate("document.documentElement.dataset.path") == "hls"
    assert viewer.page.evaluate("document.querySelector('video').videoWidth") > 0
    caller.until(lambda: finished(caller), "the greeting was not heard", 40)
    done = len(finished(caller))
    caller.type("When is the library open?")
    caller.until(lambda: len(finished(caller)) > done, "the answer did not end", 40)
    said = finished(caller)[-1]["heard"]

    def read() -> bool:
        shown = words(viewer.page.inner_text("#captions"))
        return bool(shown) and shown[-1] == words(said)[-1] and words(said)[-len(shown) :] == shown

    viewer.until(read, "the last words of the answer were not read", 40)
    assert viewer.page.inner_text("#asked").strip() == "When is the library open?"


def test_it_is_what_ffprobe_expects_of_a_live_stream(stack: Stack, caller: Caller, viewer: Caller) -> None:
    index = f"{stack.url}hls/{session_of(caller)}/index.m3u8"
    told = probe(index, "-show_streams")
    kinds = {each["codec_type"]: each["codec_name"] for each in told["streams"]}
    assert kinds == {"video": "h264", "audio": "aac"}
    starts = {each["codec_type"]: float(each["start_time"]) for each in told["streams"]}
    assert abs(starts["video"] - starts["audio"]) < 0.03


def test_it_goes_on_after_the_outputs_process_died(stack: Stack, viewer: Caller) -> None:
    stack.kill("outputs")
    before = played_s(viewer)
    viewer.until(lambda: played_s(viewer) > before + 8, "it does not play any more", 60)


def test_it_is_pushed_by_rtmp_and_comes_back(stack: Stack, caller: Caller, tmp_path: Path) -> None:
    if lacking():
        pytest.skip(lacking())
    server = MediaServer(tmp_path).start()
    path = f"sessions/{session_of(caller)}/push"
    try:
        push = ask(stack, "POST", path, {"url": server.url("secret-key")})
        assert "secret-key" not in str(push)

        def state(wanted: str) -> bool:
            (row,) = ask(stack, "GET", path)["pushes"]
            return bool(row["state"] == wanted)

        until(lambda: state("live"), "the push is not live", 60)
        command = ["ffmpeg", "-v", "error", "-i", server.url("secret-key"), "-t", "3", "-c", "copy", tmp_path / "p.flv"]
        subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
        assert len(probe(tmp_path / "p.flv", "-show_streams")["streams"]) == 2
        server.kill()
        until(lambda: state("waiting"), "nobody noticed that the server died", 60)
        server.start()
        until(lambda: state("live"), "the push did not come back", 60)
        ask(stack, "DELETE", f"{path}/{push['id']}")
        assert ask(stack, "GET", path)["pushes"] == []
    finally:
        server.kill()


def test_nobody_s_key_is_in_a_log(stack: Stack) -> None:
    logs = stack.settings.run_folder() / "logs"
    assert not [path.name for path in logs.glob("*.log*") if re.search(rb"secret-key", path.read_bytes())]


def test_the_end_is_shown_after_the_last_word(caller: Caller, viewer: Caller) -> None:
    viewer.until(lambda: viewer.state() in ("listening", "speaking"), "it is not played", 40)
    caller.page.click("#stop")
    viewer.until(lambda: viewer.state() == "ended", "the end was not seen", 40)
    complaints = [line for line in viewer.console if line.startswith("error") and "Failed to load" not in line]
    assert [line for line in complaints if "ERR_" not in line] == []

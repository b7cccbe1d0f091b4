"""The 3D face over the real stack: Vera's voice, heard and seen; nobody draws pictures meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import numpy as np
import pytest

from bench.av_sync import by_sentence
from broker.config import ROOT
from tests.avatar3d.heads import head
from tests.e2e.page_harness.browser import SOFTWARE_3D
from tests.stack.caller import Caller
from tests.stack.in_time import HEARD_JS, SAMPLES_PER_MS, WATCH_JS, Found, lag, levels
from tests.stack.listener import Listener
from tests.stack.running import Stack
from webrtc import vendor

THERE = all(vendor.complete(name, package) for name, package in vendor.catalogue().items())

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not THERE, reason="needs static/vendor: python -m webrtc.vendor"),
]

QUESTIONS = ("What is Visavis?", "How fast do you answer?", "What can I change?", "Where is my data stored?")
ENOUGH = 3
"""Sentences whose lag is known; on a machine that is too busy to draw it takes more questions to get so many."""
CLEAR = 0.5
"""Correlation from which a sentence is believed to be found."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose Vera has a 3D head."""
    avatars = tmp_path_factory.mktemp("faces") / "avatars"
    shutil.copytree(ROOT / "static" / "avatars", avatars)
    for old in (*(avatars / "vera").glob("*.glb"), *(avatars / "vera").glob("*.vrm")):
        old.unlink()
    (avatars / "vera" / "vera.glb").write_bytes(head())
    running = Stack(VISAVIS_PATHS_AVATARS=str(avatars))
    try:
        yield running.start()
    finally:
        running.stop()


def test_her_mouth_in_3d_moves_with_her_voice_and_no_picture_is_drawn(stack: Stack) -> None:
    with Listener(stack.settings) as listener, Caller(stack.url, flags=SOFTWARE_3D) as caller:
        caller.page.add_init_script(WATCH_JS)
        caller.page.add_init_script(HEARD_JS)
        caller.open("?persona=host&mode=text&front=3d&quality=low").start()
        caller.page.wait_for_selector("#face[data-front=avatar3d]", timeout=90_000)
        caller.until(lambda: any(m["what"] == "finished" for m in caller.messages("turn")), "no greeting", 90)
        caller.collect()
        caller.recording.pictures.clear()
        found: list[Found] = []
        shown: set[str] = set()
        for question in QUESTIONS:
            sentences, shapes = _spoken(caller, listener, question)
            found += sentences
            shown |= shapes
            if len(found) >= ENOUGH:
                break
        assert len(caller.collect().pictures) <= 2, "pictures came to a page that draws the face itself"
        # The page takes the sound output's own delay into account; what the tap says is before it.
        output_ms = 1000 * caller.page.evaluate("ear.context.outputLatency")
        print(found, f"sound output {output_ms:.0f} ms")
        assert len(shown) >= 6, f"hardly any mouth shapes: {shown}"
        if not found:
            pytest.skip("no sentence was both heard and drawn clearly enough: this machine is too busy")
        late = float(np.median([each.lag_ms for each in found])) - output_ms
        assert -40 <= late <= 40, f"the mouth comes {late:.0f} ms after the voice"
        # And back to the picture, in the middle of an answer.
        caller.type("How fast do you answer?")
        caller.until(lambda: caller.state() == "speaking", "no answer began", 60)
        caller.page.click("#front")
        caller.page.wait_for_selector("#face[data-front=portrait]", timeout=60_000)
        caller.recording.pictures.clear()
        caller.until(lambda: len(caller.collect().pictures) >= 10, "the pictures did not come back", 60)
        assert len(caller.messages("offer", "out")) == 1


def _spoken(caller: Caller, listener: Listener, question: str) -> tuple[list[Found], set[str]]:
    """Ask, hear the answer to its end; the lags of its sentences, and the shapes that were seen."""
    before = len(caller.messages("turn"))
    caller.page.evaluate("() => { drawn.length = 0; heard.take(); }")
    caller.type(question)
    finished = caller.until(
        lambda: next((m for m in caller.messages("turn")[before:] if m["what"] == "finished"), None),
        "the answer did not end",
        90,
    )
    assert finished["heard"] == finished["text"]
    caller.wait(0.5)
    session = caller.messages("session")[0]
    sound, drawn = levels(caller.page.evaluate("heard.take()")), caller.page.evaluate("drawn")
    track = [frame[:2] for message in caller.messages("mouth") for frame in message["frames"]]
    played = caller.messages("played", "out")
    found = []
    for spoken in by_sentence(listener.of("phonemes", finished["turn"])):
        at = [(m, (m["rtp"] - session["audio_offset"]) % 2**32) for m in played]
        message, sample = min(at, key=lambda pair: abs(pair[1] - spoken[0][1]))
        each = lag(spoken, sound, drawn, track, SAMPLES_PER_MS * message["t"] - sample)
        if each and min(each.voice_fit, each.mouth_fit) >= CLEAR:
            found.append(each)
    shown = {name for _, weights in drawn for name, weight in weights.items() if weight > 0.5}
    return found, {name for name in shown if name.startswith("viseme_")}

"""The 3D face over the real stack: Vera's voice, heard and seen; nobody draws pictures meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import numpy as np
import pytest

from broker.config import ROOT
from tests.avatar3d.heads import head
from tests.e2e.page_harness.browser import SOFTWARE_3D
from tests.stack.caller import Caller
from tests.stack.running import Stack
from webrtc import vendor

THERE = all(vendor.complete(name, package) for name, package in vendor.catalogue().items())

pytestmark = pytest.mark.skipif(not THERE, reason="needs static/vendor: python -m webrtc.vendor")

WATCH = """document.addEventListener("drawn", ({ detail }) => {
  (globalThis.drawn ??= []).push([performance.now(), detail.mouth, Object.fromEntries(detail.weights)]);
}, true);"""
OPENNESS = np.array([0, 0, 0.1, 0.3, 0.3, 0.4, 0.25, 0.15, 0.25, 0.3, 1, 0.6, 0.4, 0.8, 0.35])
"""How much of a voice's loudness goes with each viseme, roughly: vowels are loud."""
FURTHEST_MS = 250


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
    with Caller(stack.url, flags=SOFTWARE_3D) as caller:
        caller.page.add_init_script(WATCH)
        caller.open("?persona=host&front=3d&quality=low").start()
        caller.page.wait_for_selector("#face[data-front=avatar3d]", timeout=30_000)
        caller.until(lambda: any(m["what"] == "finished" for m in caller.messages("turn")), "no greeting", 30)
        caller.collect()
        caller.recording.blocks.clear()
        caller.recording.pictures.clear()
        caller.page.evaluate("drawn.length = 0")
        before = len(caller.messages("turn"))
        caller.type("What is Visavis?")
        finished = [*_finished(caller, before)]
        assert finished[0]["heard"] == finished[0]["text"]
        caller.wait(0.5)
        drawn = caller.page.evaluate("drawn")
        recording = caller.collect()
        assert len(recording.pictures) <= 2, "pictures came to a page that draws the face itself"
        lag, fit = lag_ms(recording.levels(), recording.clock, drawn)
        print(f"mouth after voice {lag:.0f} ms (fit {fit:.2f}, {len(drawn)} drawings)")
        # Lips go before the sound they make and loudness comes after it, so this lag is no measure of being in time:
        # tests/e2e has sounds with sharp beginnings for that.
        assert fit > 0.35, "the mouth does not move with the voice"
        shown = {name for _, _, weights in drawn for name, weight in weights.items() if weight > 0.5}
        assert len({name for name in shown if name.startswith("viseme_")}) >= 6, f"hardly any mouth shapes: {shown}"
        # And back to the picture, in the middle of an answer.
        caller.type("How fast do you answer?")
        caller.until(lambda: caller.state() == "speaking", "no answer began")
        caller.page.click("#front")
        caller.page.wait_for_selector("#face[data-front=portrait]", timeout=10_000)
        caller.recording.pictures.clear()
        caller.wait(1.5)
        assert len(caller.collect().pictures) >= 10, "the pictures did not come back"
        assert len(caller.messages("offer", "out")) == 1


def _finished(caller: Caller, before: int) -> Iterator[dict[str, str]]:
    yield caller.until(
        lambda: next((m for m in caller.messages("turn")[before:] if m["what"] == "finished"), None),
        "the answer did not end",
        40,
    )


def lag_ms(
    levels: tuple[np.ndarray, np.ndarray, np.ndarray],
    clock: list[tuple[float, float]],
    drawn: list[tuple[float, list[float], object]],
) -> tuple[float, float]:
    """By how much the mouth comes after the voice, and how well the two agree there (correlation)."""
    frames, _, voice = levels
    pairs = np.array(clock)
    # Pair by pair: on a busy machine the audio clock falls behind the page's.
    sound_ms = np.interp(frames, np.maximum.accumulate(pairs[:, 1]), pairs[:, 0])
    loud = np.convolve(20 * np.log10(np.maximum(voice, 1e-3)), np.ones(9) / 9, "same") + 60
    at_ms = np.array([each[0] for each in drawn])
    opened = np.array([each[1] for each in drawn]) @ OPENNESS
    shifts = np.arange(-FURTHEST_MS, FURTHEST_MS + 1, 5)
    inside = (at_ms > sound_ms[0] + FURTHEST_MS) & (at_ms < sound_ms[-1] - FURTHEST_MS)
    fits = [np.corrcoef(np.interp(at_ms[inside] - shift, sound_ms, loud), opened[inside])[0, 1] for shift in shifts]
    return float(shifts[int(np.argmax(fits))]), float(max(fits))

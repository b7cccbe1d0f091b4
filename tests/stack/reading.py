"""The words a viewer page shows, against the sound of them as it was handed to the loudspeaker."""

from __future__ import annotations

import time

import numpy as np
import pytest

from bench.av_sync import CLEAREST, by_sentence, heard_after
from bench.janus import WATCH_WORDS, turns, viewers_offset
from broker.messages import Event
from tests.stack.caller import Caller
from tests.stack.in_time import SAMPLES_PER_MS, levels
from tests.stack.listener import Listener
from tests.stack.running import Stack

ENOUGH = 8
"""So many are compared with the sound."""


def words_late_ms(stack: Stack, viewer: Caller, session: str, within_s: float) -> float:
    """How late words were shown, from now on: the middle. The page needs HEARD_JS (in_time.py).

    Fails where none are shown; skips where the machine is too busy to play one sentence without holes.
    """
    viewer.page.evaluate(WATCH_WORDS)
    offset = viewers_offset(stack, session)
    sound: list[list[float]] = []
    late: list[float] = []
    end = time.monotonic() + within_s
    with Listener(stack.settings) as listener:
        while len(late) < ENOUGH and time.monotonic() < end:
            viewer.wait(1.0)
            sound += viewer.page.evaluate("heard.take()")
            shown = viewer.page.evaluate("window.shownWords")
            events = [event for event in listener.of("phonemes") if event.session == session]
            late = compared(events, [((rtp - offset) % 2**32, at * SAMPLES_PER_MS) for at, rtp in shown], sound)
    assert len(shown) >= ENOUGH, f"no words are read; state {viewer.state()!r}; console: {viewer.console[-10:]}"
    assert sound, "no sound is played"
    if len(late) < ENOUGH:
        pytest.skip("no sentence was both heard and read clearly enough: this machine is too busy")
    print(f"words late: median {np.median(late):+.0f} ms of {len(late)}")
    return float(np.median(late))


def compared(events: list[Event], shown: list[tuple[int, float]], sound: list[list[float]]) -> list[float]:
    """`shown`: words by their programme sample, and when they came, in samples of the page's clock."""
    late: list[float] = []
    if not sound:
        return late
    frames, loudness = levels(sound)
    for spoken in (each for turn in turns(events) for each in by_sentence(turn)):
        mine = [(sample, at) for sample, at in shown if spoken[0][1] - 960 <= sample < spoken[-1][2]]
        if len(spoken) < 8 or len(mine) < 3:
            continue
        guess = float(np.median([at - sample for sample, at in mine]))
        delay, fit = heard_after(spoken, frames, loudness, guess)
        if fit >= CLEAREST:
            late += [(at - sample - delay) / SAMPLES_PER_MS for sample, at in mine]
    return late


def shapes(viewer: Caller) -> set[str]:
    """Mouth shapes that were drawn clearly. The page needs WATCH_JS (in_time.py)."""
    drawn = viewer.page.evaluate("globalThis.drawn ?? []")
    return {name for _, weights in drawn for name, weight in weights.items() if weight > 0.5 and name != "viseme_sil"}

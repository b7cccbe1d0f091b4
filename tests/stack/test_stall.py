"""The synthesiser stands still in mid-answer: sound, captions and mouth wait together, and nothing is lost."""

from __future__ import annotations

import itertools
import signal

import numpy as np
import pytest

from bench.barge_in import ended, now_ms, over, since
from broker.backchannel import words_of
from tests.stack.caller import RATE_HZ, Caller
from tests.stack.lips import DARK, mouth_box, openings
from tests.stack.running import Stack

pytestmark = pytest.mark.browser

QUESTION = "When is the library open?"
STALL_S = 2.0
"""More than the second of voice that waits in the programme, less than what counts as hung."""


def test_captions_and_mouth_wait_with_the_sound(stack: Stack) -> None:
    synthesisers = [name for name in stack.processes() if name.rpartition(":")[2].startswith("tts-")]
    with Caller(stack.url) as caller:
        caller.open("?persona=campus").start()
        caller.until(lambda: ended(caller), "the greeting did not end", 30)
        session = caller.messages("session")[0]
        caller.page.evaluate("(box) => { window.ear.box = box }", mouth_box("robin"))
        asked, asked_ms = caller.audio_frame(), now_ms(caller)
        caller.type(QUESTION)
        caller.until(lambda: since(caller, "words", asked_ms), "no answer began")
        for name in synthesisers:
            stack.kill(name, signal.SIGSTOP)
        try:
            caller.wait(STALL_S)
            shown = words_of(caller.page.inner_text("#captions"))
        finally:
            for name in synthesisers:
                stack.kill(name, signal.SIGCONT)
        last = over(caller, QUESTION, asked_ms)
        caller.wait(0.5)
        recording = caller.collect()
        entered = [word for m in since(caller, "words", asked_ms) for word in m["words"] if word[0] == last["turn"]]

    assert last["what"] == "finished"
    assert last["heard"] == last["text"], "no word is lost"
    assert words_of(" ".join(word[3] for word in entered)) == words_of(last["text"]), "each is shown once"
    starts = np.array([(word[4] - session["audio_offset"]) % 2**32 for word in entered])
    ends = starts + [word[5] for word in entered]
    assert np.all(np.diff(starts) > 0), "captions come in the order of the sound"
    gaps = starts[1:] - ends[:-1]
    widest = int(np.argmax(gaps))
    assert gaps[widest] > RATE_HZ / 2, "the sound went on although there was no voice"
    silences = [b - a for (_, a), (b, _) in itertools.pairwise(recording.audible()) if a > asked]
    assert max(silences) > 0.8 * gaps[widest], "nor is it heard to go on"
    come = [words_of(" ".join(word[3] for word in entered[: k + 1])) for k in range(widest + 1)]
    assert shown
    assert any(words[-len(shown) :] == shown for words in come), "nor do the captions, in the page"
    at, mouth = openings(recording, session["video_offset"])
    waiting = mouth[(at > ends[widest] + RATE_HZ // 4) & (at < starts[widest + 1] - RATE_HZ // 10)]
    assert len(waiting) >= 3, "pictures go on"
    assert np.mean(waiting <= DARK) > 0.8, "the mouth is closed while nothing sounds"

"""A whole conversation in a real browser: spoken and typed turns, a barge-in, lips, captions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from tests.stack import conversation
from tests.stack.caller import RATE_HZ
from tests.stack.conversation import Call, words
from tests.stack.lips import CLOSED, DARK, OPEN, openings, phones
from tests.stack.running import Stack

pytestmark = pytest.mark.browser

PICTURE = 1920
"""Samples from one picture to the next: a slow browser may show the one after."""

LOOKED_AT = (
    "How do I apply for a place?",
    "When is the library open?",
    "What does a meal cost?",
    "How much is the tuition?",
    "Where do I get my student card?",
)


@pytest.fixture(scope="module")
def call(stack: Stack) -> Iterator[Call]:
    with conversation.called(stack.url, stack.settings) as call:
        yield call


def test_it_greets_once_the_page_plays(call: Call) -> None:
    conversation.it_greets_once_the_page_plays(call)


def test_five_spoken_questions_are_understood_answered_and_heard(call: Call) -> None:
    conversation.five_spoken_questions_are_understood_answered_and_heard(call)


def test_a_typed_turn_shares_the_dialogue(call: Call) -> None:
    conversation.a_typed_turn_shares_the_dialogue(call)


def test_a_barge_in_stops_the_answer_and_keeps_what_was_heard(call: Call) -> None:
    conversation.a_barge_in_stops_the_answer_and_keeps_what_was_heard(call)


def test_pictures_follow_the_programme_and_the_lips_follow_the_sound(call: Call) -> None:
    known: list[bool] = []
    # A browser that draws by software beside everything else leaves out pictures, and of a few closures one in ten is a
    # matter of luck: it is watched until enough were seen.
    for question in LOOKED_AT:
        if len(known) < 20:
            known += [each for each in _watch_an_answer(call, question) if each is not None]
    assert len(known) >= 10
    assert np.mean(known) >= 0.9, "the lips meet in p, b and m"


def _watch_an_answer(call: Call, question: str) -> list[bool | None]:
    """Ask, watch the answer, and say of each p, b and m whether the lips met; None when no picture shows it."""
    caller = call.caller
    caller.wait(1.0)
    caller.collect()
    first, done = len(caller.recording.pictures), len(call.turns("finished"))
    caller.type(question)
    turn = call.await_turn(done, "finished")
    caller.wait(1.0)  # of silence after it
    recording = caller.collect()
    recording.pictures = recording.pictures[first:]
    at, mouth = openings(recording, call.session["video_offset"])
    spoken = phones(call.listener.of("phonemes", turn["turn"]))
    assert len(spoken) > 20
    assert np.all(np.diff(at) > 0), "pictures come in programme order"
    per_second = (len(at) - 1) / ((at[-1] - at[0]) / RATE_HZ)
    assert per_second >= 6, f"{per_second:.1f} pictures a programme second"
    silent = mouth[(at < spoken[0][1] - 9600) | (at > spoken[-1][2] + 19_200)]
    assert len(silent), "pictures of silence"
    in_vowels = np.concatenate([mouth[(at >= a) & (at < b + PICTURE)] for name, a, b in spoken if name in OPEN])
    assert np.mean(in_vowels) > max(DARK, 3 * np.mean(silent)), "the mouth is open in open vowels"
    assert np.sum(silent > DARK) <= max(1, 0.1 * len(silent)), "the mouth is closed in silence"
    return [_closed_near(at, mouth, a, b) for name, a, b in spoken if name in CLOSED]


def _closed_near(at: np.ndarray, mouth: np.ndarray, start: float, end: float) -> bool | None:
    """Whether a picture of the closure (a tick of slack) shows closed lips.

    None when none was shown in the closure itself: one on its rim alone shows lips on their way.
    """
    if np.any(mouth[(at >= start - 960) & (at < end + PICTURE)] <= DARK):
        return True
    return False if np.any((at >= start) & (at < end)) else None


def test_captions_show_exactly_what_was_heard(call: Call) -> None:
    caller = call.caller
    turn = call.turns("finished")[-1]
    shown = caller.page.evaluate("() => document.querySelector('#captions').innerText")
    assert words(shown)
    assert words(turn["heard"])[-len(words(shown)) :] == words(shown)
    entered = [w for m in caller.messages("words") for w in m["words"] if w[0] == turn["turn"]]
    assert words(" ".join(w[3] for w in entered)) == words(turn["heard"])
    times = [w[4] for w in entered]
    assert times == sorted(times)


def test_the_microphone_comes_in_short_packets(call: Call, stack: Stack) -> None:
    def so_far() -> tuple[float, float]:
        packets = re.findall(r"^visavis_mic_packets_total\{[^}]*\} ([0-9.]+)", stack.metrics(), re.MULTILINE)
        return sum(map(float, packets)), call.caller.audio_frame() / RATE_HZ

    before, before_s = so_far()
    call.caller.wait(2.0)
    after, after_s = so_far()
    assert (after - before) / (after_s - before_s) > 75, "10 ms each, as asked for; 20 would be 50 a second"


def test_nothing_complained(call: Call, stack: Stack) -> None:
    assert [line for line in call.caller.console if line.startswith("error")] == []
    assert call.caller.messages("error") == []
    faults = re.findall(r"^visavis_\w*faults\w*\{[^}]*\} ([0-9.]+)", stack.metrics(), re.MULTILINE)
    assert all(float(count) == 0 for count in faults)

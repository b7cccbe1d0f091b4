from __future__ import annotations

import numpy as np

from workers.vad.segmenter import WINDOW, Change, Mark, Segmenter, SegmenterConfig

LOUD = (np.sin(np.arange(WINDOW) * 0.5) * 8000).astype(np.int16)
QUIET = np.full(WINDOW, 2, np.int16)


def run(segmenter: Segmenter, *pieces: tuple[int, float]) -> list[Mark]:
    """(windows, probability) …; sound is loud where the probability is."""
    return [
        mark
        for windows, probability in pieces
        for _ in range(windows)
        for mark in segmenter.feed(probability, LOUD if probability > 0.4 else QUIET)
    ]


def changes(marks: list[Mark]) -> list[str]:
    return [mark.change.value for mark in marks]


def test_speech_is_reported_with_its_onset() -> None:
    segmenter = Segmenter()
    assert run(segmenter, (10, 0.01), (1, 0.95)) == []
    assert run(segmenter, (1, 0.95)) == [Mark(Change.STARTED, 10 * WINDOW)]


def test_the_windows_between_know_half_a_window_sooner_and_do_not_say_it_twice() -> None:
    segmenter = Segmenter()
    run(segmenter, (10, 0.01))
    assert segmenter.feed_between(0.3, LOUD) == []
    assert segmenter.feed(0.5, LOUD) == []
    assert segmenter.feed_between(0.3, LOUD) == [Mark(Change.STARTED, 10 * WINDOW - WINDOW // 2)]
    assert segmenter.feed(0.9, LOUD) == []
    assert segmenter.feed_between(0.9, LOUD) == []
    assert segmenter.open


def test_the_windows_between_hear_a_person_go_on_sooner_too() -> None:
    segmenter = Segmenter()
    run(segmenter, (5, 0.9), (5, 0.01))
    assert segmenter.paused
    assert segmenter.feed_between(0.8, LOUD) == []
    assert segmenter.feed(0.2, LOUD) == []
    assert segmenter.feed_between(0.8, LOUD) == [Mark(Change.RESUMED, 10 * WINDOW - WINDOW // 2)]


def test_what_one_row_alone_takes_for_speech_is_none() -> None:
    """A thud: the model doubts whenever it lies elsewhere in its window."""
    segmenter = Segmenter()
    run(segmenter, (10, 0.01))
    for _ in range(10):
        assert segmenter.feed_between(0.9, LOUD) == []
        assert segmenter.feed(0.05, LOUD) == []


def test_a_soft_beginning_counts_towards_speech() -> None:
    segmenter = Segmenter()
    assert run(segmenter, (10, 0.01), (1, 0.22), (1, 0.25)) == []
    assert run(segmenter, (1, 0.9)) == [Mark(Change.STARTED, 10 * WINDOW)]


def test_doubtful_sound_does_not_resume_speech() -> None:
    assert changes(run(Segmenter(), (5, 0.9), (5, 0.01), (12, 0.19))) == ["started", "dipped", "paused"]


def test_a_click_is_not_speech_nor_is_doubt_now_and_then() -> None:
    assert run(Segmenter(), (5, 0.01), (1, 0.99), (5, 0.01), (2, 0.49), (20, 0.01)) == []


def test_a_pause_starts_where_the_sound_stopped_not_where_the_model_noticed() -> None:
    segmenter = Segmenter()
    run(segmenter, (5, 0.9))
    assert segmenter.feed(0.9, QUIET) == []
    assert segmenter.feed(0.1, QUIET) == [Mark(Change.DIPPED, 5 * WINDOW)]
    assert segmenter.feed(0.1, QUIET) == [Mark(Change.PAUSED, 5 * WINDOW)]


def test_in_steady_noise_a_pause_starts_where_the_model_noticed() -> None:
    segmenter = Segmenter()
    for _ in range(6):
        segmenter.feed(0.9, LOUD)
    assert segmenter.feed(0.1, LOUD) == [Mark(Change.DIPPED, 6 * WINDOW)]


def test_one_silent_window_is_no_pause() -> None:
    assert changes(run(Segmenter(), (5, 0.9), (1, 0.1), (5, 0.9))) == ["started", "dipped"]


def test_going_on_after_a_pause_is_the_same_utterance() -> None:
    marks = run(Segmenter(), (5, 0.9), (10, 0.01), (5, 0.9))
    assert changes(marks) == ["started", "dipped", "paused", "resumed"]
    assert marks[-1].sample == 15 * WINDOW


def test_a_click_in_a_pause_does_not_resume_it() -> None:
    assert changes(run(Segmenter(), (5, 0.9), (5, 0.01), (1, 0.9), (5, 0.01))) == ["started", "dipped", "paused"]


def test_a_long_silence_ends_the_utterance_where_speech_stopped() -> None:
    segmenter = Segmenter(SegmenterConfig(longest_silence_ms=1600))
    marks = run(segmenter, (5, 0.9), (60, 0.01))
    assert changes(marks) == ["started", "dipped", "paused", "silence"]
    assert marks[-1].sample == 5 * WINDOW
    assert not segmenter.open


def test_an_utterance_without_end_is_cut_and_the_next_begins() -> None:
    marks = run(Segmenter(SegmenterConfig(longest_utterance_ms=3200)), (203, 0.9))
    assert changes(marks) == ["started", "length", "started", "length", "started"]


def test_what_is_said_after_the_end_the_broker_chose_is_a_new_utterance() -> None:
    segmenter = Segmenter()
    marks = run(segmenter, (5, 0.9), (10, 0.01), (5, 0.9))
    assert segmenter.end(marks[2].sample) == [Mark(Change.STARTED, 15 * WINDOW)]
    assert segmenter.open


def test_speech_that_has_just_begun_when_the_utterance_ends_is_not_lost() -> None:
    segmenter = Segmenter()
    paused = run(segmenter, (5, 0.9), (5, 0.01), (1, 0.9))[-1]
    assert segmenter.end(paused.sample) == []
    assert run(segmenter, (2, 0.9)) == [Mark(Change.STARTED, 10 * WINDOW)]

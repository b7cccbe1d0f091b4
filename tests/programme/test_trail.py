"""What left lately, and where somebody who heard only part of it stopped hearing."""

from __future__ import annotations

from workers.programme.track import Track
from workers.programme.trail import KEPT_SAMPLES, Sent, Trail


def sent(track: Track, start_sample: int, programme_sample: int, samples: int = 960) -> Sent:
    return Sent(track, start_sample, programme_sample, samples)


def test_the_first_unheard_sample_is_found_within_a_piece_and_across_sentences() -> None:
    trail, first, second = Trail(), Track(1, 0), Track(1, 1)
    trail.note(sent(first, 0, 48_000))
    trail.note(sent(first, 960, 48_960, 480))
    trail.note(sent(second, 0, 49_440))
    assert trail.unheard(1, 48_100) == (first, 100)
    assert trail.unheard(1, 49_440) == (second, 0)
    assert trail.unheard(1, 40_000) == (first, 0)
    assert trail.unheard(1, trail.through) is None
    assert trail.unheard(2, 0) is None


def test_what_was_not_heard_no_longer_counts_once_it_is_said_again() -> None:
    trail, track = Trail(), Track(1, 0)
    for tick in range(4):
        trail.note(sent(track, tick * 960, 48_000 + tick * 960))
    trail.forget_after(49_000)
    assert trail.through == 49_000
    assert trail.unheard(1, 49_000) is None


def test_only_the_last_seconds_are_kept() -> None:
    trail, track = Trail(), Track(1, 0)
    for tick in range(1000):
        trail.note(sent(track, tick * 960, tick * 960))
    found = trail.unheard(1, 0)
    assert found is not None
    assert trail.through - found[1] <= KEPT_SAMPLES + 960

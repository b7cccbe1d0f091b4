from __future__ import annotations

from workers.programme.quality import CALM, EARLY, PREPARING, WINDOW, Level, Quality


def levels(late: list[bool]) -> list[Level]:
    quality = Quality()
    return [change[0] for change in map(quality.note, late) if change]


def test_pictures_in_time_change_nothing() -> None:
    assert levels([False] * 500) == []


def test_a_hiccup_changes_nothing() -> None:
    assert levels([False] * 50 + [True] * 9 + [False] * 200) == []


def test_half_of_the_pictures_late_halves_the_rate_and_calm_restores_it() -> None:
    assert levels([False, True] * 25) == [Level.HALF]
    assert levels([False, True] * 25 + [False] * (CALM + WINDOW)) == [Level.HALF, Level.FULL]


def test_a_dead_lipsync_leaves_a_still_picture_and_its_successor_brings_all_back() -> None:
    assert levels([False] * 100 + [True] * 100)[-1] is Level.STILL
    assert levels([False] * 100 + [True] * 100 + [False] * 200)[-2:] == [Level.HALF, Level.FULL]


def test_a_lipsync_that_has_never_answered_gets_longer_to_prepare() -> None:
    assert levels([True] * (PREPARING - 1)) == []
    assert levels([True] * PREPARING) == [Level.STILL]


def test_pictures_that_could_not_have_come_yet_are_no_reason_to_degrade() -> None:
    """The face is prepared for some seconds; then the first pictures come, some of them late."""
    assert levels([True] * (PREPARING - 10) + [False, True] * 6 + [False] * 300) == []


def test_the_first_moments_of_a_call_are_not_judged() -> None:
    assert levels([False] + [True] * 20 + [False] * 300) == []
    assert levels([False] * EARLY + [True] * 20)[0] is Level.HALF


def test_a_lipsync_that_dies_in_the_first_moments_is_seen() -> None:
    assert levels([False] * 5 + [True] * 60) == [Level.STILL]


def test_every_change_has_a_reason() -> None:
    quality = Quality()
    changes = [change for late in [False, True] * 60 + [True] * 60 if (change := quality.note(late))]
    assert changes
    assert all(reason for _, reason in changes)

from __future__ import annotations

from broker.visemes import CLOSED_MOUTH, VISEMES
from tests.programme.play import OPEN_MOUTH
from workers.programme.lips import CLOSE_SAMPLES, OPEN_SAMPLES, Lips, closed, differs, standing_for


def test_the_track_is_shown_as_it_is_once_entered() -> None:
    lips = Lips()
    lips.show(480, OPEN_MOUTH, 0)
    assert lips.at(OPEN_SAMPLES, OPEN_MOUTH, 960) == OPEN_MOUTH


def test_a_mouth_without_voice_is_closed() -> None:
    assert Lips().at(5_000, None, 4_800) == CLOSED_MOUTH


def test_a_broken_off_mouth_closes_steadily_within_80_ms() -> None:
    lips = Lips()
    for n in range(5):
        lips.show(960 * n + 480, OPEN_MOUTH, 960 * n)
    shown = [lips.show(960 * n + 480, None, 960 * n)[10] for n in range(5, 11)]
    assert shown == sorted(shown, reverse=True)
    assert shown[CLOSE_SAMPLES // 960 :] == [0, 0]
    assert 0 < shown[0] < 200


def test_what_is_foreseen_is_what_is_shown() -> None:
    foreseeing, showing = Lips(), Lips()
    for n in range(5):
        foreseeing.show(960 * n + 480, OPEN_MOUTH, 960 * n)
        showing.show(960 * n + 480, OPEN_MOUTH, 960 * n)
    foreseen = [foreseeing.at(4_800 + 960 * n + 480, None, 4_800) for n in range(4)]
    shown = [showing.show(4_800 + 960 * n + 480, None, 4_800 + 960 * n) for n in range(4)]
    assert foreseen == shown


def test_closed_and_different_are_judged_as_one_sees_them() -> None:
    assert closed(CLOSED_MOUTH)
    assert closed(bytes((251,)) + bytes(14))
    assert not closed(OPEN_MOUTH)
    assert not differs(CLOSED_MOUTH, bytes((240,)) + bytes(14))
    assert differs(CLOSED_MOUTH, OPEN_MOUTH)


def test_at_half_the_rate_a_short_closure_is_not_missed() -> None:
    sealed = bytes(242 if name == "PP" else 0 for name in VISEMES)
    assert standing_for([OPEN_MOUTH, sealed]) == sealed
    assert standing_for([sealed, OPEN_MOUTH]) == sealed
    half = bytes(120 if name == "PP" else 0 for name in VISEMES)
    assert standing_for([OPEN_MOUTH, half]) == OPEN_MOUTH

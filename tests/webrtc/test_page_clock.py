"""Page times on the edge's clock: the quickest way decides, and the error is no more than it may be."""

from __future__ import annotations

import random

from webrtc.page_clock import PageClock

MS = 1_000_000


def test_an_instant_of_the_page_is_found_within_half_the_quickest_round_trip() -> None:
    chance = random.Random(0)
    clock, behind_ms = PageClock(), 123_456.0
    quickest_ms = float("inf")
    for second in range(50):
        sent_ms = second * 1000.0
        there_ms = 3 + chance.expovariate(0.2)
        clock.ping(sent_ms - behind_ms, int((sent_ms + there_ms) * MS))
        both_ways_ms = there_ms + 3 + chance.expovariate(0.2)
        clock.round_trip(int(both_ways_ms * MS), int((sent_ms + 20) * MS))
        quickest_ms = min(quickest_ms, both_ways_ms)
    now_ms = 50_010.0
    age_ms = clock.age_ms(50_000.0 - behind_ms, int(now_ms * MS))
    assert abs(age_ms - 10.0) <= quickest_ms / 2 < 5


def test_a_page_time_in_the_future_is_now() -> None:
    clock = PageClock()
    clock.ping(0.0, 1000 * MS)
    assert clock.age_ms(5000.0, 1001 * MS) == 0.0


def test_without_pings_nothing_is_claimed() -> None:
    clock = PageClock()
    assert clock.age_ms(5.0, 7 * MS) == 0.0


def test_a_page_clock_that_drifts_is_followed() -> None:
    clock = PageClock()
    for second in range(600):
        edge_ms = second * 1000.0
        clock.ping(edge_ms * 1.001, int(edge_ms * MS))
    assert abs(clock.age_ms(600_000.0 * 1.001, 600_000 * MS)) < 61

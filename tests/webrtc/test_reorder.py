"""Packets go on at once in order, wait only at a gap, and never for long."""

from __future__ import annotations

import random

import pytest

from webrtc.reorder import WAIT_NS, InOrder, Reorder

MS = 1_000_000


def items(ready: list[InOrder[int]]) -> list[int]:
    return [each.item for each in ready]


def test_packets_in_order_are_not_held() -> None:
    reorder: Reorder[int] = Reorder()
    for n in range(100):
        assert items(reorder.feed((65500 + n) % 65536, n, n * 20 * MS)) == [n]
    assert reorder.due_ns is None


def test_a_swapped_pair_comes_out_in_order() -> None:
    reorder: Reorder[int] = Reorder()
    assert items(reorder.feed(10, 10, 0)) == [10]
    assert items(reorder.feed(12, 12, 20 * MS)) == []
    assert items(reorder.feed(11, 11, 21 * MS)) == [11, 12]
    assert reorder.counts.lost == 0


def test_a_lost_packet_holds_up_what_follows_for_40_ms_and_then_never_again() -> None:
    reorder: Reorder[int] = Reorder()
    reorder.feed(1, 1, 0)
    assert reorder.feed(3, 3, 40 * MS) == []
    assert reorder.feed(4, 4, 60 * MS) == []
    assert reorder.due_ns == 40 * MS + WAIT_NS
    ready = reorder.expire(80 * MS)
    assert [(each.item, each.lost) for each in ready] == [(3, 1), (4, 0)]
    assert items(reorder.feed(5, 5, 80 * MS)) == [5]
    assert reorder.counts.lost == 1


def test_late_and_duplicate_packets_are_left_out_and_counted() -> None:
    reorder: Reorder[int] = Reorder()
    for sequence, now_ns in ((1, 0), (3, 40 * MS)):
        reorder.feed(sequence, sequence, now_ns)
    assert reorder.feed(3, 3, 41 * MS) == []
    reorder.expire(80 * MS)
    assert reorder.feed(2, 2, 81 * MS) == []
    assert reorder.feed(1, 1, 81 * MS) == []
    assert (reorder.counts.late, reorder.counts.duplicate) == (2, 1)


def test_a_jump_in_sequence_numbers_is_a_new_stream_and_not_thousands_of_losses() -> None:
    reorder: Reorder[int] = Reorder()
    reorder.feed(1, 1, 0)
    assert items(reorder.feed(30000, 2, MS)) == [2]
    assert items(reorder.feed(30001, 3, MS)) == [3]
    assert (reorder.counts.lost, reorder.counts.jumps) == (0, 1)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_network_does_packets_come_out_once_and_in_order(seed: int) -> None:
    chance = random.Random(seed)
    arrivals = []
    for n in range(500):
        if chance.random() < 0.05:
            continue
        arrivals.append((n * 20 * MS + chance.randrange(0, 60) * MS, n))
        if chance.random() < 0.02:
            arrivals.append((n * 20 * MS + chance.randrange(0, 90) * MS, n))
    reorder: Reorder[int] = Reorder()
    out: list[InOrder[int]] = []
    for now_ns, n in sorted(arrivals):
        out += reorder.expire(now_ns)
        out += reorder.feed((65400 + n) % 65536, n, now_ns)
    out += reorder.expire(10**12)
    assert items(out) == sorted(set(items(out)))
    first = items(out)[0]
    assert sum(each.lost for each in out) + len(out) == items(out)[-1] - first + 1

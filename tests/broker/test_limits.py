"""A burst is allowed, then a steady rate; addresses do not share."""

from __future__ import annotations

from broker.limits import Bucket, Buckets

S = 1_000_000_000


def test_a_burst_then_the_rate() -> None:
    bucket = Bucket(per_s=10, burst=5)
    assert [bucket.take(0) for _ in range(6)] == [True] * 5 + [False]
    assert bucket.take(S // 10)
    assert not bucket.take(S // 10)
    assert sum(bucket.take(100 * S) for _ in range(50)) == 5


def test_addresses_have_buckets_of_their_own_and_old_ones_are_forgotten() -> None:
    buckets = Buckets(per_s=1, burst=1, most=2)
    assert buckets.take("a", 0)
    assert not buckets.take("a", 0)
    assert buckets.take("b", 0)
    assert buckets.take("c", 0)
    assert buckets.take("a", 0), "forgotten, as it was seen longest ago"

"""How much one page or one address may ask for. A bucket: a burst at once, then a steady rate."""

from __future__ import annotations

from collections import OrderedDict

from broker.clock import NS_PER_S


class Bucket:
    """Holds `burst` tokens, gains `per_s` a second."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._held = burst
        self._at_ns: int | None = None

    def take(self, now_ns: int, cost: float = 1.0) -> bool:
        """Take tokens; False when there are not enough."""
        if self._at_ns is not None:
            self._held = min(self._burst, self._held + (now_ns - self._at_ns) / NS_PER_S * self._per_s)
        self._at_ns = now_ns
        if self._held < cost:
            return False
        self._held -= cost
        return True


class Buckets:
    """A bucket per address, the least recently seen forgotten past `most`."""

    def __init__(self, per_s: float, burst: float, most: int = 1000) -> None:
        self._per_s, self._burst, self._most = per_s, burst, most
        self._held: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, address: str, now_ns: int) -> bool:
        bucket = self._held.pop(address, None) or Bucket(self._per_s, self._burst)
        self._held[address] = bucket
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        return bucket.take(now_ns)

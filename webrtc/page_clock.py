"""A page's clock (`performance.now()`, ms) on the edge's.

Half the quickest round trip is how wrong that can be: the two ways may differ that much.
"""

from __future__ import annotations

from collections import deque

from broker.clock import NS_PER_MS, NS_PER_S

WINDOW_NS = 60 * NS_PER_S
"""How long a measurement counts: page clocks drift by some ms an hour, so a minute is both enough and not too much."""


class PageClock:
    """Fed with pings (page time, when it arrived here) and round trips; the quickest of each in the window decide."""

    def __init__(self) -> None:
        self._offsets: deque[tuple[int, float]] = deque()
        self._round_trips: deque[tuple[int, float]] = deque()

    def ping(self, page_ms: float, now_ns: int) -> None:
        """The page said `page_ms`; it arrived now, after an unknown way."""
        _add(self._offsets, now_ns, now_ns / NS_PER_MS - page_ms)

    def round_trip(self, took_ns: int, now_ns: int) -> None:
        """A WebSocket ping and its pong took this long."""
        _add(self._round_trips, now_ns, took_ns / NS_PER_MS)

    def age_ms(self, page_ms: float, now_ns: int) -> float:
        """How long before now the page's clock showed `page_ms`; never negative. 0 while nothing is known."""
        if not self._offsets:
            return 0.0
        quickest = min(value for _, value in self._offsets)
        one_way = min((value for _, value in self._round_trips), default=0.0) / 2
        return max(0.0, now_ns / NS_PER_MS - page_ms - (quickest - one_way))


def _add(window: deque[tuple[int, float]], now_ns: int, value: float) -> None:
    window.append((now_ns, value))
    while window[0][0] < now_ns - WINDOW_NS:
        window.popleft()

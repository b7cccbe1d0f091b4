"""Counts by upper bound, as Prometheus has them."""

from __future__ import annotations

from collections.abc import Iterator

BOUNDS_S = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.5, 5.0, 10.0)
STAGE_BOUNDS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0)


class Histogram:
    """Seconds: by default those from the end of a person's speech to the first sound of the answer."""

    def __init__(self, bounds_s: tuple[float, ...] = BOUNDS_S) -> None:
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self.sum_s = 0.0

    @property
    def count(self) -> int:
        return sum(self._counts)

    def add(self, value_s: float) -> None:
        place = next((n for n, bound_s in enumerate(self._bounds_s) if value_s <= bound_s), len(self._bounds_s))
        self._counts[place] += 1
        self.sum_s += value_s

    def cumulative(self) -> Iterator[tuple[str, int]]:
        """(upper bound, how many were at most that), the last one `+Inf`."""
        total = 0
        for bound, count in zip([*map(str, self._bounds_s), "+Inf"], self._counts, strict=True):
            total += count
            yield bound, total

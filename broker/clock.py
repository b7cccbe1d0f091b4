"""Now, in the one unit every deadline uses."""

from __future__ import annotations

import time

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

now_ns = time.monotonic_ns
"""Nanoseconds on this host's monotonic clock; comparable between its processes, never between hosts."""

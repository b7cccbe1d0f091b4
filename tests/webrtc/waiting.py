"""Waiting for what happens on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from broker.clock import now_ns


async def until(what: Callable[[], Any], within_s: float = 40.0) -> Any:
    """Wait for something to become true. Fails the test when it does not."""
    end_ns = now_ns() + int(within_s * 1e9)
    while not (value := what()):
        assert now_ns() < end_ns, "it did not happen"
        await asyncio.sleep(0.005)
    return value

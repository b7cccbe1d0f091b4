"""One stack for every test here that does not break it, and a call on it for those that need no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.barge_in import ended
from tests.stack.caller import Caller
from tests.stack.running import Stack


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    running = Stack()
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="module")
def caller(stack: Stack) -> Iterator[Caller]:
    """In a call with the campus guide, whose greeting is over."""
    with Caller(stack.url) as caller:
        caller.open("?persona=campus").start()
        caller.until(lambda: ended(caller), "the greeting did not end")
        yield caller

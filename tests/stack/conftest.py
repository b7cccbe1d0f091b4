"""One stack for every test here that does not break it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stack.running import Stack


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    running = Stack()
    try:
        yield running.start()
    finally:
        running.stop()

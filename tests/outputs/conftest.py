"""What an output is made from."""

from __future__ import annotations

import pytest

from broker.config import Settings
from workers.outputs.sink import Order


@pytest.fixture
def order() -> Order:
    return Order(settings=Settings(), session="s", persona={"id": "vera"}, language="en", origin_ns=0)

"""One thread a library, as the workers run, before anything loads numpy; and what a busy machine may cost a test."""

from __future__ import annotations

import os

import pytest

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

REAL_TIME = ("/tests/e2e/", "/tests/outputs/", "/tests/stack/", "/tests/webrtc/")
"""Real processes, peers and browsers that keep time with each other: two cores that do something else for a second
fail one of some thousand for no fault of the code. Such a test is run once more, and the summary names it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(room in item.path.as_posix() for room in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=1))

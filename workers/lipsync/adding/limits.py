"""Bounds of this process: memory, processor time, and how large a file it may write."""

from __future__ import annotations

import contextlib
import os
import resource

MEMORY = 2 * 1024**3
"""Bytes of address space. Measured: the networks, OpenCV and a photograph of 40 megapixels take 1.2 GB of it."""
PROCESSOR_S = 120
LARGEST_FILE = 256 * 1024**2


def confine(memory: int = MEMORY, processor_s: int = PROCESSOR_S) -> None:
    """Never loosened again in this process or its children. No core file, low priority: others are in a call."""
    for kind, bound in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, processor_s),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        lowest = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (lowest, lowest))
    with contextlib.suppress(OSError):
        os.nice(10)

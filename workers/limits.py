"""Bounds of this process: memory, processor time, and how large a file it may write."""

from __future__ import annotations

import contextlib
import os
import resource

MEMORY = 2 * 1024**3
"""Bytes of address space. Measured: a photograph of 38 megapixels of 16 bit with alpha takes 1.23 GB of it, 0.83 GB of
that resident; one of a few megapixels 0.56 and 0.14."""
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

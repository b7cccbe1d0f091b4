"""Whether engines may use a GPU: the setting `stages.profile`, or `bin/up --profile`, made to hold in a process."""

from __future__ import annotations

import ctypes
import os
from collections.abc import MutableMapping
from typing import Final

from broker.errors import ConfigError

HIDDEN: Final = {"CUDA_VISIBLE_DEVICES": "-1"}
"""No CUDA library of a process with this finds a GPU, whoever wrote it (CUDA C++ Programming Guide, environment)."""


def gpus() -> int:
    """How many NVIDIA GPUs a process like this one can use, as the driver itself says; 0 without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def enforce(profile: str, environ: MutableMapping[str, str] = os.environ) -> None:
    """`cpu` hides every GPU from this process: call it before an engine is imported. `gpu` without one: ConfigError."""
    if profile == "cpu":
        environ.update(HIDDEN)
    if profile == "gpu" and not gpus():
        raise ConfigError(
            "The profile is gpu, and this process finds no NVIDIA GPU: see bin/doctor, or start with "
            "bin/up --profile auto, which takes one where there is one."
        )


def in_words(profile: str) -> str:
    """For bin/doctor."""
    return {
        "cpu": "cpu: no engine uses a GPU, even if there is one",
        "gpu": "gpu: engines that can use a GPU do, and without one nothing starts",
    }.get(profile, "auto: engines that can use a GPU do, where there is one")

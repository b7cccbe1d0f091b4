"""A process ends with the supervisor that started it, so that nothing is left behind when that is killed."""

from __future__ import annotations

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1
"""prctl(2)."""


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies; only under supervisord (it names itself in the environment)."""
    if "SUPERVISOR_ENABLED" not in os.environ:
        return
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    except (OSError, AttributeError):
        return  # not Linux: the supervisor's own shutdown is all there is
    if os.getppid() == 1:
        os.kill(os.getpid(), signal.SIGTERM)

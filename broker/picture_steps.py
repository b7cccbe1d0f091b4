"""The steps in which pictures become cheaper when a caller's line carries less: for the edge, which asks for one, and
the programme, which takes it.
"""

from __future__ import annotations

SHARES = (1.0, 2 / 3, 4 / 9, 5 / 18, 5 / 18)
"""Of the whole bit rate: 900, 600, 400 and 250 kb/s. At the last step half the pictures are left out besides."""

LOWEST = len(SHARES) - 1


def kbps(step: int, whole_kbps: int) -> int:
    """What an encoder may spend at a step, in kb/s for all pictures; half of that is sent when half are left out."""
    return round(whole_kbps * SHARES[step])


def sent_kbps(step: int, whole_kbps: int) -> int:
    """What goes over the line at a step."""
    return kbps(step, whole_kbps) // (2 if halves(step) else 1)


def halves(step: int) -> bool:
    """Whether every other picture is left out."""
    return step == LOWEST


def name(step: int, whole_kbps: int) -> str:
    """As events call it."""
    return "full" if step == 0 else f"rate_{sent_kbps(step, whole_kbps)}"


def words(step: int, whole_kbps: int) -> str:
    """For people."""
    fewer = ", half as many" if halves(step) else ""
    return f"pictures at {sent_kbps(step, whole_kbps)} kb/s{fewer}"

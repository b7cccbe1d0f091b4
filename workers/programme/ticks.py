"""The arithmetic of time: which tick is due when, which picture falls into which tick."""

from __future__ import annotations

RATE_HZ = 48_000
TICK_SAMPLES = 960
TICK_NS = 20_000_000
TICKS_PER_S = 50

VIDEO_LEAD_SAMPLES = 0
"""How much earlier than its sound a picture leaves; negative: later.

The browser's audio path is the longer one by some 25 ms (packet, then NetEq's target). Sender reports carry media
time, so the browser itself delays the pictures to match; set this only where a measurement in the page says otherwise.
"""


def due_ns(origin_ns: int, tick: int) -> int:
    """When tick `tick` leaves."""
    return origin_ns + tick * TICK_NS


def tick_at(origin_ns: int, now_ns: int) -> int:
    """The newest tick that is due at `now_ns`; the first one before it all began."""
    return max(0, (now_ns - origin_ns) // TICK_NS)


def picture_sample(picture: int, fps: int) -> int:
    """The programme_sample that picture number `picture` shows; pictures count from the session's origin."""
    return -(-picture * RATE_HZ // fps)


def picture_middle(picture: int, fps: int) -> int:
    """The programme_sample in the middle of the time a picture stands: what it shows is then neither early nor late."""
    return (picture_sample(picture, fps) + picture_sample(picture + 1, fps)) // 2


def newest_picture(tick: int, fps: int) -> int:
    """The last picture that leaves in this tick or before it; up to 50 fps no tick carries two."""
    return ((tick + 1) * TICK_SAMPLES - 1 + VIDEO_LEAD_SAMPLES) * fps // RATE_HZ


def picture_tick(picture: int, fps: int) -> int:
    """The tick in which this picture leaves."""
    return max(0, (picture_sample(picture, fps) - VIDEO_LEAD_SAMPLES) // TICK_SAMPLES)

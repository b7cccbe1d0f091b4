"""A session as HTTP live streaming: made while somebody plays it."""

from __future__ import annotations

from typing import Any, Protocol

from broker import outputs
from broker.clock import NS_PER_S
from broker.makers import Makers
from broker.outputs import Output
from broker.sessions import Session
from broker.watchers import Watchers

HLS = "hls"

AGAIN_NS = 10 * NS_PER_S
"""A stream that failed at once is not tried again before."""


class House(Protocol):
    """What it needs of the broker; see control.py."""

    watchers: Watchers
    makers: Makers
    settings: Any
    """`hls_sound`, of control.ControlSettings."""


def stream(house: House, session: Session, now_ns: int) -> None:
    """HTTP live streaming begins with its first player, and ends after the last."""
    running = outputs.current(session.record.outputs, HLS)
    wanted = house.watchers.hls(session.id)
    if wanted and running is None and now_ns >= session.stream_again_ns:
        session.stream_again_ns = now_ns + AGAIN_NS
        house.makers.make(session, Output(kind=HLS, by="viewers", settings={"sound": house.settings.hls_sound}), now_ns)
    elif running and not wanted:
        session.stream_again_ns = 0
        house.makers.unmake(session, running, now_ns)

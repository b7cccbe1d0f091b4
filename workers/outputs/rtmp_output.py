"""A push by RTMP as an output: what is told of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from broker.messages import Event, Programme
from workers.outputs.rtmp import Rtmp
from workers.outputs.sink import Order


class RtmpOutput:
    """A `Sink`. Ends only when it is asked to: a server that fails is tried again."""

    key_every_s = 2.0
    """Servers begin a player's stream with a key frame; without one it sees nothing for so long."""

    def __init__(self, order: Order) -> None:
        self._push = Rtmp(str(order.wanted["url"]))

    @property
    def wants(self) -> frozenset[str]:
        return self._push.wants

    @property
    def needs_key(self) -> frozenset[str]:
        return self._push.needs_key

    @property
    def data(self) -> dict[str, Any]:
        return {"state": self._push.state, "reason": self._push.reason}

    @property
    def counters(self) -> Counter[str]:
        return Counter(rtmp_packets=self._push.packets, rtmp_attempts=self._push.attempts)

    def tick(self, tick: Programme) -> None:
        self._push.tick(tick)

    def event(self, event: Event) -> None:
        """Nothing of it is in the stream."""

    def close(self, reason: str) -> None:
        self._push.close(reason)

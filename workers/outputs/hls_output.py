"""HTTP live streaming as an output: where its segments lie, and that nothing of it stays there."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from broker.clock import now_ns
from broker.messages import Event, Programme
from workers.outputs.hls import Hls, Sound
from workers.outputs.sink import Order

LEFT_S = 30.0
"""After a conversation its last seconds may still be played so long."""

ABANDONED_S = 120.0
"""A folder that nothing was written to for so long is of a process that was killed."""


class HlsOutput:
    """A `Sink`. Raises OSError as the disk does."""

    key_every_s = 0.0
    """It says itself when one is needed."""

    def __init__(self, order: Order) -> None:
        root = order.settings.hls_folder()
        sweep(root, time.time() - ABANDONED_S)
        zero_ns = time.time_ns() + order.origin_ns - now_ns()
        sound: Sound = "opus" if order.wanted.get("sound") == "opus" else "aac"
        self.data: dict[str, Any] = {}
        self._hls = Hls(root / order.session, zero_ns, sound, order.settings.media.fps)

    @property
    def wants(self) -> frozenset[str]:
        return self._hls.wants

    @property
    def needs_key(self) -> frozenset[str]:
        return self._hls.needs_key

    @property
    def counters(self) -> Counter[str]:
        return Counter(hls_bytes=self._hls.written)

    def tick(self, tick: Programme) -> None:
        self._hls.tick(tick)

    def event(self, event: Event) -> None:
        """Nothing of it is in the stream."""

    def close(self, reason: str) -> None:
        self._hls.close(reason)
        if reason == "asked to stop":  # nobody plays it any more
            shutil.rmtree(self._hls.folder, ignore_errors=True)
            return
        later = threading.Timer(LEFT_S, shutil.rmtree, (self._hls.folder,), {"ignore_errors": True})
        later.daemon = True
        later.start()


def sweep(root: Path, before_s: float) -> None:
    """Remove what was left lying before this Unix time."""
    for place in root.glob("*/index.m3u8"):
        if place.stat().st_mtime < before_s:
            shutil.rmtree(place.parent, ignore_errors=True)

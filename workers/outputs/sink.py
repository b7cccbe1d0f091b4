"""What something made of a programme must be able to do, and the table of what there is: recordings, streams."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from broker.config import Settings
from broker.errors import ConfigError, VisavisError
from broker.messages import Event, Programme

KINDS = {
    "recording": "workers.outputs.recorder:Recorder",
    "hls": "workers.outputs.hls_output:HlsOutput",
    "rtmp": "workers.outputs.rtmp_output:RtmpOutput",
}
"""An output's kind to its class, imported when the first of the kind is wanted: `Recorder(order)` is a `Sink`."""


STOPPED = "stopped"
"""Why a sink is closed when its process is asked to stop: it has less than `service.FINISH_S` for it."""


class RefusedError(VisavisError):
    """It is not made, or no longer; the sentence says what to do."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a sink is made from."""

    settings: Settings
    session: str
    persona: dict[str, Any]
    """The snapshot."""
    language: str
    origin_ns: int
    wanted: dict[str, Any] = field(default_factory=dict)
    """The output's own settings, by kind: broker/outputs.py."""
    data: dict[str, Any] = field(default_factory=dict)
    """What a predecessor, killed meanwhile, said of it last; empty at the beginning."""


class Sink(Protocol):
    """Made of one session's programme. All of it, building included, runs in a thread of its own, so it may wait for
    disks and networks; only the properties are read from another one. Raises RefusedError, OSError or ValueError when
    it cannot go on; that ends it, and the sentence is told.
    """

    @property
    def wants(self) -> frozenset[str]:
        """The codecs of the pictures: h264, vp8; empty for sound alone."""

    @property
    def needs_key(self) -> frozenset[str]:
        """The codecs that can only go on with a key frame. Asked for at once."""

    @property
    def key_every_s(self) -> float:
        """A key frame comes at least so often; 0: only where one is needed."""

    @property
    def data(self) -> dict[str, Any]:
        """What is told of it to the operator and given to a successor; plain data. Told when it changes."""

    @property
    def counters(self) -> Mapping[str, float]:
        """Totals for /metrics."""

    def tick(self, tick: Programme) -> None:
        """20 ms of the programme: each once and in order; what is missing was lost, or it was too slow for it."""

    def event(self, event: Event) -> None:
        """Something that happened; the kinds are watchers.OUTPUT_KINDS."""

    def close(self, reason: str) -> None:
        """It is over: what is in hand is finished. Once; also after an error."""


def maker(kind: str) -> Callable[[Order], Sink]:
    """How a kind is made. Raises ConfigError naming the known ones."""
    if kind not in KINDS:
        raise ConfigError(f"There is no output {kind[:40]!r}; known: {', '.join(KINDS)}.")
    module, _, name = KINDS[kind].partition(":")
    made: Callable[[Order], Sink] = getattr(importlib.import_module(module), name)
    return made

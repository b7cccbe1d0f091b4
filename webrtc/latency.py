"""One record per answered turn: how long the person waited, and for what. Pure; instants come from outside.

Every instant is taken on the edge's own clock: the end of speech is when the microphone frame with it arrived, the
broker's decisions and the voice's first piece at the programme are when these events came, the first tick when it came,
the last is when the page's speaker reached the first sample, by acknowledgement. Read from events: `turn` {what,
utterance, end_sample (where speech stopped; below 1 when typed), speculative, saved_ms, wasted} and `step` {name,
took_ns, utterance}.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from broker.clock import NS_PER_MS, NS_PER_S
from broker.messages import Event, Programme
from webrtc.histogram import STAGE_BOUNDS_S, Histogram
from webrtc.media_clock import AUDIO_HZ

KEPT = 8
"""Turns that may be waiting for their acknowledgement."""

STAGES = ("end_of_turn", "final_words", "first_sentence", "first_pcm", "first_tick", "playout")
"""The waterfall, in order: each ends with the instant of the same place in `Times.ends`."""

DECIDED, FINAL, SENTENCE, PCM = "end_of_turn", "final_words", "first_sentence", "first_pcm"
"""Steps of the broker, and of the programme, that are instants of the waterfall."""


@dataclass
class Times:
    """A turn's instants, ns; None where not yet, or never."""

    start_ns: int | None = None
    decided_ns: int | None = None
    final_ns: int | None = None
    sentence_ns: int | None = None
    pcm_ns: int | None = None
    tick_ns: int | None = None
    tick_sample: int = 0
    typed: bool = False
    speculated: bool = False
    saved_ms: float = 0.0
    wasted: int = 0
    work: list[tuple[str, int, int]] = field(default_factory=list)
    """(step, when it ended, how long it took), ns."""

    def ends(self, played_ns: int) -> tuple[int | None, ...]:
        return (self.decided_ns, self.final_ns, self.sentence_ns, self.pcm_ns, self.tick_ns, played_ns)


class LatencyTotals:
    """Of all spoken turns of a process, for /metrics."""

    def __init__(self) -> None:
        self.total = Histogram()
        self.stages = {name: Histogram(STAGE_BOUNDS_S) for name in STAGES}
        self.speculated = self.wasted = 0
        self.saved_s = 0.0

    def add(self, record: dict[str, Any]) -> None:
        """A record as `LatencyBook.played` returns it; a typed turn's is left out."""
        if record["typed"]:
            return
        self.total.add(record["total_ms"] / 1000)
        for step in record["steps"]:
            self.stages[step["name"]].add(step["ms"] / 1000)
        self.speculated += record["speculated"]
        self.wasted += record["wasted"]
        self.saved_s += record["saved_ms"] / 1000


class LatencyBook:
    """One call's turns. `arrived_ns(mic_sample)` says when that part of the microphone came."""

    def __init__(self, arrived_ns: Callable[[int], int | None]) -> None:
        self._arrived_ns = arrived_ns
        self._turns: OrderedDict[int, Times] = OrderedDict()
        self._heard: OrderedDict[int, Times] = OrderedDict()
        """By utterance, until a turn answers it: its decision and its words."""
        self._typed_ns: int | None = None

    def typed(self, now_ns: int) -> None:
        """The person's line has arrived; the next turn committed without a microphone is its answer."""
        self._typed_ns = now_ns

    def event(self, event: Event, now_ns: int) -> None:
        """One of the broker's events about this session."""
        data = event.data
        if event.kind == "step":
            self._step(event.turn, str(data.get("name")), data, now_ns)
        elif event.kind == "turn" and event.turn:
            what = data.get("what")
            if what == "asked":
                _kept(self._turns, event.turn)
            elif what == "cancelled":
                self._turns.pop(event.turn, None)
            elif what == "committed":
                self._committed(_kept(self._turns, event.turn), data)

    def programme(self, tick: Programme, now_ns: int) -> None:
        """A tick has come; the first with a turn's voice is an instant."""
        times = self._turns.get(tick.turn) if tick.speaking else None
        if times and times.tick_ns is None:
            times.tick_ns, times.tick_sample = now_ns, tick.programme_sample

    def played(self, programme_sample: int, at_ns: int) -> list[tuple[int, dict[str, Any]]]:
        """The speaker was at `programme_sample` at `at_ns`: (turn, record) of those now first heard."""
        reached = [
            turn
            for turn, times in self._turns.items()
            if times.tick_ns is not None and programme_sample >= times.tick_sample
        ]
        records: list[tuple[int, dict[str, Any]]] = []
        for turn in reached:
            times = self._turns.pop(turn)
            played_ns = at_ns - (programme_sample - times.tick_sample) * NS_PER_S // AUDIO_HZ
            if times.start_ns is not None:
                records.append((turn, _record(times, times.start_ns, played_ns)))
        return records

    def _step(self, turn: int, name: str, data: dict[str, Any], now_ns: int) -> None:
        """Work that was done, which may also be an instant of the waterfall."""
        utterance = _whole(data.get("utterance", -1))
        if turn:
            times = self._turns.get(turn)
        else:
            times = _kept(self._heard, utterance) if utterance >= 0 else None
        if times is None:
            return
        took_ns = _whole(data.get("took_ns"))
        if took_ns:
            times.work.append((name, now_ns, took_ns))
        if name == DECIDED:
            times.decided_ns = now_ns
        elif name == FINAL:
            times.final_ns = now_ns
        elif name == SENTENCE and times.sentence_ns is None:
            times.sentence_ns = now_ns
        elif name == PCM and times.pcm_ns is None:
            times.pcm_ns = now_ns

    def _committed(self, times: Times, data: dict[str, Any]) -> None:
        end_sample = _whole(data.get("end_sample"))
        if end_sample > 0:
            times.start_ns = self._arrived_ns(end_sample - 1)
            heard = self._heard.pop(_whole(data.get("utterance", -1)), Times())
            times.decided_ns, times.final_ns = heard.decided_ns, heard.final_ns
            times.work = heard.work + times.work
        elif self._typed_ns is not None:
            times.start_ns, times.typed, self._typed_ns = self._typed_ns, True, None
        times.speculated = bool(data.get("speculative"))
        times.saved_ms = float(data.get("saved_ms") or 0.0)
        times.wasted = _whole(data.get("wasted"))


def _kept(table: OrderedDict[int, Times], number: int) -> Times:
    """The entry of a turn or utterance, made if need be; old ones go."""
    times = table.setdefault(number, Times())
    while len(table) > KEPT:
        table.popitem(last=False)
    return times


def _record(times: Times, start_ns: int, played_ns: int) -> dict[str, Any]:
    """The record as the page, the log and the event channel have it."""
    steps: list[dict[str, Any]] = []
    at_ns = start_ns
    for name, end_ns in zip(STAGES, times.ends(played_ns), strict=True):
        if end_ns is None:
            continue
        end_ns = max(at_ns, end_ns)
        steps.append({"name": name, "from_ms": _ms(at_ns - start_ns), "ms": _ms(end_ns - at_ns)})
        at_ns = end_ns
    work = [
        {"name": name, "from_ms": _ms(end_ns - took_ns - start_ns), "ms": _ms(took_ns)}
        for name, end_ns, took_ns in times.work
    ]
    return {
        "total_ms": _ms(played_ns - start_ns),
        "typed": times.typed,
        "steps": steps,
        "work": work,
        "speculated": times.speculated,
        "saved_ms": round(times.saved_ms, 1),
        "wasted": times.wasted,
    }


def _ms(took_ns: int) -> float:
    return round(took_ns / NS_PER_MS, 1)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0

"""/metrics: what every process counts, in Prometheus's text format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from webrtc.histogram import Histogram
from webrtc.latency import LatencyTotals

_NOW = frozenset(("outbox_waiting",))
"""What is told as of now, and is no total."""

_NOT_A_NAME = re.compile(r"[^a-zA-Z0-9_]")


def text(processes: Iterable[Mapping[str, Any]], own: Mapping[str, Any], latencies: LatencyTotals, ready: bool) -> str:
    """`processes` as the broker's Fleet has them; `own` is this edge, fresher than its entry there."""
    known = {str(each.get("name")): each for each in processes} | {str(own["name"]): own}
    lines = ["# TYPE visavis_ready gauge", f"visavis_ready {int(ready)}"]
    for name, key in (("up", ""), ("sessions", "sessions"), ("load", "load")):
        lines.append(f"# TYPE visavis_process_{name} gauge")
        for process in known.values():
            value = float(process.get("state") == "ready") if not key else _number(process.get(key))
            lines.append(f"visavis_process_{name}{_labels(process)} {value:g}")
    lines.append("# TYPE visavis_process_info gauge")
    for process in known.values():
        about = {"engine": process.get("engine", ""), "detail": process.get("detail", "")}
        lines.append(f"visavis_process_info{_labels(process, about)} 1")
    lines += _counters(known.values())
    return "\n".join([*lines, *_latency(latencies)]) + "\n"


def _counters(processes: Iterable[Mapping[str, Any]]) -> list[str]:
    found: dict[str, list[str]] = {}
    types: dict[str, str] = {}
    for process in processes:
        for name, value in sorted(dict(process.get("counters") or {}).items()):
            metric = f"visavis_{_NOT_A_NAME.sub('_', str(name))}{'' if name in _NOW else '_total'}"
            types[metric] = "gauge" if name in _NOW else "counter"
            found.setdefault(metric, []).append(f"{metric}{_labels(process)} {_number(value):g}")
    return [line for metric, lines in sorted(found.items()) for line in (f"# TYPE {metric} {types[metric]}", *lines)]


def _latency(latencies: LatencyTotals) -> list[str]:
    name = "visavis_mouth_to_ear_seconds"
    lines = [f"# HELP {name} From the end of the person's speech to the first sound of the answer at the ear."]
    lines += [f"# TYPE {name} histogram", *_histogram(name, latencies.total)]
    name = "visavis_mouth_to_ear_stage_seconds"
    lines += [f"# HELP {name} Its parts, one after the other: docs/architecture.md.", f"# TYPE {name} histogram"]
    for stage, seconds in latencies.stages.items():
        lines += _histogram(name, seconds, f'stage="{stage}"')
    for name, value in (
        ("turns_speculated", latencies.speculated),
        ("attempts_wasted", latencies.wasted),
        ("speculation_saved_seconds", latencies.saved_s),
    ):
        lines += [f"# TYPE visavis_{name}_total counter", f"visavis_{name}_total {value:g}"]
    return lines


def _histogram(name: str, seconds: Histogram, label: str = "") -> list[str]:
    more, own = (f"{label},", f"{{{label}}}") if label else ("", "")
    lines = [f'{name}_bucket{{{more}le="{bound}"}} {count}' for bound, count in seconds.cumulative()]
    return [*lines, f"{name}_sum{own} {seconds.sum_s:g}", f"{name}_count{own} {seconds.count}"]


def _labels(process: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> str:
    pairs = {"process": process.get("name", ""), "kind": process.get("kind", ""), **(more or {})}
    return "{" + ",".join(f'{key}="{_escaped(value)}"' for key, value in pairs.items()) + "}"


def _escaped(value: Any) -> str:
    return str(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0

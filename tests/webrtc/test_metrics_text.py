"""/metrics speaks Prometheus's text format."""

from __future__ import annotations

import re

from webrtc import metrics
from webrtc.latency import LatencyTotals

LINE = re.compile(r'^[a-z_][a-zA-Z0-9_]*(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? [0-9.e+-]+$')


def test_every_process_has_its_counters_and_every_line_is_valid() -> None:
    latencies = LatencyTotals()
    for total_ms in (120, 310, 310, 20_000):
        steps = [{"name": "playout", "from_ms": total_ms - 60, "ms": 60}]
        record = {"typed": False, "total_ms": total_ms, "steps": steps}
        latencies.add(record | {"speculated": True, "saved_ms": 250, "wasted": 1})
    processes = [
        {
            "name": "tts-1",
            "kind": "tts",
            "state": "ready",
            "load": 0.25,
            "sessions": 2,
            "counters": {"steps": 7, "outbox_waiting": 3},
            "engine": "flite+espeak",
            "detail": 'auto: "the best"',
        },
        {"name": 'odd"\n', "kind": "vad", "state": "starting", "counters": {"odd name-é": 1}},
        {"name": "webrtc-1", "kind": "webrtc", "counters": {"mic_lost": 1}},
    ]
    own = {"name": "webrtc-1", "kind": "webrtc", "state": "ready", "sessions": 1, "counters": {"mic_lost": 3}}
    text = metrics.text(processes, own, latencies, ready=True)
    for line in text.splitlines():
        assert line.startswith("#") or LINE.match(line.replace(r"\"", "")), line
    assert 'visavis_steps_total{process="tts-1",kind="tts"} 7' in text
    assert '# TYPE visavis_outbox_waiting gauge\nvisavis_outbox_waiting{process="tts-1",kind="tts"} 3' in text
    assert 'visavis_mic_lost_total{process="webrtc-1",kind="webrtc"} 3' in text, "its own are fresher"
    assert 'visavis_mouth_to_ear_seconds_bucket{le="0.35"} 3' in text
    assert 'visavis_mouth_to_ear_seconds_bucket{le="+Inf"} 4' in text
    assert 'visavis_mouth_to_ear_stage_seconds_bucket{stage="playout",le="0.05"} 0' in text
    assert 'visavis_mouth_to_ear_stage_seconds_sum{stage="playout"} 0.24' in text
    assert "visavis_turns_speculated_total 4" in text
    assert "visavis_attempts_wasted_total 4" in text
    assert "visavis_speculation_saved_seconds_total 1" in text
    assert text.count("# TYPE visavis_mic_lost_total") == 1
    info = r'{process="tts-1",kind="tts",engine="flite+espeak",detail="auto: \"the best\""} 1'
    assert f"visavis_process_info{info}" in text

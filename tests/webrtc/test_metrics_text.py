"""/metrics speaks Prometheus's text format."""

from __future__ import annotations

import re

from webrtc import metrics
from webrtc.histogram import Histogram

LINE = re.compile(r'^[a-z_][a-zA-Z0-9_]*(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? [0-9.e+-]+$')


def test_every_process_has_its_counters_and_every_line_is_valid() -> None:
    latencies = Histogram()
    for value_s in (0.12, 0.31, 0.31, 20.0):
        latencies.add(value_s)
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
    assert text.count("# TYPE visavis_mic_lost_total") == 1
    info = r'{process="tts-1",kind="tts",engine="flite+espeak",detail="auto: \"the best\""} 1'
    assert f"visavis_process_info{info}" in text

"""HLS and RTMP as outputs of a session: where segments lie, what is left of them, what is told."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.clock import now_ns
from broker.config import Settings
from tests.outputs.programme import conversation
from workers.outputs import hls_output
from workers.outputs.hls_output import HlsOutput
from workers.outputs.rtmp_output import RtmpOutput
from workers.outputs.sink import KINDS, Order, maker


def order(tmp_path: Path, **wanted: Any) -> Order:
    settings = Settings()
    settings = replace(settings, paths=replace(settings.paths, hls=str(tmp_path)))
    return Order(settings=settings, session="a", persona={}, language="en", origin_ns=now_ns(), wanted=wanted)


def fed(output: HlsOutput) -> HlsOutput:
    for tick in conversation(8.0)[0]:
        output.tick(tick)
    return output


def test_both_are_in_the_table() -> None:
    assert maker("hls") is HlsOutput
    assert maker("rtmp") is RtmpOutput
    assert set(KINDS) >= {"hls", "rtmp"}


def test_segments_nobody_plays_any_more_are_removed_at_once(tmp_path: Path) -> None:
    output = fed(HlsOutput(order(tmp_path)))
    assert (tmp_path / "a" / "index.m3u8").is_file()
    assert output.counters["hls_bytes"] > 10_000
    output.close("asked to stop")
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_a_conversation_can_be_played_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hls_output, "LEFT_S", 0.5)
    fed(HlsOutput(order(tmp_path))).close("bye")
    deadline = time.monotonic() + 20
    while (tmp_path / "a").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_playlist_at_the_end_says_so(tmp_path: Path) -> None:
    fed(HlsOutput(order(tmp_path))).close("bye")
    assert (tmp_path / "a" / "index.m3u8").read_text().endswith("#EXT-X-ENDLIST\n")


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    for name, age_s in (("old", 1000), ("playing", 1)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.m3u8").touch()
        os.utime(tmp_path / name / "index.m3u8", (time.time() - age_s,) * 2)
    HlsOutput(order(tmp_path))
    assert sorted(place.name for place in tmp_path.iterdir()) == ["a", "playing"]


def test_the_date_of_a_segment_is_when_it_was_said(tmp_path: Path) -> None:
    output = fed(HlsOutput(order(tmp_path)))
    text = (tmp_path / "a" / "index.m3u8").read_text()
    output.close("asked to stop")
    year = time.gmtime().tm_year
    assert f"#EXT-X-PROGRAM-DATE-TIME:{year}" in text


def test_of_a_push_is_told_how_it_goes_and_not_where(tmp_path: Path) -> None:
    output = RtmpOutput(order(tmp_path, url="rtmp://127.0.0.1:9/app/secret"))
    assert output.data == {"state": "connecting", "reason": ""}
    output.close("asked to stop")
    assert output.data["state"] == "ended"

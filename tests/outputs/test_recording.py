"""Recordings as players see them. Needs ffprobe (Debian: ffmpeg)."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from broker.messages import Event, Programme
from tests.outputs.programme import SHADES, conversation, of_session, picture_times, probe, sound_onset_s
from workers.outputs import media_file
from workers.outputs.aac import Aac
from workers.outputs.captions import Captions
from workers.outputs.killed import mend
from workers.outputs.media_file import OPUS_DELAY_SAMPLES
from workers.outputs.recording import Recording
from workers.programme.opus import DELAY_SAMPLES

pytestmark = pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe is missing: apt-get install ffmpeg")

BOTH = ("mp4", "webm")


def record(folder: Path, ticks: list[Programme], formats: tuple[str, ...] = BOTH, close: bool = True) -> Recording:
    folder.mkdir(exist_ok=True)
    recording = Recording(folder, "a", "vera", formats, 25)
    for tick in ticks:
        recording.tick(tick)
    if close:
        recording.close("bye")
    return recording


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_delay_of_the_sound_encoder_is_the_encoder_s() -> None:
    assert OPUS_DELAY_SAMPLES == DELAY_SAMPLES


@pytest.mark.parametrize("name", ["programme.mp4", "programme.webm"])
def test_a_recording_lasts_as_long_as_the_programme_and_holds_every_packet(tmp_path: Path, name: str) -> None:
    ticks, _ = conversation()
    record(tmp_path, list(ticks))
    told = probe(tmp_path / name, "-show_format", "-show_streams", "-count_packets")
    assert float(told["format"]["duration"]) == pytest.approx(len(ticks) * 0.02, abs=0.05)
    streams = {stream["codec_type"]: stream for stream in told["streams"]}
    assert streams["video"]["codec_name"] == ("h264" if name.endswith("mp4") else "vp8")
    assert (streams["video"]["width"], streams["video"]["height"]) == (64, 64)
    assert streams["audio"]["codec_name"] == "opus"
    assert int(streams["audio"]["nb_read_packets"]) == len(ticks)
    pictures = [tick for tick in ticks if (tick.h264 if name.endswith("mp4") else tick.vp8)]
    assert int(streams["video"]["nb_read_packets"]) == len(pictures) > 100


@pytest.mark.parametrize("name", ["programme.mp4", "programme.webm"])
def test_sound_and_pictures_are_where_the_programme_had_them(tmp_path: Path, name: str) -> None:
    ticks, emitted = conversation()
    record(tmp_path, list(ticks))
    start = ticks[0].programme_sample
    said_s = (emitted[0].programme_sample - start + OPUS_DELAY_SAMPLES) / 48_000
    assert sound_onset_s(tmp_path / name) == pytest.approx(said_s, abs=0.010)
    shown = picture_times(tmp_path / name)
    expected = [tick for tick in ticks if tick.picture >= 0]
    assert len(shown) == len(expected)
    assert shown[0][0] == 0.0  # the first one stands from the start; it shows whatever picture there was by then
    for (at_s, shade), tick in list(zip(shown, expected, strict=True))[1:]:
        assert shade == tick.picture % SHADES
        assert at_s == pytest.approx((tick.picture_sample - start + OPUS_DELAY_SAMPLES) / 48_000, abs=0.0011)


@pytest.mark.parametrize("name", ["programme.mp4", "programme.webm"])
def test_a_decoder_finds_no_fault_in_it(tmp_path: Path, name: str) -> None:
    record(tmp_path, list(conversation()[0]))
    command = ["ffmpeg", "-v", "warning", "-xerror", "-i", str(tmp_path / name), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_one_can_go_to_any_place_in_it(tmp_path: Path) -> None:
    record(tmp_path, list(conversation()[0]))
    for name in ("programme.mp4", "programme.webm"):
        told = probe(tmp_path / name, "-select_streams", "v", "-read_intervals", "4%+#1", "-show_packets")
        assert 2.0 < float(told["packets"][0]["pts_time"]) <= 4.1, name
        assert "K" in told["packets"][0]["flags"]


def test_what_a_killed_recorder_wrote_can_be_played(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from tests.outputs.programme import conversation
from tests.outputs.test_recording import record
ticks = list(conversation()[0])
record(Path(sys.argv[1]), ticks[:-20], close=False)
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=root, env=dict(os.environ), check=False)
    assert done.returncode == -signal.SIGKILL
    lived_s = (len(conversation()[0]) - 20) * 0.02
    for name in ("programme.mp4", "programme.webm"):
        for kind in ("a", "v"):
            packets = probe(tmp_path / name, "-select_streams", kind, "-show_packets")["packets"]
            assert lived_s - 1.1 <= float(packets[-1]["pts_time"]) <= lived_s, (name, kind)
        assert len(picture_times(tmp_path / name)) > 80
    assert "-->" in (tmp_path / "programme.vtt").read_text()


def test_what_a_killed_recorder_wrote_is_completed_without_changing_a_packet(tmp_path: Path) -> None:
    ticks = list(conversation()[0])
    record(tmp_path, ticks[:-20], close=False)
    path = tmp_path / "programme.webm"
    shows = ("-show_packets", "-show_data_hash", "md5", "-show_entries", "packet=codec_type,pts_time,flags,data_hash")
    before, shown = probe(path, *shows)["packets"], picture_times(path)
    lasts_ms = mend(path)
    assert probe(path, *shows)["packets"] == before
    assert picture_times(path) == shown
    assert float(probe(path, "-show_format")["format"]["duration"]) * 1000 == pytest.approx(lasts_ms, abs=25)
    assert 4000 < lasts_ms <= (len(ticks) - 20) * 20
    assert not list(tmp_path.glob(".programme*"))


def test_a_file_with_nothing_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    for name in ("programme.webm", "programme.mp4"):
        (tmp_path / name).write_bytes(b"")
        assert mend(tmp_path / name) == mend(tmp_path / f"no-{name}") == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_captions_stand_where_the_words_are_said(tmp_path: Path) -> None:
    ticks, emitted = conversation()
    record(tmp_path, list(ticks))
    packets = probe(tmp_path / "programme.vtt", "-show_packets")["packets"]
    start_s = (emitted[0].programme_sample - ticks[0].programme_sample) / 48_000
    assert float(packets[0]["pts_time"]) == pytest.approx(start_s, abs=0.002)
    text = (tmp_path / "programme.vtt").read_text()
    assert text.startswith("WEBVTT\n\n")
    assert [word for word in text.replace("\n", " ").split() if word.startswith("w")] == [f"w{k}" for k in range(9)]


def test_a_hole_in_the_programme_is_a_hole_in_the_times(tmp_path: Path) -> None:
    ticks = list(conversation()[0])
    record(tmp_path, ticks[:100] + ticks[150:])
    for name in ("programme.mp4", "programme.webm"):
        packets = probe(tmp_path / name, "-select_streams", "a", "-show_packets")["packets"]
        times = [float(packet["pts_time"]) for packet in packets]
        assert times[100] - times[99] == pytest.approx(1.02, abs=0.002), name
        assert times[-1] == pytest.approx((len(ticks) - 1) * 0.02, abs=0.002)
    assert [line["ticks"] for line in lines(tmp_path / "timeline.jsonl") if line["kind"] == "gap"] == [50]


def test_after_a_lost_picture_it_waits_for_a_key_frame(tmp_path: Path) -> None:
    ticks = list(conversation()[0])
    lost = next(n for n, tick in enumerate(ticks) if n > 60 and tick.h264 and not tick.h264_key)
    keys = [n for n, tick in enumerate(ticks) if n > lost and tick.h264_key]
    recording = record(tmp_path, ticks[:lost] + ticks[lost + 1 : lost + 3], formats=("mp4",), close=False)
    assert recording.needs_key == {"h264"}
    for tick in ticks[lost + 3 :]:
        recording.tick(tick)
    recording.close("bye")
    assert recording.needs_key == frozenset()
    packets = probe(tmp_path / "programme.mp4", "-select_streams", "v", "-show_packets")["packets"]
    times = [round(float(packet["pts_time"]) * 48_000) - OPUS_DELAY_SAMPLES for packet in packets]
    start = ticks[0].programme_sample
    shown = {tick.picture_sample - start for n, tick in enumerate(ticks) if tick.h264 and (n < lost or n >= keys[0])}
    assert times[0] == -OPUS_DELAY_SAMPLES
    assert set(times[1:]) == shown - {min(shown)}


def test_without_pictures_there_is_sound_and_a_part_with_pictures_once_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_file, "PATIENCE_SAMPLES", 48_000)
    ticks = list(conversation()[0])
    blank = {"picture": -1, "h264": b"", "h264_key": False, "vp8": b"", "vp8_key": False}
    record(tmp_path, [replace(tick, **blank) if n < 100 else tick for n, tick in enumerate(ticks)])  # type: ignore[arg-type]
    for suffix in ("mp4", "webm"):
        first, second = tmp_path / f"programme.{suffix}", tmp_path / f"programme-2.{suffix}"
        kinds = [[s["codec_type"] for s in probe(path, "-show_streams")["streams"]] for path in (first, second)]
        assert kinds == [["audio"], ["video", "audio"]]
        total = sum(float(probe(path, "-show_format")["format"]["duration"]) for path in (first, second))
        assert total == pytest.approx(len(ticks) * 0.02, abs=0.06)


def test_what_was_said_and_what_happened_are_lines_of_json(tmp_path: Path) -> None:
    ticks = list(conversation()[0])
    recording = record(tmp_path, ticks[:50], close=False)
    recording.event(Event(kind="turn", turn=1, data={"what": "committed", "text": "When are you open?"}))
    for tick in ticks[50:]:
        recording.tick(tick)
    recording.event(Event(kind="turn", turn=1, data={"what": "interrupted", "text": "x", "heard": "We are op"}))
    recording.close("bye")
    said = lines(tmp_path / "transcript.jsonl")
    assert [(line["role"], line["text"], line["interrupted"]) for line in said] == [
        ("user", "When are you open?", False),
        ("avatar", "We are op", True),
    ]
    kinds = [line["kind"] for line in lines(tmp_path / "timeline.jsonl")]
    assert (kinds[0], kinds[-1], kinds.count("word")) == ("start", "end", 9)
    assert "speaking" in kinds
    about = json.loads((tmp_path / "recording.json").read_text())
    assert about["duration_ms"] == len(ticks) * 20
    whole = {"files": ["programme.mp4", "programme.webm"], "captions": "programme.vtt", "start_ms": 0}
    assert about["parts"] == [{**whole, "duration_ms": len(ticks) * 20}]


def test_two_sessions_do_not_mix(tmp_path: Path) -> None:
    ticks = conversation()[0]
    one, other = of_session(ticks, "one"), of_session(ticks[::-1][:0] + ticks[100:], "other")
    folders = [tmp_path / "one", tmp_path / "other"]
    recordings = []
    for folder in folders:
        folder.mkdir()
        recordings.append(Recording(folder, folder.name, "vera", ("mp4",), 25))
    for n in range(len(one)):
        recordings[0].tick(one[n])
        if n < len(other):
            recordings[1].tick(other[n])
    for recording in recordings:
        recording.close("bye")
    counts = [
        int(
            probe(f / "programme.mp4", "-show_streams", "-count_packets", "-select_streams", "a")["streams"][0][
                "nb_read_packets"
            ]
        )
        for f in folders
    ]
    assert counts == [len(one), len(other)]


def test_a_successor_goes_on_in_a_new_part_on_the_same_time_line(tmp_path: Path) -> None:
    ticks = list(conversation()[0])
    record(tmp_path, ticks[:120], close=False)  # killed: nothing is closed
    with (tmp_path / "timeline.jsonl").open("a") as file:
        file.write('{"at_ms": 24')
    again = record(tmp_path, ticks[170:], close=False)
    again.event(Event(kind="turn", turn=1, data={"what": "finished", "heard": "Yes."}))
    again.close("bye")
    about = json.loads((tmp_path / "recording.json").read_text())
    assert [(part["files"], part["captions"], part["start_ms"]) for part in about["parts"]] == [
        (["programme.mp4", "programme.webm"], "programme.vtt", 0),
        (["programme-2.mp4", "programme-2.webm"], "programme-2.vtt", 170 * 20),
    ]
    assert about["duration_ms"] == len(ticks) * 20
    for part, least, most in ((about["parts"][0], 70, 120), (about["parts"][1], len(ticks) - 170, len(ticks) - 170)):
        assert least * 20 <= part["duration_ms"] <= most * 20, "a killed one has lost a second at most"
        for name in part["files"]:
            told = probe(tmp_path / name, "-show_format", "-show_streams")
            assert {stream["codec_type"] for stream in told["streams"]} == {"video", "audio"}
            assert float(told["format"]["duration"]) == pytest.approx(part["duration_ms"] / 1000, abs=0.05)
    written = (tmp_path / "timeline.jsonl").read_text().splitlines()
    assert written.count('{"at_ms": 24') == 1
    kinds = [json.loads(line)["kind"] for line in written if line != '{"at_ms": 24']
    assert kinds.count("start") == 1
    assert kinds.count("part") == 2
    assert [line["at_ms"] for line in lines(tmp_path / "transcript.jsonl")] == [(len(ticks) - 1) * 20]


def test_a_cue_that_a_kill_cut_off_is_completed(tmp_path: Path) -> None:
    ticks, _ = conversation()
    told = next(n for n, tick in enumerate(ticks) if tick.words)
    for cut in range(told + 1, told + 60, 7):
        folder = tmp_path / str(cut)
        record(folder, list(ticks[:cut]), close=False)
        killed = (folder / "programme.vtt").read_text()
        record(folder, list(ticks[cut + 20 :]))
        first = (folder / "programme.vtt").read_text()
        assert first.startswith(killed)
        said = [word for tick in ticks[:cut] for (_, _, _, word, _, _) in tick.words]
        assert re.findall(r"w\d+", first) == said != re.findall(r"w\d+", killed)
        cues = Captions(ticks[0].programme_sample)
        whole = "WEBVTT\n\n" + "".join(cues.feed(tick) for tick in ticks[:cut]) + cues.flush()
        assert stamps_ms(first) == pytest.approx(stamps_ms(whole), abs=2)
        later = [word for tick in ticks[cut + 20 :] for (_, _, _, word, _, _) in tick.words]
        assert re.findall(r"w\d+", (folder / "programme-2.vtt").read_text()) == later


def stamps_ms(vtt: str) -> list[int]:
    return [int(m) * 60_000 + int(s) * 1000 + int(ms) for m, s, ms in re.findall(r"(\d\d):(\d\d)\.(\d{3})", vtt)]


def test_sound_may_be_aac_and_lies_where_the_programme_had_it(tmp_path: Path) -> None:
    ticks, emitted = conversation()
    recording = Recording(tmp_path, "a", "vera", BOTH, 25, Aac)
    for tick in ticks[:100] + ticks[140:]:  # a hole, before the voice is over or not: it becomes silence
        recording.tick(tick)
    recording.close("bye")
    told = probe(tmp_path / "programme.mp4", "-show_format", "-show_streams")
    sound = next(stream for stream in told["streams"] if stream["codec_type"] == "audio")
    assert (sound["codec_name"], sound["profile"], sound["sample_rate"], sound["channels"]) == ("aac", "LC", "48000", 1)
    assert float(told["format"]["duration"]) == pytest.approx(len(ticks) * 0.02, abs=0.05)
    said_s = (emitted[0].programme_sample - ticks[0].programme_sample + OPUS_DELAY_SAMPLES) / 48_000
    assert sound_onset_s(tmp_path / "programme.mp4") == pytest.approx(said_s, abs=0.010)
    assert sound_onset_s(tmp_path / "programme.webm") == pytest.approx(said_s, abs=0.010)
    command = ["ffmpeg", "-v", "warning", "-xerror", "-i", str(tmp_path / "programme.mp4"), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    end_s = float(probe(tmp_path / "programme.mp4", "-select_streams", "a", "-show_packets")["packets"][-1]["pts_time"])
    assert end_s == pytest.approx(len(ticks) * 0.02, abs=0.05), "what comes after the hole keeps its time"


def test_pictures_of_another_size_begin_a_part_with_captions_of_its_own(tmp_path: Path) -> None:
    ticks = list(conversation()[0])
    cut = next(n for n, tick in enumerate(ticks) if n > 100 and tick.vp8_key)
    key = bytearray(ticks[cut].vp8)
    key[6:10] = (96).to_bytes(2, "little") * 2
    changed = [*ticks[:cut], replace(ticks[cut], vp8=bytes(key)), *ticks[cut + 1 :]]
    record(tmp_path, changed)
    about = json.loads((tmp_path / "recording.json").read_text())
    assert about["parts"][1]["start_ms"] == cut * 20
    assert about["parts"][0]["duration_ms"] == cut * 20
    first = probe(tmp_path / "programme.mp4", "-show_format")["format"]["duration"]
    assert float(first) == pytest.approx(cut * 0.02, abs=0.05), "all files of a part end together"
    assert (tmp_path / "programme-2.vtt").read_text().startswith("WEBVTT")

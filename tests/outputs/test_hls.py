"""HTTP live streaming as players see it. Needs ffprobe (Debian: ffmpeg)."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import av
import pytest

from broker.messages import Programme
from tests.outputs.programme import SHADES, conversation, picture_times, probe, sound_onset_s
from workers.outputs.avc import sample
from workers.outputs.hls import KEPT, LISTED, Hls, Sound

pytestmark = pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe is not here: apt-get install ffmpeg")

ZERO_NS = 1_700_000_000_123_000_000
SECONDS = 8.0


def stream(folder: Path, ticks: list[Programme], sound: Sound = "aac", close: bool = True) -> Hls:
    hls = Hls(folder, ZERO_NS, sound)
    for tick in ticks:
        hls.tick(tick)
    if close:
        hls.close("bye")
    return hls


def whole() -> list[Programme]:
    return list(conversation(SECONDS)[0])


def listed(folder: Path) -> list[tuple[int, float]]:
    """(programme sample, seconds) of each segment in the playlist."""
    text = (folder / "index.m3u8").read_text()
    return [(int(sample), float(lasts)) for lasts, sample in re.findall(r"#EXTINF:([\d.]+),\n(\d+)\.m4s\n", text)]


def number(folder: Path, tag: str) -> int:
    found = re.search(rf"#EXT-X-{tag}:(\d+)", (folder / "index.m3u8").read_text())
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("sound", ["aac", "opus"])
def test_sound_and_pictures_are_where_the_programme_had_them(tmp_path: Path, sound: Sound) -> None:
    ticks, emitted = conversation(SECONDS)
    stream(tmp_path, list(ticks), sound)
    index = tmp_path / "index.m3u8"
    streams = {each["codec_type"]: each["codec_name"] for each in probe(index, "-show_streams")["streams"]}
    assert streams == {"video": "h264", "audio": sound}
    assert sound_onset_s(index) == pytest.approx(emitted[0].programme_sample / 48_000, abs=0.005)
    first = next(n for n, tick in enumerate(ticks) if tick.h264_key)
    expected = [tick for tick in ticks[first:] if tick.h264]
    shown = picture_times(index)
    assert len(shown) > 180
    pairs = list(zip(shown, expected, strict=False))[1:]  # the first one shows whatever picture there was by then
    for (at_s, shade), tick in pairs:
        assert shade == tick.picture % SHADES
        assert at_s == pytest.approx(tick.picture_sample / 48_000, abs=0.0001)


def test_a_decoder_finds_no_fault_in_it(tmp_path: Path) -> None:
    stream(tmp_path, whole())
    command = ["ffmpeg", "-v", "warning", "-xerror", "-i", str(tmp_path / "index.m3u8"), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_segment_stands_alone_and_begins_with_a_key_frame_where_its_name_says(tmp_path: Path) -> None:
    stream(tmp_path, whole())
    (header,) = tmp_path.glob("init-*.mp4")
    for start, lasts_s in listed(tmp_path):
        alone = tmp_path / "alone.mp4"
        alone.write_bytes(header.read_bytes() + (tmp_path / f"{start}.m4s").read_bytes())
        packets = probe(alone, "-select_streams", "v", "-show_packets")["packets"]
        assert "K" in packets[0]["flags"]
        assert float(packets[0]["pts_time"]) == pytest.approx(start / 48_000, abs=0.0001)
        heard = [
            float(packet["pts_time"]) for packet in probe(alone, "-select_streams", "a", "-show_packets")["packets"]
        ]
        assert start / 48_000 <= heard[0] < start / 48_000 + 0.022
        assert heard[-1] < start / 48_000 + lasts_s <= heard[-1] + 0.0427


def test_the_playlist_says_when_each_segment_was_said_and_how_long_it_is(tmp_path: Path) -> None:
    stream(tmp_path, whole())
    text = (tmp_path / "index.m3u8").read_text()
    dates = [datetime.fromisoformat(date) for date in re.findall(r"#EXT-X-PROGRAM-DATE-TIME:(.*)", text)]
    segments = listed(tmp_path)
    assert len(dates) == len(segments) > 3
    for date, (start, _) in zip(dates, segments, strict=True):
        assert date.timestamp() == pytest.approx(ZERO_NS / 1e9 + start / 48_000, abs=0.0011)
    for (start, lasts_s), (following, _) in itertools.pairwise(segments):
        assert start / 48_000 + lasts_s == pytest.approx(following / 48_000, abs=1e-5)
        assert lasts_s >= 1.4
    assert all(round(lasts_s) <= number(tmp_path, "TARGETDURATION") for _, lasts_s in segments)
    assert text.endswith("#EXT-X-ENDLIST\n")


def test_pictures_are_the_programme_s_own_bytes(tmp_path: Path) -> None:
    ticks = whole()
    stream(tmp_path, ticks)
    own = [sample(tick.h264) for tick in ticks if tick.h264]
    with av.open(str(tmp_path / "index.m3u8")) as container:
        sent = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    first = own.index(sent[0])
    assert sent == own[first : first + len(sent)]
    assert len(sent) > 180


def test_it_goes_on_with_a_discontinuity_after_a_hole(tmp_path: Path) -> None:
    ticks = whole()
    hole = next(n for n, tick in enumerate(ticks) if n > 150 and tick.h264 and not tick.h264_key)
    stream(tmp_path, ticks[:hole] + ticks[hole + 30 :])
    text = (tmp_path / "index.m3u8").read_text()
    assert text.count("#EXT-X-DISCONTINUITY\n") == 2  # where it begins, and the hole
    _, after = text.split("#EXT-X-DISCONTINUITY\n")[1:]
    start = int(re.findall(r"(\d+)\.m4s", after)[0])
    key = next(tick for tick in ticks[hole + 30 :] if tick.h264_key)
    assert start == key.picture_sample, "pictures that hang on lost ones are left out"
    before = max(at + round(lasts_s * 48_000) for at, lasts_s in listed(tmp_path) if at < start)
    assert before <= ticks[hole].programme_sample


def test_a_few_ticks_that_a_busy_programme_left_out_break_nothing(tmp_path: Path) -> None:
    ticks = whole()
    left_out = [n for n, tick in enumerate(ticks) if n > 100 and n % 40 == 1 and not tick.h264]
    assert len(left_out) > 3
    stream(tmp_path, [tick for n, tick in enumerate(ticks) if n not in left_out])
    assert (tmp_path / "index.m3u8").read_text().count("#EXT-X-DISCONTINUITY\n") == 1
    assert len(list(tmp_path.glob("init-*.mp4"))) == 1
    with av.open(str(tmp_path / "index.m3u8")) as container:
        times = [packet.pts * packet.time_base for packet in container.demux(audio=0) if packet.pts is not None]
    steps = [float(after - before) for before, after in itertools.pairwise(times)]
    assert max(steps) < 0.0215, "what is missing is silence"


def test_a_beginning_without_a_segment_leaves_no_file(tmp_path: Path) -> None:
    hls, ticks = Hls(tmp_path, ZERO_NS), whole()
    for tick in (ticks[2], ticks[60], ticks[140]):
        hls.tick(tick)
    assert list(tmp_path.iterdir()) == []


def test_a_hole_in_the_pictures_alone_is_one_too(tmp_path: Path) -> None:
    ticks = whole()
    lost = next(n for n, tick in enumerate(ticks) if n > 150 and tick.h264 and not tick.h264_key)
    ticks[lost] = replace(ticks[lost], h264=b"")
    stream(tmp_path, ticks)
    assert (tmp_path / "index.m3u8").read_text().count("#EXT-X-DISCONTINUITY\n") == 2


def test_a_segment_never_outgrows_the_target_when_no_key_frame_comes(tmp_path: Path) -> None:
    ticks = whole()
    first = next(n for n, tick in enumerate(ticks) if tick.h264_key)
    ticks = ticks[: first + 1] + [replace(tick, h264_key=False) for tick in ticks[first + 1 :]]
    hls = stream(tmp_path, ticks, close=False)
    assert [round(lasts_s) for _, lasts_s in listed(tmp_path)] == [2]
    assert hls.needs_key == {"h264"}


def test_a_key_frame_is_asked_for_when_a_segment_is_to_end(tmp_path: Path) -> None:
    hls, ticks = Hls(tmp_path, ZERO_NS), whole()
    asked = []
    for tick in ticks:
        asked.append(bool(hls.needs_key))
        hls.tick(tick)
    assert asked[0]
    assert 0.02 < sum(asked) / len(asked) < 0.3


def test_old_segments_leave_the_playlist_then_the_disk(tmp_path: Path) -> None:
    ticks = list(conversation(40.0)[0])
    stream(tmp_path, ticks, close=False)
    segments = listed(tmp_path)
    assert len(segments) == LISTED
    assert len(list(tmp_path.glob("*.m4s"))) == LISTED + KEPT
    begun = next(tick for tick in ticks if tick.h264_key).picture_sample
    made = (segments[-1][0] - begun) / 48_000 / 1.5
    assert number(tmp_path, "MEDIA-SEQUENCE") == pytest.approx(made + 1 - LISTED, abs=2)
    assert number(tmp_path, "DISCONTINUITY-SEQUENCE") == 1, "the one that it began with"
    assert not list(tmp_path.glob(".*")), "nothing half written stays"


def test_a_stream_that_begins_anew_has_higher_numbers_and_none_of_the_old_files(tmp_path: Path) -> None:
    ticks = whole()
    stream(tmp_path, ticks[:200], close=False)
    before = number(tmp_path, "MEDIA-SEQUENCE") + len(listed(tmp_path))
    stream(tmp_path, ticks[200:])
    assert number(tmp_path, "MEDIA-SEQUENCE") >= before
    assert {int(path.stem) for path in tmp_path.glob("*.m4s")} == {start for start, _ in listed(tmp_path)}


def test_pictures_of_another_size_get_another_header(tmp_path: Path) -> None:
    ticks = whole()
    cut = next(n for n, tick in enumerate(ticks) if n > 200 and tick.h264_key)
    wider = [replace(tick, h264=_wider(tick.h264)) if tick.h264_key else tick for tick in ticks[cut:]]
    stream(tmp_path, ticks[:cut] + wider)
    text = (tmp_path / "index.m3u8").read_text()
    assert len(set(re.findall(r'#EXT-X-MAP:URI="(.*)"', text))) == 2
    assert text.count("#EXT-X-DISCONTINUITY\n") == 2


def _wider(access_unit: bytes) -> bytes:
    """The same key frame behind another picture parameter set, which no decoder here reads."""
    at = access_unit.index(b"\0\0\1\x68") + 4
    return access_unit[:at] + bytes((access_unit[at] ^ 1,)) + access_unit[at + 1 :]

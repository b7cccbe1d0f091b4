"""Recordings as an output: room, refusal in mid-recording, what a successor finds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.config import Settings
from tests.outputs.tape import tick
from workers.outputs import recorder
from workers.outputs.recorder import Recorder
from workers.outputs.sink import Order, RefusedError


@pytest.fixture
def taking(order: Order, tmp_path: Path) -> Order:
    """An order for a recording under `tmp_path`."""
    return replace(order, settings=settings(tmp_path), wanted={"formats": ["mp4"], "sound": "opus"})


def settings(folder: Path, **recording: Any) -> Settings:
    made = Settings()
    return replace(
        made,
        paths=replace(made.paths, recordings=str(folder)),
        recording=replace(made.recording, min_free_mb=0, **recording),
    )


def test_it_says_where_it_lies_and_a_successor_goes_on_there(taking: Order, tmp_path: Path) -> None:
    first = Recorder(taking)
    first.tick(tick(0))
    again = Recorder(replace(taking, data=first.data))
    again.tick(tick(50))
    again.close("bye")
    (folder,) = tmp_path.iterdir()
    assert first.data == again.data == {"name": folder.name}
    about = json.loads((folder / "recording.json").read_text())
    assert [part["start_ms"] for part in about["parts"]] == [0, 1000]
    assert (first.counters["recordings"], again.counters["recordings_resumed"]) == (1, 1)


def test_what_a_killed_process_left_is_finished_unless_somebody_goes_on_with_it(taking: Order, tmp_path: Path) -> None:
    left, going = Recorder(taking), Recorder(replace(taking, session="other"))
    for each in (left, going):
        each.tick(tick(0))
        each.tick(tick(60))
    name, other = left.data["name"], going.data["name"]
    begun = json.loads((tmp_path / name / "recording.json").read_text())["begun"]
    assert recorder.finish_left(taking.settings, frozenset({other})) == [name]
    about = json.loads((tmp_path / name / "recording.json").read_text())
    assert about["reason"] == "killed"
    assert about["ended"] >= begun
    assert "ended" not in json.loads((tmp_path / other / "recording.json").read_text())
    assert recorder.finish_left(taking.settings, frozenset({other})) == []
    again = Recorder(replace(taking, data={"name": name}))  # its conversation was not over after all
    again.tick(tick(100))
    again.close("bye")
    about = json.loads((tmp_path / name / "recording.json").read_text())
    assert (about["reason"], len(about["parts"])) == ("bye", 2)


def test_a_successor_whose_recording_was_deleted_begins_another(taking: Order, tmp_path: Path) -> None:
    again = Recorder(replace(taking, data={"name": "../somewhere"}))
    assert (tmp_path / again.data["name"]).is_dir()


def test_without_room_it_is_refused(taking: Order, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="fill their quota"):
        Recorder(replace(taking, settings=settings(tmp_path, quota_gb=0.0)))


def test_it_stops_when_the_room_is_used_up_and_the_file_is_whole(
    taking: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "LOOK_TICKS", 10)
    running = Recorder(replace(taking, settings=settings(tmp_path, quota_gb=0.000_003)))

    def play() -> None:
        for n in range(2_000):
            running.tick(replace(tick(n), opus=bytes(100)))

    with pytest.raises(RefusedError, match=r"raise recording\.quota_gb"):
        play()
    running.close("error")
    about = json.loads((tmp_path / running.data["name"] / "recording.json").read_text())
    assert 0 < about["duration_ms"] < 20_000


def test_one_that_is_deleted_while_it_is_made_ends(taking: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "LOOK_TICKS", 2)
    running = Recorder(taking)
    running.tick(tick(0))
    shelf = recorder.shelf(taking.settings)
    place = shelf.find(running.data["name"])
    assert place
    shelf.remove(place)
    with pytest.raises(RefusedError, match="was deleted"):
        running.tick(tick(1))

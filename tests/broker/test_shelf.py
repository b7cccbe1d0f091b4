"""Where recordings lie: names, quota, age."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.shelf import ABOUT, DAY_S, NoRoomError, Shelf

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def shelf(folder: Path, quota_gb: float = 1.0, min_free_mb: int = 0, keep_days: float = 0.0) -> Shelf:
    return Shelf(folder=folder, quota_gb=quota_gb, min_free_mb=min_free_mb, keep_days=keep_days)


@pytest.mark.parametrize("name", ["../../etc", "/etc/passwd", "a\0b", "..", "x" * 4000, "", "ünï cödé\n", "-rf"])
def test_a_name_from_outside_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    place = shelf(tmp_path / "var").place(name, name, NOON)
    assert place.parent == tmp_path / "var"
    assert place.name.startswith("20260301-120000-")
    assert place.resolve() == place


def test_two_recordings_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    places = {shelf(tmp_path).place("s", "vera", NOON) for _ in range(3)}
    assert len(places) == 3


def test_a_folder_of_recordings_is_private(tmp_path: Path) -> None:
    assert shelf(tmp_path).place("s", "vera").stat().st_mode & 0o777 == 0o700


def test_a_full_quota_is_a_refusal_that_says_what_to_do(tmp_path: Path) -> None:
    (shelf(tmp_path).place("s", "vera") / "programme.mp4").write_bytes(bytes(2_000))
    with pytest.raises(NoRoomError, match=r"raise recording\.quota_gb"):
        shelf(tmp_path, quota_gb=0.000001).place("s", "vera")


def test_a_disk_that_is_nearly_full_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(NoRoomError, match="disk is nearly full"):
        shelf(tmp_path, min_free_mb=1 << 40).place("s", "vera")


def test_what_is_too_old_goes_unless_it_is_being_made_or_is_no_recording(tmp_path: Path) -> None:
    kept = shelf(tmp_path, keep_days=2)
    old, young, busy, foreign = (kept.place(name, "vera", NOON) for name in ("old", "young", "busy", "foreign"))
    for place in (old, young, busy):
        (place / ABOUT).write_text(json.dumps({"session": place.name}))
    (foreign / "thesis.txt").write_text("not ours")
    for place in (old, busy, foreign):
        for path in place.iterdir():
            os.utime(path, (1_000_000, 1_000_000))
    now_s = (young / ABOUT).stat().st_mtime + DAY_S
    assert kept.expire(now_s, frozenset({busy})) == [old]
    assert sorted(tmp_path.iterdir()) == sorted([young, busy, foreign])

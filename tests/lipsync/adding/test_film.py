"""A film becomes 25 pictures a second with a face in each, and an avatar that moves and speaks."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from broker.config import ROOT
from tests.lipsync.adding.films import swaying, write_film
from tests.lipsync.looking import saying
from workers.lipsync.adding.confined import Job
from workers.lipsync.adding.film import add_film, pictures_of
from workers.lipsync.clip import CLIP_FPS, Clip, read_clip
from workers.lipsync.errors import AvatarError
from workers.lipsync.face import FaceState
from workers.lipsync.framing import FramedFace
from workers.lipsync.landmark_finder import LandmarkFinder
from workers.lipsync.landmarks import LEFT_CORNER, RIGHT_CORNER
from workers.lipsync.moving_avatar import MovingAvatar
from workers.lipsync.photo import load_photo
from workers.lipsync.portrait_engine import PortraitAvatar

SIZE = 256
FRAME_NS = 1_000_000_000 // CLIP_FPS


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    """The folder of an avatar made of a film of Sam, 40 pictures at 30 a second."""
    folder = tmp_path_factory.mktemp("film")
    sam = cv2.resize(load_photo(ROOT / "static/avatars/sam/portrait.jpg"), (400, 400), interpolation=cv2.INTER_AREA)
    write_film(folder / "sam.mp4", swaying(sam, 40), fps=30)
    out = folder / "out"
    out.mkdir()
    report = add_film(Job(source="", folder=str(out), weights=str(weights)), folder / "sam.mp4", out)
    assert report.usable, report
    return out


@pytest.fixture(scope="module")
def avatar(made: Path) -> MovingAvatar:
    clip = read_clip(made, SIZE)
    assert clip is not None
    points = np.array(json.loads((made / "portrait.json").read_text())["points"])
    return MovingAvatar(PortraitAvatar(FramedFace(load_photo(made / "portrait.jpg"), points), SIZE), clip)


@pytest.mark.parametrize(("fps", "count", "expected"), [(25, 40, 40), (50, 80, 40), (30, 48, 40), (10, 16, 38)])
def test_any_rate_becomes_25_pictures_a_second(tmp_path: Path, fps: int, count: int, expected: int) -> None:
    shades = [np.full((64, 64, 3), 40 + 2 * n, np.uint8) for n in range(count)]
    write_film(tmp_path / "film.mp4", shades, fps=fps)
    seen = [int(picture.mean()) for picture in pictures_of(tmp_path / "film.mp4")]
    assert abs(len(seen) - expected) <= 1
    truth = [40 + 2 * min(count - 1, n * fps / CLIP_FPS) for n in range(len(seen))]
    assert np.abs(np.array(seen) - truth).max() <= 2 * max(1, fps / CLIP_FPS) + 3


def test_a_long_film_is_cut_at_ten_seconds(tmp_path: Path) -> None:
    write_film(tmp_path / "long.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 300)
    assert sum(1 for _ in pictures_of(tmp_path / "long.mp4")) == 250


def test_each_picture_has_its_box_its_points_and_its_mouth(made: Path) -> None:
    with av.open(str(made / "clip.mp4")) as container:
        assert container.streams.video[0].average_rate == CLIP_FPS
        pictures = sum(1 for _ in container.decode(video=0))
    clip = read_clip(made, SIZE)
    assert clip is not None
    assert len(clip) == len(clip.boxes) == len(clip.closed) == pictures
    assert abs(pictures - 40 * 25 / 30) <= 2
    assert clip.closed.mean() > 0.9
    assert (clip.boxes[:, 2:] > 0.2).all()


def test_the_points_lie_on_the_face_as_it_moves(made: Path, finder: LandmarkFinder) -> None:
    clip = read_clip(made, 512)
    assert clip is not None
    for number in (0, len(clip) // 2, len(clip) - 1):
        picture = cv2.imdecode(np.frombuffer(clip.jpegs[number], np.uint8), cv2.IMREAD_COLOR)
        found = finder.find(np.asarray(picture))
        assert found is not None
        off = np.linalg.norm(found.points[:468, :2] / 512 - clip.points[number, :468], axis=1)
        assert off.mean() < 0.006


def test_it_plays_forwards_and_backwards_without_a_seam() -> None:
    none = np.zeros(0)
    clip = Clip(jpegs=[b""] * 4, points=none, boxes=none, closed=none)
    assert [clip.at(n * FRAME_NS) for n in range(9)] == [0, 1, 2, 3, 2, 1, 0, 1, 2]


def test_a_silent_face_is_the_film_itself(avatar: MovingAvatar) -> None:
    pictures = [avatar.paint(FaceState(), n * FRAME_NS) for n in range(20)]
    steps = [np.abs(one.astype(int) - other).mean() for one, other in itertools.pairwise(pictures)]
    assert min(steps) > 0.05  # it moves
    assert max(steps) < 12  # and does not jump


def test_a_spoken_vowel_opens_the_mouth_wherever_the_head_is(avatar: MovingAvatar) -> None:
    for number in (0, 10, 25):
        silent, open_wide = (avatar.paint(face, number * FRAME_NS) for face in (FaceState(), saying("aa")))
        corners = avatar._clip.points[number][[LEFT_CORNER, RIGHT_CORNER]] * SIZE
        x, y = (int(v) for v in corners.mean(0))
        half = int(np.linalg.norm(corners[1] - corners[0]) / 4)
        part = np.s_[y : y + half, x - half : x + half]
        assert open_wide[part].mean() < 0.8 * silent[part].mean()
        changed = np.abs(open_wide.astype(int) - silent).max(2) > 12
        rows, columns = np.nonzero(changed)
        assert rows.min() > avatar._clip.points[number][168, 1] * SIZE  # nothing above the nose's bridge
        assert np.ptp(columns) < 4.5 * 2 * half


def test_speech_fades_in_without_a_jump(avatar: MovingAvatar) -> None:
    pictures = [avatar.paint(saying("aa", weight), 0).astype(int) for weight in (0.0, 0.005, 0.02, 0.05, 0.1)]
    for before, after in itertools.pairwise(pictures):
        assert np.abs(after - before).mean() < 0.6


def test_films_are_delivered_as_video_pictures(avatar: MovingAvatar) -> None:
    assert len(avatar.draw(FaceState(), 0)) == SIZE * SIZE * 3 // 2
    assert len(avatar.draw_cutout(FaceState(), 0)) == 2 * SIZE * SIZE * 3 // 2


def test_a_film_that_was_exchanged_is_not_moved_by_old_points(made: Path, tmp_path: Path) -> None:
    for name in ("clip.mp4", "clip.json"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    assert read_clip(tmp_path, SIZE) is not None
    write_film(tmp_path / "clip.mp4", [np.zeros((64, 64, 3), np.uint8)] * 30)
    assert read_clip(tmp_path, SIZE) is None


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": "1'])
def test_damaged_points_say_what_to_do(made: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "clip.mp4").write_bytes((made / "clip.mp4").read_bytes())
    (tmp_path / "clip.json").write_text(text)
    with pytest.raises(AvatarError, match="--replace"):
        read_clip(tmp_path, SIZE)

"""A photograph becomes a framed face, is kept, and is made anew when the picture changes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from broker.config import load
from tests.lipsync.looking import saying
from workers.lipsync import avatars
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.errors import AvatarError
from workers.lipsync.framing import frame_face
from workers.lipsync.landmark_finder import LandmarkFinder
from workers.lipsync.landmarks import CHIN, FOREHEAD, LEFT_IRIS, RIGHT_IRIS
from workers.lipsync.portrait_engine import PortraitAvatar


def put(library_folder: Path, name: str, picture: np.ndarray) -> Path:
    folder = library_folder / name
    folder.mkdir(exist_ok=True)
    path = folder / "portrait.png"
    cv2.imwrite(str(path), picture)
    return path


def test_the_reference_portrait_needs_no_weights(tmp_path: Path) -> None:
    library = AvatarLibrary((load().path("avatars"),), tmp_path, tmp_path / "no weights")
    framed = library.framed(library.path_of("vera"))
    assert framed.pixels.shape == (1024, 1024, 3)
    assert not list(tmp_path.iterdir())


def test_the_shipped_points_lie_where_the_networks_see_them(finder: LandmarkFinder) -> None:
    library = AvatarLibrary.of(load())
    framed = library.framed(library.path_of("vera"))
    found = finder.find(framed.pixels)
    assert found is not None
    compared = [*range(468), LEFT_IRIS[0], RIGHT_IRIS[0]]
    off = np.linalg.norm(found.points[compared, :2] / 1024 - framed.points[compared, :2], axis=1)
    assert off.mean() < 0.006
    assert off.max() < 0.04


def test_an_unknown_portrait_is_answered_with_the_known_ones() -> None:
    with pytest.raises(AvatarError, match="vera") as caught:
        AvatarLibrary.of(load()).path_of("mona-lisa")
    assert caught.value.code == "face_unknown"


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "a/b", "x" * 500, "ver\0a", "vera/"])
def test_a_name_that_is_a_path_is_unknown(name: str) -> None:
    with pytest.raises(AvatarError, match="no portrait"):
        AvatarLibrary.of(load()).path_of(name)


def test_a_photograph_is_framed_with_head_and_shoulders(
    library: AvatarLibrary, tmp_path: Path, astronaut: np.ndarray
) -> None:
    framed = library.framed(put(tmp_path / "avatars", "eileen", astronaut))
    height, width = framed.pixels.shape[:2]
    assert height == width
    face = framed.points[CHIN, 1] - framed.points[FOREHEAD, 1]
    assert 0.3 < face < 0.66
    assert 0.35 < framed.points[:, 0].mean() < 0.65
    irises = framed.points[[LEFT_IRIS[0], RIGHT_IRIS[0]], :2] * width
    for x, y in irises.astype(int):
        assert framed.pixels[y - 1 : y + 2, x - 1 : x + 2].mean() < 110  # an iris is dark


def test_a_prepared_face_is_kept_and_not_found_again(
    library: AvatarLibrary, tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "avatars", "eileen", astronaut)
    first = library.framed(path)
    monkeypatch.setattr(avatars, "LandmarkFinder", None)
    again = AvatarLibrary((tmp_path / "avatars",), tmp_path / "cache", tmp_path / "no weights").framed(path)
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.points, again.points)


def test_a_changed_picture_is_another_face(library: AvatarLibrary, tmp_path: Path, astronaut: np.ndarray) -> None:
    path = put(tmp_path / "avatars", "eileen", astronaut)
    first = library.framed(path)
    put(tmp_path / "avatars", "eileen", np.ascontiguousarray(astronaut[:, ::-1]))
    assert not np.array_equal(library.framed(path).pixels, first.pixels)
    assert len(list((tmp_path / "cache").glob("eileen-*.npz"))) == 2


@pytest.mark.parametrize("damage", [b"", b"PK\3\4 not a zip", b"\0" * 5000])
def test_a_damaged_cache_is_made_again(
    library: AvatarLibrary, tmp_path: Path, astronaut: np.ndarray, damage: bytes
) -> None:
    path = put(tmp_path / "avatars", "eileen", astronaut)
    first = library.framed(path)
    (kept,) = (tmp_path / "cache").glob("*.npz")
    kept.write_bytes(damage)
    assert np.array_equal(library.framed(path).points, first.points)
    assert kept.stat().st_size > 10_000


def test_a_picture_without_a_face_says_what_to_use(library: AvatarLibrary, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    for name, picture in (("noise", noise), ("wall", np.full((300, 300, 3), 180, np.uint8))):
        with pytest.raises(AvatarError, match="looking at the camera") as caught:
            library.framed(put(tmp_path / "avatars", name, picture))
        assert caught.value.code == "no_face"


def test_a_face_too_small_says_how_small(library: AvatarLibrary, tmp_path: Path, astronaut: np.ndarray) -> None:
    small = np.full((700, 700, 3), 200, np.uint8)
    small[300:430, 300:430] = cv2.resize(astronaut[0:300, 80:380], (130, 130), interpolation=cv2.INTER_AREA)
    with pytest.raises(AvatarError, match="pixels high") as caught:
        library.framed(put(tmp_path / "avatars", "far", small))
    assert caught.value.code == "face_small"


def test_a_face_that_looks_aside_is_refused(finder: LandmarkFinder, astronaut: np.ndarray) -> None:
    found = finder.find(astronaut)
    assert found is not None
    found.points[1, 0] += 0.5 * (found.points[454, 0] - found.points[234, 0]) / 2
    with pytest.raises(AvatarError, match="to the side"):
        frame_face(astronaut, found)


def test_a_face_at_the_pictures_edge_is_framed_all_the_same(
    library: AvatarLibrary, tmp_path: Path, astronaut: np.ndarray
) -> None:
    framed = library.framed(put(tmp_path / "avatars", "edge", np.ascontiguousarray(astronaut[20:230, 130:330])))
    assert framed.pixels.shape[0] == framed.pixels.shape[1]
    assert framed.points[:, :2].min() >= 0
    assert framed.points[:, :2].max() <= 1


def test_a_tilted_face_is_found_as_upright(finder: LandmarkFinder, astronaut: np.ndarray) -> None:
    turn = cv2.getRotationMatrix2D((224, 110), 18, 1)
    upright = finder.find(astronaut)
    tilted = finder.find(cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE))
    assert upright is not None
    assert tilted is not None
    moved = cv2.transform(upright.points[None, :, :2], turn)[0]
    eyes = np.linalg.norm(upright.points[263, :2] - upright.points[33, :2])
    assert np.linalg.norm(moved - tilted.points[:, :2], axis=1).mean() < 0.05 * eyes


def test_both_irises_are_found_where_the_eyes_look(finder: LandmarkFinder, astronaut: np.ndarray) -> None:
    """Each eye is shown to a network that knows one side only; a gaze to the side tells whether it is turned back."""
    aside = astronaut.copy()
    found = finder.find(aside)
    assert found is not None
    for left, right in ((33, 133), (362, 263)):
        a, b = found.points[left, :2], found.points[right, :2]
        box = np.s_[int(a[1]) - 5 : int(b[1]) + 4, int(a[0]) - 1 : int(b[0]) + 2]
        eye = aside[box].copy()
        aside[box][:, 3:] = eye[:, :-3]  # both eyes moved three pixels to the right
    again = finder.find(aside)
    assert again is not None
    for iris in (LEFT_IRIS, RIGHT_IRIS):
        assert again.points[iris[0], 0] - found.points[iris[0], 0] > 0.8


def test_of_several_faces_the_largest_is_taken(finder: LandmarkFinder, astronaut: np.ndarray) -> None:
    face = astronaut[0:260, 90:350]
    both = np.full((400, 700, 3), 190, np.uint8)
    both[40:300, 20:280] = face
    both[80:280, 450:650] = cv2.resize(face, (200, 200), interpolation=cv2.INTER_AREA)
    found = finder.find(both)
    assert found is not None
    assert found.faces == 2
    assert found.points[:, 0].mean() < 300


def test_missing_weights_name_the_command_that_brings_them(tmp_path: Path, astronaut: np.ndarray) -> None:
    (tmp_path / "avatars").mkdir()
    library = AvatarLibrary((tmp_path / "avatars",), tmp_path / "cache", tmp_path / "none")
    with pytest.raises(AvatarError, match=r"workers\.weights"):
        library.framed(put(tmp_path / "avatars", "eileen", astronaut))


@pytest.mark.parametrize(
    "points", ["", "[]", '{"points": 3}', '{"points": [[1, 2, 3]]}', json.dumps({"points": [[float("nan")] * 3] * 478})]
)
def test_shipped_points_that_are_wrong_say_which_file(tmp_path: Path, points: str) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    cv2.imwrite(str(folder / "portrait.png"), np.full((300, 300, 3), 128, np.uint8))
    (folder / "portrait.json").write_text(points)
    library = AvatarLibrary((tmp_path,), tmp_path / "cache", tmp_path)
    with pytest.raises(AvatarError, match=r"portrait\.json"):
        library.framed(library.path_of("odd"))


def test_a_photograph_with_a_smile_can_be_animated(
    library: AvatarLibrary, tmp_path: Path, astronaut: np.ndarray
) -> None:
    avatar = PortraitAvatar(library.framed(put(tmp_path / "avatars", "eileen", astronaut)), 256)
    teeth = _teeth_in_mouth(avatar.portrait, avatar)
    assert teeth > 30
    assert _teeth_in_mouth(avatar.paint(saying("PP")), avatar) < 0.12 * teeth
    assert _dark_in_mouth(avatar.paint(saying("aa")), avatar) > 4 * _dark_in_mouth(avatar.portrait, avatar) + 40


def _mouth_part(picture: np.ndarray, avatar: PortraitAvatar) -> np.ndarray:
    x, y = (int(v) for v in avatar.face.to_picture(0, 0.12))
    w, h = int(0.5 * avatar.face.mouth_width), int(0.4 * avatar.face.jaw_height)
    return picture[y - h : y + h, x - w : x + w].astype(int)


def _teeth_in_mouth(picture: np.ndarray, avatar: PortraitAvatar) -> int:
    """Bright and hardly coloured; skin has more red than blue."""
    part = _mouth_part(picture, avatar)
    return int(((part.min(2) > 150) & (part[..., 2] - part[..., 0] < 30)).sum())


def _dark_in_mouth(picture: np.ndarray, avatar: PortraitAvatar) -> int:
    return int((_mouth_part(picture, avatar).max(2) < 75).sum())


def test_points_found_by_an_older_method_are_found_anew(
    library: AvatarLibrary, tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    framed = library.framed(put(tmp_path / "avatars", "eileen", astronaut))
    path = put(tmp_path / "avatars", "square", framed.pixels)
    shifted = framed.points + np.array([0.01, 0, 0])
    avatars.save_points(shifted, path.with_suffix(".json"), avatars.digest(path))
    assert np.abs(library.framed(path).points - shifted).max() < 1e-4
    monkeypatch.setattr(avatars, "VERSION", avatars.VERSION + 1)
    assert np.abs(library.framed(path).points[:, 0] - shifted[:, 0]).mean() > 0.005


def test_two_who_prepare_the_same_face_do_not_disturb_each_other(
    library: AvatarLibrary, tmp_path: Path, astronaut: np.ndarray
) -> None:
    path = put(tmp_path / "avatars", "eileen", astronaut)
    library.framed(path)
    other = AvatarLibrary((tmp_path / "avatars",), tmp_path / "cache", load().path("weights") / "mediapipe")
    other.framed(path)
    assert [name for name in os.listdir(tmp_path / "cache") if name.endswith(".part")] == []

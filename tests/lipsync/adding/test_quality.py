"""What a photograph's report says, on a real face made worse on purpose, and on drawings that are in order."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from broker.config import ROOT
from workers.lipsync.adding.quality import judge
from workers.lipsync.landmark_finder import FoundFace, LandmarkFinder
from workers.lipsync.photo import load_photo

PEOPLE = ("vera", "robin", "sam")


def said(pixels: np.ndarray, finder: LandmarkFinder) -> set[str]:
    found = finder.find(pixels)
    assert found is not None
    return {finding.code for finding in judge(pixels, found)}


@pytest.fixture(scope="module")
def near(astronaut: np.ndarray) -> np.ndarray:
    """The astronaut's head and nothing else; her face is 106 pixels high and smiles."""
    return np.ascontiguousarray(astronaut[0:300, 80:380])


@pytest.mark.parametrize("name", PEOPLE)
def test_a_good_portrait_has_no_faults(name: str, finder: LandmarkFinder) -> None:
    assert said(load_photo(ROOT / f"static/avatars/{name}/portrait.jpg"), finder) <= {"good", "no_room"}


def test_a_smiling_small_face_is_called_so(near: np.ndarray, finder: LandmarkFinder) -> None:
    assert said(near, finder) == {"face_small", "mouth_open"}


def test_blur_is_told_at_any_size(near: np.ndarray, finder: LandmarkFinder) -> None:
    assert "blurred" in said(cv2.GaussianBlur(near, (0, 0), 1.5), finder)
    vera = load_photo(ROOT / "static/avatars/vera/portrait.jpg")
    assert "blurred" in said(cv2.GaussianBlur(vera, (0, 0), 6), finder)


def test_darkness_and_glare_are_told(near: np.ndarray, finder: LandmarkFinder) -> None:
    assert "dark" in said((near * 0.25).astype(np.uint8), finder)
    assert "bright" in said(np.clip(near * 1.9, 0, 255).astype(np.uint8), finder)


def test_light_from_one_side_is_told(near: np.ndarray, finder: LandmarkFinder) -> None:
    found = finder.find(near)
    assert found is not None
    shade = np.where(np.arange(near.shape[1]) < found.points[1, 0], 0.3, 1.0)[None, :, None]
    assert "uneven" in {each.code for each in judge((near * shade).astype(np.uint8), found)}


def test_a_tilted_head_is_told(near: np.ndarray, finder: LandmarkFinder) -> None:
    turn = cv2.getRotationMatrix2D((150, 120), 35, 1)
    tilted = cv2.warpAffine(near, turn, (300, 300), borderMode=cv2.BORDER_REPLICATE)
    assert "face_tilted" in said(tilted, finder)


def spot(point: np.ndarray, right: float = 0.0, down: float = 0.0) -> tuple[int, int]:
    return int(point[0] + right), int(point[1] + down)


def with_glasses(pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Round dark frames and the bar between them."""
    worn, wide, colour = pixels.copy(), float(np.linalg.norm(points[263] - points[33])), (30, 25, 25)
    thick = max(2, int(0.02 * wide))
    for outer, inner in ((33, 133), (263, 362)):
        middle = spot((points[outer] + points[inner]) / 2, 0, 0.05 * wide)
        cv2.ellipse(worn, middle, (int(0.27 * wide), int(0.22 * wide)), 0, 0, 360, colour, thick)
    cv2.line(worn, spot(points[133]), spot(points[362]), colour, thick, cv2.LINE_AA)
    return worn


def with_a_hand(pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Four fingers of the face's own skin over mouth and chin."""
    hidden, wide, below = pixels.copy(), float(np.linalg.norm(points[454] - points[234])), points[17]
    skin = np.median([pixels[int(y), int(x)] for x, y in points[[50, 280, 10]]], axis=0)
    for finger in range(4):
        knuckle = spot(below, 0.55 * wide, (0.25 + 0.1 * finger) * wide)
        tip = spot(below, -0.18 * wide, (-0.18 + 0.115 * finger) * wide)
        for shade, thick in ((0.62, 0.125), (1.03, 0.10), (1.12, 0.05)):
            colour = [float(each) for each in np.minimum(255, shade * skin)]
            cv2.line(hidden, knuckle, tip, colour, int(thick * wide), cv2.LINE_AA)
    return hidden


@pytest.mark.parametrize("name", ["", *PEOPLE])
def test_glasses_and_a_hand_over_the_mouth_are_told(name: str, near: np.ndarray, finder: LandmarkFinder) -> None:
    pixels = load_photo(ROOT / f"static/avatars/{name}/portrait.jpg") if name else near
    found = finder.find(pixels)
    assert found is not None
    points = found.points[:, :2]
    assert not said(pixels, finder) & {"glasses", "face_covered"}
    assert "glasses" in said(with_glasses(pixels, points), finder)
    assert "face_covered" in said(with_a_hand(pixels, points), finder)


def moved(found: FoundFace, points: tuple[int, ...], by: tuple[float, float]) -> FoundFace:
    changed = found.points.copy()
    changed[list(points), :2] += by
    return FoundFace(changed, found.score, found.faces, found.presence)


def test_what_the_points_say_is_told(finder: LandmarkFinder) -> None:
    """Turned heads, gaping mouths and shut eyes: no picture of these is at hand, so the points are moved."""
    vera = load_photo(ROOT / "static/avatars/vera/portrait.jpg")
    found = finder.find(vera)
    assert found is not None
    lower_lids = (7, 163, 144, 145, 153, 154, 155, 382, 381, 380, 374, 373, 390, 249)
    wide = float(np.linalg.norm(found.points[454, :2] - found.points[234, :2]))
    eye = abs(float(found.points[145, 1] - found.points[159, 1]))
    for changed, code in (
        (moved(found, (1,), (0.14 * wide, 0)), "face_turned"),
        (moved(found, (14,), (0, 0.3 * wide)), "mouth_open"),
        (moved(found, lower_lids, (0, -0.75 * eye)), "eyes_shut"),
        (moved(found, tuple(range(478)), (0, -found.points[10, 1] - 30)), "face_cut"),
        (FoundFace(found.points, found.score, 1, 3.0), "unsure"),
    ):
        assert code in {each.code for each in judge(vera, changed)}, code

"""The committed portraits are what their script paints, small enough, unlike each other, and can be looked at on one
sheet."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from broker.config import load
from workers.lipsync import landmarks as mesh
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.face import FaceState
from workers.lipsync.framing import FramedFace
from workers.lipsync.generator.painting import paint_portrait, place_points
from workers.lipsync.generator.people import PEOPLE
from workers.lipsync.photo import load_photo
from workers.lipsync.portrait_engine import PortraitAvatar, PortraitEngine
from workers.lipsync.sheet import CELL, COLUMNS, draw_sheet, mouth_of

NAMES = sorted(PEOPLE)


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def avatar(name: str) -> PortraitAvatar:
    engine = PortraitEngine(load())
    return engine.still(engine.find(name), 512)


def shipped(name: str) -> FramedFace:
    library = AvatarLibrary.of(load())
    return library.framed(library.path_of(name))


def test_the_script_paints_the_committed_portrait(name: str) -> None:
    committed = cv2.resize(shipped(name).pixels, (96, 96), interpolation=cv2.INTER_AREA).astype(int)
    painted = cv2.resize(paint_portrait(PEOPLE[name], 160), (96, 96), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(committed - painted).mean() < 6


def test_the_shipped_lids_and_lips_are_where_the_brush_put_them(name: str) -> None:
    points = shipped(name).points
    assert np.abs(place_points(PEOPLE[name], points)[:, :2] - points[:, :2]).max() < 2e-5


def test_the_avatars_files_are_small(name: str) -> None:
    folder = AvatarLibrary.of(load()).path_of(name).parent
    assert sum(path.stat().st_size for path in folder.glob("p*")) < 1_000_000
    assert load_photo(folder / "poster.jpg").shape == (512, 512, 3)


def test_a_sheet_shows_every_viseme_twice_and_all_else_once(avatar: PortraitAvatar) -> None:
    sheet = draw_sheet(avatar)
    assert sheet.shape == (6 * CELL, COLUMNS * CELL, 3)
    cells = [
        sheet[y : y + CELL, x : x + CELL] for y in range(0, 6 * CELL, CELL) for x in range(0, COLUMNS * CELL, CELL)
    ]
    assert sum(bool(np.ptp(cell)) for cell in cells) == 47


def test_an_open_mouth_shows_dark_between_the_lips(avatar: PortraitAvatar) -> None:
    x, y = (int(v) for v in avatar.face.to_picture(0, 0.22))

    def brightness(state: FaceState) -> float:
        return float(avatar.paint(state)[y - 4 : y + 5, x - 8 : x + 9].mean())

    assert brightness(FaceState(mouth=mouth_of("aa"))) < 0.75 * brightness(FaceState())


def test_a_blink_covers_the_iris_with_skin(avatar: PortraitAvatar) -> None:
    centres = avatar.face.points[[mesh.LEFT_IRIS[0], mesh.RIGHT_IRIS[0]]].astype(int)
    opened, shut = avatar.paint(FaceState()).copy(), avatar.paint(FaceState(blink=1.0))
    cheek = shut[tuple(avatar.face.points[50].astype(int)[::-1])].astype(int)
    for x, y in centres:
        skin = shut[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(0)
        assert np.abs(skin - cheek).mean() < np.abs(opened[y, x].astype(int) - cheek).mean()
        assert np.abs(skin - cheek).mean() < 60


def test_no_two_people_look_alike() -> None:
    small = {name: cv2.resize(shipped(name).pixels, (48, 48), interpolation=cv2.INTER_AREA) for name in NAMES}
    for one, other in itertools.combinations(NAMES, 2):
        head = np.abs(small[one][4:40, 10:38].astype(int) - small[other][4:40, 10:38]).mean()
        assert head > 25, f"{one} looks like {other}"

"""The figure cut out of its portrait, and what it then stands before."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from broker.config import load
from tests.lipsync.looking import saying
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.backdrops import BackdropLibrary
from workers.lipsync.errors import AvatarError
from workers.lipsync.face import FaceState
from workers.lipsync.matte import cut_figure, go_on
from workers.lipsync.portrait_engine import PortraitAvatar, PortraitEngine

NAMES = AvatarLibrary.of(load()).names()
GREEN = np.full((256, 256, 3), (40, 200, 40), np.uint8)
TURNED = FaceState(pose=(0.2, 0.08, 0.12), breath=0.7)


@pytest.fixture(scope="module", params=NAMES)
def avatar(request: pytest.FixtureRequest, weights: Path) -> PortraitAvatar:
    engine = PortraitEngine(load())
    return engine.still(engine.find(request.param), 256)


def corners(picture: np.ndarray) -> np.ndarray:
    """The upper two, where no figure is."""
    return np.concatenate([picture[:24, :24], picture[:24, -24:]]).astype(int)


def test_figure_and_ground_add_up_to_the_portrait(avatar: PortraitAvatar, weights: Path) -> None:
    matte = cut_figure(avatar.portrait, weights)
    assert matte is not None
    share = matte.figure[..., 3:] / 255
    both = matte.figure[..., :3] + (1 - share) * matte.ground
    assert np.percentile(np.abs(both - avatar.portrait), 99.9) < 4
    assert matte.figure[..., 3].min() == 0
    face = avatar.face.points[[1, 50, 280, 10, 152]].astype(int)
    assert (matte.figure[face[:, 1], face[:, 0], 3] == 255).all()


def test_no_outline_of_the_figure_is_left_on_the_ground(avatar: PortraitAvatar, weights: Path) -> None:
    """It would be seen as soon as the head moves. The painted grounds are smooth: so must be what goes on behind."""
    matte = cut_figure(avatar.portrait, weights)
    assert matte is not None
    grey = cv2.cvtColor(matte.ground, cv2.COLOR_BGR2GRAY).astype(np.float32)
    lines = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 2))
    alpha = matte.figure[..., 3]
    edge = cv2.morphologyEx((alpha > 128).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((7, 7), np.uint8)) > 0
    assert lines[edge].max() < 7, "an outline that stays has 11 to 61"
    assert np.percentile(lines[edge], 99) < 3.7


def test_a_head_that_moves_leaves_its_background_where_it_is(avatar: PortraitAvatar) -> None:
    moved = avatar.paint(TURNED).astype(int)
    assert np.abs(corners(moved) - corners(avatar.portrait)).max() <= 3
    still = (near_figure(avatar, TURNED) < 40) & (near_figure(avatar, FaceState()) < 40)
    assert still.mean() > 0.2
    assert np.percentile(np.abs(moved - avatar.portrait)[still], 99.5) < 6


def near_figure(avatar: PortraitAvatar, state: FaceState) -> np.ndarray:
    """Luma of the alpha, 16 where no figure is within two pixels."""
    grey = np.frombuffer(avatar.draw_cutout(state), np.uint8)[: 256 * 512].reshape(256, 512)[:, 256:]
    return cv2.dilate(grey, np.ones((5, 5), np.uint8))


def test_the_figure_stands_before_another_background(avatar: PortraitAvatar) -> None:
    for state in (FaceState(), TURNED, saying("aa")):
        picture = avatar.paint(state, GREEN)
        assert np.abs(corners(picture) - GREEN[0, 0]).max() <= 1
        nose = avatar.paint(state)[tuple(avatar.face.points[1].astype(int)[::-1])].astype(int)
        assert np.abs(picture[tuple(avatar.face.points[1].astype(int)[::-1])].astype(int) - nose).max() <= 2


def test_no_rim_of_the_old_background_is_left(avatar: PortraitAvatar) -> None:
    dark = avatar.paint(FaceState(), np.zeros((256, 256, 3), np.uint8)).astype(int).sum(2)
    own = avatar.portrait.astype(int).sum(2)
    alpha = near_figure(avatar, FaceState())
    edge = (cv2.GaussianBlur(alpha, (0, 0), 2) > 30) & (cv2.GaussianBlur(alpha, (0, 0), 2) < 200)
    ground = np.median(corners(avatar.portrait).sum(-1))
    assert (dark[edge] > 0.85 * ground).mean() < 0.5 * (own[edge] > 0.85 * ground).mean()


def test_without_the_network_the_background_is_part_of_the_face(tmp_path: Path) -> None:
    library = AvatarLibrary.of(load())
    avatar = PortraitAvatar(library.framed(library.path_of("vera")), 256, tmp_path)
    assert not avatar.cut_out
    assert np.array_equal(avatar.paint(FaceState(), GREEN), avatar.portrait)
    grey = np.frombuffer(avatar.draw_cutout(FaceState()), np.uint8)[: 256 * 512].reshape(256, 512)[:, 256:]
    assert grey.min() > 230


def test_colours_go_on_where_none_are_known() -> None:
    picture = np.full((40, 40, 3), 90, np.float32)
    known = np.zeros((40, 40), np.float32)
    known[:, :20] = 1
    picture[:, 20:] = 0
    assert np.abs(go_on(picture, known) - 90).max() < 1e-3


def test_a_colour_and_a_picture_are_backdrops(tmp_path: Path) -> None:
    wide = np.zeros((200, 400, 3), np.uint8)
    wide[:, 100:300] = (10, 20, 230)
    cv2.imwrite(str(tmp_path / "shelf.png"), wide)
    library = BackdropLibrary(tmp_path)
    assert library.names() == ["shelf"]
    assert library.load(library.find("#3a5f8a"), 64)[0, 0].tolist() == [0x8A, 0x5F, 0x3A]
    shelf = library.load(library.find("shelf"), 64)
    assert shelf.shape == (64, 64, 3)
    assert np.abs(shelf.astype(int) - (10, 20, 230)).max() < 3


@pytest.mark.parametrize("name", ["../secret", "red", "#12", "shelf.png", "x" * 900])
def test_an_unknown_backdrop_says_what_there_is(name: str, tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match="Give a colour as #rrggbb"):
        BackdropLibrary(tmp_path).find(name)


def test_the_backdrops_that_come_along_can_be_stood_before() -> None:
    library = BackdropLibrary(load().path("backdrops"))
    assert {"dusk", "studio"} <= set(library.names())
    for name in library.names():
        assert library.load(library.find(name), 512).shape == (512, 512, 3)

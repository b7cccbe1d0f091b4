"""The arithmetic of the warp: fields pass through their points, turn round, and never fold."""

from __future__ import annotations

import numpy as np
import pytest

from broker.config import load
from broker.visemes import VISEMES
from tests.lipsync.looking import saying
from workers.lipsync.articulators import articulate
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.framing import FramedFace
from workers.lipsync.geometry import measure
from workers.lipsync.mouth_basis import MouthBasis, build_mouth_basis, lip_lines
from workers.lipsync.portrait_engine import PortraitAvatar
from workers.lipsync.warp_field import Grid, enlarge, grid_over, look_up, spread, turn_round


@pytest.fixture(scope="module")
def basis(vera: PortraitAvatar, framed_vera: FramedFace) -> MouthBasis:
    face = measure(framed_vera.points, 512)
    return build_mouth_basis(face, lip_lines(vera.portrait, face), 512, 2)


def test_a_field_is_near_what_its_points_say() -> None:
    grid = Grid(0, 0, 64, 64, 2)
    points = np.array([[20.0, 20], [100, 30], [60, 100], [64, 64]])
    values = np.array([[0.0, 0], [4, 0], [0, -6], [2, 2]])
    field = spread(grid, points, [(np.arange(4), values)], edge=False)[0]
    for point, value in zip(points, values, strict=True):
        column, row = grid.to_nodes(point).round().astype(int)
        assert np.abs(field[row, column] - value).max() < 0.9


def test_a_field_fades_to_nothing_at_its_edge() -> None:
    grid = Grid(0, 0, 40, 40, 2)
    field = spread(grid, np.array([[40.0, 40], [10, 10]]), [(np.arange(2), np.full((2, 2), 5.0))])[0]
    assert not field[0].any()
    assert not field[:, -1].any()
    assert np.abs(field[20, 20]).max() > 3


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_positions_enlarged_are_every_pixels_own(step: int) -> None:
    size = 36 * step
    grid = Grid(0, 0, 36, 36, step)
    pixels = enlarge(grid.nodes(), step)
    ys, xs = np.mgrid[0:size, 0:size]
    assert np.abs(pixels[..., 0] - xs).max() < 1e-3
    assert np.abs(pixels[..., 1] - ys).max() < 1e-3


def test_a_grid_stays_inside_the_picture() -> None:
    assert grid_over((-30, -5, 700, 900), 512, 2).box == (0, 0, 512, 512)


@pytest.mark.parametrize("viseme", VISEMES)
def test_going_there_and_back_is_standing_still(basis: MouthBasis, viseme: str) -> None:
    weights = articulate(saying(viseme)).mouth
    for layer in (basis.face, basis.upper):
        forward = (weights @ layer.basis).reshape(layer.grid.rows, layer.grid.columns, 2)
        back = layer.backward(weights)
        rest = back + look_up(forward, layer.numbers + back)
        inside = rest[6:-6, 6:-6] * layer.grid.step
        assert np.percentile(np.abs(inside), 99) < 1.0


@pytest.mark.parametrize("viseme", VISEMES)
def test_the_face_never_folds_over_itself(basis: MouthBasis, viseme: str) -> None:
    layer = basis.face
    forward = (articulate(saying(viseme)).mouth @ layer.basis).reshape(layer.grid.rows, layer.grid.columns, 2)
    down = 1 + np.diff(forward[..., 1], axis=0)[:, 1:]
    across = 1 + np.diff(forward[..., 0], axis=1)[1:]
    assert np.percentile(np.minimum(down, across), 0.5) > 0.1


@pytest.mark.parametrize("name", AvatarLibrary.of(load()).names())
def test_the_two_lips_agree_at_their_corners(name: str) -> None:
    library = AvatarLibrary.of(load())
    avatar = PortraitAvatar(library.framed(library.path_of(name)), 512)
    for viseme in VISEMES:
        weights = articulate(saying(viseme)).mouth
        apart = avatar.mouth.upper.moved_contour(weights) - avatar.mouth.face.moved_contour(weights)
        assert np.abs(apart[[0, -1]]).max() < 0.065 * avatar.face.mouth_width, viseme


def test_turning_round_nothing_is_nothing() -> None:
    grid = Grid(0, 0, 20, 16, 2)
    assert not turn_round(np.zeros((16, 20, 2), np.float32), grid.numbers()).any()

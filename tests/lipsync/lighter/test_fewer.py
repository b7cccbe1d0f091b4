"""Fewer triangles of surfaces whose answer is known: planes, balls, borders, cuts."""

from __future__ import annotations

import numpy as np

from workers.lipsync.lighter.fewer import fewer

SIDE = 24


def sheet(height: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) places on a square from 0 to 1, and (f, 3) triangles that face +z."""
    i, j = np.mgrid[0:SIDE, 0:SIDE]
    places = np.stack([j.ravel() / (SIDE - 1), i.ravel() / (SIDE - 1), np.zeros(SIDE * SIDE)], 1)
    if height is not None:
        places[:, 2] = height
    a = (i[:-1, :-1] * SIDE + j[:-1, :-1]).ravel()
    faces = np.concatenate([np.stack([a, a + 1, a + SIDE], 1), np.stack([a + 1, a + SIDE + 1, a + SIDE], 1)])
    return places, faces


def areas(places: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(f, 3), pointing out."""
    a, b, c = (places[faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a) / 2


def nothing(places: np.ndarray) -> np.ndarray:
    return np.zeros((len(places), 0))


def test_a_plane_stays_the_same_square_with_hardly_any_triangles() -> None:
    places, faces = sheet()
    left = fewer(places, faces, nothing(places), 30)
    assert len(left) <= 30
    assert np.allclose(areas(places, left).sum(0), (0, 0, 1)), "neither holes nor folds"
    assert (areas(places, left)[:, 2] > 0).all()


def test_what_is_bent_keeps_its_triangles_and_what_is_flat_gives_them_up() -> None:
    x, y, _ = sheet()[0].T
    places, faces = sheet(np.where(x > 0.5, 0.03 * np.sin(12 * (x - 0.5)) * np.sin(12 * y), 0))
    left = fewer(places, faces, nothing(places), len(faces) // 4)
    middle = places[left].mean(1)[:, 0]
    assert (middle > 0.5).sum() > 2 * (middle < 0.5).sum()


def test_what_a_shape_bends_counts_like_what_is_bent() -> None:
    places, faces = sheet()
    move = np.zeros_like(places)
    upper = places[:, 1] > 0.5
    x, y = places[upper, 0], places[upper, 1] - 0.5
    move[upper, 2] = 0.03 * np.sin(12 * y) * np.sin(12 * x)
    left = fewer(places, faces, move, len(faces) // 4)
    middle = places[left].mean(1)[:, 1]
    assert (middle > 0.5).sum() > 2 * (middle < 0.5).sum()


def test_a_cut_for_a_texture_does_not_open() -> None:
    """Two halves with vertices of their own along the middle: both keep the same ones there."""
    places, faces = sheet()
    places[:, 2] = 0.05 * np.sin(9 * places[:, 0]) * np.sin(7 * places[:, 1])
    middle = SIDE // 2
    right = np.concatenate([places, places])
    corner = faces.min(1) % SIDE >= middle
    cut = np.where(corner[:, None], faces + len(places), faces)
    colour = np.concatenate([np.zeros((len(places), 1)), np.ones((len(places), 1))])
    left = fewer(right, cut, colour, len(faces) // 4)
    assert len(left) <= len(faces) // 4 + 2
    line = places[middle, 0]
    one, other = (
        {tuple(right[v]) for v in np.unique(side) if abs(right[v, 0] - line) < 1e-9}
        for side in (left[left.max(1) < len(places)], left[left.min(1) >= len(places)])
    )
    assert one == other
    assert 2 <= len(one) < SIDE, "it goes along the cut, too"


def test_vertices_that_must_stay_stay() -> None:
    places, faces = sheet()
    chosen = np.array([SIDE * 5 + 7, SIDE * 11 + 3])
    left = fewer(places, faces, nothing(places), 20, chosen)
    assert np.isin(chosen, left).all()


def test_separate_pieces_are_not_joined_and_a_surface_is_not_torn() -> None:
    places, faces = sheet()
    apart = np.concatenate([places, places + np.array([0, 0, 1])])
    left = fewer(apart, np.concatenate([faces, faces + len(places)]), nothing(apart), 40)
    assert ((left < len(places)).all(1) | (left >= len(places)).all(1)).all()
    assert np.allclose(areas(apart, left).sum(0), (0, 0, 2))

"""From a character to a picture with its points."""

from __future__ import annotations

import cv2
import numpy as np

from workers.lipsync import landmarks as mesh
from workers.lipsync.generator.canvas import Canvas, colour, to_screen
from workers.lipsync.generator.character import Backdrop, Character
from workers.lipsync.generator.clothes import lay
from workers.lipsync.generator.eyes import brow, eye, iris_middle, lid
from workers.lipsync.generator.hair import back_hair, front_hair
from workers.lipsync.generator.head import ears, face, neck, stubble
from workers.lipsync.generator.mouth import lip, mouth

SUPERSAMPLE = 2


def paint_portrait(person: Character, side: int) -> np.ndarray:
    """(side, side, 3) uint8 BGR: what is shown of the painting."""
    large = _paint(person, round(side * SUPERSAMPLE / person.frame[2]))
    left, top, shown = (round(part * large.shape[0]) for part in person.frame)
    return cv2.resize(large[top : top + shown, left : left + shown], (side, side), interpolation=cv2.INTER_AREA)


def place_points(person: Character, found: np.ndarray) -> np.ndarray:
    """(478, 3) points of the portrait in units of its side as a network saw them, put right where the brush knows
    better: lids, irises and lips."""
    points = found.copy()
    eyes, lips = person.eyes, person.mouth

    def put(indices: tuple[int, ...], where: np.ndarray) -> None:
        points[list(indices), :2] = (where - person.frame[:2]) / person.frame[2]

    for sign, (upper, lower), iris in zip((-1, 1), mesh.EYES, (mesh.LEFT_IRIS, mesh.RIGHT_IRIS), strict=True):
        for indices, line in ((upper, eyes.upper), (lower, eyes.lower)):
            put(indices, lid(eyes, line, sign, len(indices))[::sign])  # points run from the left, lids from within
        rim = eyes.radius * np.array([(0, 0), (1, 0), (0, -1), (-1, 0), (0, 1)])
        put(iris, np.array(iris_middle(eyes, sign)) + rim)
    put(mesh.UPPER_LIP_OUTER, lip(lips, lips.upper, len(mesh.UPPER_LIP_OUTER)))
    put(mesh.LOWER_LIP_OUTER, lip(lips, lips.lower, len(mesh.LOWER_LIP_OUTER)))
    inner = lip(lips, lips.between)[np.linspace(9, 150, len(mesh.UPPER_LIP_INNER)).astype(int)]
    put(mesh.UPPER_LIP_INNER, inner)
    put(mesh.LOWER_LIP_INNER, inner)
    return points


def _paint(person: Character, side: int) -> np.ndarray:
    """(side, side, 3) uint8 BGR, from back to front."""
    canvas = Canvas(side)
    picture = _backdrop(canvas, person.backdrop)
    back_hair(canvas, picture, person.hair)
    for panel in person.clothes.back:
        lay(canvas, picture, panel)
    neck(canvas, picture, person)
    for panel in person.clothes.front:
        lay(canvas, picture, panel)
    if person.head.ears:
        ears(canvas, picture, person.skin)
    face(canvas, picture, person)
    if person.beard is not None:
        stubble(canvas, picture, person, person.beard)
    mouth(canvas, picture, person.mouth, person.skin)
    for sign in (-1, 1):
        eye(canvas, picture, person.eyes, person.skin, sign)
        brow(canvas, picture, person.brows, sign)
    front_hair(canvas, picture, person.hair, person.skin)
    return to_screen(picture)


def _backdrop(canvas: Canvas, backdrop: Backdrop) -> np.ndarray:
    dark, light = colour(backdrop.dark), colour(backdrop.light)
    glow = canvas.spot(*backdrop.glow, 0.42, 0.42)
    return np.ascontiguousarray(dark + (light - dark) * glow[..., None], np.float32)

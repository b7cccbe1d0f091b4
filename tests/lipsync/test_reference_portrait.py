"""The committed portrait is what its script paints, small enough, and can be looked at on one sheet."""

from __future__ import annotations

import cv2
import numpy as np

from broker.config import load
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.generator.vera import paint_portrait
from workers.lipsync.photo import load_photo
from workers.lipsync.portrait_engine import PortraitAvatar
from workers.lipsync.sheet import CELL, COLUMNS, draw_sheet


def test_the_script_paints_the_committed_portrait() -> None:
    committed = AvatarLibrary.of(load()).path_of("vera")
    pixels = load_photo(committed)
    small = cv2.resize(pixels, (96, 96), interpolation=cv2.INTER_AREA).astype(int)
    painted = cv2.resize(paint_portrait(160), (96, 96), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(small - painted).mean() < 6


def test_the_avatars_files_are_small() -> None:
    folder = AvatarLibrary.of(load()).path_of("vera").parent
    assert sum(path.stat().st_size for path in folder.glob("p*")) < 1_000_000
    assert load_photo(folder / "poster.jpg").shape == (512, 512, 3)


def test_a_sheet_shows_every_viseme_twice_and_all_else_once(vera: PortraitAvatar) -> None:
    sheet = draw_sheet(vera)
    assert sheet.shape == (6 * CELL, COLUMNS * CELL, 3)
    cells = [
        sheet[y : y + CELL, x : x + CELL] for y in range(0, 6 * CELL, CELL) for x in range(0, COLUMNS * CELL, CELL)
    ]
    assert sum(bool(cell.any()) for cell in cells) == 47

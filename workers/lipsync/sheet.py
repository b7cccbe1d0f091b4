"""A contact sheet of a portrait, to be looked at: `python -m workers.lipsync.sheet -o out.png [--portrait vera]`.

Every viseme, the eyes, the emotions and the head's turns; below, the visemes' mouths from near.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import cv2
import numpy as np

from broker.config import load
from broker.errors import VisavisError
from broker.expressions import EMOTIONS
from broker.visemes import VISEMES
from workers.lipsync.face import MAX_PITCH, MAX_ROLL, MAX_YAW, FaceState
from workers.lipsync.geometry import FaceGeometry
from workers.lipsync.portrait_engine import PortraitAvatar, PortraitEngine

COLUMNS = 8
CELL = 256
logger = logging.getLogger(__name__)


def mouth_of(viseme: str, weight: float = 1.0) -> tuple[float, ...]:
    """The weights of one viseme alone."""
    return tuple(weight if name == viseme else 0.0 for name in VISEMES)


def poses() -> list[tuple[str, FaceState]]:
    """What a sheet shows besides visemes, by name."""
    shown = [
        ("half blink", FaceState(blink=0.5)),
        ("blink", FaceState(blink=1.0)),
        ("gaze right", FaceState(gaze=(1.0, 0.0))),
        ("gaze left up", FaceState(gaze=(-1.0, 1.0))),
        ("gaze down", FaceState(gaze=(0.0, -1.0))),
        ("brows up", FaceState(brows=1.0)),
        ("brows down", FaceState(brows=-1.0)),
    ]
    shown += [(name, FaceState(emotion=name, emotion_strength=1.0)) for name in EMOTIONS[1:]]
    shown += [
        ("happy, aa", FaceState(mouth=mouth_of("aa", 0.7), emotion="happy", emotion_strength=1.0)),
        ("yaw right, E", FaceState(mouth=mouth_of("E", 0.7), pose=(MAX_YAW, 0.0, 0.0))),
        ("yaw left", FaceState(pose=(-MAX_YAW, 0.0, 0.0))),
        ("pitch up", FaceState(pose=(0.0, MAX_PITCH, 0.0))),
        ("pitch down", FaceState(pose=(0.0, -MAX_PITCH, 0.0))),
        ("roll, O", FaceState(mouth=mouth_of("O"), pose=(0.0, 0.0, MAX_ROLL))),
    ]
    return shown


def draw_sheet(avatar: PortraitAvatar) -> np.ndarray:
    """(height, width, 3) uint8 BGR."""
    visemes = [(name, avatar.paint(FaceState(mouth=mouth_of(name)))) for name in VISEMES]
    cells = [_cell(picture, name) for name, picture in visemes]
    cells += [_cell(avatar.paint(state), name) for name, state in poses()]
    mouths = [_cell(_mouth(picture, avatar.face), name) for name, picture in visemes]
    return np.vstack([_rows(cells), _rows(mouths)])


def _mouth(picture: np.ndarray, face: FaceGeometry) -> np.ndarray:
    x, y = face.to_picture(0, 0.22)
    half = 0.72 * face.mouth_width
    top, left = max(0, int(y - half)), max(0, int(x - half))
    return picture[top : int(y + half), left : int(x + half)]


def _cell(picture: np.ndarray, name: str) -> np.ndarray:
    smaller = picture.shape[0] > CELL
    cell = cv2.resize(picture, (CELL, CELL), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    for ink, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(cell, name, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, thick, cv2.LINE_AA)
    return cell


def _rows(cells: list[np.ndarray]) -> np.ndarray:
    cells = cells + [np.full_like(cells[0], 236)] * (-len(cells) % COLUMNS)
    return np.vstack([np.hstack(cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--portrait", default="vera", help="a known portrait, or a picture file")
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    try:
        engine = PortraitEngine(load())
        file = Path(options.portrait)
        avatar = engine.still(file if file.is_file() else engine.find(options.portrait), options.size)
    except VisavisError as exc:
        raise SystemExit(str(exc)) from exc
    cv2.imwrite(str(options.out), draw_sheet(avatar))
    logger.info("wrote %s", options.out)


if __name__ == "__main__":
    main()

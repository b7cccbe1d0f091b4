"""Puts beside a rendered portrait what the portrait engine ships with it: its points, and a small poster.

`python -m workers.lipsync.generator3d.points static/avatars/vera3d/portrait.jpg`
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from broker.config import load
from workers.lipsync import landmarks as mesh
from workers.lipsync.avatars import save_points
from workers.lipsync.landmark_finder import LandmarkFinder
from workers.lipsync.photo import load_photo

POSTER_SIDE = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("portrait", type=Path, help="a square picture")
    options = parser.parse_args()
    picture = load_photo(options.portrait)
    side = picture.shape[0]
    found = LandmarkFinder(load().path("weights") / "mediapipe").find(picture)
    if found is None:
        raise SystemExit(f"No face is seen in {options.portrait}.")
    points = found.points.copy()
    points[:, :2] = (points[:, :2] + 0.5) / side
    points[:, 2] = (points[:, 2] - points[[mesh.LEFT_CHEEK, mesh.RIGHT_CHEEK], 2].mean()) / side
    save_points(points, options.portrait.with_suffix(".json"))
    poster = cv2.resize(picture, (POSTER_SIDE, POSTER_SIDE), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(options.portrait.with_name("poster.jpg")), poster, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()

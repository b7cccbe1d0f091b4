"""Paints a reference portrait: `python -m workers.lipsync.generator vera -o static/avatars/vera`."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from broker.config import load
from workers.lipsync import landmarks as mesh
from workers.lipsync.avatars import save_points
from workers.lipsync.generator.painting import paint_portrait, place_points
from workers.lipsync.generator.people import PEOPLE
from workers.lipsync.landmark_finder import LandmarkFinder

SIDE = 1024
POSTER_SIDE = 512
"""What a page shows before the first picture of a call."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(PEOPLE))
    parser.add_argument("-o", "--out", type=Path, required=True, help="the avatar's folder")
    parser.add_argument("--side", type=int, default=SIDE)
    options = parser.parse_args()
    person = PEOPLE[options.name]
    portrait = paint_portrait(person, options.side)
    found = LandmarkFinder(load().path("weights") / "mediapipe").find(portrait)
    if found is None:
        raise SystemExit("No face is seen in what was painted.")
    points = found.points.copy()
    points[:, :2] = (points[:, :2] + 0.5) / options.side
    points[:, 2] = (points[:, 2] - points[[mesh.LEFT_CHEEK, mesh.RIGHT_CHEEK], 2].mean()) / options.side
    options.out.mkdir(parents=True, exist_ok=True)
    poster = cv2.resize(portrait, (POSTER_SIDE, POSTER_SIDE), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(options.out / "portrait.jpg"), portrait, [cv2.IMWRITE_JPEG_QUALITY, 93])
    cv2.imwrite(str(options.out / "poster.jpg"), poster, [cv2.IMWRITE_JPEG_QUALITY, 88])
    save_points(place_points(person, points), options.out / "portrait.json")


if __name__ == "__main__":
    main()

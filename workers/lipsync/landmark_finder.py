"""The face in a picture as 478 points, by the MediaPipe networks (Apache-2.0) run in OpenCV's dnn module."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from workers.lipsync.errors import AvatarError
from workers.lipsync.landmarks import LEFT_EYE_OUTER, MESH_POINTS, RIGHT_EYE_OUTER

DETECTOR, MESH, IRIS = "face_detection_short_range.tflite", "face_landmark.tflite", "iris_landmark.tflite"
NETS = (DETECTOR, MESH, IRIS)
MIN_SCORE = 0.5
COMPARED = 6
"""Faces of one picture whose size is looked at."""
LISTED = 12
"""Faces of one picture that can be told apart by number."""
SMALL = 0.25
"""Share of the picture's longer side up to which a face is small: there may be others that were not seen."""
MIN_PRESENCE = 0.0
"""The mesh network's own word (a logit) on whether it looks at a face. Measured: frontal photographs and drawings 10 to
30, the cat of scikit-image -2, cups and cells below -4; a profile 2.5."""
EYE_CORNERS = ((33, 133, False), (362, 263, True))
"""Corner points of each eye; the iris network knows one side, the other is shown to it mirrored."""


@dataclass(frozen=True)
class FoundFace:
    """`points` (478, 3) float64 in pixels, z in the same unit, smaller is nearer. `faces`: how many were seen.
    `presence`: the mesh's own word on whether this is a face, a logit."""

    points: np.ndarray
    score: float
    faces: int
    presence: float = 30.0


@dataclass(frozen=True)
class _Box:
    centre: np.ndarray
    side: float
    angle: float
    score: float


class LandmarkFinder:
    """Loads the networks once; `find` takes some 20 ms. Raises AvatarError when the weights are missing."""

    def __init__(self, weights: Path) -> None:
        missing = [name for name in NETS if not (weights / name).is_file()]
        if missing:
            raise AvatarError(
                "weights",
                f"The face finder's weights ({', '.join(missing)}) are not in {weights}; "
                "run `python -m workers.weights` to fetch them.",
            )
        cv2.setNumThreads(1)
        self._detector, self._mesh, self._iris = (cv2.dnn.readNetFromTFLite(str(weights / name)) for name in NETS)
        self._anchors = np.array(
            [
                ((x + 0.5) / cells, (y + 0.5) / cells)
                for cells, per_cell in ((16, 2), (8, 6))
                for y in range(cells)
                for x in range(cells)
                for _ in range(per_cell)
            ]
        )

    def find(self, pixels: np.ndarray) -> FoundFace | None:
        """The largest clear face, or None. `pixels` (height, width, 3) uint8 BGR."""
        faces = self.find_all(pixels, COMPARED)
        return max(faces, key=lambda face: float(np.ptp(face.points[:MESH_POINTS, :2], axis=0).max()), default=None)

    def find_all(self, pixels: np.ndarray, most: int = LISTED) -> list[FoundFace]:
        """The clearest faces, from left to right; what only looks a little like one is left out."""
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        # The detector's boxes are rough: a face's own points say how large it is.
        seen = [(box, *self._mesh_points(rgb, box)) for box in self._boxes(rgb)[:most]]
        sure = [(box, points, presence) for box, points, presence in seen if presence >= MIN_PRESENCE]
        found = []
        for box, points, presence in sorted(sure, key=lambda each: float(each[1][:, 0].mean())):
            irises = [self._iris_points(rgb, points, *eye) for eye in EYE_CORNERS]
            found.append(FoundFace(np.concatenate([points, *irises]), box.score, len(sure), presence))
        return found

    def _boxes(self, rgb: np.ndarray) -> list[_Box]:
        """Faces of the whole picture; where they are small, or there is none, of its overlapping quarters, too: the
        network sees 128 pixels, and misses some of a group."""
        height, width = rgb.shape[:2]
        side = float(max(height, width))
        found = self._detect(rgb, np.array([width / 2, height / 2]), side)
        if not found or max(box.side for box in found) < SMALL * side:
            for part in (0.5, 0.3):
                for y in np.arange(part / 2, height / side, part / 2):
                    for x in np.arange(part / 2, width / side, part / 2):
                        found += self._detect(rgb, np.array([x, y]) * side, side * part)
                if found:
                    break
        return _distinct(found)

    def _detect(self, rgb: np.ndarray, centre: np.ndarray, side: float) -> list[_Box]:
        patch, matrix = _cut(rgb, centre, side, 0.0, 128)
        outputs = _run(self._detector, patch, signed=True)
        # The order of outputs differs between OpenCV builds; their sizes do not.
        scores = next(each for each in outputs if each.size == 896).ravel()
        boxes = next(each for each in outputs if each.size == 896 * 16).reshape(896, 16) / 128
        scores = 1 / (1 + np.exp(-np.clip(scores, -50, 50)))
        back = cv2.invertAffineTransform(matrix)
        found = []
        for index in np.argsort(-scores)[:40]:
            if scores[index] < MIN_SCORE:
                break
            box = boxes[index]
            spots = np.concatenate([box[:2][None], box[4:].reshape(6, 2)]) + self._anchors[index]
            spots = cv2.transform(spots[None] * 128, back)[0]
            eyes = spots[2] - spots[1]
            found.append(
                _Box(spots[0], 1.5 * max(box[2:4]) * side, float(np.arctan2(eyes[1], eyes[0])), float(scores[index]))
            )
        return found

    def _mesh_points(self, rgb: np.ndarray, box: _Box) -> tuple[np.ndarray, float]:
        """(468, 3) points in pixels, and how sure the network is that they lie on a face."""
        centre, side, angle = box.centre, box.side, box.angle
        for _ in range(2):  # the second pass looks at the box of the first one's points
            patch, matrix = _cut(rgb, centre, side, angle, 192)
            outputs = _run(self._mesh, patch, signed=False)
            raw = next(each for each in outputs if each.size == 1404).reshape(468, 3)
            presence = float(next(each for each in outputs if each.size == 1).item())
            flat = cv2.transform(raw[None, :, :2].astype(float), cv2.invertAffineTransform(matrix))[0]
            points = np.concatenate([flat, raw[:, 2:].astype(float) * side / 192], 1)
            eyes = points[RIGHT_EYE_OUTER, :2] - points[LEFT_EYE_OUTER, :2]
            angle = float(np.arctan2(eyes[1], eyes[0]))
            turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            upright = flat @ turn.T
            low, high = upright.min(0), upright.max(0)
            centre, side = turn.T @ ((low + high) / 2), 1.5 * float((high - low).max())
        return points, presence

    def _iris_points(self, rgb: np.ndarray, points: np.ndarray, left: int, right: int, mirrored: bool) -> np.ndarray:
        a, b = points[left, :2], points[right, :2]
        eyes = points[RIGHT_EYE_OUTER, :2] - points[LEFT_EYE_OUTER, :2]
        patch, matrix = _cut(
            rgb, (a + b) / 2, 2.3 * float(np.linalg.norm(a - b)), float(np.arctan2(eyes[1], eyes[0])), 64
        )
        if mirrored:
            patch = np.ascontiguousarray(patch[:, ::-1])
        raw = next(each for each in _run(self._iris, patch, signed=False) if each.size == 15).reshape(5, 3)
        spots = raw[:, :2].astype(float)
        if mirrored:
            spots[:, 0] = 64 - spots[:, 0]
        flat = cv2.transform(spots[None], cv2.invertAffineTransform(matrix))[0]
        return np.concatenate([flat, np.zeros((5, 1))], 1)


def _cut(rgb: np.ndarray, centre: np.ndarray, side: float, angle: float, out: int) -> tuple[np.ndarray, np.ndarray]:
    """A square of the picture turned upright and scaled to `out` pixels, and the 2 × 3 matrix that did it."""
    scale, cos, sin = out / side, np.cos(angle), np.sin(angle)
    x, y = centre
    matrix = np.array(
        [
            [cos * scale, sin * scale, out / 2 - scale * (cos * x + sin * y)],
            [-sin * scale, cos * scale, out / 2 - scale * (-sin * x + cos * y)],
        ]
    )
    if scale < 0.5:  # warpAffine looks at four pixels only: average first what it would skip
        shrink = 2 * scale
        rgb = cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        step = matrix.copy()
        step[:, :2] /= shrink
        return cv2.warpAffine(rgb, step, (out, out), flags=cv2.INTER_LINEAR), matrix
    return cv2.warpAffine(rgb, matrix, (out, out), flags=cv2.INTER_LINEAR), matrix


def _run(net: cv2.dnn.Net, patch: np.ndarray, signed: bool) -> list[np.ndarray]:
    values = patch.astype(np.float32) / (127.5 if signed else 255.0) - (1.0 if signed else 0.0)
    net.setInput(np.ascontiguousarray(values.transpose(2, 0, 1)[None]))
    return list(net.forward(net.getUnconnectedOutLayersNames()))


def _distinct(boxes: list[_Box]) -> list[_Box]:
    """The best of each heap of boxes that lie on the same face."""
    kept: list[_Box] = []
    for box in sorted(boxes, key=lambda each: -each.score):
        if all(np.linalg.norm(box.centre - other.centre) > 0.4 * max(box.side, other.side) / 1.5 for other in kept):
            kept.append(box)
    return kept

"""The measures of one face: its own axes, and how wide and high its parts are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workers.lipsync import landmarks as mesh


@dataclass(frozen=True)
class FaceGeometry:
    """All lengths in pixels of the drawn picture. `flat` are points in the face's axes from the mouth's middle."""

    points: np.ndarray
    """(478, 2) float64, pixel centres at whole numbers."""
    depth: np.ndarray
    """(478,) towards the viewer, 0 at the cheeks' edge."""
    flat: np.ndarray
    """(478, 2): right and down of the mouth's middle, along the face's own axes."""
    right: np.ndarray
    down: np.ndarray
    mouth: np.ndarray
    """The middle between the mouth's corners."""
    mouth_width: float
    jaw_height: float
    """From under the nose to the chin."""
    face_width: float
    face_height: float
    lip_gap: float
    """Opening of the lips in the portrait itself."""

    def to_picture(self, across: float, along: float) -> np.ndarray:
        """A point `across` mouth widths right and `along` jaw heights below the mouth's middle, in pixels."""
        return self.mouth + self.right * (across * self.mouth_width) + self.down * (along * self.jaw_height)


def measure(points: np.ndarray, side: int) -> FaceGeometry:
    """`points` (478, 3) in units of the picture's side."""
    flat_points = points[:, :2] * side - 0.5
    axis = flat_points[mesh.RIGHT_EYE_OUTER] - flat_points[mesh.LEFT_EYE_OUTER]
    right = axis / np.linalg.norm(axis)
    down = np.array([-right[1], right[0]])
    mouth = (flat_points[mesh.LEFT_CORNER] + flat_points[mesh.RIGHT_CORNER]) / 2
    flat = np.stack([(flat_points - mouth) @ right, (flat_points - mouth) @ down], 1)
    return FaceGeometry(
        points=flat_points,
        depth=-points[:, 2] * side,
        flat=flat,
        right=right,
        down=down,
        mouth=mouth,
        mouth_width=float(flat[mesh.RIGHT_CORNER, 0] - flat[mesh.LEFT_CORNER, 0]),
        jaw_height=float(flat[mesh.CHIN, 1] - flat[mesh.NOSE_BASE, 1]),
        face_width=float(flat[mesh.RIGHT_CHEEK, 0] - flat[mesh.LEFT_CHEEK, 0]),
        face_height=float(np.linalg.norm(flat_points[mesh.CHIN] - flat_points[mesh.FOREHEAD])),
        lip_gap=max(0.0, float(flat[mesh.LOWER_LIP_MIDDLE, 1] - flat[mesh.UPPER_LIP_MIDDLE, 1])),
    )


def smoothstep(start: float, end: float, value: np.ndarray | float) -> np.ndarray:
    """0 at `start`, 1 at `end`, smooth between; `start` may be the larger."""
    t = np.clip((np.asarray(value, float) - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)

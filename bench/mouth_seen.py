"""The mouth as a picture shows it: how far the lips are apart and how wide the opening is, from rendered pixels.

A picture is drawn twice, the mouth's inside once white and once black. Where the two differ is what the lips leave
open, to a tenth of a pixel, on any portrait; lips, skin and warp are those of the real picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.lipsync.articulators import Articulation
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.face import FaceState
from workers.lipsync.inner_mouth import InnerMouth, MouthFrame
from workers.lipsync.portrait_engine import PortraitAvatar

LIMITED_RANGE = 219.0
"""Luma from black to white."""
SEEN = 0.3
"""Pixels of opening from which a column counts as open."""


@dataclass(frozen=True)
class Opening:
    """In pixels of the drawn picture."""

    height: float
    width: float


class _Dyed(InnerMouth):
    """An inside of one grey."""

    grey = 0.0

    def inside(self, hole: np.ndarray, art: Articulation, frame: MouthFrame) -> np.ndarray:
        return np.full((*hole.shape, 3), self.grey, np.float32)


class MouthSeen:
    """Measures one portrait's pictures."""

    def __init__(self, library: AvatarLibrary, picture: Path, size: int = 512) -> None:
        self.avatar = PortraitAvatar(library.framed(picture), size)
        self._dyed = _Dyed(self.avatar.portrait, self.avatar.face)
        self.avatar.inner = self._dyed

    @property
    def jaw_height(self) -> float:
        """Nose to chin, pixels."""
        return self.avatar.face.jaw_height

    @property
    def rest_width(self) -> float:
        """Between the mouth's inner corners in the portrait, pixels."""
        return float(np.linalg.norm(np.ptp(self.avatar.mouth.face.contour[[0, -1]], axis=0)))

    def look(self, face: FaceState) -> Opening:
        """Draw and measure."""
        open_ = self._luma(face, 255.0) - self._luma(face, 0.0)
        columns = np.clip(open_ / LIMITED_RANGE, 0, 1).sum(0)
        seen = np.flatnonzero(columns > SEEN)
        return Opening(float(columns.max()), float(seen[-1] - seen[0] + 1) if len(seen) else 0.0)

    def _luma(self, face: FaceState, grey: float) -> NDArray[np.float32]:
        self._dyed.grey = grey
        size = self.avatar.size
        yuv = np.frombuffer(self.avatar.draw(face), np.uint8)
        return yuv[: size * size].reshape(size, size).astype(np.float32)

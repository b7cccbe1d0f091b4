"""The reference portrait, drawn, and a photograph of a real face."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from broker.config import load
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.framing import FramedFace
from workers.lipsync.landmark_finder import NETS, LandmarkFinder
from workers.lipsync.portrait_engine import PortraitAvatar, PortraitEngine


@pytest.fixture(scope="session")
def vera() -> PortraitAvatar:
    """The reference portrait at 512 pixels; its points are shipped, so no weights are needed."""
    engine = PortraitEngine(load())
    return engine.still(engine.find("vera"), 512)


@pytest.fixture(scope="session")
def weights() -> Path:
    folder = load().path("weights") / "mediapipe"
    if not all((folder / name).is_file() for name in NETS):
        pytest.skip("the face finder's weights are not here; `python -m workers.weights` fetches them")
    return folder


@pytest.fixture(scope="session")
def finder(weights: Path) -> LandmarkFinder:
    return LandmarkFinder(weights)


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A smiling woman in a space suit, (512, 512, 3) BGR, from scikit-image."""
    data = pytest.importorskip("skimage.data")
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)


@pytest.fixture
def library(tmp_path: Path, weights: Path) -> AvatarLibrary:
    """An empty one of this test's own."""
    (tmp_path / "avatars").mkdir()
    return AvatarLibrary((tmp_path / "avatars",), tmp_path / "cache", weights)


@pytest.fixture(scope="session")
def framed_vera() -> FramedFace:
    library = AvatarLibrary.of(load())
    return library.framed(library.path_of("vera"))

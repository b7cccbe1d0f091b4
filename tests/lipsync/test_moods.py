"""The moods of the portraits that come with the program: told apart at a glance, and still the same person."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from broker.config import load
from broker.expressions import EMOTIONS
from workers.lipsync import landmarks as mesh
from workers.lipsync.face import FaceState
from workers.lipsync.portrait_engine import PortraitAvatar, PortraitEngine


@pytest.fixture(scope="module", params=["vera", "robin", "sam"])
def avatar(request: pytest.FixtureRequest) -> PortraitAvatar:
    engine = PortraitEngine(load())
    return engine.still(engine.find(request.param), 512)


def face_of(avatar: PortraitAvatar, emotion: str, strength: float = 1.0) -> np.ndarray:
    """The face from brows to chin, as small as one sees it at a glance: (48, 48) float."""
    picture = avatar.paint(FaceState(emotion=emotion, emotion_strength=strength))
    points = avatar.face.points[list(mesh.FACE_OVAL)]
    (x0, y0), (x1, y1) = points.min(0)[:2].astype(int), points.max(0)[:2].astype(int)
    grey = cv2.cvtColor(picture[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY)
    return cv2.resize(grey, (48, 48), interpolation=cv2.INTER_AREA).astype(float)


def test_every_two_moods_differ_even_in_a_small_picture(avatar: PortraitAvatar) -> None:
    faces = {emotion: face_of(avatar, emotion) for emotion in EMOTIONS}
    for one, other in itertools.combinations(EMOTIONS, 2):
        differs = np.abs(faces[one] - faces[other]) > 12
        assert differs.mean() > 0.035, f"{one} and {other} look alike"


def test_most_of_the_face_stays_the_persons_own(avatar: PortraitAvatar) -> None:
    neutral = face_of(avatar, "neutral")
    for emotion in EMOTIONS[1:]:
        assert (np.abs(face_of(avatar, emotion) - neutral) > 12).mean() < 0.3, emotion


def test_a_mood_grows_with_its_strength(avatar: PortraitAvatar) -> None:
    neutral = face_of(avatar, "neutral")
    for emotion in EMOTIONS[1:]:
        way = [np.abs(face_of(avatar, emotion, strength) - neutral).sum() for strength in (0.25, 0.5, 0.75, 1.0)]
        assert way == sorted(way), emotion
        assert way[0] > 0

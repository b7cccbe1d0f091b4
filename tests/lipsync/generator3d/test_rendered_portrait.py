"""The portrait that was rendered from the 3D Vera is a face that the portrait engine can move."""

from __future__ import annotations

import numpy as np
import pytest

from broker.config import load
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.face import FaceState
from workers.lipsync.portrait_engine import PortraitAvatar, PortraitEngine
from workers.lipsync.sheet import mouth_of


@pytest.fixture(scope="module")
def avatar() -> PortraitAvatar:
    engine = PortraitEngine(load())
    return engine.prepare(engine.find("vera3d"), 512)


def test_its_files_are_small() -> None:
    folder = AvatarLibrary.of(load()).path_of("vera3d").parent
    assert {path.name for path in folder.iterdir()} == {"portrait.jpg", "portrait.json", "poster.jpg"}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_000_000


def test_its_mouth_opens_where_the_mouth_is(avatar: PortraitAvatar) -> None:
    shut = avatar.paint(FaceState()).astype(int).copy()
    opened = avatar.paint(FaceState(mouth=mouth_of("aa"))).astype(int)
    change = np.abs(opened - shut).sum(-1)
    x, y = (int(v) for v in avatar.face.to_picture(0, 0.22))
    assert change[y - 6 : y + 7, x - 8 : x + 9].mean() > 90
    assert opened[y - 4 : y + 5, x - 8 : x + 9].mean() < 0.75 * shut[y - 4 : y + 5, x - 8 : x + 9].mean()
    assert change[: y // 3].mean() < 3  # the top of the hair stays

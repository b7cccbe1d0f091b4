"""The mouth does what is heard: measured in the pictures of spoken sentences, as `bin/bench visemes` does."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.mouth_seen import MouthSeen
from bench.spoken_pictures import SpokenPictures, speak
from bench.visemes import GOAL_LAG_MS, GOAL_TOUCH, Figures, measure
from broker.config import load
from broker.errors import MissingError
from broker.visemes import VISEMES
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.face import FaceState

TEXTS = {
    "en": ("Maybe Pam bought a big umbrella for Bob.", "flite", "slt"),
    "es": ("La biblioteca pública prefiere un buen hotel.", "espeak", "es"),
}


@pytest.fixture(scope="module")
def sentences() -> list[SpokenPictures]:
    """One sentence a language, as far as its voice is installed."""
    spoken = []
    for language, (text, engine, voice) in TEXTS.items():
        try:
            spoken.append(speak(text, language, {"engine": engine, "voice": voice}))
        except MissingError:
            continue
    if not spoken:
        pytest.skip("no voice is installed")
    return spoken


def holds(figures: Figures) -> None:
    assert figures.bilabials > 5
    assert figures.touched >= GOAL_TOUCH * figures.bilabials
    assert abs(figures.lag_targets_ms) <= GOAL_LAG_MS
    assert figures.agreement > 0.6
    assert figures.shut_after_ms <= 8 * 40


@pytest.mark.parametrize("name", AvatarLibrary.of(load()).names())
def test_lips_touch_in_p_b_m_and_keep_time(name: str, sentences: list[SpokenPictures]) -> None:
    library = AvatarLibrary.of(load())
    holds(measure(name, MouthSeen(library, library.path_of(name), 256), sentences))


def test_so_do_those_of_a_portrait_that_smiles_with_its_teeth(
    library: AvatarLibrary, tmp_path: Path, astronaut: np.ndarray, sentences: list[SpokenPictures]
) -> None:
    cv2.imwrite(str(tmp_path / "portrait.png"), astronaut)
    holds(measure("astronaut", MouthSeen(library, tmp_path / "portrait.png", 512), sentences))


def test_the_measure_sees_lips_that_do_not_meet() -> None:
    library = AvatarLibrary.of(load())
    seen = MouthSeen(library, library.path_of("vera"), 256)
    half_shut = tuple({"PP": 0.4, "aa": 0.6}.get(name, 0.0) for name in VISEMES)
    assert seen.look(FaceState(mouth=half_shut)).height > 0.02 * seen.jaw_height
    assert seen.look(FaceState()).height == 0


def test_u_is_rounder_than_o_and_o_than_a() -> None:
    library = AvatarLibrary.of(load())
    for name in library.names():
        seen = MouthSeen(library, library.path_of(name), 256)
        widths = [seen.look(FaceState(mouth=tuple(float(each == viseme) for each in VISEMES))).width for viseme in "UO"]
        wide = seen.look(FaceState(mouth=tuple(float(each == "aa") for each in VISEMES))).width
        assert widths[0] < widths[1] < 0.75 * wide, name

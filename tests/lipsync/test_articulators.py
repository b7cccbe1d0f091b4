"""Visemes and emotions become movements; a closure wins."""

from __future__ import annotations

import numpy as np
import pytest

from broker.expressions import EMOTIONS
from broker.visemes import VISEMES
from tests.lipsync.looking import saying
from workers.lipsync.articulators import MOUTH_ARTICULATORS, articulate
from workers.lipsync.face import FaceState


def weight(face: FaceState, name: str) -> float:
    return float(articulate(face).mouth[MOUTH_ARTICULATORS.index(name)])


def test_silence_moves_nothing() -> None:
    art = articulate(FaceState())
    assert art.mouth_moves == 0
    assert art.brows_move == 0


def test_the_jaw_drops_most_for_aa() -> None:
    jaws = {name: weight(saying(name), "jaw") for name in VISEMES}
    assert max(jaws, key=jaws.__getitem__) == "aa"
    assert jaws["aa"] > jaws["E"] > jaws["I"] > jaws["PP"]


@pytest.mark.parametrize("closure", [0.65, 0.8, 1.0])
def test_lips_that_close_between_vowels_do_close(closure: float) -> None:
    mouth = [0.0] * 15
    mouth[VISEMES.index("PP")], mouth[VISEMES.index("aa")] = closure, 1 - closure
    face = FaceState(mouth=tuple(mouth))
    assert weight(face, "jaw") == pytest.approx(0, abs=1e-6)
    assert weight(face, "close") == pytest.approx(1)


def test_lips_round_for_u_and_spread_for_i() -> None:
    assert weight(saying("U"), "pucker") > weight(saying("O"), "pucker") > 0.5
    assert weight(saying("I"), "wide") > weight(saying("E"), "wide") > 0.3


@pytest.mark.parametrize("emotion", EMOTIONS[1:])
def test_every_emotion_moves_something_in_proportion_to_its_strength(emotion: str) -> None:
    full = articulate(FaceState(emotion=emotion, emotion_strength=1.0))
    half = articulate(FaceState(emotion=emotion, emotion_strength=0.5))
    none = articulate(FaceState(emotion=emotion, emotion_strength=0.0))
    assert np.abs(full.brows).sum() + np.abs(full.mouth).sum() > 0.5
    assert np.allclose(half.brows, full.brows / 2, atol=1e-6)
    assert none.mouth_moves == none.brows_move == 0


def test_a_smile_does_not_open_pressed_lips() -> None:
    face = saying("PP", emotion="surprised", emotion_strength=1.0)
    assert weight(face, "jaw") == pytest.approx(0, abs=1e-6)


def test_happy_lifts_the_corners_concerned_lowers_them_and_surprised_opens_the_mouth() -> None:
    shown = {name: FaceState(emotion=name, emotion_strength=1.0) for name in EMOTIONS}
    assert weight(shown["happy"], "smile") > 0.8
    assert weight(shown["concerned"], "smile") < -0.5
    assert weight(shown["surprised"], "jaw") > 0.3
    assert weight(shown["thinking"], "skew") > 0.5


def test_a_speaking_mouth_keeps_half_of_its_mood() -> None:
    assert weight(saying("aa", emotion="happy", emotion_strength=1.0), "smile") == pytest.approx(
        0.5 * weight(FaceState(emotion="happy", emotion_strength=1.0), "smile")
    )

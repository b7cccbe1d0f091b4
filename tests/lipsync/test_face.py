"""The face of a Draw: what is out of bounds is bounded, what is absent is at rest."""

from __future__ import annotations

import math

import pytest

from broker.visemes import CLOSED_MOUTH, VISEMES
from workers.lipsync.face import MAX_YAW, FaceState, face_from_wire


def test_nothing_said_is_the_portrait_at_rest() -> None:
    assert face_from_wire(CLOSED_MOUTH, {}, "neutral") == FaceState()


def test_weights_are_bytes_of_255() -> None:
    mouth = bytes([0] * 10 + [255] + [0] * 3 + [51])
    face = face_from_wire(mouth, {}, "neutral")
    assert face.mouth[VISEMES.index("aa")] == 1
    assert face.mouth[VISEMES.index("U")] == pytest.approx(0.2)


def test_a_head_turned_too_far_is_held_at_the_bound() -> None:
    assert face_from_wire(CLOSED_MOUTH, {"yaw": 3.0}, "neutral").pose[0] == MAX_YAW
    assert face_from_wire(CLOSED_MOUTH, {"gaze_x": -7, "blink": 2}, "neutral").gaze[0] == -1


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_rest(value: float) -> None:
    face = face_from_wire(CLOSED_MOUTH, {"yaw": value, "blink": value, "brows": value}, "neutral")
    assert (face.pose[0], face.blink, face.brows) == (0, 0, 0)


def test_an_emotion_nobody_knows_is_neutral() -> None:
    assert face_from_wire(CLOSED_MOUTH, {"emotion_strength": 1}, "hangry").emotion == "neutral"


@pytest.mark.parametrize("mouth", [b"", bytes(14), bytes(16)])
def test_a_mouth_of_another_length_is_an_error(mouth: bytes) -> None:
    with pytest.raises(ValueError, match="15 bytes"):
        face_from_wire(mouth, {}, "neutral")

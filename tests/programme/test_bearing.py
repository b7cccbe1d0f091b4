"""How the face carries itself, tick by tick: what it does to which cues, and that nothing of it jumps."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from broker.expressions import EMOTIONS, GAZES, GESTURES
from workers.lipsync.face import MAX_PITCH, MAX_ROLL, MAX_YAW
from workers.programme.bearing import GAZES as POINTS
from workers.programme.bearing import LEAD_SAMPLES, Bearing
from workers.programme.conduct import Cues
from workers.programme.gestures import LENGTHS_S

TICK = 960
Face = dict[str, float]


def live(cues: Iterable[Cues], seed: int = 1, bearing: Bearing | None = None) -> list[Face]:
    """The face of every tick."""
    bearing = bearing or Bearing(seed=seed)
    faces = []
    for each in cues:
        bearing.advance(each)
        faces.append(bearing.face(each.sample) | {"emotion": float(EMOTIONS.index(bearing.mood.emotion))})
    return faces


def ticks(count: int, first: int = 0, **cue: object) -> Iterator[Cues]:
    return (Cues(sample=(first + n) * TICK, **cue) for n in range(count))  # type: ignore[arg-type]


def speech(count: int, first: int = 0, loud: float = 0.06) -> Iterator[Cues]:
    """A voice with five syllables a second, every fifth of them stressed."""
    for n in range(first, first + count):
        syllable = abs(np.sin(n / 10 * np.pi)) * (2 if n // 10 % 5 == 0 else 1)
        yield Cues(sample=n * TICK, loudness=float(loud * syllable), talking=True)


def of(faces: list[Face], key: str) -> np.ndarray:
    return np.array([face[key] for face in faces])


def anything(seed: int, count: int) -> Iterator[Cues]:
    """Whatever may come, in any order, too often and at the worst moment."""
    dice = random.Random(seed)
    state: dict[str, object] = {}
    for n in range(count):
        if dice.random() < 0.04:
            state = {
                "talking": dice.random() < 0.5,
                "attends": dice.choice(["idle", "listening", "thinking"]),
                "emotion": dice.choice(["", *EMOTIONS]),
                "strength": dice.random(),
                "gaze": dice.choice(["", "", *GAZES]),
                "motion": dice.choice([0.0, 0.5, 1.0]),
            }
        loud = dice.random() * 0.2 if state.get("talking") else 0.0
        gestures = tuple(dice.sample(GESTURES, 1)) if dice.random() < 0.02 else ()
        phrase_end = dice.random() < 0.05
        yield Cues(sample=n * TICK, loudness=loud, gestures=gestures, phrase_end=phrase_end, **state)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_jumps_whatever_happens(seed: int) -> None:
    faces = live(anything(seed, 6_000), seed)
    most = {"yaw": 0.045, "pitch": 0.045, "roll": 0.03, "gaze_x": 0.75, "gaze_y": 0.5, "brows": 0.12, "breath": 0.05}
    for key, step in (most | {"emotion_strength": 0.1}).items():
        assert np.abs(np.diff(of(faces, key))).max() < step, key
    swaps = [b for a, b in itertools.pairwise(faces) if a["emotion"] != b["emotion"]]
    assert swaps
    assert max(face["emotion_strength"] for face in swaps) < 0.06, "a new emotion begins when the old one has faded"


@pytest.mark.parametrize("seed", range(4))
def test_everything_stays_where_a_face_can_be_drawn(seed: int) -> None:
    faces = live(anything(seed, 6_000), seed)
    for key in ("blink", "gaze_x", "gaze_y", "brows", "breath", "emotion_strength"):
        assert (-1 if key.startswith("gaze") else 0) <= of(faces, key).min(), key
        assert of(faces, key).max() <= 1, key
    calm = live((*ticks(100), *ticks(400, 100, attends="listening"), *speech(2_000, 500)), seed)
    for key, most in (("yaw", MAX_YAW), ("pitch", MAX_PITCH), ("roll", MAX_ROLL)):
        assert np.abs(of(calm, key)).max() < most, f"{key} without a gesture needs no bound"


def test_the_same_inputs_make_the_same_face_and_another_seed_another() -> None:
    first, again, other = (live(anything(9, 2_000), seed) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_stress_nods_the_head_and_lifts_the_brows() -> None:
    bearing = Bearing(seed=1)
    live((Cues(sample=n * TICK, loudness=0.03, talking=True) for n in range(150)), bearing=bearing)
    calm = bearing.face(150 * TICK)
    live((Cues(sample=n * TICK, loudness=0.12, talking=True) for n in range(150, 158)), bearing=bearing)
    stressed = bearing.face(150 * TICK)
    assert stressed["pitch"] < calm["pitch"] - 0.005
    assert stressed["brows"] > calm["brows"] + 0.03


def test_the_head_moves_more_in_speech_than_in_silence() -> None:
    silent, speaking = live(ticks(3_000)), live(speech(3_000))
    for key in ("yaw", "pitch"):
        assert np.abs(np.diff(of(speaking, key))).mean() > 1.2 * np.abs(np.diff(of(silent, key))).mean()


def test_motion_zero_keeps_still_all_but_mouth_blinks_and_what_is_asked_for() -> None:
    cues = [*speech(300), *ticks(200, 300, attends="thinking", motion=0.0), *ticks(400, 500, motion=0.0)]
    cues += [
        Cues(sample=n * TICK, motion=0.0, attends="listening", phrase_end=n % 200 == 0, gestures=("nod",))
        for n in range(900, 1_900)
    ]
    faces = live(cues)[500:]
    for key in ("yaw", "pitch", "roll", "brows", "breath", "gaze_x", "gaze_y"):
        assert np.abs(of(faces, key)).max() < 0.002, key
    assert of(faces, "blink").max() > 0.9
    moved = live(ticks(100, 1_900, motion=0.0, emotion="happy", strength=1.0, gaze="left"))
    assert moved[-1]["emotion_strength"] == 1.0
    assert moved[-1]["gaze_x"] < -0.6


def test_motion_scales_what_the_head_does() -> None:
    full = live(speech(1_500))[300:]
    half = live(replace(cue, motion=0.5) for cue in speech(1_500))[300:]
    assert of(half, "yaw").std() == pytest.approx(0.5 * of(full, "yaw").std(), rel=0.05)


def test_listening_looks_at_the_person_with_the_head_a_little_aside() -> None:
    idle, listening = live(ticks(6_000), 2), live(ticks(6_000, attends="listening"), 2)
    assert np.abs(of(listening, "gaze_x")).mean() < 0.6 * np.abs(of(idle, "gaze_x")).mean()
    assert abs(of(listening, "roll")[200:].mean()) > abs(of(idle, "roll").mean()) + 0.02
    assert of(listening, "brows")[-1] > 0.1
    assert of(listening, "yaw").std() > 0.005, "never frozen"


def nods(faces: list[Face]) -> list[int]:
    """Ticks at which the head is at the bottom of a dip of at least 1.5 degrees within 0.4 s."""
    pitch = of(faces, "pitch")
    found: list[int] = []
    for n in range(20, len(pitch) - 20):
        around = pitch[n - 20 : n + 21]
        if (
            pitch[n] == around.min()
            and around[0] - pitch[n] > 0.026
            and around[-1] - pitch[n] > 0.026
            and (not found or n - found[-1] > 5)
        ):
            found.append(n)
    return found


def test_it_nods_at_the_ends_of_the_persons_phrases_but_not_at_all_of_them_and_not_too_often() -> None:
    ends = list(range(100, 6_000, 100))
    faces = live((Cues(sample=n * TICK, attends="listening", phrase_end=n in ends) for n in range(6_000)), 3)
    found = nods(faces)
    assert 20 <= len(found) <= 45, "two minutes of phrases of 2 s"
    assert np.diff(found).min() * 0.02 > 2.0
    for n in found:
        assert any(0.2 < (n - end) * 0.02 < 0.8 for end in ends), "a nod belongs to a phrase that has just ended"
    assert not nods(live(ticks(3_000, attends="listening"), 3))


def test_a_short_thought_does_not_show_a_long_one_does_and_comes_back_when_the_answer_begins() -> None:
    short = live((*ticks(200, attends="listening"), *ticks(12, 200, attends="thinking"), *speech(100, 212)))
    assert np.abs(of(short, "gaze_x"))[200:].max() < 0.2
    assert all(face["emotion"] == 0 for face in short)
    faces = live((*ticks(200, attends="listening"), *ticks(100, 200, attends="thinking"), *speech(100, 300)))
    assert max(abs(faces[290]["gaze_x"]), abs(faces[290]["gaze_y"])) > 0.3
    assert faces[290]["emotion"] == EMOTIONS.index("thinking")
    assert faces[290]["emotion_strength"] > 0.4
    assert abs(faces[320]["gaze_x"]) < 0.15, "half a second into the answer it looks at the person again"
    assert faces[-1]["emotion_strength"] < 0.1


def test_a_long_thought_is_not_frozen() -> None:
    faces = live(ticks(1_500, attends="thinking"), 4)
    assert len(set(np.round(of(faces, "gaze_x")[100:], 1))) > 3
    assert of(faces, "yaw")[100:].std() > 0.01


@pytest.mark.parametrize("gesture", GESTURES)
def test_a_gesture_begins_at_once_shows_and_leaves_the_head_where_it_was(gesture: str) -> None:
    quiet = live(ticks(300))
    moved = live(Cues(sample=n * TICK, gestures=(gesture,) if n == 50 else ()) for n in range(300))
    axis = {"nod": "pitch", "shake": "yaw", "tilt": "roll"}[gesture]
    added = of(moved, axis) - of(quiet, axis)
    assert np.abs(added[: 50 + LEAD_SAMPLES // TICK]).max() == 0
    assert np.abs(added).max() > 0.08
    assert np.abs(added[58:75]).max() > 0.03, "seen within half a second"
    assert np.abs(added[50 + 5 + int(LENGTHS_S[gesture] * 50) :]).max() == 0


def test_a_nod_goes_down_and_a_shake_to_both_sides() -> None:
    nod = live(Cues(sample=n * TICK, gestures=("nod",) if n == 5 else ()) for n in range(60))
    assert (of(nod, "pitch") - of(live(ticks(60)), "pitch")).max() < 0.001
    shake = of(live(Cues(sample=n * TICK, gestures=("shake",) if n == 5 else ()) for n in range(70)), "yaw")
    added = shake - of(live(ticks(70)), "yaw")
    assert added.max() > 0.05
    assert added.min() < -0.05


@pytest.mark.parametrize("gaze", GAZES)
def test_the_eyes_go_where_they_are_told_and_the_head_a_little_with_them(gaze: str) -> None:
    faces = live(ticks(300, gaze=gaze), 8)
    x, y = POINTS[gaze]
    assert abs(abs(of(faces, "gaze_x")[100:].mean()) - abs(x)) < 0.06
    assert abs(of(faces, "gaze_y")[100:].mean() - y) < 0.06
    if gaze in ("left", "right"):
        assert np.sign(of(faces, "yaw")[100:].mean()) == np.sign(x)


def test_phrases_of_its_own_end_with_a_blink_more_often_than_not_and_never_with_two() -> None:
    cues: list[Cues] = []
    for phrase in range(40):
        cues += speech(150, phrase * 250)
        cues += ticks(100, phrase * 250 + 150)
    faces = live(cues, 6)
    shut = of(faces, "blink") > 0.5
    after = [shut[p * 250 + 150 : p * 250 + 175].any() for p in range(40)]
    quiet = live(ticks(10_000), 6)
    by_chance = [(of(quiet, "blink") > 0.5)[p * 250 + 150 : p * 250 + 175].any() for p in range(40)]
    assert sum(after) >= sum(by_chance) + 8
    begins = np.flatnonzero(np.diff(shut.astype(int)) == 1)
    assert 12 <= len(begins) / (len(faces) / 3_000) <= 30, "blinks a minute"
    gaps = np.diff(begins) * 0.02
    assert ((gaps > 0.5) | ((gaps > 0.28) & (gaps < 0.36))).all(), "either one at a time, or a double blink of its own"


def test_every_picture_shows_the_same_blink_as_the_ticks_although_it_is_asked_for_ahead() -> None:
    bearing = Bearing(seed=6)
    ahead: dict[int, float] = {}
    now: dict[int, float] = {}
    for cue in (*speech(150), *ticks(100, 150)):
        bearing.advance(cue)
        now[cue.sample] = bearing.face(cue.sample)["blink"]
        ahead[cue.sample + 3 * TICK] = bearing.face(cue.sample + 3 * TICK)["blink"]
    both = sorted(set(now) & set(ahead))
    assert [now[sample] for sample in both] == [ahead[sample] for sample in both]

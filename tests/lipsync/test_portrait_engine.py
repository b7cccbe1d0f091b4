"""What the drawn pictures show, by their pixels."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from broker.expressions import EMOTIONS
from broker.visemes import VISEMES
from tests.lipsync.looking import mouth_in, saying, white_of_eyes
from workers.lipsync.errors import AvatarError
from workers.lipsync.face import MAX_PITCH, MAX_ROLL, MAX_YAW, FaceState
from workers.lipsync.framing import FramedFace
from workers.lipsync.portrait_engine import PortraitAvatar

SIZES = (128, 384, 1024)


def changed(a: np.ndarray, b: np.ndarray, by: int = 0) -> np.ndarray:
    """(height, width) bool: pixels that differ by more than `by`."""
    return np.abs(a.astype(int) - b.astype(int)).max(2) > by


def opening(avatar: PortraitAvatar, viseme: str, **other: object) -> int:
    return mouth_in(avatar.paint(saying(viseme, **other)), avatar.face).height  # type: ignore[arg-type]


def test_a_face_at_rest_is_the_portrait_itself(vera: PortraitAvatar) -> None:
    vera.paint(saying("aa", blink=1.0, pose=(0.2, 0.0, 0.0)))  # what came before leaves nothing behind
    assert np.array_equal(vera.paint(FaceState()), vera.portrait)


def test_drawing_twice_gives_the_same_bytes(vera: PortraitAvatar) -> None:
    face = saying("E", blink=0.4, gaze=(0.3, -0.2), pose=(0.1, 0.05, 0.02), breath=0.5)
    first = vera.draw(face)
    vera.draw(saying("O"))
    assert vera.draw(face) == first


def test_lips_meet_for_p_and_part_most_for_aa(vera: PortraitAvatar) -> None:
    heights = {name: opening(vera, name) for name in VISEMES}
    assert heights["PP"] <= 1
    assert heights["aa"] == max(heights.values())
    assert heights["aa"] > 0.2 * vera.face.jaw_height
    assert 2 <= heights["FF"] < heights["E"]
    assert all(heights[name] >= 3 for name in VISEMES if name not in ("sil", "PP", "FF"))


@pytest.mark.parametrize("pose", [(0.0, 0.0, 0.0), (MAX_YAW, 0.0, 0.0), (0.0, -MAX_PITCH, MAX_ROLL)])
def test_lips_stay_closed_in_every_pose(vera: PortraitAvatar, pose: tuple[float, float, float]) -> None:
    assert opening(vera, "PP", pose=pose) <= 1


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_lips_stay_closed_in_every_mood(vera: PortraitAvatar, emotion: str) -> None:
    assert opening(vera, "PP", emotion=emotion, emotion_strength=1.0) <= 1


def test_the_mouth_narrows_for_u_and_widens_for_e(vera: PortraitAvatar) -> None:
    widths = {name: mouth_in(vera.paint(saying(name)), vera.face).width for name in ("U", "O", "aa", "E", "I")}
    assert widths["U"] < 0.62 * widths["aa"]
    assert widths["O"] < 0.80 * widths["aa"]
    assert widths["E"] > 1.05 * widths["aa"]
    assert widths["I"] > 1.05 * widths["aa"]


def test_a_louder_vowel_opens_the_mouth_further(vera: PortraitAvatar) -> None:
    heights = [opening(vera, "aa", weight=weight) for weight in (0.2, 0.4, 0.6, 0.8, 1.0)]
    assert heights == sorted(heights)
    assert heights[-1] > 2 * heights[0] > 0


def test_a_mouth_that_begins_to_move_does_not_jump(vera: PortraitAvatar) -> None:
    x, y = (int(v) for v in vera.face.to_picture(0, 0))
    reach = int(0.6 * vera.face.mouth_width)
    frames = [vera.portrait] + [vera.paint(saying("aa", weight=k / 200)) for k in range(1, 21)]
    lips = [frame[y - reach : y + reach, x - reach : x + reach].astype(int) for frame in frames]
    steps = [np.abs(before - after).mean() for before, after in itertools.pairwise(lips)]
    assert steps[0] < 1.5 * np.median(steps)
    assert max(steps) < 2 * np.median(steps)


def test_a_speaking_mouth_changes_nothing_outside_the_face(vera: PortraitAvatar) -> None:
    outside = np.ones((512, 512), bool)
    face = vera.face
    top, bottom = int(face.points[[159, 386], 1].min()), int(face.points[152, 1] + 1.0 * face.jaw_height)
    left, right = (int(face.points[i, 0]) for i in (234, 454))
    margin = int(0.14 * face.face_width)
    outside[top - 4 : bottom, left - margin : right + margin] = False
    for viseme in VISEMES:
        assert not (changed(vera.paint(saying(viseme)), vera.portrait, by=3) & outside).any(), viseme


def test_a_blink_closes_the_lids_and_a_half_blink_half(vera: PortraitAvatar) -> None:
    shown = {blink: white_of_eyes(vera.paint(FaceState(blink=blink)), vera.face) for blink in (0.0, 0.5, 1.0)}
    assert shown[0.0] > 300
    assert 0.15 * shown[0.0] < shown[0.5] < 0.75 * shown[0.0]
    assert shown[1.0] < 0.03 * shown[0.0]


def test_a_blink_changes_the_eyes_only(vera: PortraitAvatar) -> None:
    rows = np.flatnonzero(changed(vera.paint(FaceState(blink=1.0)), vera.portrait, 2).any(1))
    brows, nose = vera.face.points[[105, 334], 1].min(), vera.face.points[1, 1]
    assert brows - 4 < rows.min()
    assert rows.max() < nose


@pytest.mark.parametrize(("gaze", "axis", "sign"), [((1.0, 0.0), 1, 1), ((-1.0, 0.0), 1, -1), ((0.0, 1.0), 0, -1)])
def test_pupils_go_where_the_gaze_goes(vera: PortraitAvatar, gaze: tuple[float, float], axis: int, sign: int) -> None:
    def pupil(picture: np.ndarray) -> np.ndarray:
        """Where the dark is, in a patch around the left iris, inside the lids."""
        x, y = (int(v) for v in vera.face.points[468])
        dark = picture[y - 4 : y + 9, x - 16 : x + 17].max(2) < 60
        return np.argwhere(dark).mean(0)

    way = pupil(vera.paint(FaceState(gaze=gaze))) - pupil(vera.portrait)
    assert way[axis] * sign > 0.8


def test_raised_brows_go_up(vera: PortraitAvatar) -> None:
    def brow(picture: np.ndarray) -> float:
        x, y = (int(v) for v in vera.face.points[[105, 334]].mean(0))
        x = int(vera.face.points[105, 0])
        column = picture[y - 18 : y + 22, x - 6 : x + 7].astype(float).mean((1, 2))
        dark = column.max() - column
        return float((dark**3 * np.arange(len(dark))).sum() / (dark**3).sum())

    rest = brow(vera.portrait)
    assert brow(vera.paint(FaceState(brows=1.0))) < rest - 2
    assert brow(vera.paint(FaceState(brows=-1.0))) > rest + 2


@pytest.mark.parametrize(
    ("pose", "way"),
    [((0.15, 0, 0), (1, 0)), ((-0.15, 0, 0), (-1, 0)), ((0, 0.1, 0), (0, -1)), ((0, -0.1, 0), (0, 1))],
)
def test_the_nose_goes_where_the_head_turns_and_not_too_far(
    vera: PortraitAvatar, pose: tuple[float, float, float], way: tuple[int, int]
) -> None:
    x, y = (int(v) for v in vera.face.points[1])
    patch = vera.portrait[y - 20 : y + 20, x - 20 : x + 20]
    around = vera.paint(FaceState(pose=pose))[y - 50 : y + 50, x - 50 : x + 50]
    match = cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED)
    found = np.array(cv2.minMaxLoc(match)[3]) - 30
    assert 2 <= found @ np.array(way) <= 20


def test_a_turned_head_leaves_the_pictures_edge_alone(vera: PortraitAvatar) -> None:
    turned = vera.paint(FaceState(pose=(MAX_YAW, MAX_PITCH, MAX_ROLL), breath=1.0))
    edge = np.ones((512, 512), bool)
    edge[1:-1, 1:-1] = False
    assert not (changed(turned, vera.portrait, 8) & edge).any()


def test_nothing_tears_in_a_turned_head(vera: PortraitAvatar) -> None:
    """A tear or a fold is a jump between neighbours that the portrait does not have anywhere."""

    def roughest(picture: np.ndarray) -> float:
        skin = picture[int(vera.face.points[9, 1]) : int(vera.face.points[152, 1])].astype(int)
        return float(np.percentile(np.abs(np.diff(skin, axis=1)).max(2), 99.9))

    for pose in ((MAX_YAW, 0, 0), (-MAX_YAW, MAX_PITCH, 0), (0, -MAX_PITCH, MAX_ROLL), (0, 0, -MAX_ROLL)):
        assert roughest(vera.paint(FaceState(pose=pose))) < 1.35 * roughest(vera.portrait)


def test_a_breath_lifts_the_shoulders_a_little(vera: PortraitAvatar) -> None:
    moved = changed(vera.paint(FaceState(breath=1.0)), vera.portrait, 6)
    assert moved[400:505].any()
    assert not changed(vera.paint(FaceState(breath=0.0)), vera.portrait).any()


@pytest.mark.parametrize("size", SIZES)
def test_every_size_is_drawn_alike(vera: PortraitAvatar, framed_vera: FramedFace, size: int) -> None:
    avatar = PortraitAvatar(framed_vera, size)
    face = saying("aa", blink=0.3, pose=(0.1, 0.03, 0.02))
    picture = avatar.paint(face)
    assert picture.shape == (size, size, 3)
    assert len(avatar.draw(face)) == size * size * 3 // 2
    small = [cv2.resize(each, (128, 128), interpolation=cv2.INTER_AREA) for each in (picture, vera.paint(face))]
    assert np.abs(small[0].astype(int) - small[1].astype(int)).mean() < 2.5


@pytest.mark.parametrize("size", [0, -2, 64, 257, 1026, 100_000])
def test_a_size_that_cannot_be_drawn_is_refused(framed_vera: FramedFace, size: int) -> None:
    with pytest.raises(AvatarError, match=str(size)):
        PortraitAvatar(framed_vera, size)


def test_the_wire_form_is_the_picture_in_i420(vera: PortraitAvatar) -> None:
    face = saying("O")
    planes = np.frombuffer(vera.draw(face), np.uint8).reshape(768, 512)
    back = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)
    assert np.abs(back.astype(int) - vera.paint(face).astype(int)).mean() < 3
    assert planes[:512].min() >= 16
    assert planes[:512].max() <= 235


def test_a_smile_shades_the_cheeks_folds(vera: PortraitAvatar) -> None:
    happy = vera.paint(FaceState(emotion="happy", emotion_strength=1.0)).astype(int)
    for x, y in vera.face.points[[206, 426]].astype(int):
        around = (slice(y - 8, y + 8), slice(x - 8, x + 8))
        assert happy[around].sum(2).min() < vera.portrait[around].astype(int).sum(2).min() - 8


def test_lips_that_touch_have_a_dark_line_between_them(vera: PortraitAvatar) -> None:
    picture = vera.paint(saying("PP")).astype(int).sum(2)
    x, y = (int(v) for v in vera.face.to_picture(0, 0.08))
    column = picture[y - 12 : y + 12, x - 3 : x + 4].mean(1)
    line = int(column.argmin())
    assert column[line] < 0.85 * min(column[:line].max(), column[line:].max())


def test_lids_drawn_on_white_paper_stay_white(framed_vera: FramedFace) -> None:
    paper = np.full_like(framed_vera.pixels, 255)
    avatar = PortraitAvatar(FramedFace(paper, framed_vera.points), 256)
    for blink in (0.3, 0.6, 1.0):
        assert avatar.paint(FaceState(blink=blink)).min() > 150, "a light that was too bright came out black"


def test_a_grey_drawing_has_a_grey_mouth(framed_vera: FramedFace) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(framed_vera.pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    avatar = PortraitAvatar(FramedFace(grey, framed_vera.points), 256)
    for viseme in ("aa", "TH", "E"):
        picture = avatar.paint(saying(viseme)).astype(int)
        assert (picture.max(2) - picture.min(2)).max() <= 12, viseme

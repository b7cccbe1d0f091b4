"""The mouth as the page's pictures show it, on the programme's clock, beside the phones that were spoken."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from broker.config import ROOT
from broker.messages import Event
from tests.stack.caller import Recording

LEFT_CORNER, RIGHT_CORNER, UPPER_LIP_MIDDLE = 61, 291, 13
"""Points of MediaPipe's face mesh."""

CLOSED = ("p", "b", "m")
OPEN = ("aa", "ae", "ao", "ah", "ay", "aw", "ɑː", "æ", "ɔ", "ɔː", "ʌ", "aɪ", "aʊ")
"""flite's names, and espeak's, which stands in where flite is slower than speech."""
DARK = 0.01
"""Share of the box between the lips that is darker than skin, lips and teeth: from here on the mouth is open."""


def mouth_box(portrait: str) -> list[float]:
    """Where the mouth opens in the picture: x, y, width, height as parts of its size."""
    points = json.loads((ROOT / "static" / "avatars" / portrait / "portrait.json").read_text())["points"]
    left, right, middle = points[LEFT_CORNER][0], points[RIGHT_CORNER][0], points[UPPER_LIP_MIDDLE][1]
    width = right - left
    return [left + 0.1 * width, middle - 0.012, 0.8 * width, 0.075]


def openings(recording: Recording, video_offset: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Programme samples of the pictures seen, and how open the mouth is in each."""
    seen = [
        (((rtp - video_offset) % 2**32) * 8 / 15, mouth)
        for _, _, rtp, mouth, _ in recording.pictures
        if mouth is not None
    ]
    return np.array([at for at, _ in seen]), np.array([mouth for _, mouth in seen], np.float64)


def phones(events: Iterable[Event]) -> list[tuple[str, float, float]]:
    """(phone without its stress, from, to) in programme samples, of `phonemes` events."""
    return [
        (str(name).lower().strip("ˈˌ"), event.data["programme_sample"] + start, event.data["programme_sample"] + end)
        for event in events
        for name, start, end in event.data["items"]
    ]

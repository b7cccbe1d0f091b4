from __future__ import annotations

import numpy as np
import pytest

from workers.asr.speaker import AVERAGE, LIBRARY_MEMORY, SpeakerMean, parse


def as_reported(mean: np.ndarray, heard: np.ndarray, frames: int) -> bytes:
    """What the library says after it was set to `mean` and heard `frames` with the mean `heard`."""
    blended = (mean * LIBRARY_MEMORY + heard * frames) / (LIBRARY_MEMORY + frames)
    return ",".join(map(str, blended)).encode()


def test_a_new_voice_is_followed_within_seconds() -> None:
    voice = AVERAGE + np.arange(13)
    speaker = SpeakerMean(AVERAGE)
    for _ in range(3):
        speaker.heard(as_reported(speaker.mean, voice, 100), 100)
    assert speaker.mean == pytest.approx(AVERAGE + 0.75 * np.arange(13))


def test_nothing_heard_changes_nothing() -> None:
    speaker = SpeakerMean(AVERAGE)
    speaker.heard(b"99,99", 0)
    assert np.array_equal(speaker.mean, AVERAGE)


def test_the_notation_is_read_back() -> None:
    assert parse(SpeakerMean(AVERAGE).text()) == pytest.approx(AVERAGE)
    assert parse(b"40,3,-1") == pytest.approx([40, 3, -1] + 10 * [0])

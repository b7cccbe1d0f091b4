"""The kept half minute: heard again from anywhere in it, in batches, nothing twice, nothing left out."""

from __future__ import annotations

import pytest

from webrtc.mic_history import BATCH, KEPT, MicHistory
from webrtc.uplink import FRAME, MicSound


def history(frames: int, first: int = 0) -> MicHistory:
    held = MicHistory()
    held.cursor = first
    for n in range(frames):
        held.add(MicSound(mic_sample=first + n * FRAME, pcm=bytes(2 * FRAME)), arrived_ns=n * 20)
    return held


def test_live_frames_go_on_at_once() -> None:
    held, sent = history(0), []
    for n in range(5):
        held.add(MicSound(mic_sample=n * FRAME, pcm=b""), n)
        held.hand_on(lambda frame: sent.append(frame.mic_sample) is None)
    assert sent == [n * FRAME for n in range(5)]


def test_a_successor_hears_from_the_frame_that_holds_the_sample() -> None:
    held, sent = history(200), []
    while held.hand_on(lambda frame: True):
        pass
    held.rewind(100 * FRAME + 17)
    while held.hand_on(lambda frame: sent.append(frame.mic_sample) is None):
        pass
    assert sent == [n * FRAME for n in range(100, 200)]


def test_catching_up_goes_in_batches() -> None:
    held = history(200)
    assert held.hand_on(lambda frame: True) == BATCH
    assert held.behind


def test_what_the_bus_refuses_is_kept_for_later() -> None:
    held, sent = history(10), []
    held.hand_on(lambda frame: frame.mic_sample < 3 * FRAME)
    assert held.cursor == 3 * FRAME
    held.hand_on(lambda frame: sent.append(frame.mic_sample) is None)
    assert sent[0] == 3 * FRAME
    assert len(sent) == 7


def test_only_half_a_minute_is_kept_and_what_nobody_took_is_counted() -> None:
    held, sent = history(KEPT + 100), []
    held.hand_on(lambda frame: sent.append(frame.mic_sample) is None)
    assert sent[0] == 100 * FRAME
    assert held.dropped == 100


@pytest.mark.parametrize(("asked", "got"), [(-5, 640), (0, 640), (10**9, 640 + 50 * FRAME)])
def test_asking_for_what_is_not_kept_gives_the_nearest(asked: int, got: int) -> None:
    held = history(50, first=640)
    held.rewind(asked)
    assert held.cursor == got


def test_when_a_sample_arrived() -> None:
    held = history(50)
    assert held.arrived_ns(10 * FRAME + 5) == 200
    assert held.arrived_ns(50 * FRAME) is None
    assert held.arrived_ns(-1) is None

"""What the barge-in bench reads off a recording."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from bench.barge_in import Trial, main, silence_after, volume_at
from bench.spoken import audible_from
from tests.stack.caller import QUANTUM, RATE_HZ, Recording

MS = RATE_HZ // 1000


def levels(*loud_ms: tuple[int, int], over_ms: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    """Frames and levels of a recording with sound in these stretches."""
    frames = np.arange(0, over_ms * MS, QUANTUM)
    level = np.zeros(len(frames))
    for start, end in loud_ms:
        level[(frames >= start * MS) & (frames < end * MS)] = 0.1
    return frames, level


def test_silence_begins_where_the_last_sound_before_it_ends() -> None:
    found = silence_after(*levels((0, 640), (1_000, 2_000)), told=600 * MS)
    assert found == pytest.approx(640 * MS, abs=QUANTUM)


def test_a_stop_consonant_is_not_silence() -> None:
    found = silence_after(*levels((0, 620), (680, 740), (1_000, 2_000)), told=600 * MS)
    assert found == pytest.approx(740 * MS, abs=QUANTUM)


def test_an_answer_that_paused_by_itself_says_nothing() -> None:
    assert silence_after(*levels((0, 500), (900, 2_000)), told=600 * MS) is None


def test_an_answer_that_goes_on_never_fell_silent() -> None:
    assert silence_after(*levels((0, 2_000)), told=600 * MS) == math.inf
    assert silence_after(*levels((0, 1_300)), told=600 * MS) == math.inf


def test_the_volume_is_the_last_one_set() -> None:
    recording = Recording(clock=[(0.0, 0.0)])
    frames = np.array([0, 90 * MS, 120 * MS])
    assert list(volume_at(recording, [(0.0, 1.0), (100.0, 0.0)], frames)) == [1.0, 1.0, 0.0]


def test_runs_in_chunks_are_reported_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = Trial(
        name="okay",
        kind="backchannel",
        audible_ms=30,
        outcome="resumed",
        held_ms=150,
        silent_ms=180,
        received_ms=200,
        again_ms=500,
        cancelled_ms=None,
        heard_as="",
        lost=1,
    )
    files = []
    for number, silent_ms in enumerate((180, 180, math.inf)):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(
            json.dumps([asdict(replace(trial, silent_ms=silent_ms, again_ms=None if number == 2 else 500))])
        )
    monkeypatch.setattr("sys.argv", ["barge_in", "--merge", *map(str, files)])
    main()
    said = capsys.readouterr().out
    assert "3 interjections" in said
    assert "went on after a backchannel or a noise: 3" in said
    assert [line for line in said.splitlines() if "never 1" in line and "silent at the ear" in line]
    assert "at most 400 ms: 2 of 2" in said
    assert "of speech" in said
    assert "150" in said.split("of speech")[1].splitlines()[0]


def test_a_breath_before_the_first_word_is_not_speech_yet() -> None:
    time = np.arange(RATE_HZ // 3) / 16_000
    word = 8000 * np.sin(2 * np.pi * 200 * time)
    breath = 0.03 * word[:3200]
    assert audible_from(np.concatenate([breath, word]).astype(np.int16)) == 3200
    assert audible_from(word.astype(np.int16)) == 0

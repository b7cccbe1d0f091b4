"""bin/say as one uses it: the same words give the same film, and what cannot be made is one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import pytest

from broker.config import ROOT

TEXT = "Mum may be happy. Five past four!"


def say(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workers.production", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def packets(path: Path) -> list[tuple[str, int | None, bytes]]:
    """Everything in a film: of what kind, when, and its bytes."""
    with av.open(str(path)) as film:
        return [(packet.stream.type, packet.pts, bytes(packet)) for packet in film.demux() if packet.size]


def test_the_same_words_give_the_same_film_in_another_process(tmp_path: Path) -> None:
    films = [tmp_path / "one.mp4", tmp_path / "two.mp4"]
    for film in films:
        done = say(TEXT, "-o", str(film), "--size", "128", "--captions")
        assert done.returncode == 0, done.stderr
    first, second = map(packets, films)
    assert {kind for kind, _, _ in first} == {"video", "audio", "subtitle"}
    assert first == second
    assert films[0].with_suffix(".vtt").read_text() == films[1].with_suffix(".vtt").read_text()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["  "], "nothing to say"),
        (["Hello.", "--size", "100"], "multiple of 16"),
        (["Hello.", "--persona", "nobody"], "Known personas"),
        (["Hello.", "--language", "xx"], "speaks en, not 'xx'"),
        (["--audio", "nowhere.wav"], "nowhere.wav"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(tmp_path: Path, words: list[str], reason: str) -> None:
    done = say(*words, "-o", str(tmp_path / "film.mp4"))
    assert done.returncode != 0
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []

"""A recording made into a voice for a call: words, phones and mouth where they sound, and every bad file a sentence."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from broker.config import ROOT
from broker.messages import Voice
from broker.uploads import read, write
from tests.production.damaged import KINDS, damaged, sound_file
from tests.tts.voiced import VOICES
from tests.wav import wav_bytes
from workers.production import upload
from workers.production.order import OrderError
from workers.production.recording import read as recording_of
from workers.tts.delivery import Delivery
from workers.tts.words import Token

TEXT = "My name is Bob. I may be happy to help you."


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The text, spoken by a synthesiser into a file, with a second of silence between its sentences."""
    sound = b""
    for sentence in ("My name is Bob.", "I may be happy to help you."):
        delivery = Delivery(sentence, VOICES.choose({}, "en", sentence))
        while True:
            piece = delivery.read()
            if piece is None:
                continue  # the engine is at it
            sound += piece.pcm
            if piece.last:
                break
        sound += bytes(2 * 48_000)
    return wav(tmp_path_factory.mktemp("upload") / "recording", sound)


def wav(path: Path, pcm: bytes, rate_hz: int = 48_000) -> Path:
    path.write_bytes(wav_bytes(np.frombuffer(pcm, np.int16), rate_hz))
    return path


def whole(voice: list[Voice]) -> bytes:
    at = 0
    for piece in voice:
        assert piece.start_sample == at
        assert len(piece.mouth) == 15 * (len(piece.pcm) // 960)
        assert piece.mouth_from == at // 480
        at += len(piece.pcm) // 2
    assert [piece.last for piece in voice] == [False] * (len(voice) - 1) + [True]
    return b"".join(piece.pcm for piece in voice)


def test_its_text_gives_each_word_its_time(recording: Path) -> None:
    voice, about = upload.voice(recording, TEXT, "en")
    assert about["aligned"]
    assert about["text"] == TEXT
    words = [word for piece in voice for word in piece.words]
    assert [word.text for word in words] == TEXT.split()
    assert [word.index for word in words] == list(range(len(words)))
    loud = np.abs(np.frombuffer(whole(voice), np.int16).astype(float))
    for word in words:
        assert loud[word.start_sample : word.end_sample].max() > 1500, word
    assert words[4].start_sample - words[3].end_sample > 0.8 * 48_000, "the silence lies between the sentences"


def test_without_a_text_each_phrase_counts_as_one(recording: Path) -> None:
    voice, about = upload.voice(recording, "", "en")
    words = [word for piece in voice for word in piece.words]
    assert len(words) >= 2
    assert about["text"] == " ".join(["…"] * len(words))
    assert not about["aligned"]
    pause = [(a.end_sample, b.start_sample) for a, b in itertools.pairwise(words)]
    assert max(b - a for a, b in pause) > 0.5 * 48_000
    mouth = np.frombuffer(b"".join(piece.mouth for piece in voice), np.uint8).reshape(-1, 15)
    assert (mouth[:, 0] < 128).mean() > 0.3, "the mouth moves to what is heard"


def test_a_text_that_does_not_fit_is_spread_over_what_is_spoken(recording: Path) -> None:
    text = "one two three four five six seven eight nine ten " * 12
    voice, about = upload.voice(recording, text, "en")
    assert not about["aligned"]
    words = [word for piece in voice for word in piece.words]
    assert [word.text for word in words] == text.split()
    assert all(a.end_sample <= b.start_sample for a, b in itertools.pairwise(words))


def test_words_without_times_stay_out_of_the_pauses() -> None:
    tokens = [Token(index=n, text=text) for n, text in enumerate(("aa", "bb", "cc"))]
    words = upload.spread(tokens, [(100, 400), (1000, 1300)])
    assert [(word.start_sample, word.end_sample) for word in words] == [(100, 300), (300, 1100), (1100, 1300)]


def test_a_voice_comes_back_from_its_file_as_it_was(recording: Path, tmp_path: Path) -> None:
    voice, _ = upload.voice(recording, TEXT, "en")
    write(tmp_path / "voice", voice)
    assert read(tmp_path / "voice") == voice
    (tmp_path / "voice").write_bytes(b"\x91\x92\xa5Voice\xc1")
    with pytest.raises(ValueError, match=r".*"):
        read(tmp_path / "voice")


def test_too_long_a_recording_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 2000, 8_000 * (upload.LONGEST_S + 2)).astype("<i2").tobytes()
    with pytest.raises(OrderError, match=f"longer than {upload.LONGEST_S} s"):
        upload.voice(wav(tmp_path / "long", noise, 8_000), "", "en")


def ran(job: object) -> dict[str, object]:
    command = [sys.executable, "-m", "workers.production.upload"]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(job).encode(), stdout=subprocess.PIPE, check=False)
    told = json.loads(done.stdout)
    assert isinstance(told, dict)
    return told


def test_the_command_writes_the_voice_and_says_how_it_went(recording: Path, tmp_path: Path) -> None:
    job = {"recording": str(recording), "voice": str(tmp_path / "voice"), "text": TEXT, "language": "en"}
    assert ran(job) == {"text": TEXT, "seconds": ran(job)["seconds"], "aligned": True}
    assert len(whole(read(tmp_path / "voice"))) > 2 * 48_000


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"#EXTM3U\nfile:///etc/passwd\n", b"\x00" * 5000, b"fLaC" + b"\xff" * 900]
)
def test_what_is_no_sound_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "recording").write_bytes(content)
    told = ran({"recording": str(tmp_path / "recording"), "voice": str(tmp_path / "v"), "text": "", "language": "en"})
    assert told["code"] == "bad_request"
    assert str(told["error"]).endswith(".")
    assert not (tmp_path / "v").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_sound_or_refused_in_words(tmp_path: Path, kind: str) -> None:
    chance, good = random.Random(7), sound_file(kind)
    path = tmp_path / "recording"
    path.write_bytes(good)
    assert abs(len(recording_of(path, upload.LONGEST_S)) - 48_000) < 48_000 / 5
    came, told = {"sound": 0, "refused": 0}, set()
    for _ in range(150):
        path.write_bytes(damaged(good, chance))
        try:
            samples = recording_of(path, upload.LONGEST_S)
        except OrderError as error:
            told.add(str(error)[-1])
            came["refused"] += 1
        else:
            assert np.isfinite(samples).all()
            assert len(samples) <= (upload.LONGEST_S + 1) * 48_000
            came["sound"] += 1
    assert min(came.values()) > 10, came
    assert told == {"."}

"""The lips over a recording: do they close in its p, b and m, and how late are they? In the rendered pictures.

  OMP_NUM_THREADS=1 python -m bench.recorded_lips [--people 24] [--portrait vera]

As films and the avatar's playing of a recording have it: with its text, whose phones are laid along the sound, and
without, when phones are recognised. What really sounds is known of a synthetic voice, which is recorded as it is spoken
("live" is that voice itself). Of people (bench/human.py) it is what their text gives, laid along the sound; how far
that is off where the truth is known is printed, too.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.human import Recorded, sentences
from bench.mouth_seen import MouthSeen
from bench.spoken_pictures import SpokenPictures, play, speak
from bench.visemes import TEXTS, Figures, measure
from broker.config import load
from broker.messages import Phone
from tests.wav import wav_bytes
from workers.lipsync.avatars import AvatarLibrary
from workers.programme.settings import ProgrammeSettings
from workers.tts.voices import Voices

VOICES = ("slt", "rms")
GOAL_CLOSED, GOAL_CLOSED_ALONE, GOAL_LAG_MS = 0.95, 0.75, 20.0
"""The first as for a voice of our own (bench/visemes.py); without a text sounds are guessed, and some wrongly."""


@dataclass(frozen=True)
class Clip:
    """A recording with its words and, where they are known, the phones that sound in it."""

    text: str
    sound: NDArray[np.int16]
    rate_hz: int
    phones: tuple[Phone, ...] = ()


@dataclass
class Ways:
    """The same recordings in each of the ways in which they may be spoken; phones are those that really sound."""

    aligned: list[SpokenPictures] = field(default_factory=list)
    guessed: list[SpokenPictures] = field(default_factory=list)
    off_ms: list[float] = field(default_factory=list)
    """Middles of p, b and m as laid along the sound, from where they are."""


def ways(clips: Sequence[Clip], settings: ProgrammeSettings, folder: Path) -> Ways:
    """`folder` takes the recordings."""
    found = Ways()
    for n, clip in enumerate(clips):
        path = written(folder / f"{n}.wav", clip.sound, clip.rate_hz)
        aligned = play(path, clip.text, "en", settings)
        truth = list(clip.phones or aligned.phones)
        if clip.phones:
            found.off_ms += _off_ms(truth, aligned.phones)
        found.aligned.append(replace(aligned, phones=truth))
        found.guessed.append(replace(play(path, "", "en", settings), phones=truth))
    return found


def written(path: Path, sound: NDArray[np.int16], rate_hz: int) -> Path:
    """A mono WAV."""
    path.write_bytes(wav_bytes(sound, rate_hz))
    return path


def recorded(live: Sequence[tuple[str, SpokenPictures]]) -> list[Clip]:
    """What a voice of ours said, as if somebody had sent it in a file."""
    return [Clip(text, spoken.pcm, 48_000, tuple(spoken.phones)) for text, spoken in live]


def spoken_live(settings: ProgrammeSettings) -> list[tuple[str, SpokenPictures]]:
    """Raises MissingError where flite is not installed."""
    voices = Voices()
    return [
        (text, speak(text, "en", {"engine": "flite", "voice": voice}, settings, voices))
        for voice in VOICES
        for text in TEXTS["en"]
    ]


def _off_ms(truth: Sequence[Phone], found: Sequence[Phone]) -> list[float]:
    """Only where both have the same phones in the same order."""
    lips = [[phone for phone in phones if phone.viseme == "PP"] for phones in (truth, found)]
    if [phone.phone for phone in lips[0]] != [phone.phone for phone in lips[1]]:
        return []
    return [abs(a.start_sample + a.end_sample - b.start_sample - b.end_sample) / 96 for a, b in zip(*lips, strict=True)]


def _human(recorded: Recorded) -> Clip:
    return Clip(recorded.text, recorded.sound, 16_000)


def _line(name: str, made: Figures, goal: float) -> bool:
    closed = made.touched / made.bilabials
    good = closed >= goal and abs(made.lag_targets_ms) <= GOAL_LAG_MS
    print(
        f"{name:32}{made.touched:4d} of {made.bilabials:3d}{closed:7.1%}{made.vowels_shut:6d} of {made.vowels:3d}"
        f"{made.lag_targets_ms:+9.0f} ms{made.lag_loudness_ms:+8.0f} ms{made.agreement:9.2f}"
        f"   goal {goal:.0%}, ±{GOAL_LAG_MS:.0f} ms{'' if good else ': missed'}",
        flush=True,
    )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=24, help="how many of their sentences")
    parser.add_argument("--portrait", default="vera")
    arguments = parser.parse_args()
    settings, library = ProgrammeSettings(), AvatarLibrary.of(load())
    seen = MouthSeen(library, library.path_of(arguments.portrait))
    live = spoken_live(settings)
    print(f"{'':32}{'closed in p b m':>18}{'vowels shut':>13}{'lag: phones':>14}{'loudness':>9}{'agreement':>11}")
    good = _line("synthetic, live", measure("", seen, [spoken for _, spoken in live]), GOAL_CLOSED)
    people = [_human(each) for each in sentences()][: arguments.people]
    for name, clips in (("synthetic", recorded(live)), ("people", people)):
        if not clips:
            continue  # bench/human.py has said why
        with tempfile.TemporaryDirectory() as folder:
            found = ways(clips, settings, Path(folder))
        for way, pictures, goal in (
            ("recording + text", found.aligned, GOAL_CLOSED),
            ("recording alone", found.guessed, GOAL_CLOSED_ALONE),
        ):
            good = _line(f"{name}, {way}", measure("", seen, pictures), goal) and good
        if found.off_ms:
            p50, p90 = np.percentile(found.off_ms, [50, 90])
            print(f"  p b m laid along the sound: off by p50 {p50:.0f}, p90 {p90:.0f} ms")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())

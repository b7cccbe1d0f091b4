"""Does the mouth do what is heard? Closures, rounding and lag, measured in the rendered pictures of spoken sentences.

  OMP_NUM_THREADS=1 python -m bench.visemes [--portrait vera --portrait some/photo.jpg] [--json FILE]

Every sentence goes through the tts and the programme stage (bench/spoken_pictures.py); each picture the programme asked
for is drawn and measured (bench/mouth_seen.py). A picture stands from its sample on until the next one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.mouth_seen import MouthSeen, Opening
from bench.spoken_pictures import SpokenPictures, speak
from broker.config import load
from broker.errors import MissingError
from broker.messages import Phone
from broker.visemes import VISEMES
from workers.lipsync.avatars import AvatarLibrary
from workers.lipsync.face import FaceState
from workers.programme.settings import ProgrammeSettings
from workers.tts.voices import Voices

SPEAKERS = (
    ("en", {"engine": "flite", "voice": "slt"}),
    ("en", {"engine": "flite", "voice": "rms"}),
    ("es", {"engine": "espeak", "voice": "es"}),
    ("zh", {"engine": "espeak", "voice": "cmn"}),
)
TEXTS = {
    "en": (
        "Maybe Pam bought a big umbrella, made of brown paper, for my brother Bob.",
        "Who knew that you would choose to go home so soon? We were watching the blue moon.",
        "The public library opens at nine in the morning, and people begin to come by then.",
        "Please put the apples by the lamp, and remember to buy some more for the boys.",
    ),
    "es": (
        "Hola, me llamo Pablo y puedo ayudarte a buscar un buen hotel.",
        "La biblioteca pública abre por la mañana porque el público prefiere venir temprano.",
    ),
    "zh": ("你好，我的名字叫明明，很高兴帮助你。", "朋友们，我们八点半一起跑步吧，不要怕慢。"),
}
GOAL_TOUCH, GOAL_LAG_MS = 0.95, 20.0
TOUCH_JAWS = 0.01
"""Jaw heights of opening (0.7 pixels in a 512-pixel portrait) below which lips touch."""
ROUND = 0.80
"""Of the mouth's inner width at rest: an opening no wider than this is round."""
BILABIAL = frozenset(["p", "b", "m"])
VOWELS = frozenset(["aa", "E", "I", "O", "U"])
ROUNDED = frozenset(["uw", "ow", "w", "u", "o"])
GRID_HZ = 1000


@dataclass(frozen=True)
class Figures:
    """Of one portrait. Lags in ms, positive: the mouth is later than the sound."""

    portrait: str
    pictures: int
    bilabials: int
    touched: int
    rounded_phones: int
    rounded: int
    vowels: int
    vowels_shut: int
    """Lips that touch in a vowel's middle: a mouth that is always shut closes every p, too."""
    lag_targets_ms: float
    lag_loudness_ms: float
    agreement: float
    """Correlation of opening and targets at that lag."""
    shut_after_ms: float
    """From the end of the last sound to lips that touch, the longest of all sentences."""


@dataclass(frozen=True)
class _Curve:
    """The opening of a sentence's pictures in jaw heights. `starts`: samples of the voice."""

    starts: NDArray[np.int64]
    openings: list[Opening]
    heights: NDArray[np.float64]
    picture_samples: int

    def during(self, phone: Phone) -> list[int]:
        """The pictures that stand in some part of this phone."""
        ends = self.starts + self.picture_samples
        return [int(i) for i in np.flatnonzero((self.starts < phone.end_sample) & (ends > phone.start_sample))]

    def at(self, sample: int) -> int:
        """The picture that stands there."""
        return max(0, int(np.searchsorted(self.starts, sample, side="right")) - 1)


def spoken_sentences(settings: ProgrammeSettings) -> list[SpokenPictures]:
    """What the installed voices say."""
    voices, sentences = Voices(), []
    for language, voice in SPEAKERS:
        for text in TEXTS[language]:
            try:
                sentences.append(speak(text, language, voice, settings, voices))
            except MissingError as exc:
                print(f"left out: {exc}")
                break
    return sentences


def measure(name: str, seen: MouthSeen, sentences: Sequence[SpokenPictures]) -> Figures:
    """All sentences on one portrait."""
    targets = {viseme: _full(seen, viseme) for viseme in VISEMES}
    touched, rounded, vowels, shut = [], [], [], [0.0]
    by_target, by_loudness, pictures = [], [], 0
    for sentence in sentences:
        curve = _curve(seen, sentence)
        pictures += len(curve.openings)
        for phone in sentence.phones:
            place = curve.during(phone)
            if phone.viseme == "PP" and _plain(phone) in BILABIAL:
                touched.append(min(curve.heights[i] for i in place) < TOUCH_JAWS)
            elif _plain(phone) in ROUNDED:
                open_ = [curve.openings[i].width for i in place if curve.heights[i] >= TOUCH_JAWS]
                rounded.append(bool(open_) and min(open_) <= ROUND * seen.rest_width)
            if phone.viseme in VOWELS:
                vowels.append(curve.heights[curve.at((phone.start_sample + phone.end_sample) // 2)] < TOUCH_JAWS)
        grid, opening = _held(curve)
        by_target.append(_lags(opening, _smooth(_wished(sentence.phones, targets, grid), 0.06)))
        by_loudness.append(_lags(opening, _loudness(sentence, grid)))
        shut.append(_shut_ms(curve, sentence))
    lag, agreement = _best(by_target)
    return Figures(
        portrait=name,
        pictures=pictures,
        bilabials=len(touched),
        touched=sum(touched),
        rounded_phones=len(rounded),
        rounded=sum(rounded),
        vowels=len(vowels),
        vowels_shut=sum(vowels),
        lag_targets_ms=lag,
        lag_loudness_ms=_best(by_loudness)[0],
        agreement=agreement,
        shut_after_ms=max(shut),
    )


def _curve(seen: MouthSeen, sentence: SpokenPictures) -> _Curve:
    openings = [seen.look(FaceState(mouth=face.mouth, emotion=face.emotion)) for _, face in sentence.pictures()]
    return _Curve(
        np.array([sample - sentence.voice_sample for sample, _ in sentence.pictures()]),
        openings,
        np.array([each.height for each in openings]) / seen.jaw_height,
        48_000 // sentence.fps,
    )


def _full(seen: MouthSeen, viseme: str) -> float:
    mouth = tuple(1.0 if name == viseme else 0.0 for name in VISEMES)
    return seen.look(FaceState(mouth=mouth)).height / seen.jaw_height


def _plain(phone: Phone) -> str:
    return phone.phone.strip("ˈˌːˑ012.ʰʲ")


def _held(curve: _Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times in s from 0.2 s before the first sample, and the opening: each picture stands until the next."""
    end = curve.starts[-1] / 48_000
    grid = np.arange(-0.2, end, 1 / GRID_HZ)
    at = np.searchsorted(curve.starts / 48_000, grid, side="right") - 1
    return grid, np.where(at >= 0, curve.heights[np.maximum(at, 0)], 0.0)


def _wished(phones: Sequence[Phone], targets: dict[str, float], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """The full opening of whatever sounds."""
    wished = np.zeros_like(grid)
    for phone in phones:
        wished[(grid >= phone.start_sample / 48_000) & (grid < phone.end_sample / 48_000)] = targets[phone.viseme]
    return wished


def _loudness(sentence: SpokenPictures, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Level over 30 ms, dB above -45."""
    power = np.zeros(len(grid))
    pcm = sentence.pcm.astype(float) / 32768
    blocks = pcm[: len(pcm) // 48 * 48].reshape(-1, 48)
    first = round(-grid[0] * GRID_HZ)
    count = min(len(blocks), len(grid) - first)
    power[first : first + count] = (blocks[:count] ** 2).mean(1)
    return np.maximum(0.0, 10 * np.log10(_smooth(power, 0.03) + 1e-9) + 45)


def _smooth(curve: NDArray[np.float64], width_s: float) -> NDArray[np.float64]:
    window = np.hanning(int(2 * width_s * GRID_HZ) + 1)
    return np.convolve(curve, window / window.sum(), mode="same")


def _lags(opening: NDArray[np.float64], reference: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Products for shifts of -150..150 ms, and the energy they are measured by."""
    a, b = opening - opening.mean(), reference - reference.mean()
    shifts = range(-150, 151)
    products = np.array([float((np.roll(a, -shift)[150:-150] * b[150:-150]).sum()) for shift in shifts])
    return products, float(np.sqrt((a**2).sum() * (b**2).sum()))


def _best(each: list[tuple[NDArray[np.float64], float]]) -> tuple[float, float]:
    """The shift at which all sentences together agree best, ms, and how well."""
    products = sum((products for products, _ in each), np.zeros(301))
    place = int(products.argmax())
    return float(place - 150), float(products[place] / sum(energy for _, energy in each))


def _shut_ms(curve: _Curve, sentence: SpokenPictures) -> float:
    last = max(phone.end_sample for phone in sentence.phones if phone.viseme != "sil")
    after = [i for i in range(len(curve.starts)) if curve.starts[i] >= last]
    shut = next(i for i in after if all(curve.heights[i:] < TOUCH_JAWS))
    return float(curve.starts[shut] - last) / 48


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portrait", action="append", help="a known portrait or a picture file; may be repeated")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    settings = load()
    library = AvatarLibrary.of(settings)
    sentences = spoken_sentences(ProgrammeSettings())
    print(f"goals: lips touch in {GOAL_TOUCH:.0%} of p b m, lag within ±{GOAL_LAG_MS:.0f} ms, shut within 8 pictures\n")
    print("portrait     pictures  touch p b m        round u o w        lag targets  loudness  agreement  shut after")
    figures = []
    for name in arguments.portrait or library.names():
        path = Path(name) if Path(name).is_file() else library.path_of(name)
        each = measure(path.parent.name, MouthSeen(library, path), sentences)
        figures.append(each)
        touched, rounded = each.touched / each.bilabials, each.rounded / each.rounded_phones
        print(
            f"{each.portrait:12s} {each.pictures:6d}  {each.touched:4d} of {each.bilabials:3d} "
            f"{touched:6.1%}  {each.rounded:4d} of {each.rounded_phones:3d} "
            f"{rounded:6.1%}  {each.lag_targets_ms:+8.0f} ms  {each.lag_loudness_ms:+5.0f} ms"
            f"  {each.agreement:8.2f}  {each.shut_after_ms:7.0f} ms",
            flush=True,
        )
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([asdict(each) for each in figures], indent=1) + "\n")


if __name__ == "__main__":
    main()

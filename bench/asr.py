"""Word error rate of spoken held-out questions, with and without the persona's vocabulary, in quiet and in noise.

    python -m bench.asr [--personas host,campus] [--questions 48] [--conditions clean,noise15] [--show]

The questions of etc/personas/*/questions.toml are in other words than the documents. Six voices speak them by turns,
each in a session of its own. Noise is eight talkers and pink noise, equally loud, as many dB under the speech as the
condition's name says; it has been there for two seconds before and passes the edge's own noise suppression (`raw15`:
does not). Also, in CPU time: real-time factor, a 16 ms piece, the words after the last sound; and the first word after
the onset, in sound.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.spoken import ESPEAK_VOICES, RATE_HZ, VOICES, silence, speak, trimmed
from broker import personas
from webrtc.denoise import Denoiser
from workers.asr.engine import PIECE
from workers.asr.pocketsphinx_engine import PocketsphinxEngine, PocketsphinxRecogniser
from workers.asr.vocabulary import words_of

ROOT = Path(__file__).resolve().parent.parent
PERSONAS = ROOT / "etc" / "personas"
ALL_VOICES = (*VOICES, *ESPEAK_VOICES)
TALKERS = 8
WARM_UP = 2 * RATE_HZ
"""Noise before the speech, which a suppressor learns it by."""
SMALL_TALK = (
    "I went to the market on Saturday and bought far too many apples.",
    "She said that the train was late again and nobody knew why.",
    "We could paint the kitchen yellow, but then the curtains would have to go.",
)


@dataclass
class Figures:
    words: int = 0
    errors: int = 0
    sentences: int = 0
    whole: int = 0
    sound_s: float = 0.0
    work_s: float = 0.0
    pieces_ms: list[float] = field(default_factory=list)
    first_word_ms: list[float] = field(default_factory=list)
    final_ms: list[float] = field(default_factory=list)

    def add(self, asked: tuple[str, ...], heard: tuple[str, ...]) -> None:
        self.words += len(asked)
        self.errors += distance(asked, heard)
        self.sentences += 1
        self.whole += asked == heard


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Words to insert, delete or replace."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


def noisy(sound: NDArray[np.int16], condition: str, seed: int) -> NDArray[np.int16]:
    """`sound` under a condition: `clean`, `noise<dB>` (suppressed as at the edge) or `raw<dB>`."""
    if condition == "clean":
        return sound
    level_db = float(condition.removeprefix("noise").removeprefix("raw"))
    total = len(sound) + WARM_UP
    loud = sound[np.abs(sound) > 300].astype(np.float64)
    wanted = np.sqrt((loud**2).mean() / 2) * 10 ** (-level_db / 20)
    chance = np.random.default_rng(seed)
    noise = sum(part * wanted / np.sqrt((part**2).mean()) for part in (pink(total, chance), babble(total, chance)))
    mixed = noise + np.concatenate([np.zeros(WARM_UP), sound])
    pcm = mixed.clip(-32768, 32767).astype(np.int16)
    if condition.startswith("noise"):
        pcm = np.frombuffer(Denoiser().clean(pcm[: len(pcm) // 160 * 160].tobytes()), np.int16)
    return pcm[WARM_UP:]


def pink(samples: int, chance: np.random.Generator) -> NDArray[np.float64]:
    """Noise whose power falls by 3 dB an octave."""
    spectrum = np.fft.rfft(chance.normal(0, 1, samples))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return np.fft.irfft(spectrum, samples)


def babble(samples: int, chance: np.random.Generator) -> NDArray[np.float64]:
    """Eight talkers at once."""
    talk = _talkers()
    starts = chance.integers(0, len(talk), TALKERS)
    return np.sum([talk[(start + np.arange(samples)) % len(talk)] for start in starts], axis=0)


@cache
def _talkers() -> NDArray[np.float64]:
    """A minute or so of small talk by all voices, each equally loud."""
    parts = [trimmed(speak(line, voice)).astype(np.float64) for voice in ALL_VOICES for line in SMALL_TALK]
    return np.concatenate([part / np.sqrt((part**2).mean()) for part in parts])


def questions(persona: str, most: int) -> list[str]:
    table = tomllib.loads((PERSONAS / persona / "questions.toml").read_text())
    asked = [entry["ask"] for entry in table["questions"] if not entry.get("misheard")]
    return asked[:: max(1, len(asked) // most)][:most]


def ready(engine: PocketsphinxEngine, persona: str) -> tuple[PocketsphinxRecogniser, float]:
    started = time.perf_counter()
    recogniser = engine.open(personas.load(PERSONAS, persona).snapshot(), "en")
    while not recogniser.ready():
        time.sleep(0.005)
    return recogniser, time.perf_counter() - started


def hear(recogniser: PocketsphinxRecogniser, sound: NDArray[np.int16], onset: int, figures: Figures) -> tuple[str, ...]:
    recogniser.begin()
    first = -1.0
    for at in range(0, len(sound), PIECE):
        started = time.thread_time()
        recogniser.feed(sound[at : at + PIECE].tobytes())
        figures.pieces_ms.append((time.thread_time() - started) * 1e3)
        if first < 0 and (at // PIECE) % 10 == 9 and recogniser.words().text:
            first = (at + PIECE - onset) / 16
    started = time.thread_time()
    text = recogniser.words().text
    recogniser.end()
    figures.final_ms.append((time.thread_time() - started) * 1e3)
    figures.work_s += sum(figures.pieces_ms[-math.ceil(len(sound) / PIECE) :]) / 1e3
    figures.sound_s += len(sound) / RATE_HZ
    if first >= 0:
        figures.first_word_ms.append(first)
    return tuple(text.split())


def utterances(persona: str, voice: str, condition: str, most: int) -> Iterator[tuple[str, NDArray[np.int16]]]:
    """The questions that are this voice's: every sixth."""
    for n, ask in enumerate(questions(persona, most)):
        if ALL_VOICES[n % len(ALL_VOICES)] == voice:
            sound = np.concatenate([silence(300, n), trimmed(speak(ask + "?", voice)), silence(100, n)])
            yield ask, noisy(sound, condition, n)


def measure(engine: PocketsphinxEngine, persona: str, condition: str, most: int, show: bool) -> dict[str, Figures]:
    """By voice."""
    by_voice = {voice: Figures() for voice in ALL_VOICES}
    for voice, figures in by_voice.items():
        recogniser, _ = ready(engine, persona)
        for ask, sound in utterances(persona, voice, condition, most):
            heard = hear(recogniser, sound, 300 * 16, figures)
            figures.add(words_of(ask), heard)
            if show:
                print(f"  {voice} {ask} | {' '.join(heard)}")
        recogniser.close()
    return by_voice


def error_rate(figures: Iterable[Figures]) -> float:
    """Word errors in percent of all words."""
    several = list(figures)
    return 100 * sum(one.errors for one in several) / max(sum(one.words for one in several), 1)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    known = sorted(path.parent.name for path in PERSONAS.glob("*/questions.toml"))
    arguments.add_argument("--personas", default=",".join(known))
    arguments.add_argument("--conditions", default="clean,noise15")
    arguments.add_argument("--questions", type=int, default=48, help="of each persona")
    arguments.add_argument("--show", action="store_true", help="print what was heard")
    chosen = arguments.parse_args()
    table: dict[tuple[str, str, bool], dict[str, Figures]] = {}
    conditions, names = chosen.conditions.split(","), chosen.personas.split(",")
    for biased in (False, True):
        engine = PocketsphinxEngine(ROOT, ROOT / ".cache", PERSONAS, bias=biased)
        for persona, condition in itertools.product(names, conditions):
            found = table[persona, condition, biased] = measure(
                engine, persona, condition, chosen.questions, chosen.show
            )
            print(
                f"measured {persona} {condition} {'biased' if biased else 'general'}: {error_rate(found.values()):.1f}"
            )
        engine.close()
    print("\nword errors, general model → biased to the persona")
    for persona, condition in itertools.product([*names, "all"], conditions):
        before, after = (
            [one for (p, c, b), found in table.items() for one in found.values() if c == condition and b == biased]
            if persona == "all"
            else list(table[persona, condition, biased].values())
            for biased in (False, True)
        )
        print(
            f"{persona:10s} {condition:8s} {sum(one.sentences for one in after):4d} questions  "
            f"{error_rate(before):5.1f} → {error_rate(after):5.1f} %   heard whole "
            f"{100 * sum(one.whole for one in after) / sum(one.sentences for one in after):3.0f} %"
        )
    for voice, condition in itertools.product(ALL_VOICES, conditions):
        rates = [
            error_rate(found[voice] for (_, c, b), found in table.items() if c == condition and b == biased)
            for biased in (False, True)
        ]
        print(f"voice {voice:6s} {condition:8s} {rates[0]:5.1f} → {rates[1]:5.1f} %")
    _print_costs([one for (_, _, biased), found in table.items() if biased for one in found.values()])


def _print_costs(figures: list[Figures]) -> None:
    pieces = [each for one in figures for each in one.pieces_ms]
    print(
        f"CPU: RTF {sum(one.work_s for one in figures) / sum(one.sound_s for one in figures):.3f}  "
        f"16 ms piece p50/p95/max {statistics.median(pieces):.1f}/{np.percentile(pieces, 95):.1f}/{max(pieces):.0f} ms"
        f"  first word {statistics.median(each for one in figures for each in one.first_word_ms):.0f} ms of sound  "
        f"final {statistics.median(each for one in figures for each in one.final_ms):.1f} ms"
    )


if __name__ == "__main__":
    main()

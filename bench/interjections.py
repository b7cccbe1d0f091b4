"""What people say or do while the avatar speaks: backchannels, noises, interruptions; mono int16 at 16 kHz."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.human import prompts
from bench.spoken import RATE_HZ, VOICES, speak, trimmed

BACKCHANNELS = ("um hum", "uh huh", "yeah", "okay", "right", "huh", "i see", "oh okay", "ah", "got it", "sure", "yes")
"""flite spells "hmm" and "mhm" letter by letter: these are what it can say of them."""

NOISES = ("cough", "click", "thud", "breath", "keys")
INTERRUPTIONS = (
    "stop",
    "wait a moment",
    "no i meant the gym",
    "what about the weekend",
    "hold on",
    "how much does it cost",
    "sorry can you repeat that",
    "and where is it",
    "no",
    "i have another question",
    "can i pay by card",
    "that is not what i asked",
)
ONSET_DB = 40.0
"""Where a clip begins: its first 10 ms less than this under its loudest."""


@dataclass(frozen=True)
class Interjection:
    """`takes_floor`: the avatar should stop for it. `kind`: backchannel, noise, interruption or human."""

    name: str
    kind: str
    sound: NDArray[np.int16]

    @property
    def takes_floor(self) -> bool:
        return self.kind in ("interruption", "human")


def backchannels(count: int, seed: int) -> list[Interjection]:
    """So many spoken ones."""
    return list(itertools.islice(_each_voice(BACKCHANNELS, "backchannel", seed), count))


def noises(count: int, seed: int) -> list[Interjection]:
    """So many sounds that nobody says, by turns of `NOISES`."""
    return [
        Interjection(name, "noise", noise(name, n))
        for n in range(seed, seed + count)
        for name in [NOISES[n % len(NOISES)]]
    ]


def interruptions(count: int, seed: int, human: bool = True) -> list[Interjection]:
    """By synthetic voices and, every fifth, a recorded person where such can be had."""
    spoken = _each_voice(INTERRUPTIONS, "interruption", seed)
    people = prompts() if human else []
    random.Random(seed).shuffle(people)
    recorded = iter([Interjection(name, "human", trimmed(sound, ONSET_DB)[: 2 * RATE_HZ]) for name, sound in people])
    return [next(recorded, None) or next(spoken) if n % 5 == 4 else next(spoken) for n in range(count)]


def said(text: str, voice: str, kind: str) -> Interjection:
    return Interjection(f"{text} ({voice})", kind, trimmed(speak(text, voice), ONSET_DB))


def noise(name: str, seed: int = 0) -> NDArray[np.int16]:
    """A sound nobody says: `cough`, `click`, `thud`, `breath` or `keys`. Raises KeyError for another name."""
    chance = np.random.default_rng(seed)
    shaped = {
        "cough": lambda: np.concatenate([_burst(chance, 90, 6, 9000), _burst(chance, 160, 25, 5000)]),
        "click": lambda: _burst(chance, 12, 1, 12000),
        "thud": lambda: _low(_burst(chance, 120, 10, 20000)),
        "breath": lambda: _low(_burst(chance, 350, 120, 1500)),
        "keys": lambda: np.concatenate([_burst(chance, 60, 3, 7000) for _ in range(6)]),
    }[name]()
    return np.asarray(shaped.clip(-32768, 32767), np.int16)


def _each_voice(texts: tuple[str, ...], kind: str, seed: int) -> Iterator[Interjection]:
    """All texts in a shuffled order by turns of the voices, for ever."""
    order = [(text, VOICES[(n + k) % len(VOICES)]) for k in range(len(VOICES)) for n, text in enumerate(texts)]
    random.Random(seed).shuffle(order)
    return (said(text, voice, kind) for text, voice in itertools.cycle(order))


def _burst(chance: np.random.Generator, length_ms: int, decay_ms: float, level: float) -> NDArray[np.float64]:
    """White noise that rises in 2 ms and dies away."""
    samples = length_ms * RATE_HZ // 1000
    at_ms = np.arange(samples) * 1000 / RATE_HZ
    envelope: NDArray[np.float64] = np.minimum(at_ms / 2, 1) * np.exp(-at_ms / decay_ms)
    return chance.normal(0, level, samples) * envelope


def _low(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Its part below some 800 Hz."""
    return np.convolve(sound, np.hanning(20) / np.hanning(20).sum() * 2, "same")

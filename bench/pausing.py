"""Utterances to tell an end of turn from a pause with: spoken and recorded sentences, half with a pause put into them.

Tuning and held-out sets have no sentence and no synthetic voice in common. Pauses last 300 to 700 ms and lie between
two words, anywhere from a third to four fifths of the way; nobody draws out the word before, as people do.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.human import sentences
from bench.spoken import speak, trimmed
from bench.word_times import quietest, word_times
from broker.config import ROOT
from broker.tables import read_toml
from workers.vad.segmenter import frame_levels_db

PERSONAS = ("campus", "helpdesk", "host")
TUNING_VOICES, HELD_OUT_VOICES = ("slt", "rms"), ("awb", "kal16", "en-us")
TUNING_QUESTIONS = ROOT / "tests" / "llm" / "dev_questions.toml"
LEAD_MS, TAIL_MS = 400, 1100
"""Silence before each utterance, and after it: longer than any rule waits."""


@dataclass(frozen=True)
class Utterance:
    """`sound` with its silences. `pause_after`: the words before the pause put in; empty: there is none."""

    text: str
    voice: str
    persona: str
    sound: NDArray[np.int16]
    end_sample: int
    """Where the last sound ends."""
    pause_ms: int = 0
    pause_after: str = ""


def synthetic(held_out: bool, count: int) -> list[Utterance]:
    """Questions to the three personas by turns: the exam's in voices of their own, or the earlier ones."""
    voices = HELD_OUT_VOICES if held_out else TUNING_VOICES
    asked = _dealt([(persona, ask) for ask in _questions(persona, held_out)] for persona in PERSONAS)
    spoken = (
        (ask, voices[n // len(PERSONAS) % len(voices)], persona) for n, (persona, ask) in enumerate(asked[:count])
    )
    return list(_with_pauses((text, v, persona, trimmed(speak(text + "?", v))) for text, v, persona in spoken))


def human(held_out: bool, count: int) -> list[Utterance]:
    """People's sentences, half of them each; of LibriVox's reader, who is in the held-out set alone, all."""
    found = sentences()
    random.Random(7).shuffle(found)
    prompts = [one for one in found if one.voice == "allison"]
    others = [one for one in found if one.voice != "allison"]
    chosen = [*others, *prompts[1::2]] if held_out else prompts[::2]
    return list(_with_pauses((one.text, one.voice, "", one.sound) for one in chosen[:count]))


def silence(duration_ms: int, chance: np.random.Generator) -> NDArray[np.int16]:
    """A quiet microphone: noise of 3 steps, never digital zeros."""
    return chance.normal(0, 3, duration_ms * 16).astype(np.int16)


def _questions(persona: str, held_out: bool) -> list[str]:
    path = ROOT / "etc" / "personas" / persona / "questions.toml"
    table = read_toml(path)["questions"] if held_out else read_toml(TUNING_QUESTIONS)[persona]
    rows = [row["ask"] for row in table if not row.get("misheard")]
    random.Random(persona).shuffle(rows)
    return [row for row in rows if len(row.split()) >= 4]


def _dealt(hands: Iterable[list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """One of each by turns, as long as all have one."""
    return [each for row in zip(*hands, strict=False) for each in row]


def _with_pauses(clips: Iterable[tuple[str, str, str, NDArray[np.int16]]]) -> Iterator[Utterance]:
    """Every second clip with a pause in it, as long as its words can be placed."""
    for n, (text, voice, persona, sound) in enumerate(clips):
        chance = np.random.default_rng(n)
        pause_ms, after = 0, ""
        tail = _fading(sound)
        if n % 2:
            spans = word_times(sound, text)
            inner = [k for k in range(1, len(spans)) if 0.33 <= spans[k][1] / len(sound) <= 0.8]
            if not inner:
                continue
            k = int(chance.choice(inner))
            pause_ms = 300 + 50 * (n // 2 % 9)
            after = " ".join(word for word, _, _ in spans[:k])
            sound = _cut(sound, quietest(sound, spans[k][1]), pause_ms, chance)
        whole = np.concatenate([silence(LEAD_MS, chance), sound, silence(TAIL_MS, chance)]).astype(np.int16)
        yield Utterance(text, voice, persona, whole, LEAD_MS * 16 + len(sound) - tail, pause_ms, after)


def _cut(sound: NDArray[np.int16], at: int, pause_ms: int, chance: np.random.Generator) -> NDArray[np.int16]:
    """A pause at a sample, with 5 ms fades."""
    before, after = sound[:at].astype(np.float64), sound[at:].astype(np.float64)
    fade = np.linspace(1, 0, 80)
    before[-80:] *= fade[-len(before[-80:]) :]
    after[:80] *= fade[::-1][: len(after[:80])]
    return np.concatenate([before, silence(pause_ms, chance), after]).astype(np.int16)


def _fading(clip: NDArray[np.int16]) -> int:
    """Samples at the end more than 40 dB under the loudest: still there, but nobody would say still speaking."""
    levels_db = frame_levels_db(clip)
    loud = np.flatnonzero(levels_db > levels_db.max() - 40)
    return len(clip) - (int(loud[-1]) + 1) * 160

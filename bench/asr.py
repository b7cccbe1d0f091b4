"""Word error rate of spoken held-out questions, with and without the persona's vocabulary, in quiet and in noise.

    python -m bench.asr [--personas host,campus] [--voices slt,rms,awb] [--every 1] [--noise clean,pink15]

The questions of etc/personas/*/questions.toml are in other words than the documents and are spoken by flite; each voice
is one session. Noise passes the same suppression as the edge's microphone path. Also, in CPU time: real-time factor,
a 16 ms piece, the words after the last sound; and the first word after the onset, in sound.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.spoken import RATE_HZ, silence, speak, trimmed
from workers.asr.engine import PIECE
from workers.asr.pocketsphinx_engine import PocketsphinxEngine, PocketsphinxRecogniser
from workers.asr.vocabulary import words_of

ROOT = Path(__file__).resolve().parent.parent
PERSONAS = ROOT / "etc" / "personas"


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

    @property
    def wer(self) -> float:
        return 100 * self.errors / max(self.words, 1)


def distance(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Words to insert, delete or replace."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


def noisy(sound: NDArray[np.int16], condition: str, seed: int) -> NDArray[np.int16]:
    """`clean`, or `pink15`: pink noise 15 dB under the speech, then the edge's noise suppression."""
    if condition == "clean":
        return sound
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft(random.normal(0, 1, len(sound)))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    noise = np.fft.irfft(spectrum, len(sound))
    loud = sound[np.abs(sound) > 300].astype(np.float64)
    noise *= np.sqrt((loud**2).mean() / (noise**2).mean()) * 10 ** (-float(condition.removeprefix("pink")) / 20)
    return suppressed((sound + noise).clip(-32768, 32767).astype(np.int16))


def suppressed(sound: NDArray[np.int16]) -> NDArray[np.int16]:
    from livekit.rtc import AudioFrame
    from livekit.rtc.apm import AudioProcessingModule

    apm = AudioProcessingModule(noise_suppression=True, high_pass_filter=True)
    out = []
    for at in range(0, len(sound) - 159, 160):
        frame = AudioFrame(bytearray(sound[at : at + 160].tobytes()), RATE_HZ, 1, 160)
        apm.process_stream(frame)
        out.append(np.frombuffer(bytes(frame.data), np.int16))
    return np.concatenate(out)


def questions(persona: str, every: int) -> list[str]:
    table = tomllib.loads((PERSONAS / persona / "questions.toml").read_text())
    return [entry["ask"] for entry in table["questions"]][::every]


def ready(engine: PocketsphinxEngine, persona: str) -> tuple[PocketsphinxRecogniser, float]:
    started = time.perf_counter()
    recogniser = engine.open(_snapshot(persona), "en")
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


def utterances(persona: str, voice: str, condition: str, every: int) -> Iterator[tuple[str, NDArray[np.int16]]]:
    for n, ask in enumerate(questions(persona, every)):
        sound = np.concatenate([silence(300, n), trimmed(speak(ask, voice)), silence(100, n)])
        yield ask, noisy(sound, condition, n)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    known = sorted(path.parent.name for path in PERSONAS.glob("*/questions.toml"))
    arguments.add_argument("--personas", default=",".join(known))
    arguments.add_argument("--voices", default="slt,rms,awb")
    arguments.add_argument("--noise", default="clean,pink15")
    arguments.add_argument("--every", type=int, default=1, help="take every n-th question")
    arguments.add_argument("--show", action="store_true", help="print what was heard")
    chosen = arguments.parse_args()
    total: dict[tuple[str, bool], list[float]] = {}
    for biased in (False, True):
        engine = PocketsphinxEngine(ROOT, ROOT / ".cache", PERSONAS, bias=biased)
        for persona in chosen.personas.split(","):
            for condition in chosen.noise.split(","):
                figures = Figures()
                for voice in chosen.voices.split(","):
                    recogniser, _ = ready(engine, persona)
                    for ask, sound in utterances(persona, voice, condition, chosen.every):
                        heard = hear(recogniser, sound, 300 * 16, figures)
                        figures.add(words_of(ask), heard)
                        if chosen.show:
                            print(f"  {voice} {ask} | {' '.join(heard)}")
                    recogniser.close()
                total.setdefault((condition, biased), []).append(figures.wer)
                print(
                    f"{persona:10s} {condition:7s} {'biased ' if biased else 'general'} "
                    f"WER {figures.wer:5.1f} %  whole {100 * figures.whole / figures.sentences:3.0f} %  "
                    f"n {figures.sentences}  RTF {figures.work_s / figures.sound_s:.3f}  16 ms piece p50/p95/max "
                    f"{statistics.median(figures.pieces_ms):.1f}/{np.percentile(figures.pieces_ms, 95):.1f}/"
                    f"{max(figures.pieces_ms):.0f} ms  first word {statistics.median(figures.first_word_ms):.0f} ms  "
                    f"final {statistics.median(figures.final_ms):.1f} ms",
                    flush=True,
                )
        engine.close()
    for (condition, biased), rates in sorted(total.items()):
        print(f"all        {condition:7s} {'biased ' if biased else 'general'} WER {statistics.mean(rates):5.1f} %")


def _snapshot(persona: str) -> dict[str, object]:
    path = PERSONAS / f"{persona}.toml"
    snapshot = tomllib.loads(path.read_text()) if path.is_file() else {}
    return {"knowledge": {"folder": persona}} | snapshot


if __name__ == "__main__":
    main()

"""How fast each voice speaks: first sound of a sentence, real-time factor and CPU, through the stage's own code.

  python -m bench.tts [--repeats 10] [--json FILE]

Times are wall times of one process (p50 and p95); CPU is process time, which other work on the machine does not touch.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from broker.errors import MissingError
from broker.messages import Cancel, Credit, Message, Open, Sentence, Voice
from workers.tts.delivery import Delivery
from workers.tts.loudness import integrated_lufs
from workers.tts.mouth import Shape, mouth_track
from workers.tts.stage import TtsStage
from workers.tts.voices import Voices

SPEAKERS = (
    ("flite", "slt", "en"),
    ("flite", "rms", "en"),
    ("flite", "awb", "en"),
    ("flite", "kal16", "en"),
    ("espeak", "en-us", "en"),
    ("espeak", "es", "es"),
    ("espeak", "cmn", "zh"),
)
TEXTS = {
    "en": (
        "Yes, the library opens at nine in the morning.",
        "I am the host of this place.",
        "The campus has 3 cafeterias, and the largest one serves about 1,200 meals on a normal day.",
        "You can bring a photo of any face and it will speak with your voice on your own machine.",
    ),
    "es": ("Sí, la biblioteca abre a las 9:30.", "El campus tiene 3 comedores, y el mayor sirve 1.200 comidas al día."),
    "zh": ("是的，图书馆早上9:30开门。", "校园里有3个食堂，最大的每天提供1200份饭。"),
}
GOAL_FIRST_MS = 15.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"goal: first sound p50 below {GOAL_FIRST_MS:.0f} ms for a short first clause\n")
    print("voice            first ms p50    p95   cpu p50   step ms p99   RTF wall    RTF cpu    LUFS   RAM MB")
    voices, figures = Voices(), []
    for engine, voice, language in SPEAKERS:
        try:
            row = measured(voices, engine, voice, language, arguments.repeats)
        except MissingError as exc:
            print(f"{engine}/{voice}: {exc}")
            continue
        figures.append(row)
        print(
            f"{row['voice']:15s}  {row['first_ms_p50']:12.1f} {row['first_ms_p95']:6.1f}"
            f"   {row['first_cpu_ms_p50']:7.1f}   {row['step_ms_p99']:11.1f}"
            f"   {row['rtf_wall']:8.4f}   {row['rtf_cpu']:8.4f}   {row['lufs']:5.1f}   {row['ram_mb']:6.0f}"
        )
    print(f"\nmouth track of a 3 s clause with 40 phones: {mouth_ms():.2f} ms")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=2)


def measured(voices: Voices, engine: str, voice: str, language: str, repeats: int) -> dict[str, Any]:
    """One voice's figures over its texts, each `repeats` times, through the stage and its messages."""
    persona = {"voices": {language: {"engine": engine, "voice": voice, "rate": 1.0}}}
    voices.choose(persona["voices"], language)  # loaded and measured before the clock starts
    stage = TtsStage(voices)
    stage.accept(Open(session="bench", persona=persona, language=language, origin_ns=0, peers={}))
    while stage.due_ns is not None:
        stage.step(0)
    first_ms, first_cpu_ms, steps_ms, wall_s, cpu_s, samples = [], [], [], 0.0, 0.0, 0
    for turn, text in enumerate(TEXTS[language] * repeats, 1):
        started, cpu = time.perf_counter(), time.process_time()
        stage.accept(Sentence(session="bench", turn=turn, n=0, text=text, language=language, last=True))
        stage.accept(Credit(session="bench", turn=turn, sentence=1, through_sample=0))
        heard = False
        for took_ms, sent in stepped(stage):
            steps_ms.append(took_ms)
            if sent and not heard:
                first_ms.append(1e3 * (time.perf_counter() - started))
                first_cpu_ms.append(1e3 * (time.process_time() - cpu))
                heard = True
            samples += sum(len(message.pcm) // 2 for message in sent if isinstance(message, Voice))
        wall_s += time.perf_counter() - started
        cpu_s += time.process_time() - cpu
        stage.accept(Cancel(session="bench", through_turn=turn))
    return {
        "voice": f"{engine}/{voice}",
        "first_ms_p50": statistics.median(first_ms),
        "first_ms_p95": float(np.percentile(first_ms, 95)),
        "first_cpu_ms_p50": statistics.median(first_cpu_ms),
        "step_ms_p99": float(np.percentile(steps_ms, 99)),
        "rtf_wall": wall_s / (samples / 48_000),
        "rtf_cpu": cpu_s / (samples / 48_000),
        "lufs": loudness(voices, persona, language),
        "ram_mb": resident_mb(),
    }


def stepped(stage: TtsStage) -> Iterator[tuple[float, list[Message]]]:
    while stage.due_ns is not None:
        started = time.perf_counter()
        sent = stage.step(time.monotonic_ns())
        yield 1e3 * (time.perf_counter() - started), sent


def loudness(voices: Voices, persona: dict[str, Any], language: str) -> float:
    """The loudness of all texts in a row."""
    pcm = []
    for text in TEXTS[language]:
        delivery = Delivery(text, voices.choose(persona["voices"], language, text))
        last = False
        while not last:
            if piece := delivery.read():
                pcm.append(np.frombuffer(piece.pcm, np.int16).astype(np.float32) / 32768)
                last = piece.last
    return integrated_lufs(np.concatenate(pcm))


def mouth_ms() -> float:
    shapes = [
        Shape(viseme=name, start_s=0.075 * place, end_s=0.075 * (place + 1))
        for place, name in enumerate(("PP", "aa", "SS", "I", "nn", "O", "FF", "E") * 5)
    ]
    pcm = np.random.default_rng(1).standard_normal(144_000).astype(np.float32) * np.float32(0.2)
    took = []
    for _ in range(50):
        started = time.perf_counter()
        mouth_track(shapes, pcm, 300)
        took.append(time.perf_counter() - started)
    return 1e3 * statistics.median(took)


def resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()

"""The vad stage alone: how soon it hears speech begin and stop, what it takes for speech, and what it costs.

python -m bench.vad [--human 60]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.human import prompts, readings
from bench.interjections import NOISES, noise
from bench.spoken import RATE_HZ, VOICES, silence, speak, trimmed
from broker.messages import Message, MicFrame, Open, SpeechPaused, SpeechStarted
from webrtc.denoise import BLOCK, Denoiser
from workers.vad.silero_engine import SileroEngine
from workers.vad.smart_turn_engine import SmartTurnEngine
from workers.vad.stage import VadStage

WEIGHTS = Path(__file__).resolve().parent.parent / ".cache" / "weights"
FRAME = 160
LEAD_MS = 600
NOISE_LEAD_MS = 3000
"""A call's noise suppression has settled by then."""
SENTENCES = ("What are the opening hours?", "Stop!", "No, wait a minute.", "Could you help me with my password?")


def hear(sound: NDArray[np.int16]) -> tuple[list[tuple[int, Message]], float]:
    """(sample by which it was known, mark) …, and the CPU seconds."""
    vad = VadStage(SileroEngine(WEIGHTS), None)
    vad.accept(Open(session="s", persona={}, language="en", origin_ns=0, peers={}))
    said: list[tuple[int, Message]] = []
    started = time.thread_time()
    for at in range(0, len(sound) - FRAME + 1, FRAME):
        vad.accept(MicFrame(session="s", mic_sample=at, pcm=sound[at : at + FRAME].tobytes()))
        while vad.due_ns == 0:
            said += [(at + FRAME, m) for m in vad.step(1) if not isinstance(m, MicFrame)]
    return said, time.thread_time() - started


def edges(title: str, clips: list[NDArray[np.int16]]) -> None:
    onset, offset, missed, cpu, length = [], [], 0, 0.0, 0.0
    for n, clip in enumerate(clips):
        sound = np.concatenate([silence(LEAD_MS, n), clip, silence(1000, n + 1)]).astype(np.int16)
        said, took = hear(sound)
        cpu, length = cpu + took, length + len(sound) / RATE_HZ
        begun = [known for known, mark in said if isinstance(mark, SpeechStarted)]
        ended = [known for known, mark in said if isinstance(mark, SpeechPaused)]
        if not begun:
            missed += 1
            continue
        onset.append((begun[0] - LEAD_MS * 16) / 16)
        if ended:
            offset.append((ended[-1] - LEAD_MS * 16 - len(clip)) / 16)
    p50, p90, p99 = np.percentile(onset, [50, 90, 99])
    print(
        f"{title:10s} n {len(clips):3d}  missed {missed}  onset known after p50 {p50:.0f} p90 {p90:.0f} p99 {p99:.0f} "
        f"max {max(onset):.0f} ms  end known after p50 {statistics.median(offset):.0f} "
        f"p90 {np.percentile(offset, 90):.0f} ms  RTF {cpu / length:.4f}"
    )


def false_alarms() -> None:
    random = np.random.default_rng(0)
    t = np.arange(60 * RATE_HZ) / RATE_HZ
    keys = random.normal(0, 20, len(t))
    for at in random.integers(0, len(t) - 600, 300):
        keys[at : at + 480] += random.normal(0, 8000, 480) * np.exp(-np.arange(480) / 80)
    music = np.exp(-(t % 0.5) * 5) * sum(2000 * np.sin(2 * np.pi * f * t) for f in (262, 330, 392, 523))
    hiss = random.normal(0, 800, len(t))
    for name, sound in (("keyboard", keys), ("music", music), ("hiss", hiss)):
        said, _ = hear(sound.clip(-32768, 32767).astype(np.int16))
        print(f"{name:10s} {sum(isinstance(mark, SpeechStarted) for _, mark in said)} false starts a minute")


def noises(each: int = 40) -> None:
    """What a call's noise suppression leaves of coughs, clicks, thuds, breaths and bursts of keys."""
    for name in NOISES:
        taken = 0
        for seed in range(100, 100 + each):
            sound = np.concatenate([silence(NOISE_LEAD_MS, seed), noise(name, seed), silence(500, seed)]).astype("<i2")
            clean = Denoiser().clean(sound[: len(sound) // BLOCK * BLOCK].tobytes())
            said, _ = hear(np.frombuffer(clean, "<i2"))
            taken += any(isinstance(mark, SpeechStarted) for _, mark in said)
        print(f"{name:10s} {taken} of {each} taken for speech")


def verdicts() -> None:
    engine = SmartTurnEngine(WEIGHTS)
    pcm = speak(SENTENCES[3]).tobytes()
    took = []
    for _ in range(30):
        started = time.thread_time()
        engine.p_end(pcm)
        took.append((time.thread_time() - started) * 1e3)
    print(f"smart-turn {statistics.median(took):.0f} ms of CPU a verdict")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--human", type=int, default=60)
    chosen = arguments.parse_args()
    edges("synthetic", [trimmed(speak(text, voice), 40) for text in SENTENCES for voice in VOICES])
    human = [trimmed(sound, 40) for _, sound in readings() + prompts()][: chosen.human]
    if human:
        edges("human", human)
    false_alarms()
    noises()
    verdicts()


if __name__ == "__main__":
    main()

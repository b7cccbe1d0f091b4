"""Films made offline: how many times faster than real time, by size and by source, and the CPU a second of film takes.

  python -m bench.generate [--sizes 256 512] [--portrait vera]

One process at nice 10, one thread a library, as the makers of films run. CPU is this process's own time, which other
work on the machine hardly touches; the goal is judged by it, since a machine of its own gives a film that much.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from broker.config import load
from workers.production.make import make
from workers.production.order import order

TEXT = (
    "Good morning, and welcome to the museum. We open at nine and close at six, every day but Monday. "
    "The tickets are at the desk on your left, and children under twelve come in free. "
    "If you would like a guide, please ask me, and I will see who has time for you. "
    "The garden behind the house is open as well, as long as it does not rain."
)
GOAL = 1.0
"""Faster than real time, on one core."""


def timed(folder: Path, name: str, **wanted: Any) -> tuple[float, float, float]:
    """Seconds of film, of wall time, of CPU."""
    settings = load()
    began, busy = time.monotonic(), time.process_time()
    made = make(settings, order(settings, **wanted), folder / f"{name}.mp4")
    return made.seconds, time.monotonic() - began, time.process_time() - busy


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench generate", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--portrait", default="vera")
    arguments = parser.parse_args()
    os.nice(10)
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':26}{'film':>8}{'wall':>8}{'CPU':>8}{'by wall':>10}{'by CPU':>9}")
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in arguments.sizes:
            voice = folder / "voice.wav"
            for label, wanted in (
                (f"text, {size} px", {"text": TEXT}),
                (f"recording + text, {size} px", {"text": TEXT, "recording": voice}),
                (f"recording alone, {size} px", {"recording": voice}),
            ):
                seconds, wall_s, cpu_s = timed(folder, "film", size=size, portrait=arguments.portrait, **wanted)
                good = good and seconds / cpu_s > GOAL
                ratios = f"{seconds / wall_s:9.1f}×{seconds / cpu_s:8.1f}×"
                print(f"{label:26}{seconds:7.1f}s{wall_s:7.1f}s{cpu_s:7.1f}s{ratios}", flush=True)
                if not voice.exists():
                    film = folder / "film.mp4"
                    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(film), str(voice)], check=True)
    print(f"goal: more than {GOAL:g}× real time by CPU: {'reached' if good else 'missed'}")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())

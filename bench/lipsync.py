"""The portrait: milliseconds a picture by part and size, and how long a face takes to prepare.

  OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m bench.lipsync [--portrait vera] [--pictures 200]

One thread, as the workers run. CPU is this thread's own time, which other work on the machine hardly touches.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable

import numpy as np

from broker.config import load
from broker.visemes import VISEMES
from workers.lipsync.articulators import articulate
from workers.lipsync.face import FaceState
from workers.lipsync.portrait_engine import PortraitAvatar, PortraitEngine
from workers.lipsync.warp_field import enlarge, look_up

SIZES = (256, 512, 768, 1024)
GOAL_MS = 4.0
"""At 512 pixels on one core, with blink and head pose."""


def faces(count: int, seed: int = 0) -> list[FaceState]:
    """Speech as it comes: a mix of two or three visemes, a head that moves, a blink now and then."""
    random = np.random.default_rng(seed)
    return [
        FaceState(
            mouth=tuple(float(weight) for weight in random.dirichlet(np.full(len(VISEMES), 0.2))),
            blink=float(number % 12 == 0),
            gaze=(0.2, 0.1),
            pose=(0.05 * float(random.normal()), 0.02, 0.02),
            brows=0.3,
            breath=0.5,
        )
        for number in range(count)
    ]


def timed(work: Callable[[FaceState], object], states: list[FaceState]) -> tuple[float, float, float]:
    """Median CPU, median and 95th percentile of wall time, ms."""
    work(states[0])
    cpu, wall = [], []
    for state in states:
        started, busy = time.perf_counter_ns(), time.thread_time_ns()
        work(state)
        wall.append((time.perf_counter_ns() - started) / 1e6)
        cpu.append((time.thread_time_ns() - busy) / 1e6)
    return float(np.median(cpu)), float(np.median(wall)), float(np.percentile(wall, 95))


def parts(avatar: PortraitAvatar) -> dict[str, Callable[[FaceState], object]]:
    """What is measured. After the first four: steps of the first, and the first with other backgrounds."""
    nodes = avatar.grid.nodes()
    where = enlarge(nodes, avatar.grid.step) + np.float32(0.3)
    canvas = avatar.portrait.copy()
    mouth, backdrop = avatar.mouth, np.full_like(canvas, 90)
    return {
        "speaking, blink, pose": avatar.draw,
        "speaking, still head": lambda face: avatar.draw(FaceState(mouth=face.mouth)),
        "listening (pose, blink)": lambda face: avatar.draw(FaceState(pose=face.pose, blink=face.blink)),
        "at rest": lambda face: avatar.draw(FaceState()),
        "  fields turned round": lambda face: [
            layer.backward(articulate(face).mouth) for layer in (mouth.face, mouth.upper)
        ],
        "  positions enlarged": lambda face: enlarge(nodes, avatar.grid.step),
        "  picture looked up": lambda face: look_up(canvas, where),
        "  eyes that look elsewhere": lambda face: avatar.eyes.paint(canvas, (face.pose[0] * 5, 0.1), face.blink),
        "  before another background": lambda face: avatar.draw(face, backdrop),
        "  the figure alone": avatar.draw_cutout,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portrait", default="vera")
    parser.add_argument("--pictures", type=int, default=200)
    options = parser.parse_args()
    engine = PortraitEngine(load())
    states = faces(options.pictures)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for size in SIZES:
        started, busy = time.perf_counter(), time.thread_time()
        avatar = engine.still(engine.find(options.portrait), size)
        wall, cpu = time.perf_counter() - started, time.thread_time() - busy
        print(f"\n{size} × {size}: prepared in {cpu:.2f} s of CPU, {wall:.2f} s in all")
        for name, work in parts(avatar).items():
            cpu, p50, p95 = timed(work, states)
            goal = f"   goal {GOAL_MS:.1f}" if size == 512 and name.startswith("speaking, blink") else ""
            print(f"  {name:26s} cpu {cpu:6.2f}   wall p50 {p50:6.2f} p95 {p95:6.2f} ms{goal}")


if __name__ == "__main__":
    main()

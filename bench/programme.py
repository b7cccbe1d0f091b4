"""What the programme costs: CPU of one session for each second of it, silent and speaking, and by part.

`python -m bench.programme [--seconds 20] [--sessions 8]`; CPU time of this process, lipsync not included.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from functools import partial

import av
import numpy as np
from numpy.typing import NDArray

from broker.messages import Commit, Draw, Open, Picture, Programme, Voice, Wanted, Word
from broker.visemes import VISEMES
from workers.programme.bearing import Bearing
from workers.programme.opus import OpusEncoder
from workers.programme.settings import ProgrammeSettings
from workers.programme.stage import ProgrammeStage
from workers.programme.video import VideoEncoder

ORIGIN_NS = 10**12
SETTINGS = ProgrammeSettings()


def murmur(samples: int) -> NDArray[np.int16]:
    """Sound with the harmonics and the rhythm of a voice."""
    t = np.arange(samples) / 48_000
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 1.3 * t)) / 48_000
    buzz = sum(np.sin(k * phase) / k for k in range(1, 30))
    return np.asarray(3_500 * buzz * (0.5 - 0.5 * np.cos(2 * np.pi * 4 * t)), np.int16)


def heads(count: int) -> list[bytes]:
    """Pictures with the statistics of a talking head: soft texture, a swaying oval, a mouth that opens."""
    size, rng = SETTINGS.width, np.random.default_rng(0)
    y, x = np.mgrid[:size, :size]
    grain = np.kron(rng.normal(0, 6, (size // 8, size // 8)), np.ones((8, 8)))
    pictures = []
    for n in range(count):
        sway = 3 * np.sin(n / 12)
        face = ((x - size / 2 - sway) / 130) ** 2 + ((y - size / 2) / 170) ** 2 < 1
        mouth = ((x - size / 2 - sway) / 40) ** 2 + ((y - 340) / (4 + 14 * abs(np.sin(n / 2)))) ** 2 < 1
        luma = np.clip(70 + 40 * y / size + 70 * face - 90 * mouth + np.roll(grain, int(sway), 1), 16, 235)
        pictures.append(luma.astype(np.uint8).tobytes() + bytes((128,)) * (size * size // 2))
    return pictures


class Conversation:
    """A stage with some sessions; lipsync answers at once."""

    def __init__(self, sessions: int, h264: int, vp8: int, pictures: list[bytes]) -> None:
        self.stage = ProgrammeStage(SETTINGS)
        self.now_ns = ORIGIN_NS
        self.names = [f"s{k}" for k in range(sessions)]
        self.tick_ms: list[float] = []
        self._pictures = pictures
        self._wanted = [Wanted(session=name, edge="edge", h264=h264, vp8=vp8) for name in self.names]
        for k, name in enumerate(self.names):
            origin = ORIGIN_NS + k * 7_000_000 % 20_000_000
            self.stage.accept(Open(session=name, persona={}, language="en", origin_ns=origin, peers={}))

    def speak(self, seconds: int) -> None:
        pcm = murmur(48_000).tobytes()
        for name in self.names:
            self.stage.accept(Commit(session=name, turn=1))
            for second in range(seconds + 1):
                start = 48_000 * second
                words = tuple(
                    Word(
                        index=3 * second + k,
                        text="word",
                        start_sample=start + 16_000 * k,
                        end_sample=start + 16_000 * k + 15_000,
                    )
                    for k in range(3)
                )
                mouth = np.random.default_rng(second).integers(0, 255, (100, len(VISEMES)), np.uint8).tobytes()
                self.stage.accept(
                    Voice(
                        session=name,
                        turn=1,
                        sentence=0,
                        start_sample=start,
                        pcm=pcm,
                        words=words,
                        mouth=mouth,
                        mouth_from=100 * second,
                    )
                )

    def run(self, seconds: int) -> float:
        """CPU seconds for this much programme of all sessions."""
        before = time.process_time()
        for _ in range(seconds):
            for wanted in self._wanted:
                self.stage.accept(wanted)
            self._until(self.now_ns + 10**9)
        return time.process_time() - before

    def _until(self, end_ns: int) -> None:
        size = SETTINGS.width
        while (due := self.stage.due_ns) is not None and due <= end_ns:
            self.now_ns = max(self.now_ns, due)
            begin = time.perf_counter()
            messages = self.stage.step(self.now_ns)
            if messages and isinstance(messages[0], Programme):
                self.tick_ms.append(1e3 * (time.perf_counter() - begin))
            for message in messages:
                if isinstance(message, Draw):
                    yuv = self._pictures[message.picture // 16 % len(self._pictures)]
                    picture = Picture(
                        session=message.session, picture=message.picture, width=size, height=size, yuv=yuv
                    )
                    self.stage.accept(picture)
        self.now_ns = end_ns


def measure(seconds: int, sessions: int) -> None:
    pictures = heads(50)
    print(f"{'one session, CPU of a core':44s} {'silent':>8s} {'speaking':>9s}   tick p50 / p99 ms")
    for label, h264, vp8 in (
        ("sound and mouth only", 0, 0),
        ("and H.264", 1, 0),
        ("and VP8", 0, 1),
        ("and both", 1, 1),
    ):
        shares, ticks = [], []
        for speaking in (False, True):
            play = Conversation(1, h264, vp8, pictures)
            if speaking:
                play.speak(seconds + 3)
            play.run(2)
            play.tick_ms.clear()
            shares.append(100 * play.run(seconds) / seconds)
            ticks += play.tick_ms
        p50, p99 = np.percentile(ticks, (50, 99))
        print(f"  {label:42s} {shares[0]:7.2f}% {shares[1]:8.2f}%   {p50:.2f} / {p99:.2f}")
    play = Conversation(sessions, 1, 0, pictures)
    play.speak(seconds + 3)
    play.run(2)
    play.tick_ms.clear()
    share = 100 * play.run(seconds) / seconds
    p50, p99 = np.percentile(play.tick_ms, (50, 99))
    label = f"{sessions} sessions speaking, H.264, each"
    print(f"  {label:42s} {'':8s} {share / sessions:8.2f}%   {p50:.2f} / {p99:.2f}")
    print(f"    counted: { ({name: int(n) for name, n in play.stage.counters.items()}) }")


def by_part(seconds: int) -> None:
    speech, silence = murmur(960 * 50), np.zeros(960, np.int16)
    pictures = heads(50)
    print("by part, ms each")
    opus = OpusEncoder(SETTINGS.audio_kbps)
    timed("Opus, 20 ms of speech", 50 * seconds, lambda n: opus.encode(speech[n % 50 * 960 :][:960]))
    timed("Opus, 20 ms of silence", 50 * seconds, lambda n: opus.encode(silence))
    for codec in ("h264", "vp8"):
        encode = VideoEncoder(codec, SETTINGS).encode
        timed(f"{codec}, {SETTINGS.width}×{SETTINGS.height}", 25 * seconds, partial(_encoded, encode, pictures))
        timed(f"{codec}, opening an encoder", 5, partial(_opened, codec))
    timed("the face of one instant", 50 * seconds, lambda n: Bearing(seed=1).face(n * 960))


def _encoded(encode: Callable[[bytes, int, bool], object], pictures: list[bytes], n: int) -> object:
    return encode(pictures[n % len(pictures)], n, False)


def _opened(codec: str, n: int) -> object:
    return VideoEncoder(codec, SETTINGS)


def timed(label: str, count: int, work: Callable[[int], object]) -> None:
    before = time.process_time()
    for n in range(count):
        work(n)
    print(f"  {label:42s} {1e3 * (time.process_time() - before) / count:8.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--sessions", type=int, default=8)
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, PyAV {av.__version__}")
    measure(arguments.seconds, arguments.sessions)
    by_part(min(arguments.seconds, 10))


if __name__ == "__main__":
    main()

"""What a message costs on the bus: µs to encode and decode, hop latency between two processes, messages a second.

python -m bench.bus [--seconds 3]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import statistics
import tempfile
import time

from broker import codec
from broker.bus import Bus
from broker.config import BusSettings, Settings
from broker.messages import Message, MicFrame, Peer, Picture, Programme, Typed, Voice

GOAL_HOP_MS = 1.0

SAMPLES: dict[str, Message] = {
    "MicFrame (10 ms)": MicFrame(session="s" * 12, mic_sample=16000, pcm=bytes(320)),
    "Voice (100 ms)": Voice(session="s" * 12, turn=1, sentence=0, start_sample=0, pcm=bytes(9600), mouth=bytes(150)),
    "Programme (tick)": Programme(session="s" * 12, tick=5, programme_sample=4800, opus=bytes(80), mouth=bytes(15)),
    "Picture (512²)": Picture(session="s" * 12, picture=1, width=512, height=512, yuv=bytes(512 * 512 * 3 // 2)),
}


def echo(folder: str, ready: multiprocessing.synchronize.Event) -> None:
    """The other process: sends back one small message for each it gets."""
    bus = Bus("vad", "vad-0", Settings(bus=BusSettings(run_folder=folder)), incarnation="bench")
    ready.set()
    while True:
        for message in bus.receive(1000):
            bus.send(bus.broker, Typed(session=message.session, text=""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="per message kind")
    arguments = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; goal: hop p50 < {GOAL_HOP_MS} ms"
    )
    print(
        f"{'message':18} {'encode µs':>9} {'decode µs':>9} {'hop p50 ms':>10} {'p95':>7} {'p99':>7} {'round trips':>11}"
    )
    with tempfile.TemporaryDirectory(prefix="vis", dir="/tmp") as folder:
        ready = multiprocessing.Event()
        process = multiprocessing.Process(target=echo, args=(folder, ready), daemon=True)
        process.start()
        ready.wait(10)
        bus = Bus("broker", "broker", Settings(bus=BusSettings(run_folder=folder)))
        peer = Peer(
            kind="vad",
            name="vad-0",
            incarnation="bench",
            data=f"ipc://{folder}/vad-0.bench.data",
            control=f"ipc://{folder}/vad-0.bench.control",
        )
        try:
            for name, message in SAMPLES.items():
                print(f"{name:18} {_codec_us(message)} {_hops(bus, peer, message, arguments.seconds)}", flush=True)
        finally:
            process.kill()
            bus.close()


def _codec_us(message: Message) -> str:
    frames, count = codec.encode(message), 3000
    started = time.perf_counter()
    for _ in range(count):
        codec.encode(message)
    encoded = time.perf_counter()
    for _ in range(count):
        codec.decode(frames)
    decoded = time.perf_counter()
    return f"{(encoded - started) / count * 1e6:9.1f} {(decoded - encoded) / count * 1e6:9.1f}"


def _hops(bus: Bus, peer: Peer, message: Message, seconds: float) -> str:
    """Half a round trip there and back with a small answer, in ms; and how many there and back a second."""
    hops: list[float] = []
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        started = time.perf_counter()
        bus.send(peer, message)
        while not bus.receive(1000):
            pass
        hops.append((time.perf_counter() - started) * 500)
    cuts = statistics.quantiles(hops, n=100)
    return f"{cuts[49]:10.3f} {cuts[94]:7.3f} {cuts[98]:7.3f} {len(hops) / seconds:10.0f}"


if __name__ == "__main__":
    main()

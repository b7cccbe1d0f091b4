"""What recording a session costs: processor time to take its programme off the bus and to write each kind of file.

  python -m bench.recording

Six seconds of the real programme stage's ticks, pictures filled up to the size they have at 512 pixels, written to the
temporary folder as fast as it goes; the best of three runs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from broker import codec
from broker.messages import Programme
from tests.outputs.programme import conversation
from workers.outputs.aac import Aac
from workers.outputs.media_file import Transcoder
from workers.outputs.recording import Recording

PICTURE_BYTES = 4_500
"""As recordings of calls at 512 pixels have them."""

TICKS_A_S = 50
RUNS = 3
KINDS: tuple[tuple[str, tuple[str, ...], Callable[[], Transcoder] | None], ...] = (
    ("MP4, Opus", ("mp4",), None),
    ("MP4 and WebM, Opus", ("mp4", "webm"), None),
    ("MP4, AAC", ("mp4",), Aac),
)


def main() -> None:
    ticks = [_full(tick) for tick in conversation()[0]]
    wire = [codec.encode(tick, 1) for tick in ticks]
    print(f"receive  {_share(lambda: [codec.decode(each) for each in wire], len(ticks)):14.2f} % of a core")
    for name, formats, aac in KINDS:
        print(f"{name:20} {_share(partial(_record, ticks, formats, aac), len(ticks)):.2f} % of a core")


def _full(tick: Programme) -> Programme:
    """With pictures as large as in a call."""
    filled = {name: data + bytes(PICTURE_BYTES) for name in ("h264", "vp8") if (data := getattr(tick, name))}
    return replace(tick, **filled)


def _record(ticks: list[Programme], formats: tuple[str, ...], aac: Callable[[], Transcoder] | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        recording = Recording(Path(folder), "bench", "bench", formats, 25, aac)
        for tick in ticks:
            recording.tick(tick)
        recording.close("bye")


def _share(work: Callable[[], object], ticks: int) -> float:
    """Processor time in percent of the time that the ticks last."""
    taken = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return 100 * min(taken) / ticks * TICKS_A_S


if __name__ == "__main__":
    main()

"""`python -m bench.llm`: the llm stage alone. Ask to first sentence, start cold and warm, memory, and the splitter.

Wall and CPU milliseconds from `accept(Ask)` to the first `Sentence` of `step`, with the personas' held-out questions,
one session at a time and eight at once (then: until the last of the eight has its first sentence).
Set OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1, as the workers do: two threads on a busy machine are many times slower.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

from broker import personas
from broker.config import Settings, load
from broker.messages import Ask, Message, Open, Sentence
from broker.tables import read_toml
from workers.llm.build import Brains
from workers.llm.library import Library
from workers.llm.sentences import SentenceStream
from workers.llm.stage import LlmStage

AT_ONCE = 8
PIECE = 4
"""Characters in a piece of a language model's stream, about a token."""


def main() -> None:
    settings = load()
    process = psutil.Process()
    before_mb = process.memory_info().rss / 1e6
    with tempfile.TemporaryDirectory() as cache:
        cold_s = _prepared_in(settings, Path(cache))
        warm_s = _prepared_in(settings, Path(cache))
    print(f"start            cold {cold_s:.1f} s, vectors on disk {warm_s:.1f} s, +{_mb(process) - before_mb:.0f} MB")
    _ask_each(settings)
    _split()


def _mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


def _prepared_in(settings: Settings, cache: Path) -> float:
    started = time.perf_counter()
    library = Library(settings.path("personas"), settings.path("weights") / "minilm", cache)
    library.wait(_snapshot(settings, "host"), "en", timeout_s=600)
    library.close()
    return time.perf_counter() - started


def _snapshot(settings: Settings, name: str) -> dict[str, Any]:
    return personas.load(settings.path("personas"), name).snapshot()


def _ask_each(settings: Settings) -> None:
    library = Library(settings.path("personas"), settings.path("weights") / "minilm", settings.path("cache"))
    stage = LlmStage(Brains(library).of)
    for name in personas.known(settings.path("personas")):
        path = settings.path("personas") / name / "questions.toml"
        if not path.exists():
            continue
        snapshot = _snapshot(settings, name)
        library.wait(snapshot, "en", timeout_s=600)
        sessions = [f"{name}-{number}" for number in range(AT_ONCE)]
        for session in sessions:
            stage.accept(Open(session=session, persona=snapshot, language="en", origin_ns=0, peers={}))
        _first_sentences(stage, sessions[:1], [ask["ask"] for ask in read_toml(path)["questions"]][:5])
        asks = [ask["ask"] for ask in read_toml(path)["questions"]]
        one = _first_sentences(stage, sessions[:1], asks)
        many = _first_sentences(stage, sessions, asks)
        print(f"{name:16} {_figures('alone', one)}   {_figures(f'{AT_ONCE} at once', many)}")
    library.close()


def _first_sentences(stage: LlmStage, sessions: list[str], asks: list[str]) -> list[tuple[float, float]]:
    """(wall, CPU) milliseconds until every session has its first sentence, for each question."""
    taken = []
    for number, ask in enumerate(asks):
        turn = time.monotonic_ns()
        wall, cpu = time.perf_counter(), time.process_time()
        for session in sessions:
            stage.accept(Ask(session=session, turn=turn + number, text=ask, language="en"))
        waiting = set(sessions)
        while stage.due_ns is not None:
            waiting -= {message.session for message in _sentences(stage.step(time.monotonic_ns()))}
            if not waiting:
                break
        taken.append((1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)))
    return taken


def _sentences(messages: Iterable[Message]) -> list[Sentence]:
    return [message for message in messages if isinstance(message, Sentence)]


def _figures(what: str, taken: list[tuple[float, float]]) -> str:
    wall, cpu = (sorted(column) for column in zip(*taken, strict=True))
    at = (len(wall) // 2, int(len(wall) * 0.95))
    return f"{what}: p50 {wall[at[0]]:.1f} p95 {wall[at[1]]:.1f} ms (CPU p50 {cpu[at[0]]:.1f} p95 {cpu[at[1]]:.1f})"


def _split() -> None:
    text = "It opens at 9 a.m. on weekdays, see **the page**. On weekends it is closed! [happy] Is that all? " * 200
    stream, started = SentenceStream(), time.process_time()
    count = sum(len(stream.feed(text[at : at + PIECE])) for at in range(0, len(text), PIECE)) + len(stream.flush())
    took_s = time.process_time() - started
    print(f"splitter         {1e6 * took_s * PIECE / len(text):.1f} µs a token, {count} sentences")


if __name__ == "__main__":
    main()

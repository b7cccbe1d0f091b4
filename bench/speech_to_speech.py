"""Mouth to ear in a real browser: from the last sound of a spoken question to the first sound of the answer.

  python -m bench.speech_to_speech [--turns 30] [--persona campus] [--voices slt rms] [--json FILE]
                                   [--turn-taking fluent_ms=700 …]

One call in headless Chromium against a stack of its own. Question and answer are recorded on one audio clock in the
page, before the loudspeaker and after the microphone: what devices add is not in it. A question that gets no answer
within 5 s is a failure and counts as 5 s. The end of turn was fitted with the usual two voices (`bench.pausing`):
others say what a stranger gets. The questions have no pauses, so that their speaker is soon taken for fluent;
`--turn-taking fluent_ms=700` says what somebody gets who is not.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import platform
import random
import shutil
import statistics
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.pausing import TUNING_VOICES
from bench.spoken import ESPEAK_VOICES, VOICES, speak, trimmed
from broker.config import ROOT
from tests.stack.caller import AUDIBLE_RMS, QUANTUM, RATE_HZ, Caller, wav_bytes
from tests.stack.running import Stack

GOAL_P50_MS, GOAL_P95_MS = 350, 600
GIVEN_UP_MS = 5000.0
SOUNDING_MS = 30
"""This much sound within 60 ms is an answer, and not a click."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--persona", default="campus")
    parser.add_argument("--voices", nargs="+", choices=VOICES + ESPEAK_VOICES, default=TUNING_VOICES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every turn there")
    parser.add_argument("--url", help="a stack that runs already")
    parser.add_argument("--turn-taking", nargs="+", default=[], metavar="KEY=NUMBER", help="of the persona's [turns]")
    arguments = parser.parse_args()
    if arguments.url and arguments.turn_taking:
        parser.error("--turn-taking is for a stack of its own")
    asked = questions(arguments.persona, arguments.turns, arguments.seed)
    load_before = os.getloadavg()[0]
    stack = None if arguments.url else Stack(**with_turns(arguments.persona, arguments.turn_taking)).start()
    try:
        url = arguments.url or (stack.url if stack else "")
        turns = converse(url, arguments.persona, asked, arguments.voices, arguments.seed)
    finally:
        if stack:
            stack.stop()
    report(turns, load_before)
    if arguments.json:
        arguments.json.write_text(json.dumps(turns, indent=1), encoding="utf-8")


def with_turns(persona: str, numbers: Sequence[str]) -> dict[str, str]:
    """The setting that makes a stack use a copy of the personas in which one takes turns by other numbers."""
    if not numbers:
        return {}
    folder = Path(tempfile.mkdtemp(prefix="visavis-personas-"))
    atexit.register(shutil.rmtree, folder)
    shutil.copytree(ROOT / "etc" / "personas", folder, dirs_exist_ok=True)
    with (folder / f"{persona}.toml").open("a", encoding="utf-8") as file:
        file.write("\n[turns]\n" + "\n".join(numbers) + "\n")
    return {"VISAVIS_PATHS_PERSONAS": str(folder)}


def questions(persona: str, count: int, seed: int) -> list[str]:
    """Held-out questions that the persona can answer, shuffled, each at most once until all were used."""
    path = ROOT / "etc" / "personas" / persona / "questions.toml"
    answerable = [entry["ask"] for entry in tomllib.loads(path.read_text())["questions"] if entry["passage"]]
    random.Random(seed).shuffle(answerable)
    return [answerable[n % len(answerable)] for n in range(count)]


def converse(url: str, persona: str, asked: Sequence[str], voices: Sequence[str], seed: int) -> list[dict[str, Any]]:
    """Ask all in one call, by turns of the voices; one record a turn."""
    pauses = random.Random(seed)
    with Caller(url) as caller:
        caller.open(f"?persona={persona}").start()
        caller.until(lambda: _done(caller), "the greeting did not end", 30)
        turns = []
        for number, text in enumerate(asked):
            caller.wait(0.6 + pauses.random())
            caller.renew_ear()
            turns.append(ask(caller, text, voices[number % len(voices)]))
            print(".", end="", flush=True)
        print()
        return turns


def ask(caller: Caller, text: str, voice: str) -> dict[str, Any]:
    """One spoken question: when its answer began, and what the edge measured of it."""
    records, done = len(caller.messages("latency")), _done(caller)
    _, ended = caller.say(wav_bytes(trimmed(speak(text, voice)), 16_000), text)
    mouth_to_ear_ms: float | None = None
    for _ in range(int((GIVEN_UP_MS + 1000) / 100) + len(text)):
        caller.wait(0.1)
        begun = first_sound(caller, ended)
        if begun is not None:
            mouth_to_ear_ms = (begun - ended) / RATE_HZ * 1000
            break
    try:
        caller.until(lambda: len(caller.messages("latency")) > records, "no record", 5)
        record = caller.messages("latency")[-1]
    except AssertionError:
        record = {}
    # The rest of the answer is not needed: end it as a person would, by the button.
    if _done(caller) == done:
        caller.page.click("#interrupt")
        caller.until(lambda: _done(caller) > done, "the answer did not end", 10)
    heard = [m["text"] for m in caller.messages("turn") if m["what"] == "committed"]
    return {"said": text, "voice": voice, "heard": heard[-1] if heard else "", "ms": mouth_to_ear_ms, "record": record}


def first_sound(caller: Caller, after: int) -> int | None:
    """The first frame after `after` from which the avatar is heard."""
    frames, _, avatar = caller.collect().levels()
    later = frames > after
    loud = (avatar[later] > AUDIBLE_RMS).astype(int)
    window = 60 * RATE_HZ // 1000 // QUANTUM
    if len(loud) < window:
        return None
    sounding = np.convolve(loud, np.ones(window, int), "valid") * QUANTUM * 1000 / RATE_HZ >= SOUNDING_MS
    starts = np.flatnonzero(sounding & (loud[: len(sounding)] == 1))
    return int(frames[later][starts[0]]) if len(starts) else None


def _done(caller: Caller) -> int:
    return sum(m["what"] in ("finished", "interrupted") for m in caller.messages("turn"))


def report(turns: list[dict[str, Any]], load_before: float) -> None:
    """The figures beside their goals, and the waterfall."""
    figures = sorted(_counted(turn) for turn in turns)
    missing = sum(turn["ms"] is None for turn in turns)
    print(f"{platform.machine()}, {os.cpu_count()} cores, load before {load_before:.1f}")
    print(f"{len(turns)} turns, {missing} without an answer")
    for name, share, goal in (("p50", 50, GOAL_P50_MS), ("p90", 90, None), ("p95", 95, GOAL_P95_MS)):
        value = float(np.percentile(figures, share))
        print(f"mouth to ear {name} {value:6.0f} ms" + (f"   goal {goal}" if goal else ""))
    print(f"             max {figures[-1]:6.0f} ms")
    for voice in dict.fromkeys(turn["voice"] for turn in turns):
        own = [_counted(turn) for turn in turns if turn["voice"] == voice]
        print(f"  {voice:8} n {len(own):2}  p50 {statistics.median(own):6.0f}  max {max(own):6.0f} ms")
    records = [turn["record"] for turn in turns if turn["record"]]
    print(f"speculated {sum(bool(r.get('speculated')) for r in records)} of {len(records)}", end="; ")
    print(f"attempts wasted {sum(r.get('wasted', 0) for r in records)}")
    print("waterfall (edge's clock, from the end of speech)        p50    p95 ms")
    for step in dict.fromkeys(step["name"] for r in records for step in r["steps"]):
        spent = [s["ms"] for r in records for s in r["steps"] if s["name"] == step]
        print(f"  {step:50} {statistics.median(spent):6.0f} {float(np.percentile(spent, 95)):6.0f}")


def _counted(turn: dict[str, Any]) -> float:
    return GIVEN_UP_MS if turn["ms"] is None else float(turn["ms"])


if __name__ == "__main__":
    main()

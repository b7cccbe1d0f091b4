"""Sound against picture over a call, in a real browser: which part of the programme is heard, and which is seen.

  python -m bench.av_sync [--minutes 5] [--persona campus] [--json FILE] [--url URL]

Sound: the phones that listeners are told of say where vowels lie on the programme's clock; the level of what the page
received is laid over them, sentence by sentence, and the best fit says when each programme sample was heard. Picture:
each one shown carries the programme sample it was drawn for, and the browser says when it is displayed. The offset of a
sentence is picture minus sound: positive when the picture is late. Both are measured in the page; what a loudspeaker
and a screen add is not in it. The fit of a sentence is good to about 5 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.barge_in import QUESTIONS, ended, ms, now_ms, over
from broker.messages import Event
from tests.stack.caller import QUANTUM, RATE_HZ, Caller, Recording
from tests.stack.lips import phones
from tests.stack.listener import Listener
from tests.stack.running import Stack

GOAL_MS = 40
GOAL_DRIFT_MS = 2
"""A minute: five make a quarter of the goal."""
VOWELS = frozenset(
    ["aa", "ae", "ah", "ao", "aw", "ax", "axr", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw"]
)
SILENT = frozenset(["pau", "p", "b", "t", "d", "k", "g", "ch", "jh"])
FURTHEST_MS = 400
"""The sound is looked for so far from where the page says that its speaker is."""
QUIETEST = 0.002
"""Levels below are alike: some 25 dB under a vowel."""
CLEAREST = 0.5
"""Correlation below which a sentence is not believed to be found."""
FEWEST_PICTURES = 5


@dataclass(frozen=True, kw_only=True)
class Offset:
    """One sentence: when, how late its pictures were against its sound, and how well the sound was found (0..1)."""

    at_s: float
    offset_ms: float | None
    """None: its sound was not found, or too few pictures of it."""
    fit: float
    pictures: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--persona", default="campus")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every sentence there")
    parser.add_argument("--url", help="a stack that runs already, with the settings in force here")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    stack = Stack()
    try:
        if not arguments.url:
            stack.start()
        offsets = converse(arguments.url or stack.url, stack, arguments.persona, arguments.minutes)
    finally:
        stack.stop()
    report(offsets, load_before)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(offset) for offset in offsets], indent=1), encoding="utf-8")


def converse(url: str, stack: Stack, persona: str, minutes: float) -> list[Offset]:
    """Have answers spoken for so long; one offset a sentence."""
    offsets: list[Offset] = []
    with Listener(stack.settings) as listener, Caller(url) as caller:
        caller.open(f"?persona={persona}").start()
        caller.until(lambda: ended(caller), "the greeting did not end", 30)
        session = caller.messages("session")[0]
        until, number = time.monotonic() + 60 * minutes, 0
        while time.monotonic() < until:
            caller.collect()
            caller.recording.blocks.clear()
            caller.recording.pictures.clear()
            caller.renew_ear()
            question, asked_at = QUESTIONS[number % len(QUESTIONS)], now_ms(caller)
            caller.type(question)
            turn = over(caller, question, asked_at)["turn"]
            caller.wait(0.6)
            events = [e for e in listener.of("phonemes", turn) if e.session == session["session"]]
            played = [m for m in caller.messages("played", "out") if m["at"] > asked_at]
            offsets += sentences(caller.collect(), events, session, played)
            number += 1
            print(".", end="", flush=True)
        print()
    return offsets


def sentences(
    recording: Recording, events: Sequence[Event], session: dict[str, Any], played: Sequence[dict[str, Any]]
) -> list[Offset]:
    """The offsets of the sentences of an answer."""
    found = []
    frames, _, levels = recording.levels()
    shown = seen(recording, int(session["video_offset"]))
    for spoken in by_sentence(events):
        if len(spoken) < 8 or not played:
            continue
        start, end = spoken[0][1], spoken[-1][2]
        nearest = min(played, key=lambda m: abs(on_clock(m["rtp"] - session["audio_offset"]) - start))
        guess = recording.frame_of(nearest["t"]) - on_clock(nearest["rtp"] - session["audio_offset"])
        delay, fit = heard_after(spoken, frames, levels, guess)
        delays = [frame - sample for sample, frame in shown if start <= sample < end]
        clear = fit >= CLEAREST and len(delays) >= FEWEST_PICTURES
        late = ms(float(np.median(delays)) - delay) if clear else None
        found.append(Offset(at_s=start / RATE_HZ, offset_ms=late, fit=round(fit, 2), pictures=len(delays)))
    return found


def by_sentence(events: Sequence[Event]) -> list[list[tuple[str, float, float]]]:
    """The phones of each sentence (name, from, to), in programme samples; told again where a gap moved them."""
    told: dict[int, dict[float, tuple[str, float, float]]] = {}
    for event in events:
        sentence = told.setdefault(int(event.data["sentence"]), {})
        for item, phone in zip(event.data["items"], phones([event]), strict=True):
            sentence[item[1]] = phone
    return [sorted(sentence.values(), key=lambda phone: phone[1]) for sentence in told.values()]


def seen(recording: Recording, video_offset: int) -> list[tuple[float, float]]:
    """(programme sample, audio frame at which it was displayed) of each picture."""
    return [
        (on_clock(rtp - video_offset) * 8 / 15, recording.frame_of(shown_ms))
        for _, _, rtp, _, shown_ms in recording.pictures
        if rtp >= 0
    ]


def on_clock(rtp: float) -> float:
    """RTP time since the programme began."""
    return rtp % 2**32


def heard_after(
    spoken: Sequence[tuple[str, float, float]],
    frames: npt.NDArray[np.int64],
    levels: npt.NDArray[np.float64],
    guess: float,
) -> tuple[float, float]:
    """By how many audio frames the sound lags the programme's clock, near `guess`, and the correlation there.

    `frames`, `levels`: one value a quantum. (guess, 0.0) when the recording does not cover the sentence.
    """
    first, last = spoken[0][1] - RATE_HZ / 5, spoken[-1][2] + RATE_HZ / 5
    at = np.arange(first, last, QUANTUM)
    expected = np.full(len(at), 0.3)
    expected[(at < spoken[0][1]) | (at >= spoken[-1][2])] = 0
    for name, start, end in spoken:
        if name in VOWELS or name in SILENT:
            expected[(at >= start) & (at < end)] = float(name in VOWELS)
    if not len(frames) or first + guess < frames[0] or last + guess > frames[-1]:
        return guess, 0.0
    loudness = np.log10(np.maximum(levels, QUIETEST))
    reach = FURTHEST_MS * RATE_HZ // 1000
    lags = np.arange(-reach, reach + 1, QUANTUM)
    fits = [_correlation(expected, np.interp(at + guess + lag + QUANTUM / 2, frames, loudness)) for lag in lags]
    best = int(np.argmax(fits))
    return guess + float(lags[best]), float(fits[best])


def _correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def report(offsets: list[Offset], load_before: float) -> None:
    """The offsets of each minute beside the goal, and the drift."""
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load before {load_before:.1f}, after {os.getloadavg()[0]:.1f}"
    )
    found = [(offset.at_s, offset.offset_ms) for offset in offsets if offset.offset_ms is not None]
    print(f"{len(offsets)} sentences, {len(offsets) - len(found)} of them not found in what was recorded")
    if not found:
        return
    minutes = [int((at_s - found[0][0]) // 60) for at_s, _ in found]
    for minute in sorted(set(minutes)):
        _line(f"minute {minute + 1}", [late for (_, late), m in zip(found, minutes, strict=True) if m == minute])
    _line("call", [late for _, late in found], f"goal within ±{GOAL_MS}")
    beyond = sum(abs(late) > GOAL_MS for _, late in found)
    print(f"beyond ±{GOAL_MS} ms: {beyond} of {len(found)} sentences")
    if len(found) > 2:
        drift = np.polyfit([at_s / 60 for at_s, _ in found], [late for _, late in found], 1)[0]
        print(f"drift {drift:+.2f} ms a minute  goal within ±{GOAL_DRIFT_MS}")


def _line(name: str, values: list[float], goal: str = "") -> None:
    least, p5, p50, p95, most = np.percentile(values, [0, 5, 50, 95, 100])
    print(
        f"{name:10} n {len(values):3}  median {p50:+6.1f}  p5 {p5:+6.1f}  p95 {p95:+6.1f}"
        f"  from {least:+6.1f} to {most:+6.1f} ms  {goal}"
    )


if __name__ == "__main__":
    main()

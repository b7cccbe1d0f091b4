"""Barge-in in a real browser: how soon the avatar falls silent, whether it tells "mhm" from "stop", and what is lost.

  python -m bench.barge_in [--each 30] [--persona campus] [--seed 1] [--json FILE] [--url URL]
  python -m bench.barge_in --merge FILE …

The second reports what several shorter runs (each with a seed of its own) wrote by --json, as one.

One call in headless Chromium against a stack of its own. A typed question is answered; at a random moment within the
answer's sound an interjection is played into the microphone. Times are on the page's audio clock, from the
interjection's first sound, 40 dB under its loudest, which a room would not let one hear; those "of speech" from where
it is speech by ITU-T P.56. `silent` is what arrives at the loudspeaker: the received sound times the volume that the
page gives it. A moment at which the answer itself happened to pause says nothing of it and is left out there; an answer
that did not fall silent is counted beside the figures.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.interjections import Interjection, backchannels, interruptions, noises
from bench.spoken import audible_from
from broker.backchannel import words_of
from tests.stack.caller import AUDIBLE_RMS, QUANTUM, RATE_HZ, Caller, Recording, wav_bytes
from tests.stack.running import Stack

GOAL_P50_MS, GOAL_MAX_MS = 200, 250
GOAL_PAUSE_MS = 400
QUESTIONS = (
    "When is the library open?",
    "How do I apply for a place?",
    "How do I borrow books?",
    "What sports are there?",
)
EARLIEST_S, LATEST_S = 0.5, 2.2
"""When in an answer's sound the person begins."""
SILENCE_MS = 100
"""Silence of at least so much is the avatar's falling silent, not a stop consonant."""
SPILL_MS = 20
"""What is said of a hold may reach the page this much after its sound does."""
RENDER_MS = 10
"""A volume set on the element is heard with the next piece that its renderer takes."""
SETTLED_S = 60.0
RESTS_WITHIN_S = 40.0

WATCH_VOLUME = """() => {
  const video = document.querySelector("video#avatar");
  window.volumes = [[performance.now(), video.volume]];
  video.addEventListener("volumechange", () => window.volumes.push([performance.now(), video.volume]));
}"""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One interjection. Milliseconds from its onset; None: did not happen."""

    name: str
    kind: str
    audible_ms: float
    """From where it is speech (`bench.spoken.audible_from`)."""
    outcome: str
    """`unheard` (no hold), `resumed` or `cancelled`."""
    held_ms: float | None
    """The page was told of the hold."""
    silent_ms: float | None
    """The answer's last sound before the silence, at the loudspeaker; infinite: it did not fall silent …"""
    received_ms: float | None
    """… and as it was received."""
    again_ms: float | None
    """First sound after it, of the same answer."""
    cancelled_ms: float | None
    heard_as: str
    lost: int
    """Words of its text that the answer's heard text lacks."""

    @property
    def pause_ms(self) -> float | None:
        return None if self.silent_ms is None or self.again_ms is None else self.again_ms - self.silent_ms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=30, help="so many backchannels, interruptions and, a third, noises")
    parser.add_argument("--persona", default="campus")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every trial there")
    parser.add_argument("--url", help="a stack that runs already")
    parser.add_argument("--merge", nargs="+", metavar="FILE", type=Path, help="report earlier runs' trials together")
    arguments = parser.parse_args()
    if arguments.merge:
        found = [trial for path in arguments.merge for trial in json.loads(path.read_text(encoding="utf-8"))]
        report([Trial(**trial) for trial in found], None)
        return
    chance = random.Random(arguments.seed)
    each, seed = arguments.each, arguments.seed
    wanted = backchannels(each, seed) + interruptions(each, seed) + noises(each // 3, seed)
    chance.shuffle(wanted)
    load_before = os.getloadavg()[0]
    stack = None if arguments.url else Stack().start()
    try:
        trials = converse(arguments.url or (stack.url if stack else ""), arguments.persona, wanted, chance)
    finally:
        if stack:
            stack.stop()
    report(trials, load_before)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(trial) for trial in trials], indent=1), encoding="utf-8")


def converse(url: str, persona: str, wanted: Sequence[Interjection], chance: random.Random) -> list[Trial]:
    """Try all in one call."""
    trials = []
    with Caller(url) as caller:
        caller.open(f"?persona={persona}").start()
        caller.until(lambda: ended(caller), "the greeting did not end", 30)
        caller.page.evaluate(WATCH_VOLUME)
        for number, interjection in enumerate(wanted):
            caller.collect().blocks.clear()
            caller.renew_ear()
            caller.wait(0.5)
            trials.append(interject(caller, QUESTIONS[number % len(QUESTIONS)], interjection, chance))
            print(".", end="", flush=True)
        print()
    return trials


def interject(caller: Caller, question: str, interjection: Interjection, chance: random.Random) -> Trial:
    """Ask, interject, and wait until it is known what became of the answer."""
    asked_at = now_ms(caller)
    caller.type(question)
    caller.until(lambda: since(caller, "words", asked_at), f"no answer to {question!r} began")
    caller.wait(chance.uniform(EARLIEST_S, LATEST_S))
    onset, said_out = caller.say(wav_bytes(interjection.sound, 16_000), interjection.name)
    cut = over(caller, question, asked_at)
    caller.until(lambda: caller.audio_frame() > said_out + RATE_HZ // 2, "the audio clock stands still")
    settle(caller)
    return judge(caller, interjection, onset, cut)


def settle(caller: Caller) -> None:
    """Whatever the interjection is answered with is not needed."""
    caller.wait(0.6)
    deadline = time.monotonic() + RESTS_WITHIN_S
    while time.monotonic() < deadline:
        if caller.state() == "listening":
            caller.wait(0.3)
            if caller.state() == "listening":
                return
        elif caller.page.is_enabled("#interrupt"):
            caller.page.click("#interrupt")
        caller.wait(0.3)
    raise AssertionError(f"the call does not come to rest: {caller.state()}")


def judge(caller: Caller, interjection: Interjection, onset: int, cut: dict[str, Any]) -> Trial:
    """What the recording and the messages say of one interjection."""
    recording = caller.collect()
    onset_ms = recording.page_ms_of(onset)
    holds = [m["at"] for m in since(caller, "state", onset_ms) if m["state"] == "held" and m["at"] < cut["at"] + 1]
    cancelled = cut["what"] != "finished"
    outcome = "cancelled" if cancelled else "resumed" if holds else "unheard"
    frames, _, received = recording.levels()
    audible = received * volume_at(recording, caller.page.evaluate("window.volumes"), frames)
    told = recording.frame_of(holds[0]) if holds else None
    silence = None if told is None else silence_after(frames, audible, told)
    got = None if told is None else silence_after(frames, received, told)
    again = None if cancelled or silence is None else next_sound(frames, audible, silence)
    heard = [m["text"] for m in since(caller, "heard", onset_ms) if m["text"]]
    return Trial(
        name=interjection.name,
        kind=interjection.kind,
        audible_ms=audible_from(interjection.sound) / 16,
        outcome=outcome,
        held_ms=None if told is None else ms(told - onset),
        silent_ms=None if silence is None else ms(silence - onset),
        received_ms=None if got is None else ms(got - onset),
        again_ms=None if again is None else ms(again - onset),
        cancelled_ms=ms(recording.frame_of(cut["at"]) - onset) if cancelled else None,
        heard_as=heard[-1] if heard else "",
        lost=len(words_of(cut.get("text", ""))) - len(words_of(cut.get("heard", ""))),
    )


def silence_after(
    frames: npt.NDArray[np.int64], levels: npt.NDArray[np.float64], told: float, most_ms: float = 400
) -> float | None:
    """The end of the last sound before the first silence that a hold told at frame `told` brought.

    None: it was silent already (the answer itself paused). Infinite: it did not fall silent within `most_ms`.
    """
    spill = SPILL_MS * RATE_HZ // 1000
    loud = frames[levels > AUDIBLE_RMS]
    quiet = SILENCE_MS * RATE_HZ // 1000
    following = np.append(loud[1:], frames[-1:] + quiet if len(frames) else loud[:0])
    for frame, following_frame in zip(loud, following, strict=True):
        if frame < told - spill:
            if following_frame - frame > quiet and following_frame > told:
                return None
        elif frame > told + most_ms * RATE_HZ / 1000:
            return math.inf
        elif following_frame - frame > quiet:
            return int(frame) + QUANTUM
    return None


def next_sound(frames: npt.NDArray[np.int64], levels: npt.NDArray[np.float64], after: float) -> int | None:
    """The first frame after `after` with sound."""
    loud = frames[(levels > AUDIBLE_RMS) & (frames > after)]
    return int(loud[0]) if len(loud) else None


def volume_at(
    recording: Recording, volumes: Iterable[tuple[float, float]], frames: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """The volume of the page's element at each frame."""
    changes = [(recording.frame_of(at_ms + RENDER_MS), volume) for at_ms, volume in volumes]
    index = np.searchsorted([at for at, _ in changes], frames, side="right") - 1
    return np.array([volume for _, volume in changes])[np.maximum(index, 0)]


def ended(caller: Caller) -> list[dict[str, Any]]:
    """The turns that are over: heard to their end, cut, or withdrawn."""
    over = ("finished", "interrupted", "cancelled")
    return [m for m in caller.messages("turn") if m["what"] in over and not m.get("speculative")]


def over(caller: Caller, question: str, asked_at: float) -> dict[str, Any]:
    """Wait until the answer to what was typed at an instant of the page is over; the message that says so."""
    asked = caller.until(
        lambda: [m for m in since(caller, "turn", asked_at) if m["what"] == "committed" and m["text"] == question],
        f"{question!r} was not answered",
    )[0]
    last = caller.until(
        lambda: [m for m in ended(caller) if m["turn"] == asked["turn"]],
        "the answer neither ended nor was cut",
        SETTLED_S,
    )[0]
    return dict(last)


def since(caller: Caller, kind: str, page_time_ms: float) -> list[dict[str, Any]]:
    """Messages of one kind that came after an instant of the page."""
    return [m for m in caller.messages(kind) if m["at"] > page_time_ms]


def now_ms(caller: Caller) -> float:
    return float(caller.page.evaluate("performance.now()"))


def ms(frames: float) -> float:
    return round(frames * 1000 / RATE_HZ, 1)


def report(trials: list[Trial], load_before: float | None) -> None:
    """The figures beside their goals."""
    load = "" if load_before is None else f", load before {load_before:.1f}, after {os.getloadavg()[0]:.1f}"
    print(f"{platform.machine()}, {os.cpu_count()} cores{load}; {len(trials)} interjections")
    print(f"{'':14}{'unheard':>9}{'resumed':>9}{'cancelled':>10}")
    for kind in dict.fromkeys(trial.kind for trial in trials):
        row = [sum(t.kind == kind and t.outcome == o for t in trials) for o in ("unheard", "resumed", "cancelled")]
        print(f"{kind:14}{row[0]:9}{row[1]:9}{row[2]:10}")
    takers = [t for t in trials if t.kind in ("interruption", "human")]
    others = [t for t in trials if t.kind in ("backchannel", "noise")]
    line("page told of the hold", [t.held_ms for t in trials])
    line("silence received", [t.received_ms for t in trials])
    line("silent at the ear", [t.silent_ms for t in trials], f"goal p50 {GOAL_P50_MS}, max {GOAL_MAX_MS}")
    line("  by interruptions", [t.silent_ms for t in takers])
    line(
        "  … of speech",
        [t.silent_ms - t.audible_ms for t in trials if t.silent_ms is not None and t.kind != "noise"],
        f"goal p50 {GOAL_P50_MS}, max {GOAL_MAX_MS}",
    )
    line("cancelled", [t.cancelled_ms for t in takers])
    line("pause by a backchannel", [t.pause_ms for t in others], f"goal max {GOAL_PAUSE_MS}")
    undisturbed = [t for t in others if t.outcome != "cancelled"]
    lost = sum(trial.lost for trial in undisturbed)
    print(f"words lost in {len(undisturbed)} answers that went on after a backchannel or a noise: {lost}")
    pauses = [t.pause_ms for t in others if t.pause_ms is not None]
    print(f"pauses of at most {GOAL_PAUSE_MS} ms: {sum(p <= GOAL_PAUSE_MS for p in pauses)} of {len(pauses)}")
    for trial in trials:
        if (trial.outcome == "cancelled") != (trial in takers):
            print(f"  {trial.kind} {trial.name!r} was {trial.outcome}; heard as {trial.heard_as!r}")


def line(name: str, values: Iterable[float | None], goal: str = "") -> None:
    """`values` in figures; those that are infinite did not come and are counted."""
    known = [value for value in values if value is not None]
    came = [value for value in known if math.isfinite(value)]
    if came:
        p50, p90, most = np.percentile(came, [50, 90, 100])
        never = f"never {len(known) - len(came)}  " if len(came) < len(known) else ""
        print(f"{name:24} n {len(came):3}  p50 {p50:5.0f}  p90 {p90:5.0f}  max {most:5.0f} ms  {never}{goal}")


if __name__ == "__main__":
    main()

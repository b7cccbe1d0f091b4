"""kill -9 in mid-answer and in mid-sentence: the gap at the ear, words lost, words said twice, the transcript.

  python -m bench.crash [--kinds tts,programme] [--moments 20] [--seed 1] [--json FILE]
  python -m bench.crash --merge FILE…

In pieces, each some two minutes long with its own stack, call, questions and moments, for a table in the end:
`--kind asr --moments 4 --seed 1 --json asr-1.json`, the same with `--seed 2` …, then `--merge asr-*.json`.

One stack, one call in headless Chromium. Whatever serves the call as the kind in question is killed at a random moment:
while it answers a typed question (0.3 to 3 s into its voice), while the caller asks aloud, or (every fifth) while the
answer is being thought of. What follows is compared with undisturbed answers to the same questions in the same call:
the gap is the silence at the ear that those do not have, or by how much later the answer begins; the delay is by how
much longer the answer takes on the programme's own clock. `nobody` is killed first: what is counted then is not the
crashes' doing but the machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.crash_call import Answered, Call, Caption, Killed
from bench.crash_outcome import ANSWER, GOALS_MS, NOBODY, SENTENCE, THOUGHT, Outcome, compared
from bench.spoken import speak, trimmed
from broker.messages import WORKER_KINDS
from tests.stack.caller import Caller
from tests.stack.running import Stack

TYPED = ("When is the library open?", "How do I apply for a place?", "How do I borrow books?", "What sports are there?")
SPOKEN = (
    ("when is the library open on weekends", "slt"),
    ("how do i apply for a place at the university", "slt"),
    ("what can i eat on campus", "slt"),
    ("how do i borrow books", "slt"),
    ("where do i get my student card", "slt"),
)
SHORTEST_S, LONGEST_INTO_S = 4.0, 3.0
"""Answers shorter than this are not asked for; the latest moment in one."""

MOMENTS = (ANSWER, SENTENCE, ANSWER, SENTENCE, THOUGHT)


def references(call: Call, rng: random.Random, each: int) -> dict[str, Answered]:
    """Undisturbed answers, by question: `each` typed ones long enough, and `each` spoken ones understood twice.

    Which, is drawn. What is misheard undisturbed may be heard rightly after a kill, and that is not the crash's doing:
    it is left out. At least one of each, else AssertionError: there would be nothing to compare with.
    """
    typed: dict[str, Answered] = {}
    for text in rng.sample(TYPED, len(TYPED)):
        once = call.typed(text)[0]
        if once.span_s >= SHORTEST_S:
            typed[text] = once
        if len(typed) == each:
            break
    spoken: dict[str, Answered] = {}
    for text, voice in rng.sample(SPOKEN, len(SPOKEN)):
        twice = [call.spoken(text, voice)[0] for _ in range(2)]
        if twice[0].heard == twice[1].heard and all(heard.asked == text for heard in twice):
            spoken[text] = twice[1]
        if len(spoken) == each:
            break
    assert typed, "no answer is long enough to be killed in"
    assert spoken, "no spoken question is understood twice"
    return typed | spoken


def endure(call: Call, moment: Outcome, reference: Answered) -> Outcome:
    """Live through one moment; afterwards every process is back."""
    name = "" if moment.kind == NOBODY else call.serving(moment.kind)
    pid = call.pid(name) if name else 0
    moment = Outcome(**{**asdict(moment), "load": os.getloadavg()[0]})

    def kill() -> Killed:
        return call.kill(name, pid)

    try:
        if moment.moment == SENTENCE:
            voice = dict(SPOKEN)[moment.question]
            answered, killed = call.spoken(moment.question, voice, call.into_question(moment.into_s, kill))
        elif moment.moment == THOUGHT:
            answered, killed = call.typed(moment.question, call.into_question(moment.into_s, kill))
        else:
            answered, killed = call.typed(moment.question, call.into_voice(moment.into_s, kill))
        call.whole()
    except AssertionError as error:
        return Outcome(**{**asdict(moment), "killed": name, "problem": str(error)})
    assert killed
    successor = call.serving(moment.kind) if name else ""
    if moment.kind in WORKER_KINDS and successor == name:
        return Outcome(**{**asdict(moment), "killed": name, "problem": "the route did not move"})
    return compared(Outcome(**{**asdict(moment), "successor": successor}), reference, answered, killed)


def moments(kind: str, count: int, known: dict[str, Answered], rng: random.Random) -> list[Outcome]:
    """`count` random moments, in turn in mid-answer, mid-sentence and in thought."""
    typed = [text for text in TYPED if text in known]
    spoken = [(text, voice) for text, voice in SPOKEN if text in known]
    made = []
    for number in range(count):
        moment = MOMENTS[number % len(MOMENTS)]
        if moment == SENTENCE and spoken:
            question, voice = rng.choice(spoken)
            into_s = rng.uniform(0.1, len(trimmed(speak(question, voice))) / 16_000)
        else:
            question = rng.choice(typed)
            longest_s = min(LONGEST_INTO_S, known[question].span_s - 0.5)
            into_s = rng.uniform(0.0, 0.15) if moment == THOUGHT else rng.uniform(0.3, longest_s)
        made.append(Outcome(kind=kind, moment=moment, question=question, into_s=into_s))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", "--kind", default=",".join(GOALS_MS))
    parser.add_argument("--moments", type=int, default=20, help="kills per kind")
    parser.add_argument("--questions", type=int, default=1, help="typed and spoken ones to choose from, each")
    parser.add_argument("--merge", metavar="FILE", type=Path, nargs="+", help="print the table of earlier runs")
    parser.add_argument("--persona", default="campus")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every moment there")
    arguments = parser.parse_args()
    if arguments.merge:
        outcomes, load_before = merged(arguments.merge)
        for outcome in outcomes:
            print(line(outcome))
        report(outcomes, load_before)
        return
    kinds = arguments.kinds.split(",")
    if unknown := set(kinds) - set(GOALS_MS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}; there are {', '.join(GOALS_MS)}")
    rng, load_before = random.Random(arguments.seed), os.getloadavg()[0]
    outcomes = []
    known: dict[str, Answered] = {}
    stack = Stack()
    try:
        stack.start()
        with Caller(stack.url) as caller:
            caller.open(f"?persona={arguments.persona}").start()
            with Call(stack, caller) as call:
                caller.until(call.dialogue, "no greeting", 30)
                call.calm()
                known = references(call, rng, arguments.questions)
                for kind in kinds:
                    for moment in moments(kind, arguments.moments, known, rng):
                        outcomes.append(endure(call, moment, known[moment.question]))
                        print(line(outcomes[-1]), flush=True)
    finally:
        stack.stop()
        report(outcomes, load_before)
        if arguments.json:
            found = {
                "machine": machine(),
                "seed": arguments.seed,
                "load_before": load_before,
                "undisturbed": {text: asdict(answered) for text, answered in known.items()},
                "moments": [asdict(outcome) for outcome in outcomes],
            }
            arguments.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


def merged(paths: Sequence[Path]) -> tuple[list[Outcome], float]:
    """Every moment of earlier runs, kind by kind as in GOALS_MS, and the highest load before one."""
    outcomes, loads = [], []
    for path in paths:
        run = json.loads(path.read_text(encoding="utf-8"))
        loads.append(float(run["load_before"]))
        for row in run["moments"]:
            answered = row["answered"]
            if answered:
                captions = tuple(Caption(**caption) for caption in answered["captions"])
                answered = Answered(**{**answered, "captions": captions, "shown": tuple(answered["shown"])})
            outcomes.append(Outcome(**{**row, "answered": answered}))
    return sorted(outcomes, key=lambda outcome: list(GOALS_MS).index(outcome.kind)), max(loads, default=0.0)


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores"


def line(outcome: Outcome) -> str:
    """One moment in one line."""
    times = f"gap {outcome.gap_ms:5.0f} ms, delay {outcome.delay_ms:+5.0f}, sound {outcome.sound_ms:+5.0f}"
    said = f"{times}, lost {outcome.lost}, repeated {outcome.repeated}"
    other = "" if outcome.same else ", another transcript"
    where = f"{outcome.kind:9} {outcome.killed:11} {outcome.moment:8} {outcome.into_s:4.2f} s"
    return f"{'   ' if outcome.good else '!! '}{where}  {said}{other}  {outcome.problem}".rstrip()


def report(outcomes: Sequence[Outcome], load_before: float) -> None:
    """A row a kind."""
    loads = [outcome.load for outcome in outcomes] or [0.0]
    print(f"{machine()}, load before {load_before:.1f}, during {min(loads):.1f} to {max(loads):.1f}")
    print("killed       n   gap p50    max   goal ms   delay p50    max   lost  repeated  same transcript  problems")
    for kind in dict.fromkeys(outcome.kind for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.kind == kind]
        whole = [outcome for outcome in mine if outcome.answered] or mine
        gaps, delays = [outcome.gap_ms for outcome in whole], [outcome.delay_ms for outcome in whole]
        lost, repeated = sum(outcome.lost for outcome in whole), sum(outcome.repeated for outcome in whole)
        same, problems = sum(outcome.same for outcome in mine), sum(bool(outcome.problem) for outcome in mine)
        print(
            f"{kind:9} {len(mine):4}   {statistics.median(gaps):7.0f} {max(gaps):6.0f}    < {GOALS_MS[kind]:4}"
            f"   {statistics.median(delays):9.0f} {max(delays):6.0f}   {lost:4} {repeated:9}"
            f"   {same:6} of {len(mine):<5}  {problems:8}"
        )


if __name__ == "__main__":
    main()

"""Delay of the end-of-turn decision against false cuts: the wait by evidence at every patience, and fixed waits.

    python -m bench.end_of_turn [--count 64] [--heard FILE] [--show] [--plot docs/end_of_turn.svg]

Half of the utterances have an inner pause of 300-700 ms put between two words (bench/pausing.py). All go through the
real vad, smart-turn, recogniser and, for questions to a persona, its brain (bench/overheard.py). A decision in an inner
pause is a false cut; it is *heard* when the answer had begun at the ear before the person went on, the others are met
by a hold and joined. The delay is from the true end of the last sound to the decision. The weights were fitted, and
the patience for at most 5 % false cuts is chosen, on the tuning sets; the held-out ones have other sentences and other
synthetic voices. The headline is the delay at no more than 5 % false cuts, for synthetic and human voices apart.
"As shipped, in a call": each voice says its utterances one after the other, every second with a pause, and the turn
machine comes to know it as it does in a call; "taken for fluent": what a pause costs somebody who made none in the
utterances before.
`--plot` draws the curves. `--heard` keeps what was overheard in a file, or takes it from there.
"""

from __future__ import annotations

import argparse
import math
import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.curves import Curve, draw
from bench.overheard import Heard, Known, Pause, Room
from bench.pausing import human, synthetic
from broker.endpoint import DEFAULT, EndpointSettings, wait_ms
from broker.listening import TELLING_WORDS

Rule = Callable[[Known], float]
TO_EAR_MS = 130
"""From the decision to the answer at the ear: final words, first sound and playout (bench/speech_to_speech.py)."""
MOST_CUT = 0.05
CAREFUL_MS = 760
"""The longest wait on the curve: the shipped one leaves some pauses of 700 ms to the joining of utterances."""
DOUBTS = tuple(0.25 * step for step in range(-2, 13))
SETS = ("tuning, synthetic", "tuning, human", "held out, synthetic", "held out, human")


@dataclass(frozen=True)
class Result:
    """Shares of utterances, and the delays of their ends in ms."""

    cut: float
    cut_heard: float
    delays: tuple[float, ...]

    def percentile(self, q: float) -> float:
        return float(np.percentile(self.delays, q)) if self.delays else math.nan


def decided_ms(pause: Pause, rule: Rule) -> float:
    """Silence after which the turn is taken to be over, were the pause to last for ever."""
    for known, later in zip(pause.knowns, (*pause.knowns[1:], None), strict=True):
        at_ms = max(known.at_ms, rule(known))
        if later is None or at_ms < later.at_ms:
            return at_ms
    return math.inf


def judge(heard: Iterable[Heard], rule: Rule) -> Result:
    """What a rule makes of utterances; those that were not heard at all are left out."""
    return _judge((utterance, rule) for utterance in heard)


def judge_in_a_call(heard: Iterable[Heard]) -> Result:
    """The shipped rule, to somebody who says them in this order: who makes no pauses is waited for less."""
    fluent: dict[tuple[str, str], int] = {}
    ruled = []
    for utterance in (each for each in heard if each.pauses):
        call = (utterance.voice, utterance.persona)
        ruled.append((utterance, shipped(fluent.get(call, 0))))
        fluent[call] = fluency(fluent.get(call, 0), utterance)
    return _judge(ruled)


def fluency(fluent: int, utterance: Heard) -> int:
    """As broker/listening.py learns it: a pause within an utterance, or a false cut in it, takes all back."""
    if any(DEFAULT.pause_ms <= pause.lasted_ms < math.inf for pause in utterance.pauses):
        return 0
    known = len(utterance.pauses[-1].knowns[-1].text.split()) >= TELLING_WORDS
    return min(fluent + known, int(DEFAULT.fluent_after))


def _judge(ruled: Iterable[tuple[Heard, Rule]]) -> Result:
    cut = cut_heard = count = 0
    delays = []
    for utterance, rule in ruled:
        count += bool(utterance.pauses)
        inner = [(decided_ms(pause, rule), pause.lasted_ms) for pause in utterance.pauses if pause.lasted_ms < math.inf]
        cut += any(at_ms < lasted_ms for at_ms, lasted_ms in inner)
        cut_heard += any(at_ms + TO_EAR_MS < lasted_ms for at_ms, lasted_ms in inner)
        delays += [decided_ms(pause, rule) + pause.late_ms for pause in utterance.pauses if pause.lasted_ms == math.inf]
    return Result(cut / max(count, 1), cut_heard / max(count, 1), tuple(delays))


def fixed(wait: float) -> Rule:
    return lambda known: wait


def adaptive(doubt: float) -> Rule:
    settings = EndpointSettings(doubt=doubt, patient_ms=CAREFUL_MS)
    return lambda known: wait_ms(known.p_end, known.text, "en", known.hit, known.ends, settings)


def shipped(fluent: int = 0) -> Rule:
    return lambda known: wait_ms(known.p_end, known.text, "en", known.hit, known.ends, fluent=fluent)


def patience(heard: list[Heard]) -> float:
    """The least doubt that keeps false cuts within the limit; the greatest one if none does."""
    return next((doubt for doubt in DOUBTS if judge(heard, adaptive(doubt)).cut <= MOST_CUT), DOUBTS[-1])


def report(title: str, heard: list[Heard], careful: float) -> None:
    known = [utterance for utterance in heard if utterance.pauses]
    inner = sum(pause.lasted_ms < math.inf for utterance in known for pause in utterance.pauses)
    voices = ", ".join(sorted({utterance.voice for utterance in known}))
    print(f"\n{title}: {len(known)} of {len(heard)} utterances heard ({voices}), {inner} inner pauses")
    print("  rule                       false cuts   heard   delay p50    p90    p95")
    for wait in range(200, 801, 100):
        _line(f"fixed {wait} ms", judge(known, fixed(wait)))
    for doubt in DOUBTS[1::2]:
        _line(f"evidence, doubt {doubt:.2f}", judge(known, adaptive(doubt)))
    _as_shipped(known)
    _line(f"5 % on tuning: {careful:.2f}", judge(known, adaptive(careful)))
    best = patience(known)
    _line(f"5 % on this set: {best:.2f}", judge(known, adaptive(best)))
    within = [wait for wait in range(200, 1001, 25) if judge(known, fixed(wait)).cut <= MOST_CUT]
    print(f"  the best fixed wait at 5 %: {min(within)} ms" if within else "  no fixed wait up to 1 s cuts 5 % or less")


def headline(heard: dict[str, list[Heard]], careful: float) -> None:
    """The delay at no more than 5 % false cuts on each held-out set, beside what is shipped and the best fixed wait."""
    print(f"\nheadline: delay at no more than {MOST_CUT:.0%} false cuts")
    for name in SETS[2:]:
        known = heard[name]
        best = patience(known)
        paused = sum(utterance.paused for utterance in known if utterance.pauses)
        print(f"{name}: {sum(bool(one.pauses) for one in known)} utterances, {paused} of them with a pause put in")
        _line(f"at {MOST_CUT:.0%} (doubt {best:.2f})", judge(known, adaptive(best)))
        _line("5 % on the tuning sets", judge(known, adaptive(careful)))
        _as_shipped(known)


def _as_shipped(known: list[Heard]) -> None:
    _line("as shipped, to a stranger", judge(known, shipped()))
    _line("as shipped, in a call", judge_in_a_call(known))
    _line("taken for fluent", judge(known, shipped(int(DEFAULT.fluent_after))))


def curves(heard: dict[str, list[Heard]]) -> list[Curve]:
    """False cuts in % against the median delay in ms, held-out sets: by evidence, and by fixed waits."""
    found = []
    for name in SETS[2:]:
        voices = name.rpartition(", ")[2]
        by_evidence = [judge(heard[name], adaptive(doubt)) for doubt in DOUBTS]
        by_clock = [judge(heard[name], fixed(wait)) for wait in range(150, 801, 25)]
        found.append(Curve(f"{voices} voices, by evidence", _points(by_evidence)))
        found.append(Curve(f"{voices} voices, fixed wait", _points(by_clock), dashed=True))
    return found


def _points(results: Iterable[Result]) -> tuple[tuple[float, float], ...]:
    return tuple((result.percentile(50), 100 * result.cut) for result in results)


def _line(name: str, result: Result) -> None:
    p50, p90, p95 = (result.percentile(q) for q in (50, 90, 95))
    cut, cut_heard = 100 * result.cut, 100 * result.cut_heard
    print(f"  {name:25s} {cut:8.1f} % {cut_heard:5.1f} % {p50:8.0f} ms {p90:4.0f} {p95:6.0f}")


def overhear(count: int) -> dict[str, list[Heard]]:
    """All four sets."""
    made = (synthetic(False, count), human(False, count), synthetic(True, count), human(True, count))
    room = Room()
    try:
        found = {}
        for name, utterances in zip(SETS, made, strict=True):
            found[name] = list(room.overhear(utterances))
            print(f"overheard: {name}", flush=True)
        return found
    finally:
        room.close()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--count", type=int, default=64, help="utterances of each set at most")
    arguments.add_argument("--heard", type=Path, help="a file of this bench's own to keep what was overheard in")
    arguments.add_argument("--plot", type=Path, help="an SVG file to draw the curves of the held-out sets into")
    arguments.add_argument("--show", action="store_true", help="print each pause")
    chosen = arguments.parse_args()
    if chosen.heard and chosen.heard.is_file():
        heard: dict[str, list[Heard]] = pickle.loads(chosen.heard.read_bytes())
    else:
        heard = overhear(chosen.count)
        if chosen.heard:
            chosen.heard.write_bytes(pickle.dumps(heard))
    careful = patience([*heard[SETS[0]], *heard[SETS[1]]])
    for name in SETS:
        if chosen.show:
            _show(heard[name])
        report(name, heard[name], careful)
    headline(heard, careful)
    if chosen.plot:
        title = "End of turn: false cuts (%) against delay (p50, ms)"
        chosen.plot.write_text(draw(title, curves(heard), mark_y=100 * MOST_CUT), encoding="utf-8")


def _show(heard: list[Heard]) -> None:
    for utterance in heard:
        print(f"{utterance.voice}: {utterance.text}")
        for pause in utterance.pauses:
            known = pause.knowns[-1]
            at_ms = decided_ms(pause, shipped())
            signs = f"p {known.p_end:.2f} hit {known.hit} ends {known.ends}"
            print(f"    {pause.lasted_ms:6.0f} ms, decided {at_ms:4.0f}: {signs} {known.text}")


if __name__ == "__main__":
    main()

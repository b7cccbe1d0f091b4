"""What a crash did to a turn, by comparison with an undisturbed answer to the same question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.crash_call import Answered, Caption, Killed
from broker.messages import WORKER_KINDS

NOBODY = "nobody"
GOALS_MS = {NOBODY: 1000} | dict.fromkeys(WORKER_KINDS, 1000) | {"broker": 1500, "webrtc": 3000}
"""The longest gap at the ear, by who is killed."""

ANSWER, SENTENCE, THOUGHT = "answer", "sentence", "thought"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a crash did to one turn."""

    kind: str
    moment: str
    question: str
    into_s: float
    killed: str = ""
    successor: str = ""
    gap_ms: float = 0.0
    delay_ms: float = 0.0
    sound_ms: float = 0.0
    """More or less sound than undisturbed."""
    lost: int = 0
    repeated: int = 0
    same: bool = False
    problem: str = ""
    load: float = 0.0
    answered: Answered | None = field(default=None, repr=False)

    @property
    def good(self) -> bool:
        return self.same and not (self.lost or self.repeated or self.problem) and self.gap_ms < GOALS_MS[self.kind]


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def missing_and_more(expected: Sequence[str], found: Sequence[str]) -> tuple[int, int]:
    """Words of `expected` that `found` lacks, and words it has besides, at the least number of both."""
    longest = [0] * (len(found) + 1)
    for word in expected:
        diagonal = 0
        for j, other in enumerate(found, 1):
            diagonal, longest[j] = longest[j], diagonal + 1 if word == other else max(longest[j], longest[j - 1])
    return len(expected) - longest[-1], len(found) - longest[-1]


def said_twice(captions: Iterable[Caption], heard_through: int, died_at: int) -> int:
    """Words told again that were heard whole: before `heard_through`, or in what came after the crash.

    What was cut by it, or lay between the two and was lost, is rightly said again.
    """
    whole: set[tuple[int, int]] = set()
    twice = 0
    for word in captions:
        place = (word.sentence, word.index)
        twice += place in whole
        if word.end_sample <= heard_through or word.start_sample >= died_at:
            whole.add(place)
    return twice


def compared(moment: Outcome, reference: Answered, answered: Answered, killed: Killed) -> Outcome:
    """The outcome of a moment, its figures filled in."""
    in_writing = missing_and_more(words(reference.heard), words(answered.heard))
    places = [(caption.sentence, caption.index) for caption in answered.captions]
    untold = {(caption.sentence, caption.index) for caption in reference.captions} - set(places)
    pause_ms = answered.silence_ms - reference.silence_ms
    late_ms = answered.late_ms - reference.late_ms
    problem = "" if moment.moment == SENTENCE or in_order(places) else "words out of order"
    if answered.interrupted:
        problem = "counts as interrupted"
    if [words(line) for line in answered.shown] != [words(answered.asked), words(answered.heard)]:
        problem = problem or "the page shows another dialogue"
    same = (answered.asked, answered.heard) == (reference.asked, reference.heard)
    return Outcome(
        **{
            **{name: getattr(moment, name) for name in ("kind", "moment", "question", "into_s", "successor", "load")},
            "killed": killed.name,
            "gap_ms": max(0.0, pause_ms, 0.0 if moment.moment == ANSWER else late_ms),
            "delay_ms": answered.programme_ms - reference.programme_ms,
            "sound_ms": answered.sound_ms - reference.sound_ms,
            "lost": max(in_writing[0], len(untold)),
            "repeated": max(in_writing[1], said_twice(answered.captions, killed.heard_through, killed.sample)),
            "same": same,
            "problem": problem,
            "answered": answered,
        }
    )


def in_order(places: Sequence[tuple[int, int]]) -> bool:
    """Whether every word comes for the first time after the one before it in the text."""
    first = list(dict.fromkeys(places))
    return first == sorted(first)

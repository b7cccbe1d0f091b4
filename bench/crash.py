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
import re
import signal
import sqlite3
import statistics
import time
import urllib.error
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from bench.speech_to_speech import first_sound
from bench.spoken import speak, trimmed
from broker.bus import BATCH, Bus
from broker.messages import KINDS, WORKER_KINDS, Programme
from broker.sessions import Record
from broker.snapshot import restore
from tests.stack.caller import AUDIBLE_RMS, QUANTUM, RATE_HZ, Caller, Recording, wav_bytes
from tests.stack.running import Stack

NOBODY = "nobody"
GOALS_MS = {NOBODY: 1000} | dict.fromkeys(WORKER_KINDS, 1000) | {"broker": 1500, "webrtc": 3000}
TYPED = ("When is the library open?", "How do I apply for a place?", "How do I borrow books?", "What sports are there?")
SPOKEN = (
    ("when is the library open on weekends", "slt"),
    ("how do i apply for a place at the university", "slt"),
    ("where do i get my student card", "slt"),
)
SHORTEST_S, LONGEST_INTO_S = 4.0, 3.0
"""Answers shorter than this are not asked for; the latest moment in one."""
ANSWER, SENTENCE, THOUGHT = "answer", "sentence", "thought"
MOMENTS = (ANSWER, SENTENCE, ANSWER, SENTENCE, THOUGHT)
CALM_S = 0.8
"""A page that has listened for so long has been told everything."""
GIVEN_UP_S = 40.0


@dataclass(frozen=True, kw_only=True)
class Caption:
    """A word as the page was told of it: which, and where it sounds on the programme's clock."""

    sentence: int
    index: int
    text: str
    start_sample: int
    end_sample: int


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A question and its answer, as written down and as heard. Milliseconds at the ear, on the page's audio clock."""

    asked: str
    heard: str
    interrupted: bool
    late_ms: float
    """From the end of the question to the first sound."""
    sound_ms: float
    silence_ms: float
    """All quiet moments between the first and the last sound."""
    longest_ms: float
    captions: tuple[Caption, ...] = ()
    shown: tuple[str, ...] = ()
    """The last two lines of the dialogue on the page."""

    @property
    def span_s(self) -> float:
        return (self.sound_ms + self.silence_ms) / 1000

    @property
    def programme_ms(self) -> float:
        """From the start of the first word to the end of the last, on the programme's clock."""
        if not self.captions:
            return 0.0
        begun, ended = self.captions[0].start_sample, max(word.end_sample for word in self.captions)
        return (ended - begun) / 48


@dataclass(frozen=True, kw_only=True)
class Killed:
    """A process that was killed, and where the programme and the ear were then."""

    name: str
    sample: int
    heard_through: int
    """An edge takes along what it had sent and the page had not played; another process nothing that was sent."""


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


class Call:
    """A conversation under way, with the stack that serves it."""

    def __init__(self, stack: Stack, caller: Caller) -> None:
        self.stack, self.caller = stack, caller
        self.session = str(caller.until(lambda: caller.messages("session"), "no session")[0]["session"])
        self._bus = Bus("listener", "crash", stack.settings)
        self._pub = ""
        self._newest_tick = 0

    def __enter__(self) -> Call:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bus.close()

    # --- who serves it ---

    def serving(self, kind: str) -> str:
        """The process that has the session."""
        found: list[str] = []

        def one() -> bool:
            found[:] = [name for name, sessions in self._metric("sessions", kind) if sessions]
            return len(found) == 1

        self._until(one, f"not one {kind} has the session")
        return found[0]

    def kill(self, name: str, pid: int) -> Killed:
        """kill -9, at once; of nobody, if `pid` is 0."""
        if pid:
            os.kill(pid, signal.SIGKILL)
        sample = self._left_the_programme()
        heard_through = min(sample, self.record().state.acknowledged) if name.startswith("webrtc") else sample
        return Killed(name=name, sample=sample, heard_through=heard_through)

    def follow(self) -> None:
        """Listen to the programme that serves the call now, to know how far it came."""
        pub = self.record().route.peers["programme"].pub
        if pub != self._pub:
            if self._pub:
                self._bus.unsubscribe(self._pub, self.session)
            self._bus.subscribe(pub, self.session)
            self._pub = pub

    def _left_the_programme(self) -> int:
        """The programme_sample after the last tick that has left."""
        while True:
            messages = self._bus.receive(20)
            ticks = [message.tick for message in messages if isinstance(message, Programme)]
            self._newest_tick = max([self._newest_tick, *ticks])
            if len(messages) < BATCH:
                return (self._newest_tick + 1) * 960

    def pid(self, name: str) -> int:
        processes = self.stack.processes()
        return int(processes.get(name, processes.get(name.removesuffix("-0"), {}))["pid"])

    def whole(self) -> None:
        """Wait until every process is back and the page listens."""

        def back() -> bool:
            wanted = sum(process["group"] in KINDS for process in self.stack.processes().values())
            return sum(value for _, value in self._metric("up")) == wanted

        self._until(back, "not every process came back", 60)
        self.calm()

    def calm(self) -> None:
        """Wait until the page has listened for a while."""
        since = time.monotonic()

        def quiet() -> bool:
            nonlocal since
            if self.caller.state() != "listening":
                since = time.monotonic()
            return time.monotonic() - since >= CALM_S

        self.caller.until(quiet, "the call does not calm down", GIVEN_UP_S)

    def _metric(self, name: str, kind: str = "") -> list[tuple[str, float]]:
        of = kind or "[a-z]+"
        pattern = rf'^visavis_process_{name}\{{process="([^"]+)",kind="{of}"\}} (\S+)$'
        try:
            text = self.stack.metrics()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return []
        return [(found[0], float(found[1])) for found in re.findall(pattern, text, re.MULTILINE)]

    def _until(self, holds: Callable[[], bool], otherwise: str, within_s: float = 20) -> None:
        self.caller.until(holds, otherwise, within_s)

    # --- what is written down ---

    def record(self) -> Record:
        """What a successor of the broker would know."""
        ((row,),) = self._rows("SELECT record FROM sessions WHERE id = ?")
        return restore(Record, row)

    def dialogue(self) -> list[tuple[str, str, bool]]:
        """(role, text, interrupted) of every line."""
        rows = self._rows("SELECT role, text, interrupted FROM dialogue WHERE session = ? ORDER BY n")
        return [(str(role), str(text), bool(cut)) for role, text, cut in rows]

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        path = self.stack.settings.path("store")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as database:
            return database.execute(query, (self.session,)).fetchall()

    def captions(self) -> list[Caption]:
        """Every word so far, in the order in which the page was told of them."""
        told = self.caller.page.evaluate(
            "() => window.messages.filter((m) => m[0] === 'in' && (m[2].type === 'words' || m[2].type === 'session'))"
            ".map((m) => m[2])"
        )
        captions, offset = [], 0
        for message in told:
            if message["type"] == "session":
                offset = int(message["audio_offset"])
                continue
            for _, sentence, index, text, rtp, samples in message["words"]:
                start = (rtp - offset) % 2**32
                captions.append(
                    Caption(sentence=sentence, index=index, text=text, start_sample=start, end_sample=start + samples)
                )
        return captions

    # --- a turn ---

    def typed(self, text: str, during: Callable[[int], Killed] | None = None) -> tuple[Answered, Killed | None]:
        """Type a question. `during` gets the frame at which it was sent, and kills."""

        def ask() -> int:
            self.caller.type(text)
            return self.caller.audio_frame()

        return self._turn(ask, during)

    def spoken(
        self, text: str, voice: str, during: Callable[[int], Killed] | None = None
    ) -> tuple[Answered, Killed | None]:
        """Ask aloud. `during` gets the frame at which the question begins, and kills."""
        wav = wav_bytes(trimmed(speak(text, voice)), 16_000)
        ended = 0

        def ask() -> int:
            nonlocal ended
            begun, ended = self.caller.say(wav, text)
            return begun

        return self._turn(ask, during, lambda: ended)

    def _turn(
        self, ask: Callable[[], int], during: Callable[[int], Killed] | None, ended: Callable[[], int] | None = None
    ) -> tuple[Answered, Killed | None]:
        caller = self.caller
        self.follow()
        caller.collect()
        caller.recording = Recording()
        before, told = len(self.dialogue()), len(self.captions())
        at = ask()
        killed = during(at) if during else None
        if ended:
            at = ended()

        def answered() -> bool:
            lines = self.dialogue()
            return len(lines) >= before + 2 and lines[-1][0] == "avatar"

        try:
            caller.until(answered, "not answered", GIVEN_UP_S)
        except AssertionError as error:
            raise AssertionError(f"{error}; the dialogue goes on with {self.dialogue()[before:]}") from error
        self.calm()
        lines = self.dialogue()[before:]
        shown = caller.page.evaluate("() => [...document.querySelectorAll('#dialogue .line')].map((l) => l.innerText)")
        return Answered(
            asked=" | ".join(text for role, text, _ in lines if role == "user"),
            heard=" | ".join(text for role, text, _ in lines if role == "avatar"),
            interrupted=any(cut for _, _, cut in lines),
            captions=tuple(self.captions()[told:]),
            shown=tuple(shown[-2:]),
            **at_the_ear(caller, at),
        ), killed

    def into_voice(self, seconds: float, then: Callable[[], Killed]) -> Callable[[int], Killed]:
        """Kills `seconds` after the voice began to be heard."""

        def during(asked: int) -> Killed:
            begun = self.caller.until(lambda: first_sound(self.caller, asked), "no answer was heard")
            return self.into_question(seconds, then)(begun)

        return during

    def into_question(self, seconds: float, then: Callable[[], Killed]) -> Callable[[int], Killed]:
        """Kills `seconds` after a frame."""

        def during(begun: int) -> Killed:
            self.caller.wait(max(0.0, seconds - (self.caller.audio_frame() - begun) / RATE_HZ))
            return then()

        return during


def at_the_ear(caller: Caller, after: int) -> dict[str, float]:
    """When the answer began, and its sound and silence, in ms."""
    begun = first_sound(caller, after)
    if begun is None:
        return {"late_ms": GIVEN_UP_S * 1000, "sound_ms": 0.0, "silence_ms": 0.0, "longest_ms": 0.0}
    frames, _, avatar = caller.recording.levels()
    loud = frames[(frames >= begun) & (avatar > AUDIBLE_RMS)]
    pauses = np.diff(loud, append=loud[-1] + QUANTUM) - QUANTUM
    return {
        "late_ms": (begun - after) / RATE_HZ * 1000,
        "sound_ms": len(loud) * QUANTUM / RATE_HZ * 1000,
        "silence_ms": float(pauses.sum()) / RATE_HZ * 1000,
        "longest_ms": float(pauses.max()) / RATE_HZ * 1000,
    }


# --- comparing -------------------------------------------------------------------------------------------------------


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


# --- the bench -------------------------------------------------------------------------------------------------------


def references(call: Call, rng: random.Random, each: int) -> dict[str, Answered]:
    """Undisturbed answers, by question: `each` typed ones long enough, and `each` spoken ones that are the same twice.

    Which, is drawn. At least one of each, else AssertionError: there would be nothing to compare with.
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
        if twice[0].heard == twice[1].heard and twice[0].asked == twice[1].asked:
            spoken[text] = twice[1]
        if len(spoken) == each:
            break
    assert typed, "no answer is long enough to be killed in"
    assert spoken, "no spoken question is understood the same twice"
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

"""Who notices what: loss, jitter, a pulled cable, a stopped and a killed viewer, a reload and a dead edge, in numbers.

`bin/bench network [--only NAME,…] [--seconds 6]`. A whole stack at 256 × 256 and three pages in one Chromium: the
caller and two viewers, each behind a UDP proxy of ours (tests/webrtc/rough_path.py). The avatar talks. What happens to
one is done to it alone; the others are asked, too. Loss is by chance, seeded; the pages' own statistics count. The
viewer that is stopped has a Chromium of its own, all processes of which get SIGSTOP and SIGCONT.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import platform
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from playwright.sync_api import sync_playwright

from bench.network_room import Person, Room
from tests.stack.caller import FLAGS
from tests.stack.running import Stack
from tests.webrtc.rough_path import FAIR, Weather

SIZE = 256
AFTER_S = 5.0
"""How long everybody is watched after the fault."""

FREEZE_MS = 200
"""Between pictures; at 25 a second there are 40."""

PICTURE_MS = 40
RUN = 10
"""Pictures without a freeze: it goes on."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one person noticed from the fault on, ms and counts."""

    frozen_ms: float
    concealed_ms: float
    silent_ms: float
    back_ms: float
    """From the fault's end until pictures go on without a freeze."""
    again: int
    keys: int

    def __str__(self) -> str:
        back = f"{self.back_ms:6.0f}" if self.back_ms >= 0 else "     -"
        sound = f"{self.concealed_ms:7.0f} {self.silent_ms:7.0f}"
        return f"{self.frozen_ms:7.0f} {back} {sound} {self.again:6d} {self.keys:5d}"


def noticed(person: Person, begins: float, ends: float, until: float) -> Seen:
    """Instants are ms since 1970."""
    pictures = [at for at in person.pictures if begins <= at <= until]
    marks = [begins, *pictures, until]
    frozen = sum(b - a - PICTURE_MS for a, b in itertools.pairwise(marks) if b - a > FREEZE_MS)
    rows = [row for row in person.samples if begins - 150 <= row[0] <= until]
    concealed, again, keys = (_grown(rows, column) for column in (2, 7, 6))
    heard = [row[0] for k, row in enumerate(rows[1:]) if row[1] != rows[k][1]]
    silences = zip([begins, *heard], [*heard, until], strict=True)
    silent = sum(b - a for a, b in silences if b - a > 350)
    return Seen(
        frozen_ms=frozen,
        concealed_ms=concealed / 48,
        silent_ms=silent,
        back_ms=_back(pictures, ends),
        again=round(again),
        keys=round(keys),
    )


def _grown(rows: list[list[float]], column: int) -> float:
    """How much a total grew; a page that was loaded anew counts from 0."""
    values = [row[column] for row in rows]
    return sum(b - a if b >= a else b for a, b in itertools.pairwise(values))


def _back(pictures: list[float], ends: float) -> float:
    after = [at for at in pictures if at >= ends]
    for n in range(len(after) - RUN):
        run = after[n : n + RUN]
        if all(b - a <= FREEZE_MS for a, b in itertools.pairwise(run)):
            return run[0] - ends
    return -1.0


def missed(person: Person, other: Person, begins: float, ends: float, until: float) -> str:
    """What somebody who was stopped has not got, beside another viewer, and how soon a picture came again."""
    shown = [at for at in person.pictures if begins <= at <= until]
    first = next((f"{at - ends:.0f} ms" for at in shown if at >= ends), "never")
    pictures = sum(begins <= at <= until for at in other.pictures)
    rows = [[row for row in each.samples if begins - 150 <= row[0] <= until] for each in (person, other)]
    came, sounds = (round(_grown(each, 1)) for each in rows)
    saw = (
        f"{len(shown)} pictures shown and {came} packets of sound come in all, {pictures} and {sounds} at {other.name}"
    )
    return f"first picture {first} after it goes on; {saw}"


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something that happens. `fault` does it and returns when it is over."""

    name: str
    fault: Callable[[Room, float], str]
    guest: bool = False
    """To a viewer with a browser of its own."""


def weather(to: str, down: Weather = FAIR, up: Weather = FAIR) -> Callable[[Room, float], str]:
    def fault(room: Room, seconds: float) -> str:
        (person,) = [each for each in room.people if each.name == to]
        person.paths.weather(down, up)
        room.wait(seconds)
        person.paths.weather()
        return "; ".join(room.steps()[:1]) if to == "caller" else ""

    return fault


def cable(to: str, out_s: float) -> Callable[[Room, float], str]:
    def fault(room: Room, seconds: float) -> str:
        (person,) = [each for each in room.people if each.name == to]
        person.paths.cut(True)
        room.wait(out_s)
        person.paths.cut(False)
        return ""

    return fault


def nothing(room: Room, seconds: float) -> str:
    room.wait(seconds)
    return ""


def stopped(room: Room, seconds: float) -> str:
    assert room.guest
    room.guest.signal(signal.SIGSTOP)
    room.wait(seconds)
    room.guest.signal(signal.SIGCONT)
    return ""


def killed(room: Room, seconds: float) -> str:
    with room.another() as process:
        process.kill()
        began, before = time.monotonic(), room.looking_on()
        while room.looking_on() >= before and time.monotonic() - began < 60:
            room.wait(0.5)
        return f"the edge lets go of it after {time.monotonic() - began:.0f} s"


def reload(room: Room, seconds: float) -> str:
    room.caller.page.reload(wait_until="commit")
    return ""


def edge_dies(room: Room, seconds: float) -> str:
    room.stack.kill("webrtc")
    return ""


CASES = (
    Case(name="nothing", fault=nothing),
    Case(name="loss 2 %, viewer A", fault=weather("viewer A", Weather(loss=0.02))),
    Case(name="loss 10 %, viewer A", fault=weather("viewer A", Weather(loss=0.10))),
    Case(name="loss 10 % in bursts of 6, viewer A", fault=weather("viewer A", Weather(loss=0.10, burst=6))),
    Case(name="jitter 60 ms, viewer A", fault=weather("viewer A", Weather(delay_ms=10, jitter_ms=60))),
    Case(name="cable out 2 s, viewer A", fault=cable("viewer A", 2.0)),
    Case(name="loss 5 %, caller, both ways", fault=weather("caller", Weather(loss=0.05), Weather(loss=0.05))),
    Case(name="loss 20 %, caller", fault=weather("caller", Weather(loss=0.20))),
    Case(name="cable out 2 s, caller", fault=cable("caller", 2.0)),
    Case(name="another viewer is stopped", fault=stopped, guest=True),
    Case(name="another viewer is killed -9", fault=killed),
    Case(name="the caller reloads", fault=reload),
    Case(name="the edge is killed -9", fault=edge_dies),
)


def run(cases: list[Case], seconds: float) -> None:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    stack = Stack(VISAVIS_MEDIA_SIZE=str(SIZE), VISAVIS_AUDIENCE_LIST="true")
    try:
        stack.start()
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or "/usr/bin/chromium"
            launch = partial(playwright.chromium.launch, executable_path=chromium, headless=True, args=FLAGS)
            room = Room(stack, launch, loop)
            print_all(room, cases, seconds)
            room.close()
    finally:
        stack.stop()
        loop.call_soon_threadsafe(loop.stop)


def print_all(room: Room, cases: list[Case], seconds: float) -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, {SIZE} × {SIZE}, faults of {seconds:.0f} s")
    print(f"{'ms':36} {'':9} {'frozen':>7} {'back':>6} {'conceal':>7} {'silent':>7} {'again':>6} {'keys':>5}")
    for case in cases:
        if case.guest:
            room.welcome()
        room.talk()
        room.wait(2.0)
        people = [*room.people, *([room.guest.person] if room.guest else [])]
        people[-1].collect()
        for person in people:
            person.pictures.clear()
            del person.samples[:-2]
        begins = 1000 * time.time()
        words = case.fault(room, seconds)
        ends = 1000 * time.time()
        room.wait(AFTER_S)
        until = 1000 * time.time()
        people[-1].collect()
        for n, person in enumerate(people):
            print(
                f"{case.name if n == 0 else '':36} {person.name:9} {noticed(person, begins, ends, until)}", flush=True
            )
        if words or room.guest:
            print(f"    {words or missed(people[-1], people[-2], begins, ends, until)}")
        room.dismiss()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="parts of cases' names, comma separated")
    parser.add_argument("--seconds", type=float, default=6.0)
    options = parser.parse_args()
    wanted = [part for part in options.only.split(",") if part]
    run([case for case in CASES if not wanted or any(part in case.name for part in wanted)], options.seconds)


if __name__ == "__main__":
    main()

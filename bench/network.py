"""Who notices what: loss, jitter, a pulled cable, a stopped and a killed viewer, a reload and a dead edge, in numbers.

`bin/bench network [--only NAME,…] [--seconds 6]`. A whole stack at 256 × 256 and three pages in one Chromium: the
caller and two viewers, each behind a UDP proxy of ours (tests/webrtc/rough_path.py). The avatar talks. What happens to
one is done to it alone; the others are asked, too. Loss is by chance, seeded; the pages' own statistics count. The
viewer that is stopped has a Chromium of its own, all processes of which get SIGSTOP and SIGCONT.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from broker.config import ROOT
from tests.stack.caller import FLAGS
from tests.stack.running import Stack
from tests.webrtc.rough_path import FAIR, RoughPath, Weather

HERE = Path(__file__).resolve().parent
SIZE = 256
AFTER_S = 5.0
"""How long everybody is watched after the fault."""

FREEZE_MS = 200
"""Between pictures; at 25 a second there are 40."""

PICTURE_MS = 40
RUN = 10
"""Pictures without a freeze: it goes on."""

TALK = "I will talk for quite a while now, so that everybody who listens can hear what the network does to my voice. "


class Paths:
    """One person's way to the edge: a proxy for each connection, on a loop in a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self._loop = loop
        self._seed = seed
        self._paths: list[RoughPath] = []
        self._down, self._up = FAIR, FAIR

    def through(self, answer: str) -> str:
        """An edge's answer by way of a new proxy."""
        path = RoughPath(self._seed + len(self._paths))
        path.weather(self._down, self._up)
        self._paths.append(path)
        return asyncio.run_coroutine_threadsafe(path.through(answer), self._loop).result(5)

    def weather(self, down: Weather = FAIR, up: Weather = FAIR) -> None:
        self._down, self._up = down, up
        for path in self._paths:
            path.weather(down, up)

    def cut(self, cut: bool) -> None:
        for path in self._paths:
            path.cut = cut


@dataclass
class Person:
    """Somebody with a page."""

    name: str
    page: Page
    paths: Paths
    pictures: list[float] = field(default_factory=list)
    samples: list[list[float]] = field(default_factory=list)

    def collect(self) -> None:
        """What was seen since the last time; a page that is loading has nothing to tell."""
        taken = self.page.evaluate(
            "() => { const s = window.seen; if (!s) return null;"
            " const t = { pictures: s.pictures.slice(), samples: s.samples.slice() };"
            " s.pictures.length = 0; s.samples.length = 0; return t; }"
        )
        if taken:
            self.pictures += taken["pictures"]
            self.samples += taken["samples"]


@dataclass(frozen=True)
class Guest:
    """Somebody with a browser of their own; `others`: the processes there were before."""

    person: Person
    browser: Browser
    others: set[psutil.Process]

    def signal(self, number: signal.Signals) -> None:
        """To every process of the browser."""
        for process in set(psutil.Process().children(recursive=True)) - self.others:
            with contextlib.suppress(psutil.NoSuchProcess):
                if "chrom" in process.name():
                    process.send_signal(number)


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


class Room:
    """The stack, the people, and what can be done to them."""

    def __init__(self, stack: Stack, launch: Callable[[], Browser], loop: asyncio.AbstractEventLoop) -> None:
        self.stack = stack
        self._launch = launch
        self._browser = launch()
        self._loop = loop
        self.guest: Guest | None = None
        self.caller = self._arrives("caller", 10)
        self.caller.page.goto(f"{stack.url}?persona=host&mode=text")
        self.caller.page.wait_for_selector("#start:not([disabled])")
        self.caller.page.click("#start")
        self.until(lambda: self.caller.pictures, "the call did not begin")
        rows = json.loads(stack.get("api/v1/sessions")[1])["sessions"]
        self.session = str(rows[0]["session"])
        self.viewers = [self._arrives(name, seed) for name, seed in (("viewer A", 20), ("viewer B", 30))]
        for viewer in self.viewers:
            viewer.page.goto(f"{stack.url}view/{self.session}")
        self.until(lambda: all(viewer.pictures for viewer in self.viewers), "the viewers see nothing")

    @property
    def people(self) -> list[Person]:
        return [self.caller, *self.viewers]

    def wait(self, seconds: float) -> None:
        """Let time pass, and write down what everybody sees."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self.caller.page.wait_for_timeout(1000 * min(0.25, left))
        for person in self.people:
            person.collect()

    def until(self, holds: Callable[[], Any], otherwise: str, within_s: float = 60) -> None:
        ends = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > ends:
                raise SystemExit(f"network: {otherwise}")
            people = [person for person in (getattr(self, "caller", None), *getattr(self, "viewers", ())) if person]
            for person in people:
                person.page.wait_for_timeout(100)
                person.collect()

    def talk(self) -> None:
        """Have the avatar talk through what comes."""
        body = json.dumps({"text": TALK * 3, "interrupt": True}).encode()
        url = f"{self.stack.url}api/v1/sessions/{self.session}/say"
        request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).read()

    def steps(self) -> list[str]:
        """What the caller's page was told of its line."""
        found: list[str] = self.caller.page.evaluate(
            "() => [...document.querySelectorAll('#degraded li')].map((li) => li.textContent)"
        )
        return found

    def looking_on(self) -> int:
        rows = json.loads(self.stack.get("live/sessions")[1])["sessions"]
        return int(next(row["viewers"] for row in rows if row["session"] == self.session))

    def welcome(self) -> None:
        """One more viewer, with a browser that can be stopped."""
        before = set(psutil.Process().children(recursive=True))
        browser = self._launch()
        self.guest = guest = Guest(self._arrives("it", 40, browser), browser, before)
        guest.person.page.goto(f"{self.stack.url}view/{self.session}")

        def sees() -> bool:
            guest.person.collect()
            return bool(guest.person.pictures)

        self.until(sees, "one more viewer sees nothing")

    def dismiss(self) -> None:
        if self.guest:
            self.guest.browser.close()
            self.guest = None

    def close(self) -> None:
        self._browser.close()

    @contextmanager
    def another(self) -> Iterator[subprocess.Popen[bytes]]:
        """A viewer in a process of its own, which decodes nothing."""
        command = [sys.executable, "-m", "bench.fanout", "--join", f"{self.stack.url}whep/{self.session}"]
        process = subprocess.Popen([*command, "--viewers", "1", "--seconds", "600"], cwd=ROOT, stdout=subprocess.PIPE)
        try:
            assert process.stdout
            process.stdout.readline()
            yield process
        finally:
            process.kill()
            process.wait()

    def _arrives(self, name: str, seed: int, browser: Browser | None = None) -> Person:
        # A window of their own each: what is hidden behind another tab is drawn once a second.
        context = (browser or self._browser).new_context(
            bypass_csp=True, reduced_motion="reduce", viewport={"width": 640, "height": 480}, permissions=["microphone"]
        )
        page, paths = context.new_page(), Paths(self._loop, seed)
        page.expose_function("viaPath", paths.through)
        page.add_init_script(path=HERE / "network.js")
        return Person(name, page, paths)


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

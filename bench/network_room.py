"""A whole stack and the people on it: a caller and viewers, each behind a UDP proxy of their own, and what they saw."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page

from broker.config import ROOT
from tests.stack.running import Stack
from tests.webrtc.rough_path import FAIR, RoughPath, Weather

HERE = Path(__file__).resolve().parent
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

"""Joining in the middle: how long a viewer page takes from its address to the first sound, picture or drawn face.

  python -m bench.joins [--joins 20] [--front 2d,3d] [--size 512]

A whole stack, a conversation that goes on and one viewer who has been there for a while. Each join is a page in a
window of its own in one Chromium, with an empty cache, and closed again. The clock is the page's own and begins with
the request for the page. Sound: the first of it is at the speaker. Picture: the first one is shown. Drawing: the first
one of the head, by the CPU here.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from playwright.sync_api import Browser, Page

from tests.stack.doors import Browsing, ViewerPage
from tests.stack.running import Stack
from tests.stack.spoken_to import SpokenTo
from webrtc import vendor

GOAL_MS = 1000
WITHIN_S = 90
LOOK_MS = 50
BETWEEN_MS = 1000
WAYS = {"2d": "", "3d": "?front=3d"}

JOIN_JS = """
(() => {
  const joined = (window.joined = {});
  const note = (what) => (joined[what] ??= performance.now());
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...parts) {
      super(...parts);
      this.addEventListener("connectionstatechange", () => this.connectionState === "connected" && note("connected"));
      const look = () => {
        const voices = this.getReceivers().filter(({ track }) => track.kind === "audio");
        if (voices.some((voice) => voice.getSynchronizationSources().length)) note("sound");
        else if (this.connectionState !== "closed") setTimeout(look, 5);
      };
      look();
    }
  };
  const face = () => document.querySelector("#face[data-front=avatar3d]") && note("face");
  document.addEventListener("drawn", face, true);
  const watch = () => {
    const video = document.querySelector("video#avatar");
    if (!video) return setTimeout(watch, 5);
    const shown = () => (video.videoWidth ? note("picture") : video.requestVideoFrameCallback(shown));
    video.requestVideoFrameCallback(shown);
  };
  watch();
})();
"""


@dataclass(frozen=True, kw_only=True)
class Joined:
    """One join, in ms since the page was asked for. `seen`: the first picture, or the first drawing of the head."""

    connected: float
    sound: float
    seen: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joins", type=int, default=20)
    parser.add_argument("--front", default=",".join(WAYS), help="one after the other")
    parser.add_argument("--size", type=int, default=512)
    arguments = parser.parse_args()
    fronts = arguments.front.split(",")
    if "3d" in fronts and not all(vendor.complete(name, package) for name, package in vendor.catalogue().items()):
        raise SystemExit("What draws in 3D is not here yet: .venv/bin/python -m webrtc.vendor fetches it.")
    load_before = os.getloadavg()[0]
    stack = Stack(VISAVIS_MEDIA_SIZE=str(arguments.size))
    try:
        measure(stack.start(), fronts, arguments.joins)
    finally:
        stack.stop()
    load = f"load before {load_before:.1f}, after {os.getloadavg()[0]:.1f}"
    print(f"{platform.machine()}, {os.cpu_count()} cores, {load}, {arguments.size} × {arguments.size}")


def measure(stack: Stack, fronts: Sequence[str], joins: int) -> None:
    """Print all of it."""
    with (
        SpokenTo(stack.url) as spoken,
        Browsing(draws="3d" in fronts) as browsing,
        ViewerPage(browsing, stack, spoken.session) as there,
    ):
        wait(there.page, "document.querySelector('video#avatar').videoWidth > 0")
        assert browsing.browser
        for front in fronts:
            url = f"{stack.url}view/{spoken.session}{WAYS[front]}"
            found = []
            for _ in range(joins):
                found.append(join(browsing.browser, url, front))
                there.page.wait_for_timeout(BETWEEN_MS)
            print_joins(front, found)


def join(browser: Browser, url: str, front: str) -> Joined:
    """Open a viewer page, wait until it is heard and seen, and close it."""
    context = browser.new_context(viewport={"width": 640, "height": 640}, reduced_motion="reduce")
    try:
        return joined(context.new_page(), url, front)
    finally:
        context.close()


def joined(page: Page, url: str, front: str) -> Joined:
    """The same in a page that is left open."""
    what = "face" if front == "3d" else "picture"
    page.add_init_script(JOIN_JS)
    page.goto(url)
    wait(page, f"joined.connected && joined.sound && joined.{what}")
    at = page.evaluate("joined")
    return Joined(connected=at["connected"], sound=at["sound"], seen=at[what])


def wait(page: Page, holds: str) -> None:
    """Until an expression is true there. Asked from here: in the page its policy lets nothing be evaluated."""
    ends = time.monotonic() + WITHIN_S
    while not page.evaluate(holds):
        if time.monotonic() > ends:
            raise SystemExit(f"joins: {holds} does not come true on {page.url}")
        page.wait_for_timeout(LOOK_MS)


def print_joins(front: str, found: Sequence[Joined]) -> None:
    for name, values in (
        ("connected", [each.connected for each in found]),
        ("first sound", [each.sound for each in found]),
        ("first drawing" if front == "3d" else "first picture", [each.seen for each in found]),
        ("both", [max(each.sound, each.seen) for each in found]),
    ):
        p50, p95 = np.percentile(values, [50, 95])
        goal = f"  goal {GOAL_MS}" if name == "both" else ""
        print(f"{front}  {name:13} n {len(values):3}  p50 {p50:6.0f}  p95 {p95:6.0f}  most {max(values):6.0f} ms{goal}")


if __name__ == "__main__":
    main()

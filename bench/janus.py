"""Looking on by way of Janus, in a real browser: how soon, do captions and lips fit the sound, what a restart costs.

  python -m bench.janus [--seconds 40] [--via edge,janus] [--no-restart]

A stack and Debian's Janus of its own; one viewer page in headless Chromium, beside it a WHEP player of sound at the
edge. Captions: each word's appearance on the page against the sound of it, which is found by laying the
level of what the page received over the phones that listeners are told of (as bench/av_sync.py does, good to 5 ms).
Lips: the same phones laid over how open the mouth is in the pictures as shown; compare `--via edge`, whose offset is
known. Restart: Janus is killed, and started again a second later; who noticed what, in milliseconds from the kill.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import numpy as np
import numpy.typing as npt
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from bench.av_sync import CLEAREST, by_sentence, heard_after
from bench.barge_in import ms
from broker.messages import Event
from tests.stack.caller import QUANTUM, RATE_HZ, Caller, Recording
from tests.stack.lips import OPEN, mouth_box
from tests.stack.listener import Listener
from tests.stack.running import Stack, free_port
from tests.stack.spoken_to import SpokenTo
from webrtc.janus_server import JanusServer, janus

KEY = "the bench's key to mountpoints"
GOAL_CAPTIONS_MS = 60
DOWN_S = 1.0
"""Janus is away so long."""
WITHIN_S = 30.0

WATCH_WORDS = """() => {
  window.shownWords = [];
  window.states = [];
  const page = document.documentElement;
  const note = () => window.states.push([performance.timeOrigin + performance.now(), page.dataset.state]);
  new MutationObserver(note).observe(page, { attributeFilter: ["data-state"] });
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) {
      const words = node.classList?.contains("word") ? [node] : node.querySelectorAll?.(".word") ?? [];
      for (const word of words) window.shownWords.push([performance.now(), Number(word.dataset.rtp)]);
    }
  }).observe(document.querySelector("#captions"), { childList: true, subtree: true });
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40, help="how long captions and lips are compared")
    parser.add_argument("--via", default="edge,janus", help="one after the other; the restart is seen by the last")
    parser.add_argument("--no-restart", action="store_true")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    with janus(free_port(), KEY) as server:
        stack = Stack(VISAVIS_AUDIENCE_JANUS_URL=server.url, VISAVIS_AUDIENCE_JANUS_KEY=KEY)
        try:
            measure(stack.start(), server, arguments.via.split(","), arguments.seconds, not arguments.no_restart)
        finally:
            stack.stop()
    load = f"load before {load_before:.1f}, after {os.getloadavg()[0]:.1f}"
    print(f"{platform.machine()}, {os.cpu_count()} cores, {load}")


def measure(stack: Stack, server: JanusServer, ways: Sequence[str], seconds: float, restart: bool) -> None:
    """Print all of it."""
    with Listener(stack.settings) as listener, SpokenTo(stack.url) as spoken:
        until(lambda: push_state(stack, spoken.session) == "live", "nothing is pushed")
        for way in ways:
            with Caller(stack.url) as viewer:
                look_on(stack, listener, spoken.session, viewer, way, seconds)
                if restart and way == ways[-1]:
                    Restart(stack, server, spoken.session, viewer).run()


def look_on(stack: Stack, listener: Listener, session: str, viewer: Caller, way: str, seconds: float) -> None:
    """One viewer page that plays from the edge or from Janus."""
    opened = time.monotonic()
    viewer.open(f"view/{session}?via={way}")
    viewer.page.evaluate(WATCH_WORDS)
    viewer.page.evaluate("(box) => { window.ear.box = box }", mouth_box("robin"))
    viewer.until(lambda: viewer.page.evaluate("document.querySelector('video').videoWidth > 0"), "no picture")
    print(f"via {way}: first picture {1000 * (time.monotonic() - opened):.0f} ms after the address was opened")
    viewer.wait(seconds)
    latency_ms = 1000 * viewer.page.evaluate("window.ear.context.outputLatency")
    print(f"sound output {latency_ms:.0f} ms behind where the page's sound is tapped")
    offset = viewers_offset(stack, session)
    words = viewer.page.evaluate("window.shownWords")
    events = [event for event in listener.of("phonemes") if event.session == session]
    fitted(viewer.collect(), words, offset, events)


def until(holds: Callable[[], Any], otherwise: str) -> Any:
    """Wait for it."""
    end = time.monotonic() + WITHIN_S
    while not (found := holds()):
        if time.monotonic() > end:
            raise SystemExit(otherwise)
        time.sleep(0.01)
    return found


def push_state(stack: Stack, session: str) -> str:
    rows = json.loads(stack.get(f"api/v1/sessions/{session}/push")[1])["pushes"]
    return str(rows[0]["state"]) if rows else ""


def viewers_offset(stack: Stack, session: str) -> int:
    """The RTP time that viewers are told for programme sample 0."""
    with urllib.request.urlopen(f"{stack.url}view/{session}/events", timeout=5) as events:
        for line in events:
            if line.startswith(b"data: "):
                return int(json.loads(line[6:])["audio_offset"])
    raise SystemExit("the edge tells nothing")


def fitted(
    recording: Recording, words: Sequence[tuple[float, int]], offset: int, events: Sequence[Event]
) -> tuple[list[float], list[float]]:
    """How late captions and pictures were against their sound, in ms; printed too."""
    frames, _, levels = recording.levels()
    shown = [(((rtp - offset) % 2**32), recording.frame_of(at)) for at, rtp in words]
    pictures = [(recording.frame_of(at), mouth) for _, _, _, mouth, at in recording.pictures if mouth is not None]
    captions, lips = [], []
    for spoken in (each for turn in turns(events) for each in by_sentence(turn)):
        mine = [(sample, frame) for sample, frame in shown if spoken[0][1] - 960 <= sample < spoken[-1][2]]
        if len(spoken) < 8 or len(mine) < 3:
            continue
        delay, fit = heard_after(spoken, frames, levels, float(np.median([frame - sample for sample, frame in mine])))
        if fit < CLEAREST:
            continue
        captions += [ms(frame - sample - delay) for sample, frame in mine]
        if pictures and (seen := seen_after(spoken, pictures, delay)) is not None:
            lips.append(ms(seen))
    line("captions late", captions, f"goal within ±{GOAL_CAPTIONS_MS}")
    line("pictures late", lips)
    return captions, lips


def turns(events: Sequence[Event]) -> list[list[Event]]:
    """The events of each turn."""
    return [[event for event in events if event.turn == turn] for turn in sorted({event.turn for event in events})]


def seen_after(
    spoken: Sequence[tuple[str, float, float]], pictures: Sequence[tuple[float, float]], delay: float
) -> float | None:
    """By how many frames the mouth that is seen lags the sound that is heard; None: it is not found."""
    at, mouth = (np.array(column, np.float64) for column in zip(*pictures, strict=True))
    grid = np.arange(spoken[0][1], spoken[-1][2], QUANTUM)
    expected = np.zeros(len(grid))
    for name, start, end in spoken:
        expected[(grid >= start) & (grid < end)] = float(name in OPEN)
    lags = np.arange(-RATE_HZ // 4, RATE_HZ // 4 + 1, QUANTUM)
    fits = [correlation(expected, held(at, mouth, grid + delay + lag)) for lag in lags]
    best = int(np.argmax(fits))
    return float(lags[best]) if fits[best] > CLEAREST else None


def held(at: npt.NDArray[np.float64], values: npt.NDArray[np.float64], when: npt.NDArray[np.float64]) -> Any:
    """Each value stands until the next."""
    return values[np.clip(np.searchsorted(at, when, side="right") - 1, 0, len(values) - 1)]


def correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() and other.std() else 0.0


def line(name: str, values: Sequence[float], goal: str = "") -> None:
    if not values:
        print(f"{name:14} not found")
        return
    p5, p50, p95 = np.percentile(values, [5, 50, 95])
    print(f"{name:14} n {len(values):4}  median {p50:+6.1f}  p5 {p5:+6.1f}  p95 {p95:+6.1f} ms  {goal}")


class Restart:
    """Janus is killed and comes back: what the edge, its own players and the page through Janus make of it."""

    def __init__(self, stack: Stack, server: JanusServer, session: str, viewer: Caller) -> None:
        self._stack, self._server, self._session, self._viewer = stack, server, session, viewer
        self._states: list[tuple[float, str]] = []
        self._done = threading.Event()

    def run(self) -> None:
        direct = Direct(self._stack.url, self._session)
        watching = threading.Thread(target=self._follow_push)
        with direct:
            watching.start()
            killed = time.time()
            self._server.stop(kill=True)
            time.sleep(DOWN_S)
            self._server.start()
            back = time.time()
            self._viewer.until(lambda: self._pictures_since(back), "no pictures after the restart", WITHIN_S)
            again = self._pictures_since(back)
            self._viewer.wait(3.0)
            self._done.set()
            watching.join()
        page = [(at / 1000, state) for at, state in self._viewer.page.evaluate("window.states")]
        noticed, live = first(self._states, killed, lambda s: s != "live"), first(self._states, back, "live".__eq__)
        lost = first(page, killed, "connecting".__eq__)
        after = [f"{1000 * (at - killed):.0f} ms" for at in (back, noticed, live, lost, again)]
        print(f"Janus killed at 0, listening again after {after[0]}")
        print(f"edge: noticed after {after[1]}, mountpoint fed again after {after[2]}")
        print(f"page through Janus: noticed after {after[3]}, pictures again after {after[4]}")
        print(f"player at the edge: {direct.report(killed)}")

    def _follow_push(self) -> None:
        while not self._done.is_set():
            self._states.append((time.time(), push_state(self._stack, self._session)))
            time.sleep(0.01)

    def _pictures_since(self, at: float) -> float:
        """When the first picture after `at` was shown; 0.0: none yet."""
        origin = float(self._viewer.page.evaluate("performance.timeOrigin"))
        shown = [(origin + now) / 1000 for now, *_ in self._viewer.collect().pictures]
        return next((each for each in shown if each > at), 0.0)


def first(seen: Sequence[tuple[float, str]], after: float, wanted: Callable[[str], bool]) -> float:
    """When it was first seen; not a number: never."""
    return next((at for at, state in seen if at > after and wanted(state)), float("nan"))


class Direct:
    """A WHEP player at the edge, in a thread, that decodes the sound alone: did it notice?"""

    def __init__(self, url: str, session: str) -> None:
        self._url = f"{url}whep/{session}"
        self._at: list[float] = []
        self._ready, self._done = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._play()))

    def __enter__(self) -> Direct:
        self._thread.start()
        assert self._ready.wait(WITHIN_S), "the player at the edge does not play"
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def report(self, since: float) -> str:
        at = np.array([each for each in self._at if each > since])
        return f"longest silence {1000 * float(np.diff(at).max()):.0f} ms in {len(at)} packets of sound"

    async def _play(self) -> None:
        connection = RTCPeerConnection(RTCConfiguration([]))
        connection.addTransceiver("audio", "recvonly")
        connection.on("track", lambda track: hearing.set_result(track))
        hearing: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        await connection.setLocalDescription(await connection.createOffer())
        offer = {"data": connection.localDescription.sdp, "headers": {"Content-Type": "application/sdp"}}
        async with aiohttp.ClientSession() as http, http.post(self._url, **offer) as response:  # type: ignore[arg-type]
            answer = await response.text()
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        track = await hearing
        while not self._done.is_set():
            await track.recv()
            self._at.append(time.time())
            self._ready.set()
        await connection.close()


if __name__ == "__main__":
    main()

"""A caller in headless Chromium: a microphone that says WAVs, and an ear and an eye on one clock."""

from __future__ import annotations

import base64
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Page, Playwright, sync_playwright

from tests.wav import wav_bytes as wav_bytes

HERE = Path(__file__).resolve().parent
RATE_HZ = 48_000
QUANTUM = 128
PAIRS = 15
"""Pairs of page time and audio clock that an instant is converted by."""
AUDIBLE_RMS = 0.004
"""Above the decoder's own noise, below the quietest phone."""

FLAGS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--disable-gpu",
]


@dataclass
class Recording:
    """What was heard and seen, on the page's audio clock (48 kHz frames since its audio context began)."""

    blocks: list[tuple[int, list[float]]] = field(default_factory=list)
    pictures: list[tuple[float, float, int, float | None, float]] = field(default_factory=list)
    clock: list[tuple[float, float]] = field(default_factory=list)
    said: list[tuple[str, int, int]] = field(default_factory=list)

    def levels(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Frames, microphone RMS and avatar RMS, one value a 128-frame quantum."""
        frames, mic, avatar = [], [], []
        for first, values in self.blocks:
            count = len(values) // 2
            frames.append(first + QUANTUM * np.arange(count))
            mic.append(values[0::2])
            avatar.append(values[1::2])
        if not frames:
            return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
        return np.concatenate(frames), np.concatenate(mic), np.concatenate(avatar)

    def audible(self, gap_ms: float = 120) -> list[tuple[int, int]]:
        """Stretches [from, to) in which the avatar was heard; pauses shorter than `gap_ms` belong to a stretch."""
        frames, _, avatar = self.levels()
        loud = frames[avatar > AUDIBLE_RMS]
        if not len(loud):
            return []
        cuts = np.flatnonzero(np.diff(loud) > gap_ms * RATE_HZ / 1000)
        starts = np.concatenate(([0], cuts + 1))
        ends = np.concatenate((cuts, [len(loud) - 1]))
        return [(int(loud[a]), int(loud[b]) + QUANTUM) for a, b in zip(starts, ends, strict=True)]

    def frame_of(self, page_ms: float) -> float:
        """The audio frame at an instant of performance.now().

        By the pairs around it: on a busy machine the audio clock stands still now and then, and stays behind.
        """
        clock = np.array(self.clock)
        nearest = clock[np.argsort(np.abs(clock[:, 0] - page_ms))[:PAIRS]]
        return float(np.median(nearest[:, 1] - nearest[:, 0] * RATE_HZ / 1000) + page_ms * RATE_HZ / 1000)

    def page_ms_of(self, frame: float) -> float:
        """The instant of performance.now() at an audio frame, by the pairs around it."""
        clock = np.array(self.clock)
        nearest = clock[np.argsort(np.abs(clock[:, 1] - frame))[:PAIRS]]
        return float(np.median(nearest[:, 0] - nearest[:, 1] * 1000 / RATE_HZ) + frame * 1000 / RATE_HZ)


class Caller:
    """One Chromium with the call page; a context manager."""

    def __init__(
        self,
        url: str,
        microphone_wav: Path | None = None,
        viewport: tuple[int, int] = (1280, 800),
        beside: Caller | None = None,
        flags: Sequence[str] = (),
        **device: Any,
    ) -> None:
        """`beside`: another browser that is open meanwhile; Playwright may be started once a thread.

        `flags`: more of Chromium's, such as those that let it draw in 3D. `device`: of Playwright's options for a
        context, such as `is_mobile`.
        """
        self.beside = beside
        self.url = url
        self.wav = microphone_wav
        self.viewport = viewport
        self.flags = tuple(flags)
        self.device = device
        self.recording = Recording()
        self.console: list[str] = []

    def __enter__(self) -> Caller:
        self._playwright: Playwright = self.beside._playwright if self.beside else sync_playwright().start()
        self._profile = tempfile.mkdtemp(prefix="vischrome")
        flags = [*FLAGS, *self.flags]
        if self.wav:
            flags.append(f"--use-file-for-fake-audio-capture={self.wav}")
        self._context = self._playwright.chromium.launch_persistent_context(
            self._profile,
            executable_path=shutil.which("chromium") or "/usr/bin/chromium",
            headless=True,
            args=flags,
            bypass_csp=True,
            reduced_motion="reduce",  # decorative animation is drawn by the CPU here, in competition with the stack
            viewport={"width": self.viewport[0], "height": self.viewport[1]},
            permissions=["microphone"],
            **self.device,
        )
        self.page: Page = self._context.pages[0]
        self.page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.console.append(f"error: {error}"))
        real = "window.earRealMicrophone = true;" if self.wav else ""
        self.page.add_init_script(real + (HERE / "ear.js").read_text(encoding="utf-8"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.close()
        if not self.beside:
            self._playwright.stop()
        shutil.rmtree(self._profile, ignore_errors=True)

    # --- doing ---

    def open(self, query: str = "") -> Caller:
        self.page.goto(self.url + query)
        return self

    def start(self) -> Caller:
        """Press Start and wait until the face is there."""
        self.page.wait_for_selector("#start:not([disabled])")
        self.page.click("#start")
        self.until(lambda: self.state() in ("listening", "speaking", "thinking"), "the call did not start")
        self.page.wait_for_function("document.querySelector('video#avatar')?.videoWidth > 0", timeout=60_000)
        return self

    def say(self, wav: bytes, name: str = "") -> tuple[int, int]:
        """Say a WAV into the microphone; returns its first and last frame on the audio clock (not waited for)."""
        start, end = self.page.evaluate(
            "([id, wav]) => window.ear.say(id, wav)", [name, base64.b64encode(wav).decode("ascii")]
        )
        return int(start), int(end)

    def renew_ear(self) -> None:
        """Between two answers: what the recorder's own queue has gathered is not the avatar's delay."""
        self.page.evaluate("window.ear.renew()")

    def type(self, text: str) -> None:
        self.page.fill("#text", text)
        self.page.click("#send")

    # --- looking ---

    def state(self) -> str:
        return str(self.page.evaluate("document.documentElement.dataset.state ?? ''"))

    def messages(self, kind: str, way: str = "in") -> list[dict[str, Any]]:
        """The call's WebSocket messages of one type so far, each with `at`, the page's milliseconds."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "([way, kind]) => window.messages.filter((m) => m[0] === way && m[2].type === kind)"
            ".map((m) => ({ ...m[2], at: m[1] }))",
            [way, kind],
        )
        return found

    def audio_frame(self) -> int:
        """Now, on the audio clock."""
        return int(self.page.evaluate("window.ear.context.currentTime * 48000"))

    def collect(self) -> Recording:
        """Everything heard and seen so far."""
        taken = self.page.evaluate("window.ear.take()")
        self.recording.blocks += [(int(first), values) for first, values in taken["blocks"]]
        self.recording.pictures += [tuple(picture) for picture in taken["pictures"]]
        self.recording.clock += [tuple(pair) for pair in taken["clock"]]
        self.recording.said = [tuple(said) for said in taken["said"]]
        return self.recording

    def until(self, holds: Callable[[], Any], otherwise: str, within_s: float = 60) -> Any:
        """Wait until `holds()` is true and return it; fail with `otherwise` and the console."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if found := holds():
                return found
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{otherwise}; state {self.state()!r}; console: {self.console[-10:]}")

    def wait(self, seconds: float) -> None:
        self.page.wait_for_timeout(seconds * 1000)

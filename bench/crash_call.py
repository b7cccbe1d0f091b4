"""A call whose processes are killed: who serves it, and each turn of it as it was written down and as it was heard."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import time
import urllib.error
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from bench.speech_to_speech import first_sound
from bench.spoken import speak, trimmed
from broker.bus import BATCH, Bus
from broker.messages import KINDS, Programme
from broker.phrases import ONE_MOMENT, phrase
from broker.sessions import Record
from broker.snapshot import restore
from tests.stack.caller import AUDIBLE_RMS, QUANTUM, RATE_HZ, Caller, Recording, wav_bytes
from tests.stack.running import Stack

CALM_S = 0.8
"""A page that has listened for so long has been told everything."""
GIVEN_UP_S = 90.0

MOMENT = phrase(ONE_MOMENT, "en")[0]
"""Said and shown before an answer that takes long, and no part of it."""


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


def without_moment(captions: Sequence[Caption]) -> tuple[Caption, ...]:
    """What is said behind "one moment", if that was said."""
    moment = MOMENT.split()
    said = [caption.text for caption in captions[: len(moment)]] == moment
    return tuple(captions[len(moment) if said else 0 :])


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

        self._until(back, "not every process came back", 180)
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
            captions=without_moment(self.captions()[told:]),
            shown=tuple([line for line in shown if line != MOMENT][-2:]),
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

"""A programme stage driven by hand: time jumps from one due instant to the next, lipsync answers as told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from broker.messages import (
    Cancel,
    Commit,
    Draw,
    Emitted,
    Event,
    Hold,
    Message,
    Open,
    Phone,
    Picture,
    Programme,
    Resume,
    Voice,
    Wanted,
    Word,
)
from broker.visemes import VISEMES
from workers.programme.settings import ProgrammeSettings
from workers.programme.stage import ProgrammeStage

ORIGIN_NS = 1_000_000_000_000
MS = 1_000_000
SMALL = ProgrammeSettings(width=64, height=64, video_kbps=200)
OPEN_MOUTH = bytes(10) + bytes((200,)) + bytes(len(VISEMES) - 11)


def sine(samples: int, hz: float = 300.0, amplitude: int = 9000) -> NDArray[np.int16]:
    return np.round(amplitude * np.sin(2 * np.pi * hz * np.arange(samples) / 48_000)).astype(np.int16)


def voice(
    turn: int = 1,
    sentence: int = 0,
    samples: int = 48_000,
    words: int = 4,
    last: bool = True,
    turn_last: bool = True,
    emotion: str = "",
) -> Voice:
    """A whole sentence in one piece: a sine, `words` words of equal length, an open mouth."""
    length = samples // max(1, words)
    spans = [(k * length, (k + 1) * length) for k in range(words)]
    return Voice(
        session="a",
        turn=turn,
        sentence=sentence,
        start_sample=0,
        pcm=sine(samples).tobytes(),
        words=tuple(Word(index=k, text=f"w{k}", start_sample=s, end_sample=e) for k, (s, e) in enumerate(spans)),
        phones=tuple(Phone(phone="AA", viseme="aa", start_sample=s, end_sample=e) for s, e in spans),
        mouth=OPEN_MOUTH * (samples // 480),
        last=last,
        turn_last=turn_last,
        tags={"emotion": emotion} if emotion else {},
    )


def pieces(whole: Voice, samples: int) -> list[Voice]:
    """The same voice as a synthesiser sends it: marks with the first piece, sound in pieces."""
    total = len(whole.pcm) // 2
    parts = []
    for start in range(0, total, samples):
        end = min(total, start + samples)
        part = replace(whole, start_sample=start, pcm=whole.pcm[2 * start : 2 * end], last=whole.last and end == total)
        part = replace(part, turn_last=whole.turn_last and end == total)
        parts.append(part if not start else replace(part, words=(), phones=(), mouth=b""))
    return parts


def painted(draw: Draw) -> Picture | None:
    """A picture whose brightness is the mouth's opening."""
    yuv = np.full(draw.width * draw.height * 3 // 2, 128, np.uint8)
    yuv[: draw.width * draw.height] = 40 + draw.mouth[10] // 2
    return Picture(session=draw.session, picture=draw.picture, width=draw.width, height=draw.height, yuv=yuv.tobytes())


class Play:
    """The stage with its outside. `lipsync` answers each Draw, `delay_ms` later, or not at all."""

    def __init__(
        self,
        settings: ProgrammeSettings = SMALL,
        lipsync: Callable[[Draw], Picture | None] = painted,
        delay_ms: float = 8,
        sessions: tuple[str, ...] = ("a",),
        **opened: object,
    ) -> None:
        self.stage = ProgrammeStage(settings)
        self.now_ns = ORIGIN_NS
        self.messages: list[Message] = []
        self.times: list[int] = []
        self.lipsync = lipsync
        self.delay_ms = delay_ms
        self._coming: list[tuple[int, Message]] = []
        for name in sessions:
            self.open(name, **opened)

    def open(self, session: str = "a", **fields: object) -> None:
        values: dict[str, object] = {"persona": {}, "language": "en", "origin_ns": ORIGIN_NS, "peers": {}}
        self.stage.accept(Open(session=session, **(values | fields)))  # type: ignore[arg-type]

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.stage.accept(message)

    def commit(self, turn: int = 1) -> None:
        self.say(Commit(session="a", turn=turn))

    def cancel(self, through_turn: int) -> None:
        self.say(Cancel(session="a", through_turn=through_turn))

    def hold(self) -> None:
        self.say(Hold(session="a"))

    def resume(self, heard_sample: int = -1) -> None:
        self.say(Resume(session="a", heard_sample=heard_sample))

    def watch(self, h264: int = 1, vp8: int = 0, edge: str = "edge-1", session: str = "a") -> None:
        self.say(Wanted(session=session, edge=edge, h264=h264, vp8=vp8))

    def run(self, ms: float) -> list[Message]:
        """Let time pass; returns what was sent."""
        end_ns, first = self.now_ns + round(ms * MS), len(self.messages)
        while True:
            arrival = min((at for at, _ in self._coming), default=end_ns + 1)
            due = self.stage.due_ns
            step_ns = max(self.now_ns, due) if due is not None else end_ns + 1
            if min(arrival, step_ns) > end_ns:
                break
            if arrival <= step_ns:
                self._arrive(arrival)
            else:
                self.now_ns = step_ns
                self._step()
        self.now_ns = end_ns
        return self.messages[first:]

    def stall(self, ms: float) -> None:
        """The process stands still."""
        self.now_ns += round(ms * MS)

    def _arrive(self, at: int) -> None:
        self.now_ns = max(self.now_ns, at)
        for message in [message for when, message in self._coming if when <= at]:
            self.stage.accept(message)
        self._coming = [(when, message) for when, message in self._coming if when > at]

    def _step(self) -> None:
        for message in self.stage.step(self.now_ns):
            self.messages.append(message)
            self.times.append(self.now_ns)
            if isinstance(message, Draw) and (picture := self.lipsync(message)):
                self._coming.append((self.now_ns + round(self.delay_ms * MS), picture))

    # --- what came of it ----------------------------------------------------------------------------------------------

    def ticks(self, session: str = "a") -> list[Programme]:
        return [m for m in self.messages if isinstance(m, Programme) and m.session == session]

    def emitted(self) -> list[Emitted]:
        return [m for m in self.messages if isinstance(m, Emitted)]

    def draws(self) -> list[Draw]:
        return [m for m in self.messages if isinstance(m, Draw)]

    def events(self, kind: str) -> list[Event]:
        return [m for m in self.messages if isinstance(m, Event) and m.kind == kind]

    def voiced(self) -> list[tuple[int, int, int]]:
        """(sentence, first sample, end) of contiguous runs that went out, merged."""
        runs: list[tuple[int, int, int]] = []
        expected = -1
        for e in self.emitted():
            end = e.start_sample + e.samples
            if runs and runs[-1][0] == e.sentence and runs[-1][2] == e.start_sample and e.programme_sample == expected:
                runs[-1] = (e.sentence, runs[-1][1], end)
            elif e.samples:
                runs.append((e.sentence, e.start_sample, end))
            expected = e.programme_sample + e.samples
        return runs

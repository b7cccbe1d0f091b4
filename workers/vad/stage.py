"""The vad stage: microphone frames in; where speech starts, pauses, goes on and ends out, and the frames of utterances.

The asr hears the 300 ms before each onset too. Utterances are numbered from what `Open` says, so that a successor that
is sent the same sound again gives it the same number.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from broker.messages import Close, EndUtterance, Message, MicFrame, Open

from .engine import TurnEngine, VadEngine
from .microphone import Microphone
from .segmenter import SegmenterConfig

STEP_FRAMES: Final = 50
"""Half a second of sound a step at most: some 3 ms."""
QUEUE_FRAMES: Final = 4000
"""More than the edge can send again after a crash (30 s); older ones are dropped and counted."""
LOST_MIC_NS: Final = 2_000_000_000
"""An utterance whose microphone says nothing any more, not even silence, is over after this."""
POLL_NS: Final = 3_000_000


@dataclass
class _Line:
    """A microphone with the frames that wait to be heard."""

    microphone: Microphone
    queue: deque[MicFrame] = field(default_factory=deque)
    heard_ns: int = 0


class VadStage:
    """All sessions' microphones."""

    kind = "vad"

    def __init__(
        self, engine: VadEngine, turns: TurnEngine | None, config: SegmenterConfig | None = None, why: str = ""
    ) -> None:
        """Without a turn engine every pause says 0.5. `why` it has these engines, in words."""
        self.engine = engine
        self.turns = turns
        self.engine_name = "+".join(each.name for each in (engine, turns) if each)
        self.engine_why = why
        self.config = config or SegmenterConfig()
        self.counters: dict[str, float] = {
            "frames_dropped": 0,
            "frames_filled": 0,
            "frames_repeated": 0,
            "frames_unknown": 0,
        }
        self._lines: dict[str, _Line] = {}
        self._ends: deque[EndUtterance] = deque()
        self._due_ns: int | None = None
        self._paused: frozenset[str] = frozenset()
        self._again: list[Message] = []

    @property
    def due_ns(self) -> int | None:
        return self._due_ns

    def accept(self, message: Message) -> None:
        match message:
            case Open():
                self._open(message)
            case Close():
                self._lines.pop(message.session, None)
                if self.turns:
                    self.turns.cancel(message.session)
            case MicFrame():
                self._file(message)
            case EndUtterance():
                self._ends.append(message)
                self._due_ns = 0

    def pause(self, sessions: frozenset[str]) -> None:
        """Nothing of these is heard for now; their frames wait."""
        self._paused = sessions
        self._due_ns = 0

    def report(self, session: str) -> dict[str, Any]:
        """The facts of a `Holding`; the newest utterance's marks follow."""
        line = self._lines.get(session)
        if line is None:
            return {}
        self._again += line.microphone.marks_again()
        self._due_ns = 0
        return {"utterance": line.microphone.utterance, "open": line.microphone.open}

    def step(self, now_ns: int) -> list[Message]:
        """What the broker ended, then verdicts, then at most half a second of the longest waiting microphone."""
        out, self._again = self._again, []
        while self._ends:
            ended = self._ends.popleft()
            if line := self._lines.get(ended.session):
                out += line.microphone.end(ended.utterance, ended.mic_sample)
        for verdict in self.turns.poll() if self.turns else ():
            if line := self._lines.get(verdict.question[0]):
                out += line.microphone.judged(verdict)
        out += self._hear(now_ns)
        out += self._lost(now_ns)
        self._due_ns = self._next_due(now_ns)
        return out

    def _open(self, message: Open) -> None:
        line = self._lines.get(message.session)
        if line is None:
            microphone = Microphone(
                message.session,
                self.engine.listen(),
                self.engine.listen(),
                self.turns,
                self.config,
                message.utterance,
                self.counters,
            )
            self._lines[message.session] = _Line(microphone)
        elif {"vad", "asr"} & set(message.replaced):
            line.queue.clear()
            line.microphone.begin_again(message.utterance, message.mic_from)

    def _file(self, frame: MicFrame) -> None:
        line = self._lines.get(frame.session)
        if line is None:
            self.counters["frames_unknown"] += 1
            return
        if len(line.queue) >= QUEUE_FRAMES:
            line.queue.popleft()
            self.counters["frames_dropped"] += 1
        line.queue.append(frame)
        self._due_ns = 0

    def _hear(self, now_ns: int) -> list[Message]:
        line = max(self._unpaused(), key=lambda line: len(line.queue), default=None)
        if line is None or not line.queue:
            return []
        line.heard_ns = now_ns
        frames = [line.queue.popleft() for _ in range(min(STEP_FRAMES, len(line.queue)))]
        return [message for frame in frames for message in line.microphone.hear(frame)]

    def _unpaused(self) -> list[_Line]:
        return [line for session, line in self._lines.items() if session not in self._paused]

    def _lost(self, now_ns: int) -> list[Message]:
        return [
            message
            for line in self._lines.values()
            if line.microphone.open and not line.queue and now_ns - line.heard_ns >= LOST_MIC_NS
            for message in line.microphone.lost()
        ]

    def _next_due(self, now_ns: int) -> int | None:
        if any(line.queue for line in self._unpaused()):
            return now_ns
        lines = [line for line in self._lines.values() if line.microphone.open]
        if any(line.microphone.asking for line in lines):
            return now_ns + POLL_NS
        return min((line.heard_ns + LOST_MIC_NS for line in lines), default=None)

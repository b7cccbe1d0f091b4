"""One session's microphone: frames, their holes and repetitions mended, to speech marks and frames of utterances."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.messages import Message, MicFrame, SpeechEnded, SpeechPaused, SpeechResumed, SpeechStarted

from .engine import Ear, TurnEngine, Verdict
from .segmenter import WINDOW, Change, Mark, Segmenter, SegmenterConfig

SAMPLES_PER_MS: Final = 16
FRAME: Final = 160
PRE_ROLL: Final = 300 * SAMPLES_PER_MS
RECENT_FRAMES: Final = 1000
"""Kept for the turn engine and for pre-roll: 10 s."""
LARGEST_FILL: Final = 2000 * SAMPLES_PER_MS
"""A hole up to this is filled with silence; after a larger one everything begins anew."""
OLD_FRAMES: Final = 500
"""So many frames of an announced replay's predecessor are dropped at most."""


@dataclass
class Microphone:
    session: str
    ear: Ear
    ear_between: Ear
    """Hears the windows half way between those of `ear`."""
    turns: TurnEngine | None
    config: SegmenterConfig
    utterance: int
    """The number of the utterance under way, or of the next."""
    counters: dict[str, float]
    through_sample: int = -1
    """Where the next frame should start; -1 before the first."""
    replay: bool = False
    """The edge sends an older part again: what continues the old sending is not heard until it does."""
    _replay_dropped: int = 0
    _recent: deque[MicFrame] = field(default_factory=lambda: deque(maxlen=RECENT_FRAMES))
    _rest: bytes = b""
    _half: NDArray[np.int16] | None = None
    """The newest half of a window …"""
    _halves: int = 0
    """… and how many there have been."""
    _skip: int = 0
    _onset: int = 0
    _ended_sample: int = 0
    _pauses: int = 0
    _p_end: float | None = None
    _asked: bool = False
    _newest_started: SpeechStarted | None = None
    _newest_ended: SpeechEnded | None = None

    def __post_init__(self) -> None:
        self._segmenter = Segmenter(self.config)

    @property
    def open(self) -> bool:
        """An utterance is under way."""
        return self._segmenter.open

    @property
    def asking(self) -> bool:
        """The turn engine owes an answer."""
        return self._asked

    def begin_again(self, utterance: int, mic_from: int) -> None:
        """The edge will send everything from `mic_from` again, where utterance `utterance` is the next."""
        self.replay = 0 <= mic_from < self.through_sample
        self._replay_dropped = 0
        self.utterance = utterance
        self._ended_sample = 0
        self._newest_started = self._newest_ended = None
        self._start_at(mic_from if self.replay else self.through_sample)

    def marks_again(self) -> list[Message]:
        """Where the newest utterance stands, for a broker that may not have heard of it."""
        started, ended = self._newest_started, self._newest_ended
        if started is None:
            return []
        if not self.open:
            return [started, ended] if ended else []
        return [started, self._paused()] if self._segmenter.paused else [started]

    def hear(self, frame: MicFrame) -> list[Message]:
        """The next frame; out come the marks it makes and, within an utterance, itself."""
        mended = self._mended(frame)
        return [message for piece in mended for message in self._take(piece)]

    def end(self, utterance: int, mic_sample: int) -> list[Message]:
        """The broker's word that the utterance ended where speech stopped. Of another utterance: nothing."""
        if utterance != self.utterance or not self.open:
            return []
        went_on = self._segmenter.end(mic_sample)
        return [*self._ended(mic_sample, "asked"), *self._marked(went_on)]

    def lost(self) -> list[Message]:
        """The microphone fell silent altogether (muted, or its page is gone): what was open is over."""
        if not self.open:
            return []
        stopped = self._segmenter.stopped_sample
        self._segmenter.end(self._segmenter.through_sample)
        return self._ended(stopped, "silence")

    def judged(self, verdict: Verdict) -> list[Message]:
        """The turn engine's answer; heard only while its pause lasts."""
        if verdict.question != (self.session, self.utterance, self._pauses):
            return []
        self._p_end = verdict.p_end
        self._asked = False
        return [self._paused(verdict.took_ns)] if self._segmenter.paused else []

    def _start_at(self, sample: int) -> None:
        self.through_sample = sample
        self.ear.reset()
        self.ear_between.reset()
        # Windows start at multiples of their length, so that whoever hears the same again decides on the same windows.
        self._skip = -sample % WINDOW
        self._segmenter = Segmenter(self.config, sample + self._skip)
        self._recent.clear()
        self._rest = b""
        self._half, self._halves = None, 0
        self._next_pause()

    def _mended(self, frame: MicFrame) -> list[MicFrame]:
        """The frame as it continues what was heard: nothing of it, its rest, or itself after a filling of silence."""
        if self.replay:
            if frame.mic_sample > self.through_sample and self._replay_dropped < OLD_FRAMES:
                self._replay_dropped += 1
                return []
            self.replay = False
        samples = len(frame.pcm) // 2
        missing = frame.mic_sample - self.through_sample
        if self.through_sample < 0 or missing > LARGEST_FILL:
            if self.through_sample < 0 or not self.open:
                self._start_at(frame.mic_sample)
                return [frame]
            missing = LARGEST_FILL  # the silence ends the utterance; the next frame begins anew
        if missing > 0:
            self.counters["frames_filled"] += missing / FRAME
            filling = MicFrame(
                session=self.session, mic_sample=self.through_sample, pcm=bytes(2 * missing), concealed=True
            )
            return [filling, frame] if missing < LARGEST_FILL else [filling]
        if missing <= -samples:
            self.counters["frames_repeated"] += 1
            return []
        if missing < 0:
            return [
                MicFrame(
                    session=frame.session,
                    mic_sample=self.through_sample,
                    pcm=frame.pcm[-2 * missing :],
                    concealed=frame.concealed,
                )
            ]
        return [frame]

    def _take(self, frame: MicFrame) -> list[Message]:
        self.through_sample = frame.mic_sample + len(frame.pcm) // 2
        self._recent.append(frame)
        was_open = self.open
        # The marks go first: the asr is told through which sample a pause's words stand before it has heard more.
        rest: list[Message] = [self._of_utterance(frame)] if was_open else []
        out: list[Message] = []
        skipped = min(self._skip, len(frame.pcm) // 2)
        self._skip -= skipped
        sound = self._rest + frame.pcm[2 * skipped :]
        whole = len(sound) // WINDOW * WINDOW  # in bytes: halves of windows
        self._rest = sound[whole:]
        for half in np.frombuffer(sound[:whole], "<i2").reshape(-1, WINDOW // 2):
            out += self._marked(self._heard(half))
        return out + rest

    def _heard(self, half: NDArray[np.int16]) -> list[Mark]:
        before, self._half = self._half, half
        self._halves += 1
        if before is None:
            return []
        window = np.concatenate([before, half])
        if self._halves % 2:
            return self._segmenter.feed_between(self.ear_between.hear(window), window)
        return self._segmenter.feed(self.ear.hear(window), window)

    def _marked(self, marks: list[Mark]) -> list[Message]:
        out: list[Message] = []
        for mark in marks:
            match mark.change:
                case Change.STARTED:
                    out += self._started(mark.sample)
                case Change.DIPPED:
                    self._next_pause()
                    self._ask()
                case Change.PAUSED:
                    out.append(self._paused())
                case Change.RESUMED:
                    self._next_pause()
                    out.append(SpeechResumed(session=self.session, utterance=self.utterance, mic_sample=mark.sample))
                case Change.ENDED_BY_SILENCE | Change.ENDED_BY_LENGTH:
                    out += self._ended(mark.sample, mark.change.value)
        return out

    def _started(self, onset: int) -> list[Message]:
        since = max(onset - PRE_ROLL, self._ended_sample)
        heard = [frame for frame in self._recent if frame.mic_sample + len(frame.pcm) // 2 > since]
        self._onset = min((frame.mic_sample for frame in heard), default=onset)
        started = SpeechStarted(session=self.session, utterance=self.utterance, mic_sample=onset)
        self._newest_started, self._newest_ended = started, None
        return [
            started,
            *map(self._of_utterance, heard),
        ]

    def _of_utterance(self, frame: MicFrame) -> MicFrame:
        return MicFrame(
            session=self.session,
            mic_sample=frame.mic_sample,
            pcm=frame.pcm,
            utterance=self.utterance,
            concealed=frame.concealed,
        )

    def _next_pause(self) -> None:
        self._pauses += 1
        self._p_end = None
        self._asked = False

    def _ask(self) -> None:
        if self.turns is None:
            return
        # smart-turn tells finished from unfinished best with 70-100 ms of silence at the end, which is what there is
        # now; with 400 ms it believes nearly everything finished (bench/end_of_turn.py). So it is asked once a pause.
        pcm = b"".join(frame.pcm for frame in self._recent if frame.mic_sample >= self._onset)
        self.turns.submit((self.session, self.utterance, self._pauses), pcm[-2 * self.turns.recent_samples :])
        self._asked = True

    def _paused(self, took_ns: int = 0) -> SpeechPaused:
        stopped = self._segmenter.quiet_since
        return SpeechPaused(
            session=self.session,
            utterance=self.utterance,
            mic_sample=stopped,
            silence_ms=(self._segmenter.through_sample - stopped) // SAMPLES_PER_MS,
            p_end=0.5 if self._p_end is None else self._p_end,
            took_ns=took_ns,
        )

    def _ended(self, mic_sample: int, reason: str) -> list[Message]:
        ended = SpeechEnded(session=self.session, utterance=self.utterance, mic_sample=mic_sample, reason=reason)
        self._newest_ended = ended
        self._next_pause()
        self.utterance += 1
        self._ended_sample = mic_sample
        return [ended]

"""From the probability of speech in each window to where speech starts, pauses, goes on and ends. Pure arithmetic.

Two things are known of a window: how likely the model finds speech in it, and where its last loud sound is. The model
says whether somebody speaks (it trails the true end by 60-90 ms); the loudness says when exactly they stopped.

Windows follow each other; a second row of them, half a window later, is listened to for beginnings only. Their evidence
adds up over both rows: a soft beginning that either hears now and then is known sooner so, and a thud or a breath that
one of them takes for speech is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

WINDOW = 512
FRAME = 160
"""Samples a loudness frame (10 ms)."""


@dataclass(frozen=True)
class SegmenterConfig:
    """How much evidence it takes. Probabilities 0..1; evidence is their sum over windows that each begin half of their
    32 ms after the one before."""

    onset_floor: float = 0.1
    """A window below it ends a run of would-be speech. 0.3 sets in where an "s" is over, up to 160 ms late."""
    onset_windows: int = 2
    onset_evidence: float = 1.0
    """Less is hardly sooner and takes more breaths for speech (bench/vad.py)."""
    resume_floor: float = 0.2
    resume_evidence: float = 1.6
    pause_ceiling: float = 0.35
    """Below it a window is silent; it takes two to be a pause."""
    quiet_db: float = 30.0
    """Sound this far under the utterance's loudest frame counts as silence when the end is placed."""
    longest_silence_ms: int = 1600
    longest_utterance_ms: int = 30_000


class Change(Enum):
    STARTED = "started"
    DIPPED = "dipped"
    """One silent window: a pause may follow. The moment to ask for a verdict on the sound so far."""
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED_BY_SILENCE = "silence"
    ENDED_BY_LENGTH = "length"


@dataclass(frozen=True)
class Mark:
    """`sample`: where speech began (STARTED, RESUMED), or stopped (the others)."""

    change: Change
    sample: int


class _State(Enum):
    QUIET = "quiet"
    SPEAKING = "speaking"
    PAUSED = "paused"


@dataclass
class _Run:
    """Windows that follow each other and may be speech."""

    evidence: float = 0.0
    windows: int = 0
    start: int = 0


class Segmenter:
    """One microphone. `feed` each window in order; `through_sample` is how far it has heard.

    `feed_between` what lies half way between two of them, before the second.
    """

    def __init__(self, config: SegmenterConfig | None = None, start_sample: int = 0) -> None:
        self.config = config or SegmenterConfig()
        self.through_sample = start_sample
        self._state = _State.QUIET
        self._run = _Run()
        self._onset = self._resumed = start_sample
        self._silent_windows = 0
        self._loudest_db = 0.0
        self._last_loud = self._quiet_since = start_sample

    @property
    def open(self) -> bool:
        """An utterance is under way, in speech or in a pause."""
        return self._state is not _State.QUIET

    @property
    def paused(self) -> bool:
        return self._state is _State.PAUSED

    @property
    def quiet_since(self) -> int:
        """Where speech stopped; meaningful in a pause."""
        return self._quiet_since

    @property
    def stopped_sample(self) -> int:
        """Where speech stopped, were it over now."""
        return self._quiet_since if self.paused else self.through_sample

    def feed(self, probability: float, window: NDArray[np.int16]) -> list[Mark]:
        """The next window (int16 [512], 16 kHz) with its probability of speech, to what changed with it."""
        start = self.through_sample
        self.through_sample += WINDOW
        levels_db = frame_levels_db(window)
        if self._state is _State.QUIET:
            return self._while_quiet(probability, start, levels_db)
        self._loudest_db = max(self._loudest_db - 0.2, float(levels_db.max()))  # forgets 6 dB a second
        marks = self._within(probability, start, levels_db)
        if self._state is not _State.QUIET:
            marks += self._limits()
        return marks

    def feed_between(self, probability: float, window: NDArray[np.int16]) -> list[Mark]:
        """A window that ends half a window after the newest one; while somebody speaks it changes nothing."""
        if self._state is _State.SPEAKING:
            return []
        start = self.through_sample - WINDOW // 2
        heard = self._while_quiet if self._state is _State.QUIET else self._while_paused
        return heard(probability, start, frame_levels_db(window))

    def end(self, at_sample: int) -> list[Mark]:
        """The utterance is over as of `at_sample` by someone else's word.

        Whoever went on after it speaks a new utterance, which has STARTED where they did.
        """
        went_on = self._state is _State.SPEAKING and self._resumed > at_sample
        if not went_on:
            self._rest()
            return []
        self._onset = self._resumed
        return [Mark(Change.STARTED, self._onset)]

    def _rest(self) -> None:
        # A run of would-be speech in the pause goes on counting: it may be the onset of the next utterance.
        if self._state is not _State.PAUSED:
            self._run = _Run()
        self._state = _State.QUIET

    def _while_quiet(self, probability: float, start: int, levels_db: NDArray[np.float64]) -> list[Mark]:
        config = self.config
        convinced = self._gather(probability, start, levels_db, config.onset_floor, config.onset_evidence)
        if not convinced or self._run.windows < config.onset_windows:
            return []
        self._speak()
        self._onset = self._resumed
        return [Mark(Change.STARTED, self._onset)]

    def _while_paused(self, probability: float, start: int, levels_db: NDArray[np.float64]) -> list[Mark]:
        config = self.config
        if not self._gather(probability, start, levels_db, config.resume_floor, config.resume_evidence):
            return []
        self._speak()
        return [Mark(Change.RESUMED, self._resumed)]

    def _speak(self) -> None:
        self._resumed = self._run.start
        self._run = _Run()
        self._state = _State.SPEAKING
        self._silent_windows = 0

    def _gather(
        self, probability: float, start: int, levels_db: NDArray[np.float64], floor: float, enough: float
    ) -> bool:
        """Adds the window to the run of would-be speech; True when the run is convincing."""
        run = self._run
        if probability < floor:
            run.evidence = 0.0
            return False
        if run.evidence == 0.0:
            run.start = start
            run.windows = 0
            if self._state is _State.QUIET:
                self._loudest_db = 0.0
        run.evidence += probability
        run.windows += 1
        self._loudest_db = max(self._loudest_db, float(levels_db.max()))
        self._note_loud(start, levels_db)
        return run.evidence >= enough

    @property
    def _would_be(self) -> bool:
        """This may be the beginning of speech."""
        return self._run.evidence > 0

    def _note_loud(self, start: int, levels_db: NDArray[np.float64]) -> None:
        loud = np.flatnonzero(levels_db > self._loudest_db - self.config.quiet_db)
        if len(loud):
            frame = int(loud[-1]) + 1  # the last whole one stands for the 2 ms behind it too
            self._last_loud = start + (WINDOW if frame == WINDOW // FRAME else frame * FRAME)

    def _within(self, probability: float, start: int, levels_db: NDArray[np.float64]) -> list[Mark]:
        if self._state is _State.PAUSED:
            return self._while_paused(probability, start, levels_db)
        if probability >= self.config.pause_ceiling:
            self._silent_windows = 0
            self._note_loud(start, levels_db)
            return []
        self._silent_windows += 1
        if self._silent_windows == 1:
            # Loudness may place the end up to three windows earlier than the model, never later.
            self._quiet_since = min(max(self._last_loud, start - 3 * WINDOW), start)
            return [Mark(Change.DIPPED, self._quiet_since)]
        self._state = _State.PAUSED
        self._run = _Run()
        return [Mark(Change.PAUSED, self._quiet_since)]

    def _limits(self) -> list[Mark]:
        if self.through_sample - self._onset >= self.config.longest_utterance_ms * 16:
            stopped = self.stopped_sample
            self._rest()
            return [Mark(Change.ENDED_BY_LENGTH, stopped)]
        long_silent = self.paused and self.through_sample - self._quiet_since >= self.config.longest_silence_ms * 16
        if long_silent and not self._would_be:  # who may just be going on is given the moment it takes to know
            self._rest()
            return [Mark(Change.ENDED_BY_SILENCE, self._quiet_since)]
        return []


def frame_levels_db(window: NDArray[np.int16]) -> NDArray[np.float64]:
    """Power of each whole 10 ms of int16 sound, in dB over one step squared."""
    frames = window[: len(window) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    return 10 * np.log10((frames**2).mean(axis=1) + 1)

"""Words as they leave to captions in WebVTT: a few words a cue, shown while they are said."""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.messages import Programme

HEADER = "WEBVTT\n\n"
RATE_HZ = 48_000

LONGEST = 42
"""Characters on a line that can be read at a glance."""

PAUSE_SAMPLES = RATE_HZ * 7 // 10
"""A silence after which a new cue begins."""

LINGER_SAMPLES = RATE_HZ * 3 // 10
"""How long the last word stays readable, where nothing follows."""


@dataclass
class Cue:
    """Words of one sentence, in programme samples."""

    key: tuple[int, int]
    start: int
    end: int
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(self.words)


class Captions:
    """Cues of one recording that begins at `start_sample`; `feed`, `word` and `flush` give WebVTT text to append."""

    def __init__(self, start_sample: int) -> None:
        self._start = start_sample
        self._cue: Cue | None = None

    def feed(self, tick: Programme) -> str:
        """What is ready after this tick."""
        done = ""
        for turn, sentence, _, text, programme_sample, samples in tick.words:
            done += self.word((turn, sentence), text, programme_sample, samples)
        if self._cue and tick.programme_sample > self._cue.end + PAUSE_SAMPLES:
            done += self._ended(tick.programme_sample)
        return done

    def word(self, key: tuple[int, int], text: str, programme_sample: int, samples: int) -> str:
        """What is ready once this word of the sentence `key` is said: the cue before it, where it fits in none."""
        done = ""
        if self._cue and not self._fits(self._cue, key, text, programme_sample):
            done = self._ended(programme_sample)
        if self._cue is None:
            self._cue = Cue(key=key, start=programme_sample, end=programme_sample)
        self._cue.words.append(" ".join(text.split()))
        self._cue.end = programme_sample + samples
        return done

    def flush(self) -> str:
        """The words that were under way."""
        return self._ended(None)

    def _ended(self, next_sample: int | None) -> str:
        cue, self._cue = self._cue, None
        if cue is None:
            return ""
        end = cue.end + LINGER_SAMPLES
        end = end if next_sample is None else min(end, max(cue.end, next_sample))
        times = f"{_time(cue.start - self._start)} --> {_time(max(end - self._start, cue.start - self._start + 480))}"
        return f"{times}\n{_escaped(cue.text)}\n\n"

    @staticmethod
    def _fits(cue: Cue, key: tuple[int, int], text: str, programme_sample: int) -> bool:
        if key != cue.key or programme_sample > cue.end + PAUSE_SAMPLES:
            return False
        return len(cue.text) + 1 + len(text) <= LONGEST


def _time(samples: int) -> str:
    ms = max(0, samples) * 1000 // RATE_HZ
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""What left lately and as which samples, so that what a hold kept from being heard can be said again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from workers.programme.track import Track

KEPT_SAMPLES = 4 * 48_000
"""More than any page's buffer and any hold."""


@dataclass(frozen=True)
class Sent:
    """`samples` of `track` from `start_sample` left as the programme's samples from `programme_sample`."""

    track: Track
    start_sample: int
    programme_sample: int
    samples: int

    @property
    def end(self) -> int:
        return self.programme_sample + self.samples


class Trail:
    """The pieces of voice that left in the last seconds, in order."""

    def __init__(self) -> None:
        self._sent: deque[Sent] = deque()

    @property
    def through(self) -> int:
        """The programme_sample after the last piece; 0: there is none."""
        return self._sent[-1].end if self._sent else 0

    @property
    def turn(self) -> int:
        """Whose voice left last; 0: nobody's."""
        return self._sent[-1].track.turn if self._sent else 0

    def note(self, sent: Sent) -> None:
        """A piece leaves. Samples that say nothing are not kept."""
        if not sent.samples:
            return
        self._sent.append(sent)
        while self._sent[0].end < sent.end - KEPT_SAMPLES:
            self._sent.popleft()

    def unheard(self, turn: int, heard_sample: int) -> tuple[Track, int] | None:
        """The sentence and its sample at which whoever heard all before `heard_sample` stopped hearing `turn`.

        None: nothing of it left after that.
        """
        for sent in self._sent:
            if sent.track.turn == turn and sent.end > heard_sample:
                return sent.track, sent.start_sample + max(0, heard_sample - sent.programme_sample)
        return None

    def forget_after(self, heard_sample: int) -> None:
        """What left after it was not heard and is said again: it counts no longer."""
        while self._sent and self._sent[-1].end > heard_sample:
            last = self._sent.pop()
            if last.programme_sample < heard_sample:
                samples = heard_sample - last.programme_sample
                self._sent.append(Sent(last.track, last.start_sample, last.programme_sample, samples))
                break

"""One session's ear: the utterances in hand, their sound, and the transcripts that are due.

Sound travels behind control messages, so a pause or an end may be known before its sound is here: both name a sample,
and the transcript is due when everything up to it has been heard.
"""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from broker.messages import Message, MicFrame, Transcript

from .engine import PIECE, Hypothesis, Recogniser
from .junk import is_junk

SAMPLES_PER_MS: Final = 16
SETTLING: Final = 96 * SAMPLES_PER_MS
"""Silence after the last word that the words need to be sure."""
PARTIAL_EVERY: Final = 160 * SAMPLES_PER_MS
PATIENCE_NS: Final = 400_000_000
"""How long an ended utterance waits for sound that is on its way, before its words are taken as they stand."""
QUEUE_SAMPLES: Final = 40 * 16_000


class Unready(Exception):
    """The recogniser that was to take over cannot, because of `cause`; the one before it goes on."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass
class Utterance:
    number: int
    start_sample: int = -1
    frames: deque[bytes] = field(default_factory=deque)
    queued_samples: int = 0
    filed_through: int = -1
    """Where the next frame should start."""
    pause_sample: int = -1
    """Where speech stopped, in the pause under way; -1 while one speaks."""
    pause_through: int = 0
    """What must have been heard before the words of the pause stand."""
    words_at: dict[int, Hypothesis] = field(default_factory=dict)
    """The words at each pause, by where speech stopped."""
    end_sample: int = -1
    end_through: int = 0
    ended_ns: int = -1
    paused_ns: int = -1
    """When the words of the pause under way were first waited for."""
    fed: list[bytes] = field(default_factory=list)
    """What the recogniser was given, should another have to hear it."""
    next_n: int = 0

    @property
    def heard_through(self) -> int:
        return self.filed_through - self.queued_samples


class Listener:
    """Frames and marks in, transcripts out. `work` does one bounded piece."""

    def __init__(self, session: str, recogniser: Recogniser, language: str) -> None:
        self.session, self.recogniser, self.language = session, recogniser, language
        self.dropped_frames = 0
        self._utterances: dict[int, Utterance] = {}
        self._current: Utterance | None = None
        self._done_through = -1
        """The newest utterance that has its final transcript."""
        self._settled = False
        self.newest: Transcript | None = None
        """The last words that were sent."""
        self.lag_ns = 0
        """How long the last final words, or those of the pause that they are, were waited for."""
        self._n = 0
        self._partial_at = 0
        self._took_before_ns = 0
        self._next: tuple[Recogniser, str] | None = None
        """The ear and the language of the utterances to come."""

    def become(self, recogniser: Recogniser, language: str) -> None:
        """Hear through another recogniser from the next utterance on; the one in hand is heard to its end."""
        if self._next is not None:
            self._next[0].close()
        self._next = recogniser, language

    def hear_anew(self, recogniser: Recogniser, language: str) -> None:
        """The recogniser broke: another hears the utterance in hand from its start, and all that follow."""
        broken = [self.recogniser, *([self._next[0]] if self._next else [])]
        self.recogniser, self.language, self._next = recogniser, language, None
        utterance, self._current = self._current, None
        if utterance is not None:
            utterance.frames.extendleft(reversed(utterance.fed))
            utterance.queued_samples += sum(len(piece) // 2 for piece in utterance.fed)
            utterance.fed.clear()
            utterance.words_at.clear()
            utterance.next_n = self._n
        for each in broken:
            with contextlib.suppress(Exception):  # it is broken
                each.close()

    @property
    def awaits(self) -> bool:
        """Another recogniser is to take over."""
        return self._next is not None

    def _exchange(self) -> None:
        """Between two utterances, once the other ear is there. Raises Unready if it never will be."""
        if self._next is None or self._current is not None:
            return
        try:
            ready = self._next[0].ready()
        except Exception as error:  # told apart from faults of the recogniser in use
            raise Unready(error) from error
        if ready:
            before = self.recogniser
            (self.recogniser, self.language), self._next = self._next, None
            before.close()

    def begin_again(self, utterance: int) -> None:
        """Everything from `utterance` on will be heard again."""
        if self._current is not None:
            self.recogniser.end(keep=False)
            self._current = None
        self._utterances.clear()
        self._done_through = utterance - 1
        self.newest = None

    def file(self, frame: MicFrame) -> None:
        utterance = self._of(frame.utterance)
        if utterance is None:
            return
        if utterance.start_sample < 0:
            utterance.start_sample = utterance.filed_through = frame.mic_sample
        missing = frame.mic_sample - utterance.filed_through
        pcm = frame.pcm
        if missing < 0:
            pcm = pcm[-2 * missing :]
        elif missing > 0:  # keep the clock right: what is missing is silent
            pcm = bytes(2 * min(missing, QUEUE_SAMPLES)) + pcm
        if utterance.queued_samples + len(pcm) // 2 > QUEUE_SAMPLES:
            self.dropped_frames += 1
            return
        if pcm:
            utterance.frames.append(pcm)
            utterance.queued_samples += len(pcm) // 2
            utterance.filed_through += len(pcm) // 2

    def started(self, number: int) -> None:
        self._of(number)

    def paused(self, number: int, mic_sample: int, silence_ms: int) -> None:
        utterance = self._of(number)
        if utterance is not None and utterance.pause_sample != mic_sample:
            utterance.pause_sample = mic_sample
            utterance.pause_through = mic_sample + silence_ms * SAMPLES_PER_MS
            utterance.paused_ns = -1
            self._settled = False

    def resumed(self, number: int) -> None:
        utterance = self._utterances.get(number)
        if utterance is not None:
            utterance.pause_sample = -1

    def ended(self, number: int, mic_sample: int, at_once: bool) -> None:
        """The utterance ended where speech stopped. `at_once`: it was cut, no silence follows."""
        utterance = self._of(number)
        if utterance is not None and utterance.end_sample < 0:
            utterance.end_sample = mic_sample
            utterance.end_through = mic_sample if at_once else mic_sample + SETTLING
            if (
                utterance.pause_sample == mic_sample and not at_once
            ):  # its words are those of the pause, whichever is first
                utterance.end_through = utterance.pause_through
            self._settled = False

    @property
    def waiting(self) -> bool:
        """There is something to do at once."""
        oldest = self._oldest()
        if oldest is None:
            return False
        if oldest.frames or oldest.end_sample in oldest.words_at:
            return True
        return self._pause_is_due(oldest) and self.recogniser.ready() and not self.recogniser.busy()

    @property
    def polling(self) -> bool:
        """Something is being worked on elsewhere, or on its way."""
        oldest = self._oldest()
        if oldest is None:
            return False
        return not self.recogniser.ready() or self.recogniser.busy() or oldest.end_sample >= 0

    @property
    def urgent(self) -> bool:
        """Somebody waits for the words of a pause or of an end."""
        current = self._current
        return current is not None and (current.end_sample >= 0 or self._pause_is_due(current))

    @property
    def queued_samples(self) -> int:
        return sum(u.queued_samples for u in self._utterances.values())

    def work(self, now_ns: int) -> list[Message]:
        """At most one piece of sound, and what is then due."""
        self._exchange()
        if not self.recogniser.ready():
            return []
        utterance = self._take_up()
        if utterance is None:
            return []
        if utterance.pause_sample >= 0 and utterance.paused_ns < 0:
            utterance.paused_ns = now_ns
        if utterance.end_sample >= 0:
            if utterance.ended_ns < 0:
                utterance.ended_ns = now_ns
            if (words := utterance.words_at.get(utterance.end_sample)) is not None:
                return [self._final(utterance, words)]
        self._feed(utterance)
        out: list[Message] = []
        if self._pause_is_due(utterance) and self._settle(utterance.pause_through, utterance):
            words = utterance.words_at[utterance.pause_sample] = self.recogniser.words()
            self.lag_ns = now_ns - utterance.paused_ns
            out.append(self._provisional(utterance, words))
        elif not self._all_speech_heard(utterance):
            out += self._partial(utterance)
        if utterance.end_sample >= 0 and self._all_heard(utterance, now_ns):
            words = utterance.words_at.get(utterance.end_sample) or self.recogniser.words()
            if utterance.end_sample not in utterance.words_at:
                self.lag_ns = now_ns - utterance.ended_ns
            out.append(self._final(utterance, words))
        return out

    def close(self) -> None:
        if self._current is not None:
            self.recogniser.end()
        self.recogniser.close()
        if self._next is not None:
            self._next[0].close()

    def _of(self, number: int) -> Utterance | None:
        """The utterance, new if need be; None for one that is done."""
        if number <= self._done_through:
            return None
        return self._utterances.setdefault(number, Utterance(number))

    def _oldest(self) -> Utterance | None:
        return self._utterances[min(self._utterances)] if self._utterances else None

    def _take_up(self) -> Utterance | None:
        """The oldest utterance; a later one waits for its end."""
        oldest = self._oldest()
        if self._current is None and oldest is not None and (oldest.frames or oldest.end_sample >= 0):
            self._current = oldest
            self.recogniser.begin()
            self._n, self._partial_at, self._settled = oldest.next_n, 0, False
            self._took_before_ns = self.recogniser.took_ns
        return self._current

    def _feed(self, utterance: Utterance) -> None:
        wanted = 2 * PIECE
        if utterance.end_sample >= 0:  # what lies behind the end belongs to the next utterance
            wanted = min(wanted, 2 * (utterance.end_through - utterance.heard_through))
        if utterance.pause_sample not in utterance.words_at and utterance.heard_through < utterance.pause_through:
            # The words of a pause stand at one sample, however fast the sound comes: heard again they are the same.
            wanted = min(wanted, 2 * (utterance.pause_through - utterance.heard_through))
        piece = b""
        while utterance.frames and len(piece) < wanted:
            frame = utterance.frames.popleft()
            room = wanted - len(piece)
            piece += frame[:room]
            if frame[room:]:
                utterance.frames.appendleft(frame[room:])
        if piece:
            utterance.queued_samples -= len(piece) // 2
            utterance.fed.append(piece)
            self.recogniser.feed(piece)

    def _pause_is_due(self, utterance: Utterance) -> bool:
        return (
            utterance.pause_sample >= 0
            and utterance.pause_sample not in utterance.words_at
            and utterance.start_sample >= 0
            and utterance.heard_through >= utterance.pause_through
        )

    def _all_speech_heard(self, utterance: Utterance) -> bool:
        """Whether the words account for what was said up to a pause or an end. Whoever is slow says how far it is."""
        marks = [mark for mark in (utterance.pause_sample, utterance.end_sample) if mark >= 0]
        return bool(marks) and utterance.start_sample + self.recogniser.through >= min(marks)

    def _settle(self, through: int, utterance: Utterance) -> bool:
        """True once the recogniser's words account for everything up to `through`."""
        if not self._settled:
            self.recogniser.settle()
            self._settled = True
        return utterance.start_sample + self.recogniser.through >= through and not self.recogniser.busy()

    def _all_heard(self, utterance: Utterance, now_ns: int) -> bool:
        late = now_ns - utterance.ended_ns >= PATIENCE_NS
        if utterance.start_sample < 0:
            return late
        if utterance.heard_through >= utterance.end_through:
            return self._settle(utterance.end_through, utterance)
        return late and not utterance.frames and self._settle(utterance.heard_through, utterance)

    def _partial(self, utterance: Utterance) -> list[Message]:
        if self.recogniser.through - self._partial_at < PARTIAL_EVERY:
            return []
        # The same words again are news: that no more were heard since tells a noise from speech not yet understood.
        self._partial_at = self.recogniser.through
        return [self._provisional(utterance, self.recogniser.words())]

    def _provisional(self, utterance: Utterance, words: Hypothesis) -> Transcript:
        provisional = self._transcript(utterance, words, words.text, final=False)
        stands = utterance.pause_sample in utterance.words_at and not _junk(words)
        return replace(provisional, pause_sample=utterance.pause_sample) if stands else provisional

    def _final(self, utterance: Utterance, words: Hypothesis) -> Transcript:
        text = "" if _junk(words) else words.text
        final = self._transcript(utterance, words, text, final=True)
        self.recogniser.end()
        del self._utterances[utterance.number]
        self._done_through = utterance.number
        self._current = None
        return final

    def _transcript(self, utterance: Utterance, words: Hypothesis, text: str, final: bool) -> Transcript:
        transcript = Transcript(
            session=self.session,
            utterance=utterance.number,
            n=self._n,
            text=text,
            final=final,
            language=words.language or self.language,
            start_sample=max(utterance.start_sample, 0),
            through_sample=max(utterance.start_sample, 0) + self.recogniser.through,
            confidence=words.confidence,
            took_ns=self.recogniser.took_ns - self._took_before_ns,
            ends=words.ends,
        )
        self._n += 1
        self.newest = transcript
        self._took_before_ns = self.recogniser.took_ns
        return transcript


def _junk(words: Hypothesis) -> bool:
    return is_junk(words.text, words.language, words.confidence)

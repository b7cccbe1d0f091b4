"""The conversation as heard: segments that left the programme, word times and the page's acknowledgement to words.

A word is heard when its last sample lies before what the page has acknowledged. Only what was heard enters the
dialogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from broker.messages import Emitted, Word


@dataclass(frozen=True, kw_only=True)
class SpokenWord:
    """A word that has wholly left the programme; `end_sample` is the programme_sample after its last."""

    sentence: int
    index: int
    text: str
    end_sample: int


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """What of one turn has left the programme so far: a fold over its `Emitted` segments."""

    sentence: int = -1
    next_sample: int = 0
    """Where the next segment of `sentence` begins if nothing is cut or said again."""
    open: tuple[Word, ...] = ()
    """Words that have begun and not ended."""
    words: tuple[SpokenWord, ...] = ()
    """Each word once, in the order of the text."""
    begun: int = 0
    """Words that have begun to sound, each counted once."""
    ended: tuple[int, ...] = ()
    """Sentences whose last sample has left."""
    end_sample: int = 0
    """The programme_sample after the last one that left; 0: nothing has."""
    deaf_from: int = -1
    """The page had fallen silent here, and the programme has not yet gone on from there; -1: it listens."""

    def emitted(self, segment: Emitted) -> Hearing:
        """The hearing after one more segment. A segment that does not continue the last one cuts the open words.

        A word that is said again counts by its last saying. What left before a `Resume` was obeyed and after the page
        had fallen silent was heard by nobody.
        """
        if segment.resumed_from >= self.deaf_from:
            return replace(self, deaf_from=-1)._said(segment) if self.deaf_from >= 0 else self._said(segment)
        through = min(segment.programme_sample + segment.samples, self.deaf_from)
        if through == segment.programme_sample + segment.samples:
            return self._said(segment)
        said = self._said(replace(segment, last=False, turn_last=False))
        words = tuple(word for word in said.words if word.end_sample <= self.deaf_from)
        end_sample = max(self.end_sample, through)
        return replace(said, words=words, begun=max(self.begun, len(words)), end_sample=end_sample)

    def _said(self, segment: Emitted) -> Hearing:
        continues = segment.sentence == self.sentence and segment.start_sample == self.next_sample
        again = {(segment.sentence, word.index) for word in segment.words}
        earlier = tuple(word for word in self.words if (word.sentence, word.index) not in again)
        sounding = (self.open if continues else ()) + segment.words
        end = segment.start_sample + segment.samples
        shift = segment.programme_sample - segment.start_sample
        ended_here = [word for word in sounding if word.end_sample <= end]
        known = {(word.sentence, word.index) for word in earlier}
        words = earlier + tuple(
            SpokenWord(sentence=segment.sentence, index=word.index, text=word.text, end_sample=shift + word.end_sample)
            for word in ended_here
            if (segment.sentence, word.index) not in known
        )
        words = tuple(sorted(words, key=lambda word: (word.sentence, word.index)))
        open_words = tuple(word for word in sounding if word.end_sample > end)
        ended = self.ended if not segment.last or segment.sentence in self.ended else (*self.ended, segment.sentence)
        return replace(
            self,
            sentence=segment.sentence,
            next_sample=end,
            open=open_words,
            words=words,
            begun=max(self.begun, len(words) + len(open_words)),
            ended=ended,
            end_sample=max(self.end_sample, segment.programme_sample + segment.samples),
        )

    def resumed(self, heard_sample: int) -> Hearing:
        """The hearing when a hold ends at which the page had played up to `heard_sample`: the rest is said again."""
        words = self.heard(heard_sample)
        left = {word.sentence for word in self.words[len(words) :]}
        if self.end_sample > heard_sample:
            left.add(self.sentence)
        ended = tuple(sentence for sentence in self.ended if sentence not in left)
        end_sample = min(self.end_sample, heard_sample)
        begun = min(self.begun, len(words) + len(self.open))
        return replace(self, words=words, ended=ended, end_sample=end_sample, begun=begun, deaf_from=heard_sample)

    def heard(self, acknowledged: int) -> tuple[SpokenWord, ...]:
        """The words before the first that the page has not played to its end."""
        for n, word in enumerate(self.words):
            if word.end_sample > acknowledged:
                return self.words[:n]
        return self.words

    def only_heard(self, acknowledged: int) -> Hearing:
        """The hearing as if nothing past `acknowledged` had been said; what comes next is a new beginning."""
        words = self.heard(acknowledged)
        left = {word.sentence for word in self.words[len(words) :]} | ({self.sentence} if self.open else set())
        ended = tuple(sentence for sentence in self.ended if sentence not in left)
        end = max((word.end_sample for word in words), default=0)
        return replace(
            self,
            sentence=-1,
            next_sample=0,
            open=(),
            words=words,
            begun=len(words),
            ended=ended,
            end_sample=end,
            deaf_from=-1,
        )

    def next_word(self, sentence: int) -> int:
        """The first word of `sentence` that has not wholly left the programme."""
        return 1 + max((word.index for word in self.words if word.sentence == sentence), default=-1)


def text_of(sentences: Sequence[tuple[int, str]], words: Sequence[SpokenWord], whole: Sequence[int] = ()) -> str:
    """The text of `words` as it stands in `sentences` (number, text), with its punctuation.

    `whole` names sentences all of whose words are among `words`: they are kept as they are.
    """
    parts = []
    for number, text in sentences:
        said = [word for word in words if word.sentence == number]
        if number in whole and said:
            parts.append(text)
        elif said:
            parts.append(_beginning(text, said))
    return " ".join(parts)


def _beginning(text: str, words: Sequence[SpokenWord]) -> str:
    """`text` up to the end of the last of `words`; the words alone where they do not stand in it."""
    at = 0
    for word in words:
        found = text.find(word.text, at)
        if found < 0:
            return " ".join(each.text for each in words)
        at = found + len(word.text)
    return text[:at]

"""What each turn in hand says: its sentences, how far they were heard, and how they are said again after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from broker.dialogue import Hearing, text_of
from broker.messages import Exchange, Sentence, Speak

AnswerKind = Literal["answer", "greeting", "say", "apology", "moment"]


@dataclass(frozen=True, kw_only=True)
class Said:
    """One sentence of a turn, as the llm or the broker gave it. `tags` as sorted pairs, so that it can be hashed."""

    n: int
    text: str
    language: str
    last: bool
    tags: tuple[tuple[str, Any], ...] = ()
    passage: str = ""
    confidence: float = 1.0
    kind: str = "answer"
    upload: str = ""
    """The name of the recording in which it is said; empty: it is synthesised."""

    @staticmethod
    def of(sentence: Sentence) -> Said:
        """The ledger's entry of a `Sentence`."""
        return Said(
            n=sentence.n,
            text=sentence.text,
            language=sentence.language,
            last=sentence.last,
            tags=tuple(sorted(sentence.tags.items())),
            passage=sentence.passage,
            confidence=sentence.confidence,
            kind=sentence.kind,
        )


def hit_of(said: Said) -> float:
    """How surely a first sentence says that the question was understood: the brain's confidence in its passage, also
    where it asks back whether that is meant; 0 where it does not know."""
    return said.confidence if said.kind in ("answer", "small_talk", "follow_up", "ask_back") else 0.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A turn in hand: asked or to be spoken, perhaps accepted, perhaps allowed to sound."""

    turn: int
    kind: AnswerKind
    text: str = ""
    """The words it answers; empty when nobody asked."""
    spoken: bool = False
    """Those words came by microphone."""
    speculative: bool = False
    """It was asked before the end of the utterance was certain."""
    asked_ns: int = 0
    accepted_ns: int = 0
    first_ns: int = 0
    """When its first sentence came."""
    progress_ns: int = 0
    """When something of it last happened."""
    said: tuple[Said, ...] = ()
    complete: bool = False
    """No further sentence will come."""
    broke_off: bool = False
    """And none was said to be the last: the programme waits for more until it is told otherwise."""
    committed: bool = False
    """The programme may let it sound."""
    done: bool = False
    """Its last sample has left the programme."""
    moment_given: bool = False
    hearing: Hearing = field(default_factory=Hearing)

    def with_sentence(self, sentence: Sentence, now_ns: int) -> Answer:
        """The turn with one more sentence; one it has already changes nothing, an empty one only ends it."""
        said = self.said
        if sentence.text.strip() and all(each.n != sentence.n for each in said):
            said = tuple(sorted((*said, Said.of(sentence)), key=lambda each: each.n))
        return replace(
            self,
            said=said,
            complete=self.complete or sentence.last,
            first_ns=self.first_ns or now_ns,
            progress_ns=now_ns,
        )

    def voiced_by(self, upload: str) -> Answer:
        """The turn whose sentences are said in a recording."""
        return replace(self, said=tuple(replace(each, upload=upload) for each in self.said))

    def resumed(self, heard_sample: int) -> Answer:
        """The turn when a hold ends at which the page had played up to `heard_sample`: it says the rest again.

        -1: how far is not known, and nothing is said again that is known to have left.
        """
        if heard_sample < 0:
            return self
        unheard = self.hearing.end_sample > heard_sample
        return replace(self, hearing=self.hearing.resumed(heard_sample), done=self.done and not unheard)

    @property
    def came_to_nothing(self) -> bool:
        """It ended without a word."""
        return self.complete and not self.said

    def finished(self) -> bool:
        """Whether everything it had to say has left the programme."""
        return self.done or (
            self.complete and bool(self.said) and all(each.n in self.hearing.ended for each in self.said)
        )

    def hit(self) -> float | None:
        """How confidently the first sentence answers the words; None while it has not come."""
        return hit_of(self.said[0]) if self.said else None

    def line(self, acknowledged: int) -> Exchange | None:
        """What of it belongs in the dialogue; None when no word was heard."""
        heard = self.hearing.heard(acknowledged)
        if not heard:
            return None
        cut = {word.sentence for word in self.hearing.words[len(heard) :]}
        whole = [n for n in self.hearing.ended if n not in cut]
        text = text_of([(each.n, each.text) for each in self.said], heard, whole)
        numbers = {word.sentence for word in heard}
        passage = next((each.passage for each in self.said if each.passage and each.n in numbers), "")
        everything = self.complete and all(each.n in whole for each in self.said)
        return Exchange(role="avatar", text=text, passage=passage, interrupted=not everything)

    def full_text(self) -> str:
        """All of its sentences, said or not."""
        return " ".join(each.text for each in self.said)

    def speak_again(self, sentence: int, from_word: int) -> Iterator[Speak]:
        """Its sentences from word `from_word` of `sentence` on, for a successor of the tts or the programme."""
        for each in self.said:
            if each.n < sentence or each.n in self.hearing.ended:
                continue
            yield Speak(
                turn=self.turn,
                n=each.n,
                text=each.text,
                language=each.language,
                last=each.last or (self.complete and each is self.said[-1]),
                from_word=from_word if each.n == sentence else 0,
                tags=dict(each.tags),
                upload=each.upload,
            )

    def first_unsaid(self) -> tuple[int, int]:
        """The first sentence that has not wholly left the programme, and its first such word."""
        for each in self.said:
            if each.n not in self.hearing.ended:
                return each.n, self.hearing.next_word(each.n)
        return len(self.said), 0

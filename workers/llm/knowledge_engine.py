"""The embedded brain: answers from the persona's documents, asks back when unsure, says so when it does not know.

It never makes up a word: everything it says stands in the documents, in the persona's small talk or in phrases.py.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter_ns
from typing import Any

from workers.llm.details import asks_the_clock, detail_of
from workers.llm.engine import Question, Said, Trouble
from workers.llm.follow_ups import (
    FollowUp,
    asks_for_a_detail,
    changed_rate,
    follow_up,
    heard_of,
    last_avatar,
    leans_on_history,
    only_points_back,
    rate_after,
)
from workers.llm.index import Found, Hit
from workers.llm.library import Knowledge, Library
from workers.llm.passages import Passage
from workers.llm.phrases import asks_back, begins_with, phrase
from workers.llm.sentences import sentences_of
from workers.llm.spoken import choose
from workers.llm.words import normal

CLOSE_SECOND = 4.0
"""An ask-back names the second passage too if its score (logarithm of odds) is at most this far behind."""
LIBRARY_POLL_MS = 20
NEAR_THE_TOPIC = 0.35
"""Cosine with what was just told from which words that could be about anything ("on Sundays", "great") are about that.
With its heading beside them any words at all find that passage: "banana" with a probability of 0.9."""
SURE_OF_SMALL_TALK = 0.03
"""How much nearer than the best passage small talk must be to win."""


@dataclass(frozen=True)
class Line:
    """One sentence of an answer in the making."""

    text: str
    language: str
    kind: str
    passage: str = ""
    confidence: float = 1.0


class KnowledgeEngine:
    """See `engine.Brain`. One question a `poll`: some 10 ms."""

    name = "knowledge"

    def __init__(self, library: Library) -> None:
        self._library = library
        self._questions: deque[Question] = deque()

    def prepare(self, persona: Mapping[str, Any], language: str) -> None:
        self._library.prepare(persona, language)

    def submit(self, question: Question) -> None:
        self._questions.append(question)

    def cancel(self, session: str, through_turn: int) -> None:
        self._questions = deque(q for q in self._questions if q.session != session or q.turn > through_turn)

    @property
    def waiting(self) -> int | None:
        if not self._questions:
            return None
        ready = any(self._library.get(q.persona, q.language) for q in self._questions)
        return 0 if ready else LIBRARY_POLL_MS

    def poll(self) -> list[Said | Trouble]:
        for question in self._questions:
            knowledge = self._library.get(question.persona, question.language)
            if knowledge is not None:
                self._questions.remove(question)
                started_ns = perf_counter_ns()
                lines = answer(question, knowledge)
                return list(_said(question, lines, perf_counter_ns() - started_ns))
        return []


def _said(question: Question, lines: Sequence[Line], took_ns: int) -> Iterable[Said]:
    """The lines that have not been said yet, with the speaking rate that was asked for."""
    rate = changed_rate(rate_after(question.history), follow_up(question.text))
    tags = {} if rate == 1.0 else {"rate": rate}
    left = lines[len(question.said_so_far) :]
    end = Line("", question.language, lines[-1].kind, lines[-1].passage) if lines else Line("", question.language, "")
    for number, line in enumerate(left or [end]):
        yield Said(
            session=question.session,
            turn=question.turn,
            text=line.text,
            last=number >= len(left) - 1,
            language=line.language,
            tags=tags,
            passage=line.passage,
            confidence=line.confidence,
            kind=line.kind,
            took_ns=took_ns if number == 0 else 0,
        )


def answer(question: Question, knowledge: Knowledge) -> list[Line]:
    """All sentences of the answer, in order; a pure function of its arguments."""
    return _Answer(question, knowledge).lines()


class _Answer:
    """The steps to one answer, from the surest to the vaguest."""

    def __init__(self, question: Question, knowledge: Knowledge) -> None:
        self.question = question
        self.index = knowledge.index
        self.talk = knowledge.small_talk
        self.last = last_avatar(question.history)
        limits = question.persona.get("knowledge", {})
        self.sure = float(limits.get("answer", 0.8))
        self.unsure = float(limits.get("ask_back", 0.2))

    def lines(self) -> list[Line]:
        if not normal(self.question.text):
            return self._phrase("empty", "unknown")
        wish = follow_up(self.question.text)
        return (
            self._after_asking_back(wish)
            or self._small_talk()
            or self._follow_up(wish)
            or self._from_documents()
            or self._do_not_know()
        )

    # --- an ask-back is open ---

    def _after_asking_back(self, wish: FollowUp | None) -> list[Line]:
        """Yes, no, the second one, or the name of one of the two."""
        if self.last is None or not asks_back(self.last.text):
            return []
        first = self.index.passage(self.last.passage)
        offered = [passage for passage in (first, self._second_offer(first)) if passage is not None]
        if wish is FollowUp.NO:
            return self._phrase("declined", "follow_up")
        if wish is FollowUp.SECOND and len(offered) > 1:
            return self._passage(offered[1], "answer")
        if wish in (FollowUp.YES, FollowUp.FIRST, FollowUp.MORE, FollowUp.ACKNOWLEDGED) and offered:
            return self._passage(offered[0], "answer")
        said = set(normal(self.question.text).split())
        named = [passage for passage in offered if _heading_words(passage) and _heading_words(passage) <= said]
        return self._passage(named[0], "answer") if len(named) == 1 else []

    def _second_offer(self, first: Passage | None) -> Passage | None:
        text = self.last.text.lower() if self.last else ""
        others = (p for p in self.index.passages if p is not first and p.heading and p.heading.lower() in text)
        return max(others, key=lambda passage: len(passage.heading), default=None)

    # --- small talk ---

    def _small_talk(self) -> list[Line]:
        reply = self.talk.exact(self.question.text, self.question.turn)
        return self._spoken(reply, "small_talk") if reply else []

    # --- follow-ups ---

    def _follow_up(self, wish: FollowUp | None) -> list[Line]:
        if wish is None:
            return []
        passage = self._told()
        match wish:
            case FollowUp.MORE:
                return self._more(passage)
            case FollowUp.REPEAT:
                return self._again() or self._phrase("nothing_said", "follow_up")
            case FollowUp.EXPLAIN:
                return self._explain(passage)
            case FollowUp.SLOWER | FollowUp.FASTER | FollowUp.NORMAL:
                return self._phrase(wish.value, "follow_up") + self._again()
            case FollowUp.YES:
                return self._phrase("welcome", "follow_up")
            case FollowUp.NO:
                return self._phrase("nothing_else", "follow_up")
            case FollowUp.ACKNOWLEDGED | FollowUp.WAIT | FollowUp.ATTENTION | FollowUp.LOUDNESS:
                return self._phrase(wish.value, "small_talk")
            case _:
                return []

    def _more(self, passage: Passage | None) -> list[Line]:
        """The sentences not heard yet; after them, the nearest passage that was not told yet."""
        if passage is None:
            return self._phrase("nothing_more" if self.last else "nothing_said", "follow_up")
        heard = heard_of(self.question.history, passage.id)
        unheard = [sentence for sentence in passage.sentences if normal(sentence) not in heard]
        if unheard:
            return [self._line(sentence, "follow_up", passage) for sentence in unheard[:3]]
        told = {line.passage for line in self.question.history if line.passage}
        related = self.index.related(passage, told)
        if related is None:
            return self._phrase("no_more", "follow_up")
        lead = self._phrase("related", "follow_up", passage=related, first=related.heading)
        return lead + [self._line(sentence, "follow_up", related) for sentence in related.sentences[:2]]

    def _again(self) -> list[Line]:
        """The last line once more; a sentence that was cut is said whole."""
        if self.last is None:
            return []
        passage = self.index.passage(self.last.passage)
        parts = [part for part in sentences_of(self.last.text) if not _is_about_rate(part)]
        whole = [self._whole(part, passage) for part in parts]
        return [self._line(text, "follow_up", passage) for text in dict.fromkeys(whole)]

    @staticmethod
    def _whole(part: str, passage: Passage | None) -> str:
        begun = normal(part)
        return next((s for s in (passage.sentences if passage else ()) if normal(s).startswith(begun)), part)

    def _explain(self, passage: Passage | None) -> list[Line]:
        """What it is about, and the sentences not heard yet (or all of them again)."""
        if passage is None:
            return self._again() or self._phrase("nothing_said", "follow_up")
        heard = heard_of(self.question.history, passage.id)
        unheard = [sentence for sentence in passage.sentences if normal(sentence) not in heard]
        lead = self._phrase("meant", "follow_up", passage=passage, first=passage.heading)
        return lead + [self._line(sentence, "follow_up", passage) for sentence in (unheard or passage.sentences)[:3]]

    # --- questions ---

    def _from_documents(self) -> list[Line]:
        text = self.talk.without_greeting(self.question.text)
        if asks_the_clock(text):
            return []
        found = self.index.find(text)
        of_told = self._detail_of_told(text, found)
        if of_told:
            return of_told
        found = self._in_context(text, found)
        small = self.talk.alike(found.vector, self.question.turn)
        if small and small[1] > found.nearest + SURE_OF_SMALL_TALK:
            return self._spoken(small[0], "small_talk", small[1])
        if not found.hits or found.confidence < self.unsure:
            return []
        if found.confidence < self.sure:
            return self._ask_back(found)
        return self._hit(found.hits[0], found.confidence)

    def _told(self) -> Passage | None:
        """The passage told last."""
        told = last_avatar(self.question.history, with_passage=True)
        return self.index.passage(told.passage) if told else None

    def _detail_of_told(self, text: str, found: Found) -> list[Line]:
        """A question that names nothing but a detail ("when does it open") is answered by the sentences of the last
        passage that give one. Where none does, nothing is guessed from its heading."""
        passage, detail = self._told(), detail_of(text)
        if passage is None or detail is None or not leans_on_history(text):
            return []
        given, names_nothing_else = detail.given_by(passage.sentences), detail.is_all_of(text)
        if any(given) and names_nothing_else:
            relevance = self.index.relevance(passage, text, found.vector)
            chosen = choose(
                passage.sentences, [near + float(gives) for near, gives in zip(relevance, given, strict=True)]
            )
            return [self._line(passage.sentences[at], "answer", passage) for at in chosen]
        if any(given) or not (names_nothing_else or found.confidence < self.sure):
            return []
        lines = self._phrase("unknown_of", "unknown", first=_spoken_heading(passage))
        return [replace(line, confidence=0.0) for line in lines]

    def _in_context(self, text: str, found: Found) -> Found:
        """A question that leans on what was said is also asked together with the heading of what was said."""
        passage = self._told()
        if passage is None or not leans_on_history(text):
            return found
        names_nothing = only_points_back(text)
        if found.confidence >= self.sure and not names_nothing:
            return found
        if not asks_for_a_detail(text) and self.index.nearness(passage, text, found.vector) < NEAR_THE_TOPIC:
            return found
        words = re.sub(r"^(?:and|what about|how about|or|but)\s+", "", normal(text))
        together = self.index.find(f"{passage.heading} {words}")
        of_it = names_nothing and bool(together.hits) and together.hits[0].passage.id == passage.id
        return together if of_it or together.confidence > found.confidence else found

    def _hit(self, hit: Hit, confidence: float) -> list[Line]:
        chosen = choose(hit.passage.sentences, hit.relevance)
        return [self._line(hit.passage.sentences[at], "answer", hit.passage, confidence) for at in chosen]

    def _ask_back(self, found: Found) -> list[Line]:
        first, *others = found.hits
        close = [hit for hit in others if hit.score >= first.score - CLOSE_SECOND][:1]
        names = {"first": _spoken_heading(first.passage)}
        if close and close[0].passage.heading != first.passage.heading:
            names["second"] = _spoken_heading(close[0].passage)
        which = "ask_back_two" if "second" in names else "ask_back_one"
        lines = self._phrase(which, "ask_back", passage=first.passage, **names)
        return [replace(line, confidence=found.confidence) for line in lines]

    def _do_not_know(self) -> list[Line]:
        again = self.last is not None and begins_with("unknown", self.last.text)
        return [
            replace(line, confidence=0.0) for line in self._phrase("unknown_again" if again else "unknown", "unknown")
        ]

    # --- lines ---

    def _passage(self, passage: Passage, kind: str) -> list[Line]:
        """A passage that was asked for by name: from its beginning."""
        question = next((line.text for line in reversed(self.question.history) if line.role == "user"), "")
        hits = [hit for hit in self.index.find(question).hits if hit.passage.id == passage.id]
        if hits:
            return self._hit(hits[0], 1.0)
        return [self._line(sentence, kind, passage) for sentence in passage.sentences[:3]]

    def _line(self, text: str, kind: str, passage: Passage | None, confidence: float = 1.0) -> Line:
        return Line(text, self.question.language, kind, passage.id if passage else "", confidence)

    def _phrase(self, name: str, kind: str, passage: Passage | None = None, **inserts: str) -> list[Line]:
        text, language = phrase(name, self.question.language, **inserts)
        parts = [text] if name.startswith("ask_back") else sentences_of(text)
        return [Line(part, language, kind, passage.id if passage else "") for part in parts]

    def _spoken(self, text: str, kind: str, confidence: float = 1.0) -> list[Line]:
        return [Line(part, self.question.language, kind, "", confidence) for part in sentences_of(text)]


def _spoken_heading(passage: Passage) -> str:
    """A heading in the middle of a sentence: small first letter unless it is a name or an abbreviation."""
    words = passage.heading.split()
    first = words[0] if words else ""
    names = passage.title.split()[1:] or [passage.title]  # the first word of several has its capital from its place
    keeps = first != first.capitalize() or first == "I" or bool({first, first.rstrip("s")} & set(names))
    return passage.heading if keeps else first.lower() + passage.heading[len(first) :]


def _heading_words(passage: Passage) -> set[str]:
    return {word for word in normal(passage.heading).split() if len(word) > 2}


def _is_about_rate(text: str) -> bool:
    return any(begins_with(name, text) for name in ("slower", "faster", "normal"))

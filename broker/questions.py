"""Questions from those who look on: who may ask, in which order they are taken, and how each is put to the avatar.

A question is read out first ("Ana asks: …"), then answered as if the caller had typed it; both only while nobody else
has the floor. What happens between is the turn machine's business: here is only whose turn it is among the questions.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, TypedDict

from broker.messages import Typed
from broker.noted import Note
from broker.phrases import ASKS, phrase
from broker.turn_state import Presence, TurnState, in_hand
from broker.turns import Say

MODES = ("off", "moderated", "open")
LONGEST_QUESTION = 300
LONGEST_NAME = 40
MOST_WAITING = 50
ASKED_PER_S, ASKED_AT_ONCE = 1 / 15, 3
"""One address: three questions, then one every quarter of a minute."""
KEPT = 100
"""Questions remembered, those that are done included."""

_LINK = re.compile(r"https?:|www\.", re.IGNORECASE)


class Stand(StrEnum):
    """How far a question is."""

    WAITING = "waiting"
    """For the host."""
    APPROVED = "approved"
    """It will be asked when its turn comes."""
    READ_OUT = "read_out"
    ASKED = "asked"
    ANSWERED = "answered"
    DISMISSED = "dismissed"


class QuestionTold(TypedDict):
    """A question from somebody who looks on."""

    n: Annotated[int, Note("Counts a conversation's questions from 1.")]
    name: Annotated[str, Note("Who asks.")]
    text: str
    state: Annotated[str, Note("How far it is; waiting: for the host.", tuple(Stand))]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question. `n` counts a session's questions from 1."""

    n: int
    name: str
    text: str
    stand: Stand = Stand.WAITING

    def told(self) -> QuestionTold:
        """Plain data."""
        return {"n": self.n, "name": self.name, "text": self.text, "state": str(self.stand)}


class QuestionError(Exception):
    """A question or a wish that cannot be; `code` is the control API's."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Questions:
    """A session's questions, in the order they came."""

    mode: str = "off"
    asked: tuple[Question, ...] = ()
    next_n: int = 1

    def ask(self, name: str, text: str, refused_words: tuple[str, ...]) -> tuple[Questions, Question]:
        """Somebody asks. Raises QuestionError with a sentence for them."""
        if self.mode == "off":
            raise QuestionError("off", "Questions are not taken just now.")
        name, text = _plain(name)[:LONGEST_NAME] or "Somebody", _plain(text)
        if not any(letter.isalnum() for letter in text):
            raise QuestionError("bad_request", "Please write a question.")
        if len(text) > LONGEST_QUESTION:
            raise QuestionError("too_large", f"Please keep it under {LONGEST_QUESTION} characters.")
        if _LINK.search(f"{name} {text}") or _contains(f"{name} {text}", refused_words):
            raise QuestionError("bad_request", "This question is not taken. Please put it in other words.")
        if sum(each.stand in (Stand.WAITING, Stand.APPROVED) for each in self.asked) >= MOST_WAITING:
            raise QuestionError("busy", "Many questions wait already. Please try again later.")
        stand = Stand.APPROVED if self.mode == "open" else Stand.WAITING
        question = Question(n=self.next_n, name=name, text=text, stand=stand)
        kept = (*self.asked, question)[-KEPT:]
        return replace(self, asked=kept, next_n=self.next_n + 1), question

    def set(self, n: int, stand: Stand) -> Questions:
        """Question `n` is as far as that. Raises QuestionError for one that is not there."""
        if not any(each.n == n for each in self.asked):
            raise QuestionError("unknown", "There is no such question.")
        moved = tuple(replace(each, stand=stand) if each.n == n else each for each in self.asked)
        return replace(self, asked=moved)

    def judge(self, n: int, approve: bool) -> Questions:
        """The host has decided. Raises QuestionError for a question it is too late for."""
        found = next((each for each in self.asked if each.n == n), None)
        if found and found.stand not in (Stand.WAITING, Stand.APPROVED):
            raise QuestionError("conflict", "It is too late for this question.")
        return self.set(n, Stand.APPROVED if approve else Stand.DISMISSED)

    def turn(self) -> Question | None:
        """The question that is being dealt with, else the next one that may be; none while they are off."""
        for stand in (Stand.ASKED, Stand.READ_OUT, Stand.APPROVED):
            found = next((each for each in self.asked if each.stand is stand), None)
            if found and (self.mode != "off" or stand is not Stand.APPROVED):
                return found
        return None


def floor_free(state: TurnState) -> bool:
    """Nobody speaks, nothing is being thought or waits to be said, and the caller is there."""
    busy = in_hand(state) or state.waiting or state.utterance or state.ending or state.settling or state.says
    return not busy and not state.greeting and not state.held and state.presence is Presence.HERE


def advanced(questions: Questions, state: TurnState) -> tuple[Questions, Question, Say | Typed | None] | None:
    """The next step of whose turn it is, once the floor is free: as it then stands, and what to tell the machine."""
    question = questions.turn()
    if question is None or not floor_free(state):
        return None
    event: Say | Typed | None = None
    if question.stand is Stand.APPROVED:
        stand = Stand.READ_OUT
        words, language = phrase(ASKS, state.language)
        event = Say(text=words.format(name=question.name, text=question.text), language=language)
    elif question.stand is Stand.READ_OUT:
        stand, event = Stand.ASKED, Typed(text=question.text, id=f"question-{question.n}")
    else:
        stand = Stand.ANSWERED
    return questions.set(question.n, stand), replace(question, stand=stand), event


def _plain(text: str) -> str:
    """One line, without marks that cannot be seen."""
    seen = "".join(letter for letter in text if unicodedata.category(letter) not in ("Cf", "Co", "Cn", "Cs"))
    return " ".join(seen.split())


def _contains(text: str, words: tuple[str, ...]) -> bool:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return any(re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", folded) for word in words if word)

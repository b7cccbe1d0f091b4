"""The conversation of README's two minutes, in a real browser against any stack: what is asked, and what must be so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.asr import distance
from bench.spoken import speak, trimmed
from broker.config import Settings
from tests.stack.caller import RATE_HZ, Caller, wav_bytes
from tests.stack.lips import mouth_box
from tests.stack.listener import Listener

ASKED = (
    ("when is the library open on weekends", "slt", "places#library-opening-hours"),
    ("how much is the tuition per term", "rms", "study#tuition-and-fees"),
    ("where do i get my student card", "slt", "study#enrolment"),
    ("what can i eat for lunch in the dining hall", "rms", "places#the-dining-hall"),
    ("how do i apply for a place at the university", "slt", "study#applying-for-a-place"),
)
"""Question, who speaks it, and the passage of the campus guide that answers it."""


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


@dataclass
class Call:
    """A call under way, and what listens beside it."""

    caller: Caller
    listener: Listener
    session: dict[str, Any]

    def turns(self, *what: str) -> list[dict[str, Any]]:
        return [m for m in self.caller.messages("turn") if m["what"] in what]

    def await_turn(self, since: int, *what: str, within_s: float = 40) -> dict[str, Any]:
        """The first turn message after `since` of them that says one of `what`."""
        found = self.caller.until(lambda: self.turns(*what)[since:], f"no turn {what} came", within_s)
        return dict(found[0])

    def sentences(self, turn: int) -> list[dict[str, Any]]:
        return [m for m in self.caller.messages("sentence") if m["turn"] == turn]


@contextmanager
def called(url: str, settings: Settings) -> Iterator[Call]:
    """The campus guide, called in headless Chromium; `settings` say where that stack's bus is."""
    with Listener(settings) as listener, Caller(url) as caller:
        caller.open("?persona=campus").start()
        caller.page.evaluate("(box) => { window.ear.box = box }", mouth_box("robin"))
        yield Call(caller, listener, caller.messages("session")[0])


def it_greets_once_the_page_plays(call: Call) -> None:
    greeting = call.await_turn(0, "finished")
    assert greeting["heard"] == greeting["text"]
    assert "Northbridge" in greeting["heard"]
    first_played = call.caller.messages("played", "out")[0]["at"]
    assert call.sentences(greeting["turn"])[0]["at"] > first_played


def five_spoken_questions_are_understood_answered_and_heard(call: Call) -> None:
    caller, wrong, said_words, right = call.caller, 0, 0, 0
    for text, voice, passage in ASKED:
        caller.wait(0.5)
        done = len(call.turns("finished"))
        _, ended = caller.say(wav_bytes(trimmed(speak(text, voice)), 16_000), text)
        turn = call.await_turn(done, "finished")
        committed = next(m for m in call.turns("committed") if m["turn"] == turn["turn"])
        wrong += distance(words(text), words(committed["text"]))
        said_words += len(words(text))
        right += call.sentences(turn["turn"])[0]["passage"] == passage
        assert turn["heard"] == turn["text"], "an undisturbed answer is heard whole"
        answers = [(a, b) for a, b in caller.collect().audible() if a > ended]
        assert answers, f"no answer to {text!r} was heard"
        heard_s = sum(b - a for a, b in answers) / RATE_HZ
        assert heard_s > 0.15 * len(words(turn["heard"])), "as much sound as the words need"
    assert wrong / said_words <= 0.35, "the recogniser lost the thread"
    assert right >= 4, f"only {right} of 5 answers came from the right passage"


def a_typed_turn_shares_the_dialogue(call: Call) -> None:
    call.caller.wait(0.5)
    done = len(call.turns("finished"))
    call.caller.type("Tell me more.")
    turn = call.await_turn(done, "finished")
    assert turn["heard"]
    # What "more" is of depends on how the spoken question before it was understood: an answer of some kind it must be.
    assert call.sentences(turn["turn"])[0]["kind"] in ("follow_up", "answer", "ask_back")
    lines = call.caller.page.evaluate("() => [...document.querySelectorAll('#dialogue .line')].map((l) => l.innerText)")
    text = "\n".join(lines)
    assert "Tell me more." in text
    assert words(turn["heard"])[0] in words(text)


def a_barge_in_stops_the_answer_and_keeps_what_was_heard(call: Call) -> None:
    caller = call.caller
    caller.wait(0.5)
    cut, done = len(call.turns("interrupted")), len(call.turns("finished"))
    caller.renew_ear()
    caller.type("When is the library open?")
    caller.until(lambda: caller.state() == "speaking", "no answer began")
    caller.wait(2.5)
    begun, _ = caller.say(wav_bytes(trimmed(speak("what sports can i do here please", "rms")), 16_000), "barge-in")
    stopped = call.await_turn(cut, "interrupted", within_s=40)
    heard, text = words(stopped["heard"]), words(stopped["text"])
    assert 0 < len(heard) < len(text)
    assert text[: len(heard)] == heard, "what stays in the dialogue is how the answer began"
    answered = call.await_turn(done, "finished")
    assert answered["turn"] > stopped["turn"]
    stretches = caller.collect().audible(gap_ms=400)  # a pause between two sentences is part of the answer
    during = [(a, b) for a, b in stretches if a < begun < b]
    assert during, "the answer was not sounding when the person began to speak"
    assert during[-1][1] - begun < 1.0 * RATE_HZ, "the answer went on over the person"

"""Drives the turn machine by hand: time is a number, every action is kept."""

from __future__ import annotations

from typing import Any, TypeVar

from broker.messages import (
    Attend,
    Emitted,
    Event,
    Message,
    Played,
    Resume,
    Sentence,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    Transcript,
    Word,
)
from broker.move import Accept, Action
from broker.turns import Timer, TurnState, due_ns, step

M = TypeVar("M", bound=object)
MS = 1_000_000
WORD_SAMPLES = 9600
"""Each word of the scripted voice lasts 200 ms."""


class Talk:
    """One session's machine, a clock in milliseconds, a microphone and a scripted voice."""

    def __init__(self, present: bool = True, **state: Any) -> None:
        self.state = TurnState(**state)
        self.ms = 1000.0
        self.actions: list[Action] = []
        self.spoken_samples: dict[tuple[int, int], int] = {}
        if present:
            self(Played(programme_sample=0))

    def __call__(self, event: object) -> list[Action]:
        """One event, now. Returns what it made the machine do."""
        self.state, actions = step(self.state, event, int(self.ms * MS))
        self.actions.extend(actions)
        return list(actions)

    @property
    def programme_sample(self) -> int:
        return int(self.ms * 48)

    def wait(self, ms: float, listening: bool = True) -> list[Action]:
        """Let time pass; timers fire when they are due, and the page acknowledges every 100 ms while `listening`."""
        end, done = self.ms + ms, []
        while True:
            due = due_ns(self.state)
            timer_ms = due / MS if due is not None else float("inf")
            ack_ms = (self.ms // 100 + 1) * 100 if listening else float("inf")
            at = min(timer_ms, ack_ms)
            if at > end:
                break
            self.ms = max(self.ms, at)
            done += self(Timer() if timer_ms <= ack_ms else Played(programme_sample=self.programme_sample))
            after = due_ns(self.state)
            assert after is None or after > self.ms * MS or timer_ms > ack_ms, "a timer that changes nothing spins"
        self.ms = end
        return done

    def acknowledge(self) -> list[Action]:
        """The page has played everything until now."""
        return self(Played(programme_sample=self.programme_sample))

    # --- the person ---

    def starts(self, utterance: int = 0, mic_ms: int = 0) -> list[Action]:
        return self(SpeechStarted(utterance=utterance, mic_sample=mic_ms * 16))

    def words(
        self, text: str, utterance: int = 0, through_ms: int = 0, final: bool = False, pause_ms: int | None = None
    ) -> list[Action]:
        """`pause_ms`: the words stand for the pause that began there."""
        heard = Transcript(
            utterance=utterance,
            n=1000 if final else int(self.ms),
            text=text,
            final=final,
            language="en",
            through_sample=through_ms * 16,
            pause_sample=-1 if pause_ms is None else pause_ms * 16,
        )
        return self(heard)

    def pauses(self, utterance: int = 0, mic_ms: int = 1000, silence_ms: int = 100, p_end: float = 0.9) -> list[Action]:
        return self(SpeechPaused(utterance=utterance, mic_sample=mic_ms * 16, silence_ms=silence_ms, p_end=p_end))

    def goes_on(self, utterance: int = 0, mic_ms: int = 1500) -> list[Action]:
        return self(SpeechResumed(utterance=utterance, mic_sample=mic_ms * 16))

    def says(self, text: str, utterance: int = 0) -> list[Action]:
        """A whole utterance until its final words."""
        mic_ms = int(self.ms)
        done = self.starts(utterance, mic_ms)
        self.wait(800)
        done += self.words(text, utterance, mic_ms + 800)
        done += self.pauses(utterance, mic_ms + 800)
        done += self.wait(1000)
        return done + self.words(text, utterance, mic_ms + 800, final=True)

    # --- the brain and the voice ---

    def sentence(self, turn: int, n: int, text: str, last: bool = True, **more: Any) -> list[Action]:
        return self(Sentence(turn=turn, n=n, text=text, language="en", last=last, **more))

    def voice(
        self, turn: int, n: int, text: str, words: int | None = None, last: bool = True, listening: bool = True
    ) -> list[Action]:
        """The first `words` words of a sentence leave the programme, one segment a word; all of them if none is given.

        A word leaves at once and then takes its time; with `listening` the page acknowledges meanwhile.
        """
        done: list[Action] = []
        texts = text.split()
        begin = self.spoken_samples.get((turn, n), 0) // WORD_SAMPLES
        for index in range(begin, len(texts) if words is None else min(words, len(texts))):
            start = index * WORD_SAMPLES
            whole = index == len(texts) - 1
            word = Word(
                index=index, text=texts[index].strip(".,?!"), start_sample=start, end_sample=start + WORD_SAMPLES
            )
            done += self(
                Emitted(
                    turn=turn,
                    sentence=n,
                    start_sample=start,
                    programme_sample=self.programme_sample,
                    samples=WORD_SAMPLES,
                    words=(word,),
                    last=whole,
                    turn_last=whole and last,
                    resumed_from=max((each.heard_sample for each in of(self.actions, Resume)), default=-1),
                )
            )
            self.spoken_samples[turn, n] = start + WORD_SAMPLES
            done += self.wait(200, listening)
        return done


def of(actions: list[Action], kind: type[M]) -> list[M]:
    """The actions of one type."""
    return [action for action in actions if isinstance(action, kind)]


def told(actions: list[Action], kind: str) -> list[dict[str, Any]]:
    """The data of the events of one kind."""
    return [action.data for action in actions if isinstance(action, Event) and action.kind == kind]


def plain(actions: list[Action]) -> list[Message | Accept]:
    """The actions that are neither news nor about the face."""
    return [action for action in actions if not isinstance(action, Event | Attend)]

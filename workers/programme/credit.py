"""How far ahead the synthesiser may go: about a second of voice not yet played."""

from __future__ import annotations

from broker.messages import Credit
from workers.programme.answer import Answer

AHEAD_SAMPLES = 48_000

STEP_SAMPLES = 4_800
"""A grant smaller than this waits for the next one."""

UNTOLD = (0, AHEAD_SAMPLES)
"""What a synthesiser takes for granted before the first `Credit` of a turn."""


def grant(answer: Answer) -> tuple[int, int] | None:
    """Sentence and sample (as its synthesiser counts) up to which voice is wanted now; none when all of it is here."""
    left = AHEAD_SAMPLES
    for number in sorted(answer.tracks):
        track = answer.tracks[number]
        if not track.complete:
            return number, max(0, track.position + left - track.base)
        if track.turn_last:
            return None
        left -= track.available
    return answer.next_sentence, max(0, left)


class Ledger:
    """What was granted last, so that only news is sent."""

    def __init__(self) -> None:
        self._granted: dict[int, tuple[int, int]] = {}

    def news(self, answers: dict[int, Answer]) -> list[Credit]:
        """A grant for every turn whose voice may go further by a step or more."""
        self._granted = {turn: last for turn, last in self._granted.items() if turn in answers}
        buffered = sum(answer.buffered_samples for answer in answers.values())
        messages = []
        for turn, answer in answers.items():
            wanted = grant(answer)
            known, limit = self._granted.get(turn, UNTOLD)
            if wanted is None or not wanted[1] or wanted < (known, limit + STEP_SAMPLES):
                continue
            sentence, through = wanted
            self._granted[turn] = (sentence, through)
            messages.append(Credit(turn=turn, sentence=sentence, through_sample=through, buffered_samples=buffered))
        return messages

    def forget(self, answers: dict[int, Answer]) -> None:
        """A new synthesiser knows nothing of earlier grants."""
        self._granted = dict.fromkeys(answers, (-1, 0))

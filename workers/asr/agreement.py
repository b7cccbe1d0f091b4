"""Words that two hypotheses in a row agree on stay while one speaks on; the rest may change. (LocalAgreement-2,
https://aclanthology.org/2023.ijcnlp-demo.3)

At a pause the newest hypothesis, which has heard everything, takes the place of all before.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import accumulate, takewhile


class Agreement:
    """One utterance. Hypotheses over ever more of the same sound come in by `add`."""

    def __init__(self) -> None:
        self.agreed: list[str] = []
        """Words that stay, as written when they were agreed on."""
        self._last: list[str] = []

    def add(self, text: str) -> None:
        """A hypothesis; one without a word takes nothing back."""
        words = split(text)
        if not words:
            return
        known, ends = letters(self._last), ends_of(words)
        common = len(list(takewhile(lambda end: known.startswith(letters(words)[:end]), ends)))
        kept, at = joint(self.agreed, words)
        if common > at:
            self.agreed = self.agreed[:kept] + words[at:common]
        self._last = words

    def settle(self) -> None:
        """One has paused: the newest words are those that stay."""
        self.agreed = list(self._last)

    def text(self) -> str:
        """What stays, and what the newest hypothesis has behind it."""
        kept, at = joint(self.agreed, self._last)
        if at == len(self._last):  # it heard less than was agreed on
            kept = len(self.agreed)
        return "".join(self.agreed[:kept] + self._last[at:]).strip()


def joint(agreed: list[str], words: list[str]) -> tuple[int, int]:
    """How many of `agreed` may stand before which of `words`, so that nothing is lost or said twice: as many as can.

    By letters, so that "can not" is "cannot"; where a word of one ends within a word of the other, that is no joint.
    """
    blocks = SequenceMatcher(None, letters(agreed), letters(words), autojunk=False).get_matching_blocks()
    starts = {end: at for at, end in enumerate(ends_of(words), start=1)}
    for kept, end in reversed(list(enumerate(ends_of(agreed), start=1))):
        same = [block.b + end - block.a for block in blocks if block.a < end <= block.a + block.size]
        if same and same[0] in starts:
            return kept, starts[same[0]]
    return 0, 0


def letters(words: list[str]) -> str:
    return "".join(map(_plain, words))


def ends_of(words: list[str]) -> list[int]:
    """Where each word ends among their letters."""
    return list(accumulate(len(_plain(word)) for word in words))


_HAN = r"[\u3040-\u30ff\u3400-\u9fff]"


def split(text: str) -> list[str]:
    """Words, each with the space before it; of Chinese and Japanese, single signs."""
    return re.findall(rf"\s*(?:{_HAN}|(?:(?!{_HAN})\S)+)", text)


def _plain(word: str) -> str:
    return re.sub(r"[\W_]", "", word).lower()

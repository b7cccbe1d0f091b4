"""Words that two hypotheses in a row agree on stay; the rest may change. (LocalAgreement-2, https://aclanthology.org/2023.ijcnlp-demo.3)"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass
class Agreement:
    """One utterance. Hypotheses over ever more of the same sound come in by `add`."""

    agreed: list[str] = field(default_factory=list)
    """Words that stay, as first written."""
    _last: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        words = split(text)
        common = 0
        while common < min(len(words), len(self._last)) and _same(words[common], self._last[common]):
            common += 1
        self.agreed += words[len(self.agreed) : common]
        self._last = words

    def text(self) -> str:
        """What stays, followed by the newest hypothesis's words behind it."""
        return join(self.agreed + self._last[len(self.agreed) :])


_HAN = r"[\u3040-\u30ff\u3400-\u9fff]"


def split(text: str) -> list[str]:
    """Words; of Chinese and Japanese, single signs."""
    return re.findall(rf"{_HAN}|(?:(?!{_HAN})\S)+", text)


def join(words: list[str]) -> str:
    return re.sub(rf"(?<={_HAN})\s(?={_HAN})", "", " ".join(words))


def _same(one: str, other: str) -> bool:
    return one.lower().strip(".,!?…;:¿¡") == other.lower().strip(".,!?…;:¿¡")

"""How a language reads a written word aloud: patterns and what is said for them, tried in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from workers.tts.words import Words
from workers.tts.written import Line

Rule = tuple[re.Pattern[str], Callable[[re.Match[str], Line, int], Words | None]]
"""For a core that the pattern matches whole; None: the next one may."""


def by_rules(rules: Sequence[Rule], line: Line, index: int) -> Words | None:
    """The first reading of the word at `index` that is one; None where no rule has any."""
    core = line.at(index).core
    for pattern, say in rules:
        match = pattern.fullmatch(core)
        if match and (said := say(match, line, index)) is not None:
            return said
    return None

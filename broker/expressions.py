"""What a face can be told to do, and which sentences bring it about by themselves: rules from kind and words to tags.

The tags of a sentence are {"emotion", "strength", "gesture", "gaze"}; what the language model wrote itself comes first,
then the persona's [[expressions]], then `USUAL`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from broker.errors import ConfigError
from broker.tables import fill

EMOTIONS = ("neutral", "happy", "concerned", "surprised", "thinking")
GESTURES = ("nod", "shake", "tilt")
GAZES = ("camera", "away", "down", "up", "left", "right")
OCCASIONS = (
    "greeting", "apology", "moment", "say", "answer", "ask_back", "unknown", "small_talk", "follow_up",
)  # fmt: skip
"""Kinds of sentences: the broker's own, and those of `Sentence.kind`."""

_FIRST_WIDE_LETTER = "\u2e80"
"""From here on scripts put no spaces between words."""


@dataclass(frozen=True, kw_only=True)
class Expression:
    """One rule: for sentences of the kind `when` (empty: any) with one of `words` in them (empty: whatever they say).

    Empty fields leave things to the rules after it; the emotion "neutral" or the gaze "camera" keeps others out.
    """

    when: str = ""
    words: tuple[str, ...] = ()
    emotion: str = ""
    strength: float = 1.0
    """0..1, of the emotion."""
    gesture: str = ""
    gaze: str = ""

    def fits(self, kind: str, text: str) -> bool:
        """Whether it is about this sentence. Words count whole, whatever their case."""
        if self.when and self.when != kind:
            return False
        return not self.words or any(_pattern(word).search(text) for word in self.words)


USUAL = (
    Expression(when="unknown", emotion="concerned", strength=0.8),
    Expression(when="apology", emotion="concerned", strength=0.8),
    Expression(when="ask_back", gesture="tilt"),
    Expression(when="greeting", emotion="happy"),
    Expression(when="moment", emotion="thinking"),
    Expression(words=("sorry", "unfortunately", "lo siento", "por desgracia", "抱歉", "对不起"), emotion="concerned"),
    Expression(
        words=("hello", "hi there", "welcome", "my pleasure", "glad", "gladly", "nice to", "hola", "encantado", "你好"),
        emotion="happy",
    ),
    Expression(words=("yes", "of course", "exactly", "certainly", "claro", "por supuesto", "当然"), gesture="nod"),
)
"""What people expect of any face: sorry looks concerned, a greeting is friendly, who asks back tilts the head."""


def expressed(
    rules: Iterable[Expression], kind: str, text: str, written: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The tags of a sentence as a new dict: `written` ones, filled up by the first rules that fit."""
    tags = dict(written or {})
    for rule in (*rules, *USUAL):
        if not rule.fits(kind, text):
            continue
        if rule.emotion and "emotion" not in tags:
            tags["emotion"] = rule.emotion
            if rule.strength != 1.0:
                tags["strength"] = rule.strength
        for name, value in (("gesture", rule.gesture), ("gaze", rule.gaze)):
            if value:
                tags.setdefault(name, value)
    return tags


def rules_of(persona: Mapping[str, Any]) -> tuple[Expression, ...]:
    """The persona's own rules, from its snapshot. Raises ConfigError for a snapshot that was not checked."""
    return tuple(fill(Expression, dict(rule), "expressions") for rule in persona.get("expressions") or ())


def check(rules: Iterable[Expression], where: str) -> None:
    """Raises ConfigError naming the rule, the word that is not known and the ones that are."""
    for number, rule in enumerate(rules, 1):
        name = f"{where}: [[expressions]] number {number}"
        for key, value, known in (
            ("when", rule.when, OCCASIONS),
            ("emotion", rule.emotion, EMOTIONS),
            ("gesture", rule.gesture, GESTURES),
            ("gaze", rule.gaze, GAZES),
        ):
            if value and value not in known:
                raise ConfigError(f"{name} has {key} = {value!r}. Known: {', '.join(known)}.")
        if not (rule.when or rule.words):
            raise ConfigError(f"{name} says neither `when` nor `words` it is for.")
        if not (rule.emotion or rule.gesture or rule.gaze):
            raise ConfigError(f"{name} does nothing: give it an emotion, a gesture or a gaze.")
        if not 0 <= rule.strength <= 1:
            raise ConfigError(f"{name} has strength {rule.strength}; it must be between 0 and 1.")


@cache
def _pattern(word: str) -> re.Pattern[str]:
    escaped = re.escape(word)
    wide = any(letter >= _FIRST_WIDE_LETTER for letter in word)
    return re.compile(escaped if wide else rf"(?<!\w){escaped}(?!\w)", re.IGNORECASE)

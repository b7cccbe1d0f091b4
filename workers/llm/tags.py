"""What a bracketed word in written text tells the face: [happy], [nod], [looks away], [emotion: sad], [happy: 0.5]."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from broker.expressions import EMOTIONS, GAZES, GESTURES

RANGES = {"rate": (0.5, 2.0), "pitch": (0.5, 2.0), "volume": (0.1, 2.0), "pause": (0.0, 3.0)}
"""Numeric tags with the range they are held to; `pause` is in seconds, the others are factors."""

TOLD = (
    f"You may begin a sentence with one of {', '.join(f'[{name}]' for name in EMOTIONS[1:])}, with a gesture "
    f"({', '.join(f'[{name}]' for name in GESTURES)}) or with [look away]. Your face shows these and they are never "
    "spoken; use them where a person would, at most one a sentence and not in every sentence. Use no others."
)
"""For a language model's prompt."""

_OTHER_WORDS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("smile", "smiling", "joy", "joyful", "glad", "laugh", "laughing", "cheerful", "excited", "warm", "wave",
         "wink", "grin", "proud", "amused", "friendly"),
        ("emotion", "happy"),
    ),
    **dict.fromkeys(
        ("sad", "sorry", "worry", "worried", "angry", "afraid", "disgusted", "serious", "sympathetic", "empathetic",
         "frown", "sigh", "concern"),
        ("emotion", "concerned"),
    ),
    **dict.fromkeys(("surprise", "amazed", "astonished", "shocked", "gasp"), ("emotion", "surprised")),
    **dict.fromkeys(
        ("think", "thoughtful", "ponder", "pondering", "confused", "curious", "unsure"), ("emotion", "thinking")
    ),
    **dict.fromkeys(("calm", "relaxed"), ("emotion", "neutral")),
    **dict.fromkeys(("nodding",), ("gesture", "nod")),
    **dict.fromkeys(("head shake", "shaking head"), ("gesture", "shake")),
    **dict.fromkeys(("head tilt", "shrug"), ("gesture", "tilt")),
    **{f"look {gaze}": ("gaze", gaze) for gaze in GAZES if gaze != "camera"},
    **dict.fromkeys(("look aside",), ("gaze", "away")),
    **dict.fromkeys(
        ("look at you", "look at user", "look at camera", "look camera", "eye contact"), ("gaze", "camera")
    ),
}  # fmt: skip
"""What models write although they were told the names."""

_KNOWN: Mapping[str, tuple[str, str]] = {
    **{name: ("emotion", name) for name in EMOTIONS},
    **{name: ("gesture", name) for name in GESTURES},
    **_OTHER_WORDS,
}
_MOST_WORDS = 3


def tags_of(name: str, value: str | None) -> dict[str, Any] | None:
    """The tags of `[name]` or `[name: value]`; none where nothing of it is known."""
    name, value = _plain(name), _plain(value or "")
    if name in RANGES and value:
        number = _number(value)
        low, high = RANGES[name]
        return {} if number is None else {name: min(high, max(low, number))}
    if name in ("emotion", "gesture", "face", "mood"):
        name, value = value, ""
    elif name in ("gaze", "look", "looks") and value:
        name, value = f"look {value}", ""
    found = _known(name)
    if found is None:
        return None
    strength = _number(value) if found[0] == "emotion" and value else None
    return dict([found]) | ({} if strength is None else {"strength": min(1.0, max(0.0, strength))})


def _known(phrase: str) -> tuple[str, str] | None:
    """By its first words, the longest that are known: "smiles warmly" is a smile."""
    words = phrase.split()
    for count in range(min(_MOST_WORDS, len(words)), 0, -1):
        first, *rest = words[:count]
        for stem in (first, first.removesuffix("s"), first.removesuffix("es")):
            if found := _KNOWN.get(" ".join((stem, *rest))):
                return found
    return None


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("_", " ").replace("-", " ").split()) if not _is_number(text) else text.strip()


def _is_number(text: str) -> bool:
    return _number(text) is not None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None

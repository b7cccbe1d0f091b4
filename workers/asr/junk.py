"""What a recogniser makes of a cough, a click or a chair: words nobody would say alone."""

from __future__ import annotations

from typing import Final

from broker.languages import primary

DOUBTFUL: Final = 0.3
"""Less confidence than this, and there were no words."""

WEIGHTLESS: Final[dict[str, frozenset[str]]] = {
    "en": frozenset(
        [
            "a",
            "an",
            "the",
            "and",
            "of",
            "to",
            "in",
            "it",
            "is",
            "or",
            "at",
            "but",
            "if",
            "as",
            "on",
            "oh",
            "uh",
            "ah",
            "um",
            "h'm",
            "i",
            "he",
            "her",
            "his",
        ]
    ),
    "es": frozenset(["a", "el", "la", "los", "las", "de", "en", "y", "o", "que", "un", "una", "es"]),
    "zh": frozenset(["的", "了", "嗯", "啊", "呃", "哦"]),
}
MOST_WEIGHTLESS: Final = 2

# Whisper was trained on subtitles and hears their credits in silence.
SUBTITLES: Final = frozenset(
    ("thank you for watching", "thanks for watching", "subtitles by the amara.org community", "please subscribe")
)


def is_junk(text: str, language: str, confidence: float) -> bool:
    """The words are more likely noise than speech."""
    words = text.lower().strip(" .!?¡¿…,").split()
    if not words or confidence < DOUBTFUL:
        return True
    weightless = WEIGHTLESS.get(primary(language), frozenset())
    return (len(words) <= MOST_WEIGHTLESS and weightless.issuperset(words)) or " ".join(words) in SUBTITLES

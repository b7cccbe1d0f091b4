"""Text as it is spoken: every written word with the words a voice says for it. One front end for each language."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from workers.tts.engine import primary
from workers.tts.text_basic import say_basic
from workers.tts.text_en import say_english
from workers.tts.text_es import say_spanish
from workers.tts.text_zh import say_chinese
from workers.tts.words import Token, clean, split_words
from workers.tts.written import Line

Say = Callable[[Line, int, str], tuple[tuple[str, ...], bool]]
"""(line, index, language) → the spoken words of one written word, and whether its point is an abbreviation's."""

_FRONT_ENDS: dict[str, Say] = {"en": say_english, "es": say_spanish, "zh": say_chinese}

_MOST_SAID = 40
"""Spoken words for one written one; what is longer is no word."""


def spoken(text: str, language: str, from_word: int = 0) -> Iterator[Token]:
    """The words of a text from `from_word` on, lazily, so that a long text costs only what is said of it."""
    line = Line(split_words(clean(text)))
    say = _FRONT_ENDS.get(primary(language), say_basic)
    for index in range(max(from_word, 0), len(line)):
        said, abbreviation = say(line, index, language)
        stop = line.stop(index, abbreviation, said=bool(said))
        yield Token(index=index, text=line.words[index], spoken=said[:_MOST_SAID], stop=stop)

"""Which language can read a text at all: a Chinese sentence tagged English is better read in Chinese than not."""

from __future__ import annotations

import unicodedata
from collections import Counter

from workers.tts.engine import primary
from workers.tts.words import listed

_LANGUAGE = {
    "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CYRILLIC": "ru", "GREEK": "el", "ARABIC": "ar",
    "HEBREW": "he", "DEVANAGARI": "hi", "BENGALI": "bn", "TAMIL": "ta", "TELUGU": "te", "THAI": "th", "GEORGIAN": "ka",
    "ARMENIAN": "hy", "ETHIOPIC": "am", "GURMUKHI": "pa", "GUJARATI": "gu",
}  # fmt: skip
_ALSO = {"ja": ("CJK",), "yue": ("CJK",), "ko": ("CJK",), "uk": ("CYRILLIC",), "fa": ("ARABIC",), "ur": ("ARABIC",)}
_READS_LATIN = frozenset({"zh", "yue", "ja", "ko"})
_LOOKED_AT = 200


def readable_language(text: str, language: str) -> str:
    """`language`, unless none of the text's letters is in a script it uses: then the language of most of them."""
    scripts = Counter(_script(letter) for letter in text[:_LOOKED_AT] if letter.isalpha())
    own = [script for script, reader in _LANGUAGE.items() if reader == primary(language)]
    own += _ALSO.get(primary(language), ())
    if not scripts or any(scripts[script] for script in own) or _shares(scripts, language, bool(own)):
        return language
    script = scripts.most_common(1)[0][0]
    return _LANGUAGE.get(script, "en" if script == "LATIN" else language)


def _shares(scripts: Counter[str], language: str, own: bool) -> bool:
    """Languages without an entry are taken to be written in Latin, or in a script they share with the one that has."""
    if own:
        return bool(scripts["LATIN"]) and primary(language) in _READS_LATIN
    return bool(scripts["LATIN"]) or primary(language) not in _LATIN


_LATIN = frozenset(
    listed("en es fr de it pt nl sv da no nb fi pl cs sk hu ro tr id ms vi ca eu gl hr sl et lv lt sq cy ga")
)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split()[0]

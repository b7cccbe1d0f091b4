"""How a word outside the recogniser's dictionary is said: by its parts, by its ending, by its letters.

The synthesiser's rules are asked first where they exist; what is here makes names such as "helpdesk", "GPU's" and
"recognisers" heard without them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Pronounce = Callable[[str], tuple[str, ...]]
"""A word to the ways of saying it, each as ARPABET phones separated by blanks; empty: no idea."""

_LETTERS = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH",
    "i": "AY", "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY",
    "q": "K Y UW", "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW",
    "x": "EH K S", "y": "W AY", "z": "Z IY",
}  # fmt: skip

_SPELLINGS = (("isation", "ization"), ("ise", "ize"), ("ising", "izing"), ("iser", "izer"), ("yse", "yze"),
              ("our", "or"), ("ogue", "og"), ("programme", "program"), ("centre", "center"))  # fmt: skip
"""British to American: the dictionary has the latter."""

_SOUNDS = (
    ("tion", "SH AH N"), ("sion", "ZH AH N"), ("tch", "CH"), ("sch", "SH"), ("dge", "JH"), ("igh", "AY"),
    ("ch", "CH"), ("sh", "SH"), ("th", "TH"), ("ph", "F"), ("wh", "W"), ("ck", "K"), ("qu", "K W"), ("ng", "NG"),
    ("kn", "N"), ("wr", "R"), ("ee", "IY"), ("ea", "IY"), ("oo", "UW"), ("ou", "AW"), ("ow", "OW"), ("oa", "OW"),
    ("oi", "OY"), ("oy", "OY"), ("ai", "EY"), ("ay", "EY"), ("au", "AO"), ("aw", "AO"), ("ei", "EY"), ("ie", "IY"),
    ("ue", "UW"), ("ar", "AA R"), ("er", "ER"), ("ir", "ER"), ("or", "AO R"), ("ur", "ER"), ("a", "AE"), ("b", "B"),
    ("c", "K"), ("d", "D"), ("e", "EH"), ("f", "F"), ("g", "G"), ("h", "HH"), ("i", "IH"), ("j", "JH"), ("k", "K"),
    ("l", "L"), ("m", "M"), ("n", "N"), ("o", "AA"), ("p", "P"), ("q", "K"), ("r", "R"), ("s", "S"), ("t", "T"),
    ("u", "AH"), ("v", "V"), ("w", "W"), ("x", "K S"), ("y", "IY"), ("z", "Z"),
)  # fmt: skip
"""Longest first: a reading of the letters that is wrong at times but never silent."""

_VOICELESS, _HISSING = {"P", "T", "K", "F", "TH"}, {"S", "Z", "SH", "ZH", "CH", "JH"}


def pronounce(word: str, dictionary: Mapping[str, tuple[str, ...]], g2p: Pronounce | None = None) -> tuple[str, ...]:
    """Ways of saying `word` (lower case), the likeliest first. Empty for what has no Latin letters."""
    if word in dictionary:
        return dictionary[word]
    if not re.fullmatch(r"[a-z]+(?:'[a-z]+)*", word):
        return ()
    return (
        _by_ending(word, dictionary, g2p)
        or _by_spelling(word, dictionary)
        or _by_parts(word, dictionary)
        or _by_letters(word)
        or (g2p(word) if g2p else ())
        or (_by_rule(word),)
    )


def _by_ending(word: str, dictionary: Mapping[str, tuple[str, ...]], g2p: Pronounce | None) -> tuple[str, ...]:
    """Plurals and possessives of what is known or can be said otherwise."""
    for ending in ("'s", "s'", "s"):
        stem = word.removesuffix(ending)
        if stem != word and (stem in dictionary or (ending == "'s" and stem)):
            return tuple(f"{phones} {_s_after(phones)}" for phones in pronounce(stem, dictionary, g2p)[:2])
    return ()


def _s_after(phones: str) -> str:
    last = phones.split()[-1]
    return "IH Z" if last in _HISSING else "S" if last in _VOICELESS else "Z"


def _by_spelling(word: str, dictionary: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    for british, american in _SPELLINGS:
        other = word.replace(british, american)
        if other != word and other in dictionary:
            return dictionary[other]
    return ()


def _by_parts(word: str, dictionary: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Two known words of three letters or more, the first as long as can be."""
    for cut in range(len(word) - 3, 2, -1):
        if word[:cut] in dictionary and word[cut:] in dictionary:
            return (f"{dictionary[word[:cut]][0]} {dictionary[word[cut:]][0]}",)
    return ()


def _by_letters(word: str) -> tuple[str, ...]:
    """An abbreviation: short and without a vowel to lean on."""
    consonants = len(word) <= 5 and not re.search(r"[aeiouy]", word)
    if consonants or (len(word) <= 3 and not re.search(r"[aeiouy][a-z]", word)):
        return (" ".join(_LETTERS[letter] for letter in word.replace("'", "")),)
    return ()


def _by_rule(word: str) -> str:
    phones: list[str] = []
    rest = re.sub(r"(.)\1", r"\1", word.replace("'", "")) if "ee" not in word and "oo" not in word else word
    rest = re.sub(r"(?<=[aeiou][^aeiou])e$", "", rest)
    while rest:
        letters, sounds = next(pair for pair in _SOUNDS if rest.startswith(pair[0]))
        phones += sounds.split()
        rest = rest[len(letters) :]
    return " ".join(phones)

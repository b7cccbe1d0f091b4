"""Which mouth shapes a phone is made of: ARPABET (flite) and IPA (espeak) to the fifteen visemes.

The routing follows Meta's viseme reference (broker/visemes.py) and places the phones it does not name by how the lips
and jaw look. A diphthong is two shapes, one after the other.
"""

from __future__ import annotations

from functools import lru_cache

_ARPABET = {
    "PP": "p b m",
    "FF": "f v",
    "TH": "th dh",
    "DD": "t d",
    "kk": "k g ng hh",
    "CH": "ch jh sh zh",
    "SS": "s z",
    "nn": "n l",
    "RR": "r er axr",
    "aa": "aa ae ah",
    "E": "eh ax",
    "I": "ih iy y ix",
    "O": "ao",
    "U": "uh uw w",
    "aa I": "ay",
    "aa U": "aw",
    "O I": "oy",
    "E I": "ey",
    "O U": "ow",
}
_IPA = {
    "PP": "p b m β ɓ",
    "FF": "f v ʋ ɸ ⱱ ɱ",
    "TH": "θ ð",
    "DD": "t d ɾ ʔ ʈ ɖ ɗ ɽ c ɟ",
    "kk": "k g ɡ ŋ h x ɣ q χ ħ ʕ ɦ ɢ ɴ ç ɰ ʝ ɠ",
    "CH": "tʃ dʒ ʃ ʒ tɕ dʑ ɕ ʑ ts. dz. s. z. ʂ ʐ ʈʂ ɖʐ",
    "SS": "s z ts dz",
    "nn": "n l ɲ ɳ ɫ ʎ ɭ ɬ ɮ ʟ",
    "RR": "ɹ r ʁ ɝ ɚ ɻ ʀ ɜ əɹ ər",
    "aa": "ɑ a ɐ ʌ æ ɶ",
    "E": "e ɛ ə ɘ ɵ ɤ",
    "I": "i ɪ j ɨ ᵻ ĩ",
    "O": "o ɔ ɒ œ ø õ",
    "U": "u ʊ w y ʉ ɯ ɥ ʏ ʍ",
}
_MARKS = str.maketrans("", "", "ˈˌːˑ0123456789-_'|\"̩̪̯̃̊̈̆ʰʲʷˠˤ‿^`~;!*")
"""Stress, length, tones and diacritics that do not move the lips much."""
_SHAPE = {phone: tuple(shapes.split()) for shapes, phones in _ARPABET.items() for phone in phones.split()}
_SHAPE_IPA = {phone: shape for shape, phones in _IPA.items() for phone in phones.split()}


@lru_cache(maxsize=4096)
def shapes(phone: str, alphabet: str) -> tuple[str, ...]:
    """The visemes of a phone in the order they are made; `("sil",)` for a pause. An unknown letter shows nothing."""
    if not phone:
        return ("sil",)
    if alphabet == "arpabet":
        return _SHAPE.get(phone.rstrip("012"), ("sil",))
    return _ipa_shapes(phone.translate(_MARKS)) or ("sil",)


def _ipa_shapes(letters: str) -> tuple[str, ...]:
    """Longest match first; a shape said twice running is one; `h` after a consonant is its breath, not a shape."""
    found: list[str] = []
    place = 0
    while place < len(letters):
        size = next((n for n in (3, 2, 1) if letters[place : place + n] in _SHAPE_IPA), 0)
        shape = _SHAPE_IPA.get(letters[place : place + size]) if size else None
        breath = letters[place] == "h" and place > 0
        if shape and not breath and (not found or found[-1] != shape):
            found.append(shape)
        place += max(size, 1)
    return tuple(found)

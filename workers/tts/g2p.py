"""How a word is pronounced, in the recogniser's phones: ARPABET without stress, pocketsphinx's set.

Stands alone: flite's CMU lexicon and letter rules for English where its library is, else espeak-ng's rules, which know
every language; sounds English lacks become the nearest it has.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import lru_cache

from broker.errors import MissingError
from workers.tts import espeak_library, flite_library
from workers.tts.engine import UnknownLanguage, primary
from workers.tts.espeak_engine import language_tag
from workers.tts.flite_engine import lexical_words
from workers.tts.text import spoken

_FLITE = {"AX": "AH", "AXR": "ER", "IX": "IH", "EL": "L", "EM": "M", "EN": "N"}
_HISSING, _VOICELESS = ("S", "Z", "SH", "ZH", "CH", "JH"), ("P", "T", "K", "F", "TH")
_IPA = {
    phone: tuple(arpabet.split())
    for arpabet, phones in {
        "AA": "ɑ ɒ a", "AE": "æ", "AH": "ʌ ə ɐ ɤ ɵ ɘ", "AO": "ɔ", "AW": "aʊ ɑu au", "AY": "aɪ ai", "B": "b β ɓ",
        "CH": "tʃ tɕ ʈʂ ts.", "D": "d ɾ ɖ", "DH": "ð", "EH": "e ɛ œ", "ER": "ɚ ɝ ɜ ər ø", "EY": "eɪ ei", "F": "f ɸ",
        "G": "ɡ g ɣ", "HH": "h x χ ħ ɦ ç", "IH": "ɪ ᵻ ɨ i̪", "IY": "i", "JH": "dʒ dʑ ɟ", "K": "k q c", "L": "l ɫ ɭ",
        "M": "m", "N": "n ɳ", "N Y": "ɲ", "NG": "ŋ", "OW": "oʊ əʊ o ou", "OY": "ɔɪ", "P": "p", "R": "ɹ r ʁ ɻ ʀ",
        "S": "s", "SH": "ʃ ɕ ʂ s.", "T": "t ʈ ʔ", "TH": "θ", "T S": "ts", "UH": "ʊ", "UW": "u ʉ ɯ", "V": "v ʋ",
        "W": "w ʍ", "Y": "j ʎ ʝ", "Y UW": "y ɥ ʏ", "Z": "z", "ZH": "ʒ ʐ ʑ z.", "R IH": "i.",
    }.items()
    for phone in phones.split()
}  # fmt: skip
_SILENT = "ˈˌːˑ0123456789-_'|\"̩̃ʰʲ "


@lru_cache(maxsize=16_384)
def g2p(word: str, language: str = "en") -> tuple[str, ...]:
    """The phones of a written word (numbers and abbreviations as they are spoken); empty if nothing is said.

    Raises MissingError (neither library is there) or UnknownLanguage.
    """
    if primary(language) == "en":
        try:
            return tuple(
                phone for token in spoken(word, "en") for said in lexical_words(token) for phone in _looked_up(said)
            )
        except MissingError:
            pass
    said = " ".join(part for token in spoken(word, language) for part in token.spoken)
    return tuple(_from_ipa(_transcribed(said, language)))


def _looked_up(word: str) -> Iterator[str]:
    """flite's lexicon, then its letter-to-sound rules; contractions stand there without their apostrophe."""
    stem, apostrophe, ending = word.rstrip(",").partition("'s")
    if not (apostrophe and stem) or ending:
        yield from _entry(word.rstrip(",").replace("'", ""))
        return
    phones = list(_entry(stem.replace("'", "")))
    yield from phones
    last = phones[-1] if phones else ""
    yield from ("AH", "Z") if last in _HISSING else ("S",) if last in _VOICELESS else ("Z",)


def _entry(word: str) -> Iterator[str]:
    """A word of the lexicon. A trailing digit is stress."""
    flite = flite_library.library()
    head = flite.lex_lookup(flite_library.lexicon(), word.encode("ascii"), None, None)
    item = head
    while item:
        phone = flite.val_string(flite.val_car(item)).decode().rstrip("012").upper()
        yield _FLITE.get(phone, phone)
        item = flite.val_cdr(item)
    if head:
        flite.delete_val(head)


def _transcribed(text: str, language: str) -> str:
    """espeak's IPA for a text."""
    native = espeak_library.library()
    with native.guard:
        return _transcribed_by(native, text, language)


def _transcribed_by(native: espeak_library.Native, text: str, language: str) -> str:
    tag = language_tag(language)
    if not tag or not native.choose(tag):
        raise UnknownLanguage(f"espeak has no pronunciation for {language!r}")
    transcribe = native.lib.espeak_TextToPhonemes
    transcribe.restype = ctypes.c_char_p
    transcribe.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    rest, parts = ctypes.c_char_p(text.encode("utf-8")), []
    while rest.value:
        parts.append(transcribe(ctypes.byref(rest), espeak_library.CHARS_UTF8, espeak_library.IPA_TEXT) or b"")
    return b" ".join(parts).decode("utf-8", "ignore")


def _from_ipa(transcription: str) -> Iterator[str]:
    """IPA to ARPABET, longest match first; `(en)` and marks that are no sound are passed over."""
    place = 0
    while place < len(transcription):
        if transcription[place] == "(":
            place = max(transcription.find(")", place), place) + 1
            continue
        if transcription[place] in _SILENT:
            place += 1
            continue
        size = next((n for n in (3, 2, 1) if transcription[place : place + n] in _IPA), 0)
        yield from _IPA.get(transcription[place : place + size], ()) if size else ()
        place += max(size, 1)

"""Words for matching: what is left of a question when case, punctuation, greetings and function words are taken off."""

from __future__ import annotations

import re
import unicodedata

_FUNCTION_WORDS = frozenset(
    """a an the i you he she it we they my your our their me him her us them mine yours this that these those here
    there is are was were be been being am do does did doing done can could may might must shall should will would have
    has had of to in on at for with from by about as into onto up out off over and or if but not no nor so than then
    what which who whom whose when where why how please tell know say get got want need like just also too very some any
    el la los las un una unos unas de del al en con por para que qué como cómo cuando cuándo donde dónde quien quién y o
    es son está están hay ser yo tú usted mi su me te se lo le les
    der die das ein eine und oder ist sind im am zu von mit wie was wann wo wer ich sie es kann
    le les des du une et ou est sont dans sur avec quel quelle comment quand qui je vous il elle peut""".split()  # noqa: SIM905
)
_LEAD_IN = re.compile(
    r"(?:(?:um+|uh+|er|hmm+|well|so|okay|ok|and|please|hello|hi|hey|excuse me|sorry|listen|"
    r"(?:can|could|would|will) you (?:please )?(?:tell|explain|show)(?: to)? me|i (?:would|'d) like to know|"
    r"do you know|tell me|i wonder|my question is|i have a question) )+"
)


_LONG_FORMS = (
    (re.compile(r"\b(what|that|it|how|who|where|there|here)'?s\b"), r"\1 is"),
    (re.compile(r"\bi'?m\b"), "i am"),
    (re.compile(r"\b(you|they|we)'re\b"), r"\1 are"),
    (re.compile(r"\b(do|does|did|is|was|are|have|has|could|would|should)n'?t\b"), r"\1 not"),
    (re.compile(r"\bcan'?t\b"), "can not"),
    (re.compile(r"\b(i|you|we|they)'d\b"), r"\1 would"),
    (re.compile(r"\bgood bye\b"), "goodbye"),
)
"""A person says "that's all", a persona's file "that is all"."""


def normal(text: str) -> str:
    """Lower case, words and digits only, single spaces."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    return " ".join(re.findall(r"[\w']+", text))


def long_form(text: str) -> str:
    """Normal text without contractions."""
    for short, whole in _LONG_FORMS:
        text = short.sub(whole, text)
    return text


def without_accents(text: str) -> str:
    """The same without what people who type leave out: "mas", "que"."""
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", "".join(letters))


def question_core(text: str) -> str:
    """The normal text without a lead-in such as "well, could you please tell me", unless nothing else is in it."""
    whole = normal(text)
    core = _LEAD_IN.sub("", whole + " ", count=1).strip() if _LEAD_IN.match(whole + " ") else whole
    return core if len(core.split()) >= 2 else whole


def content_words(text: str) -> list[str]:
    """The words that carry the meaning, in order; in scripts without spaces, the whole run is one word."""
    return [word for word in normal(text).replace("'", " ").split() if word not in _FUNCTION_WORDS and len(word) > 1]

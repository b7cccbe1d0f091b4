"""Words compared as heard, and which of them only say "I am listening" rather than take the floor."""

from __future__ import annotations

import re
import unicodedata

from broker.languages import primary

_PHRASES = {
    "en": (
        "mhm, mm, mmm, mm hmm, mm hm, hm, hmm, uh huh, uhuh, huh, uh, um, ah, aha, oh, oh okay, okay, ok, yeah, yes, "
        "yep, yup, ya, right, sure, alright, all right, i see, got it, of course, exactly, true, really, wow, cool, "
        "nice, great, good, very good, fine, indeed, absolutely, makes sense, interesting, good to know"
    ),
    "es": (
        "mhm, mm, hm, hmm, ajá, aja, ah, oh, eh, sí, si, ya, ya veo, vale, claro, claro que sí, bien, bueno, muy bien, "
        "de acuerdo, entiendo, exacto, eso es, perfecto, okay, ok"
    ),
    "zh": "嗯, 嗯嗯, 哦, 噢, 啊, 对, 对对, 对对对, 是, 是的, 好, 好的, 明白, 知道了, 这样啊, 原来如此, 行, 可以",
}
_AFFIRMATIVE = {
    "en": "yes, yeah, yep, yup, sure, okay, ok, of course, absolutely, all right, alright, right, exactly",
    "es": "sí, si, claro, vale, de acuerdo, bueno, claro que sí, okay, ok, exacto",
    "zh": "对, 是, 是的, 好, 好的, 行, 可以, 嗯",
}
_JUNK = {
    "en": frozenset(
        words
        for line in (
            "a an the and i i'm in of it's er erm hum him home",
            "are as at he her his is on or our she to us was were",
        )
        for words in line.split()
    )
}
"""What a recogniser makes of a cough, a breath or an "mm": never a reason to stop talking, alone or beside a "yes"."""

_INSISTING = {
    "en": (
        "stop, wait, no, nope, hold, what, what's, why, when, where, sorry, pardon, excuse, hey, hello, hi, help, but, "
        "repeat, again, slower, faster, louder, quiet, pause, enough, cancel, next, skip, never, actually, question, "
        "thanks, thank, bye, goodbye, listen, please"
    ),
}
"""Words that are meant to be heard, however short; a recogniser seldom makes one of them of an "mhm"."""
TELLING_LETTERS = 6
"""So long a word is seldom a guess: backchannels are misheard as "you'll", "shop", "and how"."""

_NOT_WORDS = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|[^\w'\s]|_")
_IDEOGRAPH = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff])")


def words_of(text: str) -> tuple[str, ...]:
    """The words of `text` as compared: case, punctuation and noise marks gone; one word per ideograph."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return tuple(word for word in _IDEOGRAPH.sub(r" \1 ", _NOT_WORDS.sub(" ", text)).split() if word.strip("'"))


def same_words(one: str, other: str) -> bool:
    """Whether two transcripts ask the same thing, word for word."""
    return words_of(one) == words_of(other)


def joined(*texts: str) -> str:
    """Pieces of what a person said, as one."""
    return " ".join(text.strip() for text in texts if text.strip())


def takes_the_floor(text: str, language: str) -> bool:
    """Whether these words are more than a backchannel or a recogniser's idea of a cough."""
    words, junk = words_of(text), _JUNK.get(primary(language), frozenset())
    phrases = _PHRASE_WORDS.get(primary(language), _PHRASE_WORDS["en"])
    without = (words[:k] + words[k + 1 :] for k, word in enumerate(words) if word in junk)
    return not any(_made_of(heard, phrases) for heard in (words, *without))


def insists(text: str, language: str, certain: bool = True) -> bool:
    """Whether so few words, said in so little time that they may be a misheard backchannel, take the floor.

    `certain`: the recogniser is done with them; before that, a long word is as likely a guess as a short one.
    """
    insisting = _INSISTING_WORDS.get(primary(language))
    if insisting is None:
        return takes_the_floor(text, language)
    words = words_of(text)
    longest = max((sum(map(str.isalpha, word)) for word in words), default=0)
    telling = any((word,) in insisting for word in words) or (certain and longest >= TELLING_LETTERS)
    return telling and takes_the_floor(text, language)


def affirms(text: str, language: str) -> bool:
    """Whether these words answer a yes-or-no question."""
    words = words_of(text)
    return bool(words) and _made_of(words, _AFFIRMATIVE_WORDS.get(primary(language), _AFFIRMATIVE_WORDS["en"]))


def _made_of(words: tuple[str, ...], phrases: frozenset[tuple[str, ...]]) -> bool:
    """Whether `words` is a run of whole phrases; longest first, as "oh okay" before "oh"."""
    if not words:
        return True
    longest = min(4, len(words))
    return any(words[:n] in phrases and _made_of(words[n:], phrases) for n in range(longest, 0, -1))


def _table(phrases: dict[str, str]) -> dict[str, frozenset[tuple[str, ...]]]:
    return {language: frozenset(map(words_of, text.split(", "))) for language, text in phrases.items()}


_PHRASE_WORDS = _table(_PHRASES)
_AFFIRMATIVE_WORDS = _table(_AFFIRMATIVE)
_INSISTING_WORDS = _table(_INSISTING)

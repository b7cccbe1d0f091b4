"""What a persona's callers are likely to say: sentences from its knowledge, its small talk and plain question frames.

Words only, as the recogniser spells them: lower case, numbers written out, no punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from broker.arpabet import PHONES
from workers.documents import Document
from workers.knowledge_folder import read_folder

Sentence = tuple[tuple[str, ...], float]
"""Words and how often they count."""

ASKED: Final = 4.0
"""Weight of what callers are known to ask, against 1 for a sentence of the documents."""
LISTS: Final = {"asked": ASKED, "not answered": 1.0}
"""What begins a document's own list of how people put it."""
MOST_SENTENCES: Final = 20_000
MOST_WORDS: Final = 100_000
"""Of one document: a novel has as many, and a table of numbers that long takes seconds to be written out."""
LONGEST_WORD: Final = 40
"""Letters; what is longer (data that is written as text) nobody says."""

FRAMES: Final = (
    "what is {}",
    "what are {}",
    "where is {}",
    "where are {}",
    "tell me about {}",
    "tell me more about {}",
    "how does {} work",
    "how do i use {}",
    "what about {}",
    "can you explain {}",
    "i have a question about {}",
    "i have a problem with {}",
)
"""What one asks of a topic: the documents' headings and the persona's extra words."""

TALK: Final = (
    "yes", "no", "yes please", "no thank you", "no thanks", "thank you", "thanks", "thank you very much", "okay", "ok",
    "all right", "sure", "right", "hello", "hi", "hi there", "hey", "good morning", "good afternoon", "good evening",
    "goodbye", "bye", "bye bye", "see you", "how are you", "what is your name", "what's your name", "who are you",
    "what can you do", "what can i ask you", "can you help me", "help", "stop", "wait", "wait a minute", "one moment",
    "hold on", "never mind", "forget it", "tell me more", "more", "more please", "go on", "continue", "repeat that",
    "please repeat that", "can you repeat that", "say that again", "could you say that again", "what did you say",
    "pardon", "sorry", "i didn't understand", "i don't understand", "slower", "slower please", "more slowly please",
    "can you speak slower", "speak slower please", "louder please", "why", "why not", "how", "when", "where", "who",
    "really", "that's wrong", "that's right", "uh huh", "mm hmm", "i see", "what else", "anything else", "and then",
)  # fmt: skip
"""What anyone says to anyone."""


def persona_sentences(persona: dict[str, Any], knowledge: Path | None) -> list[Sentence]:
    """The persona (plain data) and its knowledge folder to weighted sentences. Missing keys and files add nothing."""
    found: list[Sentence] = [(words_of(line), 1.0) for line in TALK]
    topics = [str(word).partition(":")[0] for word in persona.get("asr", {}).get("words", ())]
    for line in persona.get("suggestions", ()):
        found.append((words_of(str(line)), ASKED))
    for talk in persona.get("small_talk", ()):
        found += [(words_of(str(line)), ASKED) for line in talk.get("say", ())]
    if knowledge is not None:
        for document in read_folder(knowledge)[0]:
            headings, sentences = read(document)
            topics += headings
            found += sentences
    framed = ((words_of(frame.format(topic)), 0.5) for topic in dict.fromkeys(topics) for frame in FRAMES)
    return list(islice((sentence for sentence in chain(found, framed) if sentence[0]), MOST_SENTENCES))


def own_pronunciations(persona: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """What the persona's words say of their sound: "Visavis: V IY Z AA V IY", in ARPABET. Several entries add up."""
    said: dict[str, tuple[str, ...]] = {}
    for entry in persona.get("asr", {}).get("words", ()):
        word, _, phones = str(entry).partition(":")
        word = word.strip().lower()
        if PHONES.issuperset(phones.split()) and phones.split() and words_of(word) == (word,):
            said[word] = (*said.get(word, ()), " ".join(phones.split()))
    return said


def read(document: Document) -> tuple[list[str], list[Sentence]]:
    """A document to its headings and weighted sentences."""
    headings = list(dict.fromkeys(heading for block in document.blocks for heading in block.headings if heading))
    sentences: list[Sentence] = [(words_of(heading), 1.0) for heading in headings[:MOST_SENTENCES]]
    words = 0
    for line in (line.strip() for block in document.blocks for line in block.text.splitlines()):
        begins, _, listed = line.partition(":")
        if begins.lower() in LISTS:
            said = [(words_of(question), LISTS[begins.lower()]) for question in listed.split(";")]
        else:
            said = [(words_of(sentence), 1.0) for sentence in re.split(r"(?<=[.!?:;])\s+", line)]
        sentences += said
        words += sum(len(sentence) for sentence, _ in said)
        if words > MOST_WORDS:
            break
    return headings, sentences


def words_of(text: str) -> tuple[str, ...]:
    """Text to words as the recogniser spells them."""
    text = text.replace("’", "'").lower()
    text = re.sub(r"https?://\S+|(?<!\S)\S+@\S+|`[^`]*`", " ", text)
    return tuple(_spelled(re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*", text)))


def _spelled(tokens: list[str]) -> Iterator[str]:
    from num2words import num2words

    for token in tokens:
        if token[0].isdigit():
            number = float(token)  # takes any number of digits, as `int` does not
            if number < 1e9:
                spoken = num2words(number) if "." in token else _whole(int(number))
                yield from re.findall(r"[a-z]+", spoken)
        elif len(token) <= LONGEST_WORD:
            yield token


def _whole(number: int) -> str:
    from num2words import num2words

    return str(num2words(number, to="year") if 1100 <= number <= 2099 else num2words(number))

"""Documents cut into passages: a few speakable sentences under one heading, with a stable id."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from workers.documents import Document
from workers.llm.markup import plain
from workers.llm.sentences import sentences_of

PASSAGE_WORDS = 110
"""A section with more words is cut between sentences; embeddings blur beyond that, and nobody listens that long."""

MOST_PASSAGES = 5000

_ASKED = re.compile(r"asked:\s*", re.IGNORECASE)
_NOT_ANSWERED = re.compile(r"not answered:\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Passage:
    """What can be answered from: `id` is "document#heading-slug", sentences are plain and in order."""

    id: str
    title: str
    """The document's title: its outermost heading, or its name."""
    heading: str
    """The innermost heading, plain; what an ask-back names."""
    sentences: tuple[str, ...]
    asked: tuple[str, ...] = ()
    """Ways people ask for it, from the section's "Asked:" line: searched like its text, never spoken."""

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


def passages_of(documents: Iterable[Document]) -> list[Passage]:
    """Passages of all documents, in order, ids unique, at most MOST_PASSAGES."""
    passages: list[Passage] = []
    ids: set[str] = set()
    for document in documents:
        for headings, sentences, asked in _sections(document):
            for number, part in enumerate(_parts(sentences)):
                title = headings[0] if headings else document.name.split("/")[-1].replace("-", " ").replace("_", " ")
                heading = headings[-1] if headings else title
                passage_id = _free(f"{document.name}#{slug(heading)}", ids)
                passages.append(Passage(passage_id, title, heading, tuple(part), asked if number == 0 else ()))
                if len(passages) == MOST_PASSAGES:
                    return passages
    return passages


def unanswered(documents: Iterable[Document]) -> tuple[str, ...]:
    """What people ask and no passage answers, from lines that begin with "Not answered:", wherever they stand."""
    texts = (block.text for document in documents for block in document.blocks)
    return tuple(way for text in texts if (line := _NOT_ANSWERED.match(text)) for way in _ways(text[line.end() :]))


def slug(heading: str) -> str:
    """A heading as the second half of a passage's id: lower case, hyphens; letters of any script stay."""
    plainer = "".join(c for c in unicodedata.normalize("NFKD", heading) if not unicodedata.combining(c))
    return re.sub(r"[^\w]+", "-", plainer.lower()).strip("-") or "passage"


def _sections(document: Document) -> Iterator[tuple[tuple[str, ...], list[str], tuple[str, ...]]]:
    """Runs of blocks under the same headings: headings, sentences, ways to ask."""
    for under, blocks in groupby(document.blocks, key=lambda block: block.headings):
        texts = [block.text for block in blocks]
        asked = [way for text in texts if (ways := _ASKED.match(text)) for way in _ways(text[ways.end() :])]
        said = [text for text in texts if not _ASKED.match(text) and not _NOT_ANSWERED.match(text)]
        sentences = [_closed(one) for text in said for one in sentences_of(text)]
        headings = tuple(plain(heading).rstrip(":") for heading in under)
        if sentences:
            yield tuple(heading for heading in headings if heading), sentences, tuple(asked)


def _ways(text: str) -> list[str]:
    return [way.strip() for way in re.split(r"[;；]", plain(text)) if way.strip()]


def _closed(sentence: str) -> str:
    """List items and table rows often lack their full stop; spoken in a row they need one."""
    return sentence if re.search(r"[.!?…。！？：:;；\"'”’)）」』]$", sentence) else sentence + "."


def _parts(sentences: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    words = 0
    for sentence in sentences:
        length = _length(sentence)
        if part and words + length > PASSAGE_WORDS:
            yield part
            part, words = [], 0
        part.append(sentence)
        words += length
    if part:
        yield part


def _length(sentence: str) -> int:
    """Words; in scripts without spaces, two characters count as one."""
    return max(len(sentence.split()), sum(ord(character) > 0x2E80 for character in sentence) // 2)


def _free(wanted: str, ids: set[str]) -> str:
    number, free = 1, wanted
    while free in ids:
        number += 1
        free = f"{wanted}-{number}"
    ids.add(free)
    return free

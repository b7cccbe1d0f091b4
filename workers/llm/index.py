"""Finds the passage that answers a question, says how sure it is, and which of its sentences are to the point.

A passage is compared with the question by meaning: the two nearest ways people ask for it (its heading is one; where
none are listed its sentences stand in), and its best sentence; word by word, as each is by itself and as it is meant
where it stands (`coverage`); and by what was learnt from all of these texts (`classifier`). How near the question is to
what people ask of anybody, and to what the documents list as not answered, says how likely it is that no passage
answers it (`confidence`). Without embeddings (no weights, or a language they were not made for) character n-grams do
all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workers.llm.bm25 import CharacterGrams
from workers.llm.classifier import Classifier
from workers.llm.confidence import by_letters, signs, sureness
from workers.llm.coverage import TokenCover, WordCover, bag
from workers.llm.elsewhere import ELSEWHERE
from workers.llm.embeddings import Reading
from workers.llm.passages import Passage
from workers.llm.words import content_words, normal, question_core

Vector = NDArray[np.float32]

LONGEST_QUERY_WORDS = 32
"""Words of a question that are looked at, half from its beginning and half from its end: some 15 ms of one core."""

RANKING = (3.5, 0.9, 3.9, 2.3, 5.4, 14.5)
"""Weights of the nearest way to ask, the mean of the two nearest, the best sentence, the words covered, the likeness
and the tokens held: a passage's score is the logarithm of its odds. Fitted on tests/llm/dev_questions.toml."""
COMMON_SHARE = 0.5
"""How much of what all passages have in common is taken off each vector, so that what tells them apart weighs more."""

WORD_FOR_WORD = 0.9
"""Cosine from which a question is a listed one, but for a word that changes nothing."""
OWN_TOPIC = 0.6
"""Cosine from which a question of anybody is one that the persona's documents speak of."""


class Embedder(Protocol):
    """What an index needs of a model; MiniLM is one."""

    name: str
    size: int
    """Of a sentence's unit vector, with which `layers` begin."""

    def layers(self, texts: list[str]) -> Vector:
        """Unit vectors of some layers one after the other, the last layer first: shape [texts, layers * size]."""

    def read(self, texts: list[str]) -> list[Reading]:
        """Each text's `layers`, and its tokens' vectors."""

    def word(self, word: str) -> Vector:
        """The unit vector of a single word, at the price of a look-up."""


@dataclass(frozen=True)
class Hit:
    """A passage and how well it matches; `relevance` of each of its sentences, in order."""

    passage: Passage
    score: float
    relevance: tuple[float, ...]


@dataclass(frozen=True)
class Found:
    """The best passages for a question, best first, and the probability that the first one is right."""

    hits: tuple[Hit, ...]
    confidence: float
    vector: Vector | None
    """The question's embedding, for whoever else compares with it."""
    nearest: float = 0.0
    """Cosine of the question and the nearest of the first passage's texts."""
    signs: tuple[float, ...] = ()
    """What the confidence was computed from."""
    views: Vector | None = None
    """What the scores were computed from, shape [passages, len(RANKING)]."""


class Index:
    """The searchable passages of one persona in one language. Immutable."""

    def __init__(
        self,
        passages: Sequence[Passage],
        embedder: Embedder | None = None,
        embed_all: Callable[[list[str]], Vector] | None = None,
        bags_of: Callable[[list[tuple[str, ...]]], list[Vector]] | None = None,
        unanswered: Collection[str] = (),
        of_anybody: Collection[str] = ELSEWHERE,
    ) -> None:
        """`embed_all` gives the `layers` of many texts, `bags_of` the `coverage.bag` of each of many groups of texts;
        they may know most of them already.
        `unanswered`: what the documents say they do not answer; `of_anybody`: what people ask of anybody."""
        self.passages = tuple(passages)
        self._at = {passage.id: at for at, passage in enumerate(self.passages)}
        self._embedder = embedder if passages else None
        self.unanswered, self._of_anybody = tuple(unanswered), tuple(of_anybody)
        texts = [f"{p.title} {p.heading} {p.heading} {p.text} {' '.join(p.asked)}" for p in self.passages]
        self._grams = CharacterGrams(texts)
        self._sentence_grams = [CharacterGrams(passage.sentences) for passage in self.passages]
        self._readings: dict[str, Reading] = {}
        if self._embedder is not None and embed_all is not None and bags_of is not None:
            self._tokens = TokenCover(bags_of([_read_together(p) for p in self.passages]))
            self._embed(self._embedder, embed_all)

    def _embed(self, embedder: Embedder, embed_all: Callable[[list[str]], Vector]) -> None:
        whole = [f"{p.heading}. {p.text}" for p in self.passages]
        asked = [(at, way) for at, p in enumerate(self.passages) for way in _ways(p)]
        sentences = [(at, f"{p.heading}. {s}") for at, p in enumerate(self.passages) for s in p.sentences]
        texts = [*whole, *(way for _, way in asked), *(text for _, text in sentences)]
        size, layers = embedder.size, embed_all(texts)
        self._raw = layers[:, :size]
        self._owner = np.array([*range(len(whole)), *(at for at, _ in asked), *(at for at, _ in sentences)])
        self._spans = (len(whole), len(whole) + len(asked))
        self._common = self._raw[: len(whole)].mean(axis=0) * np.float32(COMMON_SHARE)
        self._rows = _unit(self._raw - self._common)
        unanswered, of_anybody = embed_all(list(self.unanswered)), embed_all(list(self._of_anybody))
        foreign = (self._raw[len(whole) :] @ of_anybody[:, :size].T).max(axis=0) < OWN_TOPIC
        in_vain = np.concatenate((unanswered, of_anybody[foreign]))
        self._in_vain = in_vain[:, :size]
        self._elsewhere = _unit(self._in_vain - self._common)
        classes = np.concatenate((self._owner[len(whole) :], np.full(len(in_vain), len(self.passages))))
        learnt = np.concatenate((layers[len(whole) :], in_vain))
        self._classifier = Classifier(learnt, classes, len(self.passages) + 1, learnt.shape[1] // size)
        known = zip((*texts, *self.unanswered, *self._of_anybody), (*layers, *unanswered, *of_anybody), strict=True)
        self._vectors = dict(known)
        texts = [f"{p.title} {p.heading} {p.text} {' '.join(p.asked)}" for p in self.passages]
        self._cover = WordCover(texts, embedder.word)

    def passage(self, passage_id: str) -> Passage | None:
        """A passage by its id."""
        at = self._at.get(passage_id)
        return None if at is None else self.passages[at]

    def without(self, asked: Collection[str]) -> Index:
        """The same index as if these questions were not known to it: for measuring with questions that are."""
        less = [replace(p, asked=tuple(way for way in p.asked if way not in asked)) for p in self.passages]
        unanswered, of_anybody = ([t for t in texts if t not in asked] for texts in (self.unanswered, self._of_anybody))
        embedder = self._embedder

        def known(texts: list[str]) -> Vector:
            assert embedder is not None
            vectors = [self._vectors[text] if text in self._vectors else embedder.layers([text])[0] for text in texts]
            return np.array(vectors, np.float32).reshape(len(texts), len(next(iter(self._vectors.values()))))

        def bags(groups: list[tuple[str, ...]]) -> list[Vector]:
            assert embedder is not None
            missing = list({text: None for group in groups for text in group if text not in self._readings})
            self._readings.update(zip(missing, embedder.read(missing), strict=True))
            return [bag([self._readings[text] for text in group]) for group in groups]

        if embedder is None:
            return Index(less, unanswered=unanswered, of_anybody=of_anybody)
        return Index(less, embedder, known, bags, unanswered, of_anybody)

    @property
    def questions(self) -> tuple[str, ...]:
        """All that it knows people to ask, answered or not."""
        return (*(way for p in self.passages for way in p.asked), *self.unanswered, *self._of_anybody)

    def find(self, question: str, most: int = 3) -> Found:
        """The best passages for a question. An empty question or an empty index finds nothing, with confidence 0."""
        core = _shortened(question_core(question))
        if not core or not self.passages:
            return Found((), 0.0, None)
        return self._find_by_grams(core, most) if self._embedder is None else self._find(core, self._embedder, most)

    def nearness(self, passage: Passage, text: str, vector: Vector | None) -> float:
        """Cosine of a text's vector with the nearest of a passage's texts; without embeddings 1 if it has one of the
        text's words, else 0."""
        if vector is None or self._embedder is None:
            held = normal(f"{passage.heading} {passage.text} {' '.join(passage.asked)}")
            return float(any(word in held for word in content_words(text)))
        return float((self._raw[self._owner == self._at[passage.id]] @ vector).max())

    def relevance(self, passage: Passage, text: str, vector: Vector | None) -> tuple[float, ...]:
        """How near each of a passage's sentences is to a text with this vector, in order."""
        at = self._at[passage.id]
        if vector is None or self._embedder is None:
            return tuple(float(value) for value in self._sentence_grams[at].scores(text))
        return self._hit(at, 0.0, self._rows @ _unit(vector - self._common)).relevance

    def related(self, passage: Passage, exclude: set[str]) -> Passage | None:
        """The passage nearest to another one that is not in `exclude`."""
        at = self._at.get(passage.id)
        if at is None:
            return None
        if self._embedder is not None:
            nearness = self._rows[: self._spans[0]] @ self._rows[at]
        else:
            nearness = self._grams.scores(passage.text)
        order = (self.passages[int(other)] for other in np.argsort(-nearness))
        return next((other for other in order if other.id != passage.id and other.id not in exclude), None)

    def _find(self, core: str, embedder: Embedder, most: int) -> Found:
        read = embedder.read([core])[0]
        vector, likeness = read.layers[: embedder.size], self._classifier.of(read.layers)
        centred = _unit(vector - self._common)
        near = self._rows @ centred
        covered, least = self._cover.of(core)
        held, lacking = self._tokens.of(read)
        views = np.column_stack((self._views(near), covered, likeness[:-1], held))
        scores = views @ np.array(RANKING, np.float32)
        listed = self._listing(vector)
        if listed is not None:
            scores[listed] = max(scores[listed], scores.max() + 1)
        order = np.argsort(-scores)[: max(2, most)]
        first = int(order[0])
        wholes = self._spans[0]
        nearest = float((self._raw[wholes:][self._owner[wholes:] == first] @ vector).max())
        elsewhere = float((self._elsewhere @ centred).max(initial=0.0))
        asked = float(views[first, 0])
        agreeing = int(views[:, 0].argmax() == first) + int(likeness[:-1].argmax() == first)
        seen = signs(
            core,
            scores,
            nearest,
            asked,
            elsewhere,
            float(covered[first]),
            float(least[first]),
            likeness,
            held,
            float(lacking[first]),
            agreeing,
        )
        hits = tuple(self._hit(int(at), float(scores[at]), near) for at in order[:most])
        sure = sureness(seen, listed=bool(self.passages[first].asked)) if listed is None else 1.0
        return Found(hits, sure, vector, nearest, seen, views)

    def _listing(self, vector: Vector) -> int | None:
        """The passage that lists the very question as a way to ask; there is nothing to be unsure of then."""
        wholes, askeds = self._spans
        near = self._raw[wholes:askeds] @ vector
        at = int(near.argmax())
        in_vain = float((self._in_vain @ vector).max(initial=-1.0))
        return int(self._owner[wholes + at]) if near[at] >= max(WORD_FOR_WORD, in_vain) else None

    def _views(self, near: Vector) -> Vector:
        """Nearest way to ask, mean of the two nearest, the best sentence: shape [passages, 3]."""
        wholes, askeds = self._spans
        asked = self._best(near, wholes, askeds)
        rest = near[:askeds].copy()
        rest[:wholes] = -1.0
        rest[wholes:][near[wholes:askeds] == asked[self._owner[wholes:askeds]]] = -1.0
        second = self._best(rest, wholes, askeds)
        second = np.where(second > -1.0, second, asked)
        return np.column_stack((asked, (asked + second) / 2, self._best(near, askeds, len(near))))

    def _best(self, near: Vector, start: int, end: int) -> Vector:
        """The best row of each passage within one view, shape [passages]."""
        best = np.full(len(self.passages), -1.0, np.float32)
        np.maximum.at(best, self._owner[start:end], near[start:end])
        return best

    def _hit(self, at: int, score: float, near: Vector) -> Hit:
        start = self._spans[1]
        relevance = near[start:][self._owner[start:] == at]
        return Hit(self.passages[at], score, tuple(float(value) for value in relevance))

    def _find_by_grams(self, core: str, most: int) -> Found:
        scores = self._grams.scores(core)
        order = np.argsort(-scores)[: max(2, most)]
        lead = float(scores[order[0]] - scores[order[1]]) if len(order) > 1 else 0.1
        hits = tuple(
            Hit(
                self.passages[int(at)],
                float(scores[at]),
                tuple(float(value) for value in self._sentence_grams[int(at)].scores(core)),
            )
            for at in order[:most]
        )
        return Found(hits, by_letters(hits[0].score, lead), None)


def _read_together(passage: Passage) -> tuple[str, ...]:
    """The texts whose tokens a passage holds."""
    return (f"{passage.heading}. {passage.text}", passage.heading, *passage.asked)


def _ways(passage: Passage) -> tuple[str, ...]:
    """How people ask for a passage, as far as it says so; else its sentences, most of which answer one question."""
    return (passage.heading, *(passage.asked or passage.sentences))


def _unit(vectors: Vector) -> Vector:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + np.float32(1e-9))


def _shortened(text: str) -> str:
    words = text[:20_000].split()
    if len(words) > LONGEST_QUERY_WORDS:
        half = LONGEST_QUERY_WORDS // 2
        words = words[:half] + words[-half:]
    return " ".join(word[:40] for word in words)

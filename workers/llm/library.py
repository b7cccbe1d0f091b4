"""Each persona's knowledge, ready to be asked: documents to index, prepared in a thread beside and kept on disk.

A changed document is noticed when a conversation begins; the old index serves until the new one is there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.errors import MissingError
from broker.languages import primary
from workers.documents import printable
from workers.knowledge_folder import paths_in, read_folder
from workers.llm.coverage import bag
from workers.llm.embeddings import LAYERS, MiniLM
from workers.llm.index import Index
from workers.llm.passages import passages_of, unanswered
from workers.llm.small_talk import SmallTalk
from workers.llm.vectors import KeptVectors

logger = logging.getLogger(__name__)

EMBEDDED_LANGUAGES = ("en",)
"""Languages MiniLM was trained for; the others are searched by character n-grams."""

MOST_KEPT = 64
"""Personas and languages kept in memory; the one prepared longest ago goes first."""


@dataclass(frozen=True)
class Knowledge:
    """What a persona knows in one language, and which documents could not be read."""

    index: Index
    small_talk: SmallTalk
    problems: tuple[str, ...] = ()


@dataclass
class _Shelf:
    signature: str
    knowledge: Knowledge | None = None
    coming: Future[Knowledge] | None = None


class Library:
    """Knowledge by persona and language. One thread prepares; `get` never waits."""

    def __init__(self, personas: Path, weights: Path, cache: Path) -> None:
        """`personas`: where relative knowledge folders start; `weights`: MiniLM's folder; `cache`: for vectors."""
        self._personas, self._weights = personas, weights
        self._kept = KeptVectors(cache / "knowledge" / "vectors.sqlite")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="library")
        self._shelves: dict[tuple[str, str], _Shelf] = {}
        self._embedder: MiniLM | None = None
        self._embedder_missing = ""
        self._unread: deque[tuple[str, tuple[str, ...]]] = deque()

    @property
    def detail(self) -> str:
        """Why the search is weaker than it could be; empty when it is not."""
        return self._embedder_missing

    def prepare(self, persona: Mapping[str, Any], language: str) -> None:
        """Begin to load a persona's knowledge, or to load it again if its documents have changed."""
        key, signature = (_id(persona), language), self._signature(persona)
        shelf = self._shelves.get(key)
        if shelf is not None and shelf.signature == signature:
            return
        before = shelf.knowledge if shelf else None
        coming = self._thread.submit(self._prepared, dict(persona), language, before)
        self._shelves.pop(key, None)
        self._shelves[key] = _Shelf(signature, before, coming)
        while len(self._shelves) > MOST_KEPT:
            self._shelves.pop(next(iter(self._shelves)))

    def get(self, persona: Mapping[str, Any], language: str) -> Knowledge | None:
        """The knowledge, or None while it is being prepared for the first time."""
        key = (_id(persona), language)
        if key not in self._shelves:
            self.prepare(persona, language)
        shelf = self._shelves[key]
        if shelf.coming is not None and shelf.coming.done():
            shelf.knowledge, shelf.coming = shelf.coming.result(), None
        return shelf.knowledge

    def wait(self, persona: Mapping[str, Any], language: str, timeout_s: float = 60.0) -> Knowledge:
        """The newest knowledge, waited for: for benches, tools and tests, never inside a stage."""
        self.prepare(persona, language)
        shelf = self._shelves[_id(persona), language]
        if shelf.coming is not None:
            shelf.knowledge, shelf.coming = shelf.coming.result(timeout_s), None
        assert shelf.knowledge is not None
        return shelf.knowledge

    @property
    def has_unread(self) -> bool:
        """`unread` would give something."""
        return bool(self._unread)

    def unread(self) -> list[tuple[str, tuple[str, ...]]]:
        """(persona, why not) of documents that could not be read, once for each preparing."""
        return [self._unread.popleft() for _ in range(len(self._unread))]

    def close(self) -> None:
        """Stop preparing."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    # --- in the thread ---

    def _prepared(self, persona: dict[str, Any], language: str, before: Knowledge | None) -> Knowledge:
        """What is in the documents, whatever happens: else what was known before, else nothing but why."""
        try:
            return self._load(persona, language)
        except Exception as error:  # one persona's documents, or a full disk, must not keep the others from answering
            logger.exception("knowledge not prepared", extra={"persona": _id(persona)})
            problem = printable(f"The knowledge could not be prepared ({type(error).__name__}: {str(error)[:200]}).")
            self._unread.append((_id(persona), (problem,)))
            known = before or Knowledge(Index([]), SmallTalk(()))
            return replace(known, problems=(problem,))

    def _load(self, persona: dict[str, Any], language: str) -> Knowledge:
        folder = self._folder(persona)
        documents, errors = read_folder(folder) if folder else ([], [])
        for error in errors:
            logger.warning("document left out", extra={"persona": _id(persona), "reason": str(error)})
        passages = passages_of(documents)
        embedder = self._embedder_for(language)
        problems = tuple(str(error) for error in errors)
        if problems:
            self._unread.append((_id(persona), problems))
        talk, called = persona.get("small_talk", ()), str(persona.get("name", ""))
        if embedder is None:
            return Knowledge(Index(passages, unanswered=unanswered(documents)), SmallTalk(talk, name=called), problems)
        name = _id(persona)

        def embed_all(texts: list[str]) -> NDArray[np.float32]:
            return self._vectors(embedder, name, texts)

        def sentences(texts: list[str]) -> NDArray[np.float32]:
            return embed_all(texts)[:, : embedder.size]

        def bags_of(groups: list[tuple[str, ...]]) -> list[NDArray[np.float32]]:
            return self._bags(embedder, groups)

        index = Index(passages, embedder, embed_all, bags_of, unanswered(documents))
        return Knowledge(index, SmallTalk(talk, sentences, called), problems)

    def _embedder_for(self, language: str) -> MiniLM | None:
        if primary(language) not in EMBEDDED_LANGUAGES or self._embedder_missing:
            return None
        if self._embedder is None:
            try:
                self._embedder = MiniLM(self._weights)
            except MissingError as error:
                self._embedder_missing = str(error)
                logger.warning("searching by letters only", extra={"reason": str(error)})
        return self._embedder

    def _vectors(self, embedder: MiniLM, name: str, texts: list[str]) -> NDArray[np.float32]:
        """The model's `layers` of the texts, from the disk as far as they have been computed before."""

        def embed_all(missing: list[str]) -> NDArray[np.float32]:
            logger.info("knowledge prepared", extra={"persona": name, "texts": len(missing)})
            return embedder.layers(missing)

        return self._kept.of(texts, embedder.name, LAYERS * embedder.size, embed_all)

    def _bags(self, embedder: MiniLM, groups: list[tuple[str, ...]]) -> list[NDArray[np.float32]]:
        """The `coverage.bag` of each group of texts, from the disk as far as possible. Since the model gives both at
        once, the `layers` of what had to be read are kept too."""

        def make(missing: list[str]) -> list[NDArray[np.float32]]:
            texts = [text for together in missing for text in together.split("\0")]
            readings = dict(zip(texts, embedder.read(texts), strict=True))

            def layers(new: list[str]) -> NDArray[np.float32]:
                return np.stack([readings[text].layers for text in new])

            self._kept.of(texts, embedder.name, LAYERS * embedder.size, layers)
            return [bag([readings[text] for text in together.split("\0")]) for together in missing]

        together = ["\0".join(group) for group in groups]
        return self._kept.tables_of(together, f"{embedder.name} tokens", 1 + embedder.size, make)

    # --- paths ---

    def _folder(self, persona: Mapping[str, Any]) -> Path | None:
        name = persona.get("knowledge", {}).get("folder", "")
        return self._personas / name if name else None

    def _signature(self, persona: Mapping[str, Any]) -> str:
        """Changes when a document or the small talk does."""
        # As JSON, for a persona that has come over the bus has lists where the file's own has tuples.
        parts = [json.dumps(persona.get("small_talk", ()), default=str)]
        folder = self._folder(persona)
        for path in paths_in(folder, []) if folder else ():
            try:
                parts.append(f"{path}:{path.stat().st_mtime_ns}:{path.stat().st_size}")
            except OSError:
                parts.append(f"{path}:gone")
        return hashlib.sha256(os.fsencode("\n".join(parts))).hexdigest()


def _id(persona: Mapping[str, Any]) -> str:
    return str(persona.get("id") or persona.get("name") or "persona")

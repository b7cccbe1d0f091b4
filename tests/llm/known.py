"""A small persona with a folder of documents, for the brain's tests; and whether the embeddings' weights are here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from broker.config import ROOT
from broker.messages import Exchange
from workers.llm.engine import Question
from workers.llm.knowledge_engine import Line, answer
from workers.llm.library import Knowledge, Library

WEIGHTS = ROOT / ".cache" / "weights" / "minilm"
HAVE_WEIGHTS = (WEIGHTS / "model.safetensors").is_file()

DOCUMENT = """# House

## Library opening hours

The library opens at eight on weekdays. On weekends it opens at ten. During the exams it stays open until midnight. \
The reading room has its own entrance. A guard sits there at night.

Asked: when can I go to the library

## Parking

Parking costs two euros a day. The garage is on Mill Road.

## Swimming pool

The swimming pool is heated. It is open every day from seven to ten.
"""

SMALL_TALK = (
    {"say": ["hello", "hi there"], "reply": ["Hello! How can I help?", "Hi again!"]},
    {"say": ["who are you", "what is your name"], "reply": ["I am Robin."]},
)


def persona(**changes: Any) -> dict[str, Any]:
    """A persona's snapshot as `Open` carries it, as far as the brain reads it."""
    plain: dict[str, Any] = {
        "id": "test",
        "name": "Robin",
        "description": "A guide.",
        "languages": ("en",),
        "brain": {"engine": "auto", "prompt": "", "url": "", "model": "", "api_key_env": "", "timeout_s": 5.0},
        "knowledge": {"folder": "docs", "answer": 0.8, "ask_back": 0.2},
        "small_talk": SMALL_TALK,
    }
    return plain | changes


def library(folder: Path, weights: Path = WEIGHTS) -> Library:
    """A library over `folder`/docs, which gets the document above if it is empty."""
    (folder / "docs").mkdir(exist_ok=True)
    if not any((folder / "docs").iterdir()):
        (folder / "docs" / "house.md").write_text(DOCUMENT)
    return Library(folder, weights, folder / "cache")


def ask(
    known: Knowledge, text: str, /, *history: Exchange, turn: int = 2, language: str = "en", **changes: Any
) -> list[Line]:
    """The brain's answer, given what was said before."""
    question = Question(
        session="s", turn=turn, text=text, language=language, persona=persona(**changes), history=history
    )
    return answer(question, known)


def user(text: str) -> Exchange:
    return Exchange(role="user", text=text)


def avatar(text: str, passage: str = "", *, interrupted: bool = False) -> Exchange:
    return Exchange(role="avatar", text=text, passage=passage, interrupted=interrupted)


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]

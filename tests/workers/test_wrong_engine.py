"""A persona that names an engine nobody knows: each stage tells its page, when the session opens, which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.config import load
from broker.messages import Event, Failed, Message, Open
from workers.asr.engine import Engines
from workers.asr.stage import AsrStage
from workers.llm.build import Brains
from workers.llm.library import Library
from workers.llm.stage import LlmStage
from workers.shell import Stage
from workers.tts.stage import TtsStage
from workers.tts.voices import Voices


def asr(folder: Path) -> Stage:
    return AsrStage(Engines(load(environ={}).path("weights"), folder, folder))


def llm(folder: Path) -> Stage:
    return LlmStage(Brains(Library(folder, folder, folder)).of)


def tts(folder: Path) -> Stage:
    return TtsStage(Voices())


def pages(messages: list[Message]) -> Iterator[tuple[str, str, str]]:
    """(session, code, text) of what reaches a page."""
    for each in messages:
        if isinstance(each, Failed) and each.turn == 0:
            yield each.session, each.code, each.text
        elif isinstance(each, Event) and each.kind == "error":
            yield each.session, str(each.data["code"]), str(each.data["text"])


@pytest.mark.parametrize(
    ("build", "persona", "code", "known"),
    [
        (asr, {"asr": {"engine": "nope"}}, "engine", "pocketsphinx, whisper"),
        (llm, {"brain": {"engine": "nope"}}, "llm_engine", "knowledge, openai"),
        (tts, {"voices": {"en": {"engine": "nope"}}}, "tts_engine", "flite, espeak"),
    ],
)
def test_it_is_told_with_the_known_ones(
    tmp_path: Path, build: Callable[[Path], Stage], persona: dict[str, Any], code: str, known: str
) -> None:
    stage = build(tmp_path)
    stage.accept(Open(session="s", route=7, persona=persona, language="en", origin_ns=0, peers={}))
    said: list[Message] = []
    for now_ns in range(0, 1_000_000_000, 10_000_000):
        if stage.due_ns is None:
            break
        said += stage.step(now_ns)
    ((session, told, text),) = pages(said)
    assert (session, told) == ("s", code)
    assert "'nope'" in text
    assert known in text

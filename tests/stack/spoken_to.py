"""A caller without a browser, in a thread of its own, who asks one question after the other, to be looked on at."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from tests.stack.wire_callers import WireCaller

QUESTIONS = ("When is the library open?", "How do I apply for a place?", "How do I borrow books?")


class SpokenTo:
    """One conversation that goes on until left. `session` is its id, `turns` what was told of its answers."""

    def __init__(self, url: str, persona: str = "campus", questions: Sequence[str] = QUESTIONS) -> None:
        self.session = ""
        self.turns: list[dict[str, Any]] = []
        self.questions = tuple(questions)
        self._url, self._persona = url, persona
        self._begun, self._done = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._talk()), name="caller")

    def __enter__(self) -> SpokenTo:
        self._thread.start()
        assert self._begun.wait(60), "the conversation did not begin"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """End it; harmless twice."""
        self._done.set()
        self._thread.join()

    async def _talk(self) -> None:
        async with WireCaller(self._url, self._persona) as caller:
            self.session, self.turns = str(caller.session["session"]), caller.turns
            self._begun.set()
            number = 0
            while not self._done.is_set():
                over = len(caller.turns)
                await caller.ask(self.questions[number % len(self.questions)])
                number += 1
                while not self._done.is_set() and not _ended(caller.turns[over:]):
                    await asyncio.sleep(0.05)


def _ended(turns: Sequence[dict[str, Any]]) -> bool:
    """An answer that was begun is over."""
    begun = [turn["turn"] for turn in turns if turn["what"] == "committed"]
    return any(turn["turn"] in begun and turn["what"] == "finished" for turn in turns)

"""Engines loaded and voices measured beside the speaking: in one thread, whose results are taken over at a step."""

from __future__ import annotations

import itertools
import os
import queue
import threading
from collections.abc import Mapping
from typing import Any

from broker.errors import MissingError
from workers.tts.delivery import Voicing
from workers.tts.engine import Engine
from workers.tts.voices import Load, Measure, Voices

NICE = 5
"""Of the thread, not of the process: making ready must not keep waiting those who speak."""


class Unready(Exception):
    """The voice is being made ready: ask again soon."""


class Preparing:
    """What `Voices` would do at once and for long is done in a thread. One for each `Voices`, used by one thread."""

    def __init__(self, voices: Voices) -> None:
        self._voices = voices
        self._pending: set[Load | Measure] = set()
        self._count = itertools.count()
        self._waiting: queue.PriorityQueue[tuple[bool, int, Load | Measure]] = queue.PriorityQueue()
        """What takes long last: an engine need not be waited for by a voice of another."""
        self._done: queue.SimpleQueue[tuple[Load | Measure, Engine | MissingError | float]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def choose(self, wanted: Mapping[str, Any], language: str, text: str = "", rate: float = 1.0) -> Voicing:
        """As `Voices.choose`, but at once; raises Unready, too."""
        found = self._voices.resolve(wanted, language, text, rate)
        if isinstance(found, Voicing):
            return found
        self._submit(found)
        raise Unready

    def poll(self) -> None:
        """Take over what has become ready."""
        while not self._done.empty():
            task, result = self._done.get()
            self._pending.discard(task)
            self._voices.take(task, result)

    def _submit(self, task: Load | Measure) -> None:
        if task in self._pending:
            return
        self._pending.add(task)
        self._waiting.put((isinstance(task, Load), next(self._count), task))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="prepare-voices", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), max(NICE, os.nice(0)))  # Linux: of this thread
        while True:
            _, _, task = self._waiting.get()
            self._done.put((task, task.work()))

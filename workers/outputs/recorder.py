"""Recordings as an output: where they lie, how much room they may take, what a successor goes on with."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from broker.config import Settings
from broker.messages import Event, Programme
from broker.shelf import NoRoomError, Shelf
from workers.outputs.media_file import Transcoder
from workers.outputs.recording import Recording
from workers.outputs.sink import Order, RefusedError

logger = logging.getLogger(__name__)

LOOK_TICKS = 250
"""How often the room is looked at: 5 s, some 0.6 MB of recording."""

KILLED = "killed"
"""Why a recording ended whose process was killed, and whose conversation was over before another was there."""


class Recorder:
    """A `Sink`. Raises RefusedError when there is no room (any more)."""

    key_every_s = 4.0
    """How exactly one can go to a place in the file. A key frame costs ten ordinary pictures' bits."""

    def __init__(self, order: Order) -> None:
        self.counters: Counter[str] = Counter()
        self._shelf = shelf(order.settings)
        persona = str(order.persona.get("id", ""))
        kept = self._shelf.find(str(order.data.get("name", ""))) if order.data else None
        folder = kept or self._new(order.session, persona)
        self.data: dict[str, Any] = {"name": folder.name}
        formats = tuple(str(each) for each in order.wanted.get("formats") or order.settings.recording.formats)
        aac = _aac if order.wanted.get("sound") == "aac" else None
        self._recording = Recording(folder, order.session, persona, formats, order.settings.media.fps, aac)
        self._ticks = 0
        self.counters["recordings_resumed" if kept else "recordings"] += 1
        logger.info("recording", extra={"session": order.session, "folder": folder.name, "resumed": bool(kept)})

    @property
    def wants(self) -> frozenset[str]:
        return self._recording.wants

    @property
    def needs_key(self) -> frozenset[str]:
        return self._recording.needs_key

    def tick(self, tick: Programme) -> None:
        self._recording.tick(tick)
        self.counters["recorded_bytes"] = self._recording.size
        self._ticks += 1
        if self._ticks % LOOK_TICKS == 0:
            self._room(self._shelf.check)
            if self._shelf.find(self.data["name"]) is None:
                raise RefusedError("The recording was deleted while it was made.")

    def event(self, event: Event) -> None:
        self._recording.event(event)

    def close(self, reason: str) -> None:
        self._recording.close(reason)
        self.counters["recorded_bytes"] = self._recording.size

    def _new(self, session: str, persona: str) -> Path:
        return self._room(partial(self._shelf.place, session, persona))

    def _room(self, do: Any) -> Any:
        try:
            return do()
        except NoRoomError as error:
            self.counters["recordings_refused"] += 1
            raise RefusedError(str(error)) from error


def finish_left(settings: Settings, going: frozenset[str]) -> list[str]:
    """Complete what a killed process left, all but those that are `going` on; their names.

    A conversation that wants its recording after all goes on with it in a new part.
    """
    found = []
    recordings = shelf(settings)
    for told in recordings.every():
        if told["complete"] or told["name"] in going:
            continue
        folder = recordings.folder / told["name"]
        ended = datetime.fromtimestamp(recordings.newest_s(folder), UTC).isoformat(timespec="milliseconds")
        formats = tuple(map(str, told.get("formats", ())))
        left = Recording(folder, str(told["session"]), str(told.get("persona", "")), formats, settings.media.fps)
        left.close(KILLED, ended)
        found.append(folder.name)
    return found


def _aac() -> Transcoder:
    from workers.outputs.aac import Aac  # its codecs take a second to load, and most recordings need none

    return Aac()


def shelf(settings: Settings) -> Shelf:
    """Where this installation's recordings are."""
    return Shelf.of(settings.path("recordings"), settings.recording)

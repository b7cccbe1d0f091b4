"""An order to a file: the studio's ticks into a film, with captions beside it if they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from broker.config import Settings
from broker.errors import EngineError, VisavisError
from broker.messages import Programme
from workers.production.captions import Cue, Said, cues, webvtt
from workers.production.film import Film
from workers.production.order import Order
from workers.production.studio import Studio
from workers.programme.ticks import RATE_HZ

Progress = Callable[[float], None]
"""Told now and then how much is done, 0..1; what it raises ends the making, and the file is removed."""

SAID_EVERY_TICKS = 25


@dataclass(frozen=True, kw_only=True)
class Made:
    """What came out."""

    path: Path
    seconds: float
    cues: tuple[Cue, ...]


def make(settings: Settings, wanted: Order, path: Path, progress: Progress = lambda share: None) -> Made:
    """Make the film at `path`, all of it or nothing; with captions, `.vtt` beside it too. Raises VisavisError."""
    studio = Studio(settings, wanted)
    film: Film | None = None
    words: list[Said] = []
    start = -1
    try:
        film = Film(path, wanted)
        for count, tick in enumerate(studio.ticks()):
            start = tick.programme_sample if start < 0 else start
            film.write(tick)
            words += _words(tick, start)
            if count % SAID_EVERY_TICKS == 0:
                progress(studio.share)
        captions = tuple(cues(words))
        if wanted.captions:
            path.with_suffix(".vtt").write_text(webvtt(captions), encoding="utf-8")
        film.close(captions)
    except BaseException as error:
        if film:
            film.drop()
        if isinstance(error, VisavisError) or not isinstance(error, Exception):
            raise
        raise EngineError(f"The film could not be made: {error}", "film") from error
    return Made(path=path, seconds=film.samples / RATE_HZ, cues=captions)


def _words(tick: Programme, start: int) -> list[Said]:
    return [
        Said(sentence=sentence, text=text, start_sample=at - start, end_sample=at - start + samples)
        for _, sentence, _, text, at, samples in tick.words
    ]

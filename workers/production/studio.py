"""A session without a network: the stages that run live, stepped as fast as they can on a clock that is an argument.

The voice is granted by the programme as ever, every picture comes in time because the clock waits for it. The same
order gives the same ticks, as far as the synthesiser gives the same sound.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from broker.clock import now_ns
from broker.config import Settings
from broker.errors import EngineError
from broker.messages import (
    Commit,
    Credit,
    Draw,
    Emitted,
    Failed,
    KeyFrame,
    Message,
    Open,
    Picture,
    Programme,
    Speak,
    Voice,
    Wanted,
)
from workers.lipsync.engine import choose
from workers.lipsync.stage import LipsyncStage
from workers.llm.sentences import sentences_of
from workers.production.order import Order, OrderError
from workers.production.playback import Playback, marked
from workers.production.recording import read
from workers.programme.settings import ProgrammeSettings
from workers.programme.stage import ProgrammeStage
from workers.programme.ticks import TICKS_PER_S
from workers.tts.build import build_offline as build_tts

SESSION = "film"
"""Its idle motion follows from its name, so every film moves alike."""

TURN = 1
LEAD_TICKS = 12
"""The face is seen this long before it speaks …"""
TAIL_TICKS = 25
"""… and after."""

KEY_TICKS = 2 * TICKS_PER_S
"""A key picture every two seconds, so that a player can seek."""

STALLED_S = 30.0
"""A stage that gives nothing for so long is given up."""

VIDEO_BITS_PER_PIXEL = 0.16
AUDIO_KBPS = 96


class VoiceSource(Protocol):
    """The tts stage, or what stands in for it."""

    @property
    def due_ns(self) -> int | None: ...

    def accept(self, message: Message) -> None: ...

    def step(self, now_ns: int) -> list[Message]: ...


class Studio:
    """Makes the ticks of one film. `share` says how much of it there is, 0..1."""

    def __init__(self, settings: Settings, wanted: Order) -> None:
        """Raises OrderError or EngineError saying what is wrong or missing."""
        self._wanted = wanted
        self._now_ns = 0
        self._programme = ProgrammeStage(_programme_settings(wanted))
        self._lipsync = LipsyncStage(choose(settings.stages.face, settings)[0], wanted.size, now_ns)
        self.voiced: list[Voice] = []
        """All that was spoken, without its sound: words, phones and mouth."""
        self.emitted: list[Emitted] = []
        self._over = False
        self._ticks: list[Programme] = []
        opened = Open(session=SESSION, persona=wanted.persona, language=wanted.language, origin_ns=0, peers={})
        self._voice, self._weight = self._source(settings, opened)
        self._programme.accept(opened)
        self._lipsync.accept(opened)
        self._programme.accept(_watched())

    @property
    def share(self) -> float:
        done = sum(len(each.words) or each.samples / 24_000 for each in self.emitted)
        return min(1.0, done / max(1, self._weight))

    def ticks(self) -> Iterator[Programme]:
        """From the first picture to the end. Raises EngineError when a stage cannot go on."""
        try:
            yield from self._film()
        finally:
            self._lipsync.close()

    def _film(self) -> Iterator[Programme]:
        self._prepare_face()
        shown = after = 0
        while after < TAIL_TICKS:
            self._advance()
            for tick in self._ticks:
                if tick.tick % TICKS_PER_S == 0:
                    self._programme.accept(_watched())
                if not shown and not tick.h264_key:
                    self._refuse_stall(tick.tick < 10 * TICKS_PER_S, "no picture comes")
                    continue
                shown += 1
                after += self._over
                if shown == LEAD_TICKS:
                    self._programme.accept(Commit(session=SESSION, turn=TURN))
                if shown % KEY_TICKS == 0:
                    self._programme.accept(KeyFrame(session=SESSION))
                yield tick
            self._ticks.clear()

    def _advance(self) -> None:
        """Everything that is due, voice first, then the clock to what is due next."""
        self._speak()
        while (due_ns := self._programme.due_ns) is not None and due_ns <= self._now_ns:
            for message in self._programme.step(self._now_ns):
                self._route(message)
            self._draw()
        self._now_ns = max(self._now_ns, self._programme.due_ns or 0)

    def _speak(self) -> None:
        """All voice that is granted; an engine that works on its own time is waited for."""
        began = time.monotonic()
        now_ns = self._now_ns
        while (due_ns := self._voice.due_ns) is not None:
            if due_ns > now_ns:
                self._refuse_stall(time.monotonic() - began < STALLED_S, "the voice does not come")
                time.sleep(0.002)
                now_ns = due_ns
            for message in self._voice.step(now_ns):
                self._route(message)

    def _draw(self) -> None:
        while self._lipsync.due_ns == 0:
            for message in self._lipsync.step(self._now_ns):
                self._route(message)

    def _prepare_face(self) -> None:
        began = time.monotonic()
        while self._lipsync.due_ns is not None:
            for message in self._lipsync.step(self._now_ns):
                self._route(message)
            self._refuse_stall(time.monotonic() - began < STALLED_S, "the face does not become ready")
            time.sleep(0.005)

    def _route(self, message: Message) -> None:
        match message:
            case Programme():
                self._ticks.append(message)
            case Voice():
                self._programme.accept(message)
                self.voiced.append(_without_sound(message))
            case Credit():
                self._voice.accept(message)
            case Draw():
                self._lipsync.accept(message)
            case Picture():
                self._programme.accept(message)
            case Emitted():
                self.emitted.append(message)
                self._over = self._over or message.turn_last
            case Failed(turn=0, kind="tts"):
                pass  # a voice of the persona cannot be had; it fails again where it has to speak
            case Failed():
                raise EngineError(message.text, message.code)

    def _source(self, settings: Settings, opened: Open) -> tuple[VoiceSource, float]:
        """The voice, and how much of it there is, as `share` counts."""
        wanted = self._wanted
        if wanted.recording is not None:
            parts = marked(read(wanted.recording), wanted.text, wanted.language)
            weight = sum(len(part.words) or len(part.passage.samples) / 24_000 for part in parts)
            return Playback(SESSION, TURN, parts, wanted.text, wanted.language), weight
        sentences = sentences_of(wanted.text)
        if not sentences:
            raise OrderError("There is nothing in the text that can be spoken.")
        tts = build_tts(settings)
        tts.accept(opened)
        for n, text in enumerate(sentences):
            last = n == len(sentences) - 1
            tts.accept(Speak(session=SESSION, turn=TURN, n=n, text=text, language=wanted.language, last=last))
        return tts, sum(len(text.split()) for text in sentences)

    @staticmethod
    def _refuse_stall(going: bool, what: str) -> None:
        if not going:
            raise EngineError(f"The film cannot be made: {what}.", "stalled")


def _programme_settings(wanted: Order) -> ProgrammeSettings:
    kbps = round(wanted.size**2 * wanted.fps * VIDEO_BITS_PER_PIXEL / 1000)
    return ProgrammeSettings(
        fps=wanted.fps, width=wanted.size, height=wanted.size, video_kbps=max(300, kbps), audio_kbps=AUDIO_KBPS
    )


def _watched() -> Wanted:
    return Wanted(session=SESSION, edge="studio", h264=1)


def _without_sound(voice: Voice) -> Voice:
    return replace(voice, pcm=b"")

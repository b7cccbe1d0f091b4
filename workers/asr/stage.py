"""The asr stage: the frames of utterances in, the words so far and the words for good out.

At each pause a provisional transcript accounts for all sound up to it, so that an answer may be begun on it; if the
person does not go on, the same words are the final ones.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from broker.errors import EngineError
from broker.messages import (
    Close,
    EndUtterance,
    Failed,
    Message,
    MicFrame,
    Open,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from workers.engines import Reasons

from .engine import Recogniser
from .listener import Listener

POLL_NS: Final = 5_000_000


class Opener(Protocol):
    """What the stage needs of `engine.Engines`."""

    reasons: Reasons

    def open(self, persona: dict[str, Any], language: str, engine: str = "auto") -> Recogniser: ...


class AsrStage:
    """All sessions' listeners."""

    kind = "asr"

    def __init__(self, engines: Opener, engine: str = "auto") -> None:
        """`engine`: the installation's choice, for personas that leave it to `auto`."""
        self.engines = engines
        self.engine = engine
        self.counters: dict[str, float] = {"frames_unknown": 0, "frames_dropped": 0}
        self._listeners: dict[str, Listener] = {}
        self._heard_for: dict[str, tuple[dict[str, Any], str]] = {}
        """Persona and language each session's recogniser was opened for."""
        self._out: list[Message] = []
        self._due_ns: int | None = None

    @property
    def engine_name(self) -> str:
        """The engines in use, for the console."""
        return self.engines.reasons.names

    @property
    def engine_why(self) -> str:
        return self.engines.reasons.words

    @property
    def due_ns(self) -> int | None:
        return self._due_ns

    def accept(self, message: Message) -> None:
        self._due_ns = 0
        match message:
            case Open():
                self._open(message)
                return
            case Close():
                self._heard_for.pop(message.session, None)
                if listener := self._listeners.pop(message.session, None):
                    listener.close()
                return
        listener = self._listeners.get(message.session)
        if listener is None:
            self.counters["frames_unknown"] += isinstance(message, MicFrame)
            return
        match message:
            case MicFrame():
                before = listener.dropped_frames
                listener.file(message)
                self.counters["frames_dropped"] += listener.dropped_frames - before
            case SpeechStarted():
                listener.started(message.utterance)
            case SpeechPaused():
                listener.paused(message.utterance, message.mic_sample, message.silence_ms)
            case SpeechResumed():
                listener.resumed(message.utterance)
            case EndUtterance():
                listener.ended(message.utterance, message.mic_sample, at_once=False)
            case SpeechEnded():
                listener.ended(message.utterance, message.mic_sample, at_once=message.reason == "length")

    def report(self, session: str) -> dict[str, Any]:
        """The facts of a `Holding`; the last words follow."""
        listener = self._listeners.get(session)
        if listener is None:
            return {}
        if listener.newest:
            self._out.append(listener.newest)
            self._due_ns = 0
        return {"utterance": listener.newest.utterance if listener.newest else -1}

    def step(self, now_ns: int) -> list[Message]:
        """One piece for the session whose words are waited for most, and a look at what is worked on elsewhere."""
        out, self._out = self._out, []
        elsewhere = [listener for listener in self._listeners.values() if listener.polling]
        waiting = [listener for listener in self._listeners.values() if listener.waiting and not listener.polling]
        chosen = [max(waiting, key=lambda one: (one.urgent, one.queued_samples))] if waiting else []
        for listener in (*elsewhere, *chosen):
            try:
                out += listener.work(now_ns)
            except EngineError as error:
                out.append(self._fail(listener.session, error))
        self._due_ns = self._next_due(now_ns)
        return out

    def _open(self, message: Open) -> None:
        known = self._listeners.get(message.session)
        if known is not None:
            if {"vad", "asr"} & set(message.replaced):
                known.begin_again(message.utterance)
            self._switch(known, message)
            return
        try:
            recogniser = self.engines.open(message.persona, message.language, self.engine)
        except EngineError as error:
            self._out.append(self._fail(message.session, error))
            return
        listener = Listener(message.session, recogniser, message.language)
        listener.begin_again(message.utterance)
        self._listeners[message.session] = listener
        self._heard_for[message.session] = _ears(message), message.language

    def _switch(self, listener: Listener, message: Open) -> None:
        """Another persona or language: other words are expected, from the next utterance on."""
        wanted = _ears(message), message.language
        if wanted == self._heard_for.get(message.session):
            return
        self._heard_for[message.session] = wanted
        try:
            listener.become(self.engines.open(message.persona, message.language, self.engine), message.language)
        except EngineError as error:
            self._out.append(self._fail(message.session, error))

    def _fail(self, session: str, error: EngineError) -> Failed:
        """The session goes on without ears; the page says so and offers typing."""
        self._heard_for.pop(session, None)
        if listener := self._listeners.pop(session, None):
            listener.close()
        return Failed(session=session, turn=0, code=error.code, text=str(error), kind="asr")

    def _next_due(self, now_ns: int) -> int | None:
        if self._out or any(one.waiting and one.recogniser.ready() for one in self._listeners.values()):
            return now_ns
        if any(one.polling for one in self._listeners.values()):
            return now_ns + POLL_NS
        return None


def _ears(message: Open) -> dict[str, Any]:
    """What of a persona the recogniser depends on: not its face, its voice or how it moves."""
    return {key: value for key, value in message.persona.items() if key not in ("face", "voices", "expressions")}

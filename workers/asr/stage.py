"""The asr stage: the frames of utterances in, the words so far and the words for good out.

At each pause a provisional transcript accounts for all sound up to it, so that an answer may be begun on it; if the
person does not go on, the same words are the final ones. What an engine fails at, or is too slow for, another hears.
"""

from __future__ import annotations

from typing import Any, Final

from broker.errors import EngineError
from broker.messages import (
    Close,
    EndUtterance,
    Event,
    Failed,
    Message,
    MicFrame,
    Open,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    Transcript,
)
from workers.fallback import Change

from .engine import Engines
from .listener import Listener, Unready
from .stand_ins import Ear, StandIns

POLL_NS: Final = 5_000_000


class AsrStage:
    """All sessions' listeners."""

    kind = "asr"

    def __init__(self, engines: Engines, engine: str = "auto") -> None:
        """`engine`: the installation's choice, for personas that leave it to `auto`."""
        self.engines = engines
        self.counters: dict[str, float] = {"frames_unknown": 0, "frames_dropped": 0, "vocabularies_left_out": 0}
        self._listeners: dict[str, Listener] = {}
        self._stand_ins = StandIns(engines, engine)
        self._ears: dict[str, Ear] = {}
        """What each session hears with, or will from its next utterance on."""
        self._told: dict[str, Change] = {}
        """The newest step that each session was told."""
        self._lacks: set[tuple[str, str]] = set()
        """(persona, why): those whose words could not be made part of what is listened for."""
        self._now_ns = 0
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
                self._forget(message.session)
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
        """One piece for a session whose words are waited for, else for the one that has waited longest for its turn,
        and a look at what is worked on elsewhere."""
        self._now_ns = now_ns
        self._stand_ins.poll(now_ns)
        out, self._out = self._out, []
        looks = [(listener, *self._look(listener)) for listener in list(self._listeners.values())]
        elsewhere = [listener for listener, polling, _ in looks if polling]
        waiting = [listener for listener, polling, waiting in looks if waiting and not polling]
        chosen = sorted(waiting, key=lambda one: not one.urgent)[:1]
        for listener in chosen:
            self._listeners[listener.session] = self._listeners.pop(listener.session)
        for listener in (*elsewhere, *chosen):
            try:
                heard = listener.work(now_ns)
            except Exception as error:  # a third party's engine raises what it likes
                self._broke(listener, error)
                continue
            out += heard + self._lacking(listener)
            for final in (each for each in heard if isinstance(each, Transcript) and each.final):
                samples = final.through_sample - final.start_sample
                self._stand_ins.judge(self._ears[listener.session], listener.lag_ns, samples, now_ns)
        self._follow()
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
            ear = self._stand_ins.ear(_ears(message), message.language)
            recogniser = self._stand_ins.open(ear)
        except EngineError as error:
            self._out.append(self._fail(message.session, error))
            return
        listener = Listener(message.session, recogniser, message.language)
        listener.begin_again(message.utterance)
        self._listeners[message.session] = listener
        self._ears[message.session] = ear
        self._tell(message.session, ear)

    def _switch(self, listener: Listener, message: Open) -> None:
        """Another persona or language: other words are expected, from the next utterance on."""
        known = self._ears.get(message.session)
        if known and (known.persona, known.language) == (_ears(message), message.language):
            return
        try:
            ear = self._ears[message.session] = self._stand_ins.ear(_ears(message), message.language)
            listener.become(self._stand_ins.open(ear), message.language)
        except EngineError as error:
            self._out.append(self._fail(message.session, error))
            return
        self._tell(message.session, ear)

    def _follow(self) -> None:
        """Sessions whose engine has been stood in for, or is tried again, hear otherwise from the next utterance on."""
        for session, listener in list(self._listeners.items()):
            ear = self._ears[session]
            if ear.outdated:
                try:
                    listener.become(self._stand_ins.open(ear), ear.language)
                except EngineError as error:
                    self._broke(listener, error)
                self._tell(session, ear)

    def _broke(self, listener: Listener, error: Exception) -> None:
        """Another engine hears what was being said from its start; without one the session has no ears."""
        session = listener.session
        ear = self._ears[session]
        to_come = isinstance(error, Unready)
        cause = error.cause if isinstance(error, Unready) else error
        # With another ear already on its way, it is an engine that does not serve any more that broke.
        coming = listener.awaits and not to_come
        while coming or self._stand_ins.failed(ear, cause, self._now_ns):
            coming = False
            try:
                recogniser = self._stand_ins.open(ear)
            except EngineError as worse:
                cause = worse
                continue
            listener.become(recogniser, ear.language) if to_come else listener.hear_anew(recogniser, ear.language)
            self._tell(session, ear)
            return
        if not isinstance(cause, EngineError):
            raise cause
        self._out.append(self._fail(session, cause))

    def _tell(self, session: str, ear: Ear) -> None:
        change, told = ear.fallback.newest, self._told.get(session)
        if change and change is not told and (told or ear.fallback.reduced):
            self._told[session] = change
            self._out.append(change.event(session, "asr"))

    def _lacking(self, listener: Listener) -> list[Message]:
        """To the operator, once: a recogniser that has `lacks` hears without the persona's own words, and why."""
        lacks = str(getattr(listener.recogniser, "lacks", ""))
        persona = str(self._ears[listener.session].persona.get("id", ""))
        if not lacks or (persona, lacks) in self._lacks:
            return []
        self._lacks.add((persona, lacks))
        self.counters["vocabularies_left_out"] += 1
        return [Event(kind="documents", data={"persona": persona, "problems": [lacks]})]

    def _forget(self, session: str) -> None:
        self._ears.pop(session, None)
        self._told.pop(session, None)

    def _fail(self, session: str, error: EngineError) -> Failed:
        """The session goes on without ears; the page says so and offers typing."""
        self._forget(session)
        if listener := self._listeners.pop(session, None):
            listener.close()
        return Failed(session=session, turn=0, code=error.code, text=str(error), kind="asr")

    def _look(self, listener: Listener) -> tuple[bool, bool]:
        """Whether something is worked on elsewhere, and whether there is something to do at once."""
        try:
            return listener.polling, listener.waiting
        except Exception as error:  # as above: an engine may break whenever it is asked something
            self._broke(listener, error)
            return False, False

    def _next_due(self, now_ns: int) -> int | None:
        looks = [(*self._look(one), one) for one in list(self._listeners.values())]
        if self._out or any(waiting and one.recogniser.ready() for _, waiting, one in looks):
            return now_ns
        return now_ns + POLL_NS if any(polling for polling, *_ in looks) else None


def _ears(message: Open) -> dict[str, Any]:
    """What of a persona the recogniser depends on: not its face, its voice or how it moves."""
    return {key: value for key, value in message.persona.items() if key not in ("face", "voices", "expressions")}

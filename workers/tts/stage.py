"""The tts stage: sentences become voice, as much as the programme has asked for, the session with least sound first.

What an engine fails at, or is too slow for, another one says.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from broker.errors import EngineError, MissingError
from broker.messages import Cancel, Close, Credit, Failed, Message, Open, Sentence, Speak, Voice
from broker.uploads import Uploads
from workers.fallback import Change, Fallback
from workers.tts.delivery import Delivery, Piece, Voicing
from workers.tts.engine import SynthesisFailed, UnknownLanguage
from workers.tts.preparing import Preparing, Unready
from workers.tts.stand_ins import StandIns
from workers.tts.uploaded import Uploaded
from workers.tts.voices import Voices, pace_of

logger = logging.getLogger(__name__)

CHUNK_SAMPLES = 4_800
"""The most one Voice message carries: 100 ms."""
_CHUNKS_A_STEP = 10
_FIRST_GRANT_SAMPLES = 48_000
_POLL_NS = 2_000_000
"""How soon to ask again an engine that runs on its own time."""
_SILENT_NS = 4_000_000_000
"""Who has not begun a clause for so long will not; the broker gives an answer up after eight seconds."""


@dataclass
class _Job:
    """A sentence to be spoken: what was asked, and how far it has gone."""

    asked: Sentence | Speak
    delivery: Delivery | Uploaded | None = None
    piece: Piece | None = None
    sent_samples: int = 0
    asked_again_ns: int = 0
    silent_since_ns: int = 0
    """Since when the engine has been asked for the present clause in vain."""
    fallback: Fallback | None = None
    """The judgement of the engine it was meant for."""
    broken: Exception | None = None
    """What the engine failed with, while the one that stands in is made ready."""

    @property
    def key(self) -> tuple[int, int]:
        return self.asked.turn, self.asked.n


@dataclass
class _Session:
    """One conversation's voices, its sentences in order, and what may be sent of them."""

    persona: dict[str, Any]
    language: str
    cancelled_through: int = 0
    jobs: dict[tuple[int, int], _Job] = field(default_factory=dict)
    done: set[tuple[int, int]] = field(default_factory=set)
    credits: dict[int, Credit] = field(default_factory=dict)
    first: dict[int, int] = field(default_factory=dict)
    sent_since_credit: int = 0
    told: dict[int, Change] = field(default_factory=dict)
    """By judgement, the newest step that the session was told."""
    lost: set[int] = field(default_factory=set)
    """Turns of which a dead programme had voice: silent until the broker has said from where they are spoken again."""
    unprepared: list[str] = field(default_factory=list)
    """Languages whose voices are still to be made ready …"""
    looked_again_ns: int = 0
    """… and when to see whether the first of them is."""
    warned: set[str] = field(default_factory=set)
    """What the session was told of its persona's voices."""

    @property
    def voices(self) -> dict[str, Any]:
        voices = self.persona.get("voices")
        return voices if isinstance(voices, dict) else {}

    def heads(self) -> Iterator[_Job]:
        """The first unfinished sentence of each turn."""
        seen: set[int] = set()
        for key in sorted(self.jobs):
            if key[0] not in seen:
                seen.add(key[0])
                yield self.jobs[key]

    def granted(self, job: _Job) -> float:
        """Up to which sample of its sentence a job may be sent."""
        turn, n = job.key
        credit = self.credits.get(turn)
        if credit is None:
            return _FIRST_GRANT_SAMPLES if n == self.first[turn] else 0
        return math.inf if n < credit.sentence else credit.through_sample if n == credit.sentence else 0

    def buffered(self) -> int:
        """The sound the programme has of this session, as far as known here, in samples."""
        newest = max(self.credits.values(), key=lambda credit: credit.turn, default=None)
        return (newest.buffered_samples if newest else 0) + self.sent_since_credit

    def cancel(self, through_turn: int) -> None:
        self.cancelled_through = max(self.cancelled_through, through_turn)
        for key in [key for key in self.jobs if key[0] <= through_turn]:
            job = self.jobs.pop(key)
            if job.delivery:
                job.delivery.cancel()
        self.done = {key for key in self.done if key[0] > through_turn}
        self.credits = {turn: credit for turn, credit in self.credits.items() if turn > through_turn}
        self.first = {turn: n for turn, n in self.first.items() if turn > through_turn}
        self.lost = {turn for turn in self.lost if turn > through_turn}


class TtsStage:
    """All sessions of one tts process. Hold, Resume and Commit change nothing here: credit bounds what is sent."""

    def __init__(self, voices: Voices, uploads: Uploads | None = None, beside: bool = False) -> None:
        """`beside`: voices that are not ready yet are made so in a thread, while others speak. Without, in a step: for
        who steps as fast as it can and need not be in time."""
        self._voices = voices
        self._uploads = uploads
        self._preparing = Preparing(voices) if beside else None
        self._stand_ins = StandIns(self._preparing or voices)
        self._sessions: dict[str, _Session] = {}
        self._paused: frozenset[str] = frozenset()
        self.counters: dict[str, float] = {"clauses": 0, "duplicates": 0, "unknown_session": 0, "failed": 0}

    @property
    def engine_name(self) -> str:
        """What is loaded, for the registry."""
        return self._voices.engine

    @property
    def engine_why(self) -> str:
        return self._voices.why

    @property
    def sessions(self) -> int:
        return len(self._sessions)

    @property
    def due_ns(self) -> int | None:
        """0 when something can be done now; later while only a slow engine is waited for; None until a message."""
        looks = [session.looked_again_ns for session in self._sessions.values() if session.unprepared]
        return min((*looks, *(job.asked_again_ns for _, job in self._ready())), default=None)

    def accept(self, message: Message) -> None:
        """File a message. Those of unknown sessions are counted and dropped, except `Open`."""
        if isinstance(message, Open):
            self._open(message)
            return
        session = self._sessions.get(message.session)
        if session is None:
            self.counters["unknown_session"] += 1
            return
        match message:
            case Close():
                session.cancel(max((turn for turn, _ in session.jobs), default=0))
                del self._sessions[message.session]
            case Sentence() | Speak():
                self._file(session, message)
            case Credit():
                if message.turn > session.cancelled_through:
                    session.credits[message.turn] = message
                    session.sent_since_credit = 0
                    session.lost.discard(message.turn)
            case Cancel():
                session.cancel(message.through_turn)
                session.sent_since_credit = 0
            case _:
                pass

    def pause(self, sessions: frozenset[str]) -> None:
        """No voice for these for now."""
        self._paused = sessions

    def step(self, now_ns: int) -> list[Message]:
        """Speak a clause, or pass on what is granted, for the session that has least; else look to a voice."""
        if self._preparing:
            self._preparing.poll()
        ready = [(session, job) for session, job in self._ready() if job.asked_again_ns <= now_ns]
        if ready:
            session, job = min(ready, key=lambda pair: (pair[0].buffered(), pair[1].key))
            return self._advance(session, job, now_ns)
        for name, session in self._sessions.items():
            if session.unprepared and session.looked_again_ns <= now_ns:
                return self._prepare(name, session, now_ns)
        return []

    def _open(self, message: Open) -> None:
        session = self._sessions.get(message.session)
        if session is None:
            session = self._sessions[message.session] = _Session(message.persona, message.language)
        session.persona, session.language = message.persona, message.language
        session.unprepared = list(dict.fromkeys((message.language, *session.voices)))
        session.looked_again_ns = 0
        session.cancel(message.cancelled_through)
        if "programme" in message.replaced:
            # What the old one had is lost: the broker asks again for what was not heard, beginning where it broke off.
            # Of what it had nothing nobody asks again.
            session.lost = {turn for turn, _ in session.done}
            session.lost |= {turn for (turn, _), job in session.jobs.items() if job.sent_samples}
            session.credits.clear()
            session.first.clear()
            for turn, n in sorted(session.jobs, reverse=True):
                session.first[turn] = n

    def _file(self, session: _Session, asked: Sentence | Speak) -> None:
        """A `Sentence` counts once; a `Speak` is what the broker wants said now, whatever was said before."""
        key = (asked.turn, asked.n)
        if asked.turn <= session.cancelled_through:
            return
        again = key in session.jobs or key in session.done
        if isinstance(asked, Sentence) and again:
            self.counters["duplicates"] += 1
            return
        if isinstance(asked, Speak):
            session.lost.discard(asked.turn)
            if again:
                session.done.discard(key)
                session.credits.pop(asked.turn, None)
                session.first[asked.turn] = min([n for turn, n in session.jobs if turn == asked.turn] + [asked.n])
        session.jobs[key] = _Job(asked)
        session.first[asked.turn] = min(session.first.get(asked.turn, asked.n), asked.n)

    def _ready(self) -> Iterator[tuple[_Session, _Job]]:
        for name, session in self._sessions.items():
            for job in session.heads() if name not in self._paused else ():
                granted = session.granted(job) > job.sent_samples or not job.asked.text
                if granted and job.asked.turn not in session.lost:
                    yield session, job

    def _advance(self, session: _Session, job: _Job, now_ns: int) -> list[Message]:
        try:
            piece = job.piece or self._read(session, job, now_ns)
        except Unready:
            job.asked_again_ns = now_ns + _POLL_NS
            return []
        except Exception as error:  # a third party's engine raises what it likes
            return self._broke(session, job, error, now_ns)
        if piece is None:
            job.asked_again_ns = now_ns + _POLL_NS
            return []
        job.piece, job.asked_again_ns = piece, 0
        return [*self._tell(session, job), *self._send(session, job, piece)]

    def _read(self, session: _Session, job: _Job, now_ns: int) -> Piece | None:
        """The next clause of a sentence, from the engine."""
        if job.broken:
            raise job.broken
        if job.delivery is None:
            job.delivery = self._deliver(session, job, now_ns)
        self.counters["clauses"] += 1
        piece = job.delivery.read()
        if job.fallback and isinstance(job.delivery, Delivery):
            name = job.delivery.engine_name
            if piece:
                self._stand_ins.judge(job.fallback, name, piece, now_ns)
            elif job.silent_since_ns and now_ns - job.silent_since_ns > _SILENT_NS:
                raise SynthesisFailed(f"{name} says nothing")
        job.silent_since_ns = (job.silent_since_ns or now_ns) if piece is None else 0
        return piece

    def _deliver(self, session: _Session, job: _Job, now_ns: int) -> Delivery | Uploaded:
        asked = job.asked
        if isinstance(asked, Speak) and asked.upload:
            if self._uploads is None:
                raise EngineError("no recordings are kept here", "upload")
            return Uploaded(self._uploads.voice(asked.session, asked.upload), asked.from_word)
        voicing = self._voicing(session, job, now_ns)
        return Delivery(asked.text, voicing, asked.from_word if isinstance(asked, Speak) else 0)

    def _voicing(self, session: _Session, job: _Job, now_ns: int) -> Voicing:
        asked = job.asked
        pace, language = pace_of(asked.tags.get("rate", 1.0)), asked.language or session.language
        voicing, job.fallback = self._stand_ins.choose(session.voices, language, asked.text, pace, now_ns)
        return voicing

    def _broke(self, session: _Session, job: _Job, error: Exception, now_ns: int) -> list[Message]:
        """Another engine goes on, or the turn has failed; a fault of ours is not an engine's."""
        try:
            handed_over = self._hand_over(session, job, error, now_ns)
        except Unready:
            job.broken, job.asked_again_ns = error, now_ns + _POLL_NS
            return []
        job.broken = None
        if handed_over:
            return self._tell(session, job)
        if isinstance(error, EngineError):
            return [*self._tell(session, job), self._fail(session, job, error)]
        raise error

    def _hand_over(self, session: _Session, job: _Job, error: Exception, now_ns: int) -> bool:
        """Let another engine say the rest of a sentence; not of a clause of which something has sounded."""
        if job.fallback is None or not isinstance(job.delivery, Delivery):
            return False
        if not job.broken and not self._stand_ins.failed(job.fallback, job.delivery.engine_name, error, now_ns):
            return False
        job.silent_since_ns = 0
        return job.delivery.hand_over(self._voicing(session, job, now_ns))

    def _tell(self, session: _Session, job: _Job) -> list[Message]:
        """A session is told of a step when it first speaks after it."""
        change, fallback = job.fallback.newest if job.fallback else None, id(job.fallback)
        told = session.told.get(fallback)
        if change is None or change is told or (told is None and change.step == "full"):
            return []
        session.told[fallback] = change
        return [change.event(job.asked.session, "tts")]

    def _send(self, session: _Session, job: _Job, piece: Piece) -> Iterator[Voice]:
        """As much of the clause as is granted, in chunks; the clause's marks go with its first sound."""
        granted, end = session.granted(job), piece.start_sample + len(piece.pcm) // 2
        for _ in range(_CHUNKS_A_STEP):
            start = job.sent_samples
            stop = int(min(start + CHUNK_SAMPLES, end, max(granted, start)))
            if stop == start < end:
                return
            job.sent_samples = stop
            session.sent_since_credit += stop - start
            last = stop == end and piece.last
            yield self._voice(job, piece, start, stop, last)
            if stop == end:
                job.piece = None
                if last:
                    session.done.add(job.key)
                    del session.jobs[job.key]
                return

    def _voice(self, job: _Job, piece: Piece, start: int, stop: int, last: bool) -> Voice:
        asked, opens = job.asked, start == piece.start_sample
        begin = 2 * (start - piece.start_sample)
        return Voice(
            session=asked.session,
            route=asked.route,
            turn=asked.turn,
            sentence=asked.n,
            start_sample=start,
            pcm=piece.pcm[begin : begin + 2 * (stop - start)],
            words=piece.words if opens else (),
            phones=piece.phones if opens else (),
            mouth=piece.mouth if opens else b"",
            mouth_from=piece.start_sample // 480 if opens else 0,
            last=last,
            turn_last=last and asked.last,
            text=asked.text if start == 0 else "",
            language=asked.language,
            tags=dict(asked.tags) if start == 0 else {},
            took_ns=piece.took_ns if opens else 0,
        )

    def _fail(self, session: _Session, job: _Job, error: EngineError) -> Failed:
        """The turn cannot go on: its sentences are forgotten and the broker is told why."""
        self.counters["failed"] += 1
        turn = job.asked.turn
        for key in [key for key in session.jobs if key[0] == turn]:
            del session.jobs[key]
            session.done.add(key)
        text = _kind(error, job.asked.language)
        return Failed(session=job.asked.session, turn=turn, code=_code(error), text=text, kind="tts")

    def _prepare(self, name: str, session: _Session, now_ns: int) -> list[Message]:
        """Have the voice of the first unprepared language ready before a sentence needs it.

        What its page must know is told once: that there is none (then it fails again with each sentence), or another.
        """
        language = session.unprepared[0]
        try:
            voicing, _ = self._stand_ins.choose(session.voices, language, "", 1.0, now_ns)
        except Unready:
            session.looked_again_ns = now_ns + _POLL_NS
            return []
        except EngineError as error:
            del session.unprepared[0]
            logger.warning("voice not ready", extra={"session": name, "language": language, "reason": str(error)})
            return self._warn(session, _unusable(name, language, error), str(error))
        del session.unprepared[0]
        if not voicing.lacking:
            return []
        reason = f"{voicing.engine.name} has no voice {voicing.lacking!r} for {language!r}: {voicing.voice} speaks"
        return self._warn(session, Change(voicing.voice, reason).event(name, "tts"), reason)

    def _warn(self, session: _Session, warning: Message, why: str) -> list[Message]:
        if why in session.warned:
            return []
        session.warned.add(why)
        return [warning]


def _unusable(session: str, language: str, error: EngineError) -> Failed:
    """No turn yet, but there will be none in this language."""
    text = _kind(error, language) if isinstance(error, UnknownLanguage) else f"I cannot speak {language!r}: {error}."
    return Failed(session=session, turn=0, code=_code(error), text=text, kind="tts")


def _code(error: EngineError) -> str:
    return "tts_engine" if isinstance(error, MissingError) else error.code


def _kind(error: EngineError, language: str) -> str:
    """The error for a person: what cannot be said, and what would help."""
    if isinstance(error, UnknownLanguage):
        return f"I have no voice for the language {language!r}: {error}."
    return f"I cannot speak just now: {error}."

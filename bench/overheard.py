"""What the broker would know in each pause of an utterance, and when: through the real vad, smart-turn, recogniser and
brain, in media time. What they take to compute is added as the time it takes on a quiet core."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.pausing import Utterance
from broker import personas
from broker.config import ROOT
from broker.ledger import Said, hit_of
from broker.messages import (
    Close,
    EndUtterance,
    Message,
    MicFrame,
    Open,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    Transcript,
)
from broker.turn_state import TurnSettings
from workers.asr.engine import Engines
from workers.asr.stage import AsrStage
from workers.llm.engine import Question as Asked
from workers.llm.knowledge_engine import answer
from workers.llm.library import Library
from workers.vad.engine import Question, Verdict
from workers.vad.silero_engine import SileroEngine
from workers.vad.smart_turn_engine import SmartTurnEngine
from workers.vad.stage import VadStage

CACHE, PERSONAS = ROOT / ".cache", ROOT / "etc" / "personas"
WEIGHTS = CACHE / "weights"
FRAME = 160
VERDICT_MS, WORDS_MS, BRAIN_MS = 30, 10, 20
"""What smart-turn, the words at a pause and an answer take (docs/benchmarks.md, single stages)."""


_Sign = tuple[float, float, str, float | None]
"""When it was known, in ms of silence; belief in the end, words, and how likely a sentence ends after them."""


@dataclass(frozen=True)
class Known:
    """What is known from `at_ms` of silence on."""

    at_ms: float
    p_end: float
    text: str
    hit: float | None
    ends: float | None


@dataclass(frozen=True)
class Pause:
    """`lasted_ms`: infinite at the utterance's end. `late_ms`: the vad's idea of where speech stopped, after the true
    end (last pauses only)."""

    knowns: tuple[Known, ...]
    lasted_ms: float
    late_ms: float


@dataclass(frozen=True)
class Heard:
    """An utterance and its pauses, the last one at its end. No pause at all: it was not heard."""

    text: str
    voice: str
    persona: str
    paused: bool
    pauses: tuple[Pause, ...]


class VerdictsAtOnce:
    """smart-turn, without its thread."""

    name = "smart-turn"

    def __init__(self) -> None:
        self._engine = SmartTurnEngine(WEIGHTS)
        self.recent_samples = self._engine.recent_samples
        self._answers: list[Verdict] = []

    def submit(self, question: Question, pcm: bytes) -> None:
        self._answers.append(Verdict(question, self._engine.p_end(pcm), 0))

    def poll(self) -> list[Verdict]:
        answers, self._answers = self._answers, []
        return answers

    def cancel(self, session: str) -> None:
        self._answers.clear()

    def close(self) -> None:
        self._engine.close()


class Room:
    """The stages, and one session for each voice and persona: a caller who asks one question after the other."""

    def __init__(self) -> None:
        self._vad = VadStage(SileroEngine(WEIGHTS), VerdictsAtOnce())
        self._engines = Engines(WEIGHTS, CACHE, PERSONAS)
        self._asr = AsrStage(self._engines, "pocketsphinx")
        self._library = Library(PERSONAS, WEIGHTS / "minilm", CACHE)

    def close(self) -> None:
        self._engines.close()
        self._library.close()

    def overhear(self, utterances: Iterable[Utterance]) -> Iterator[Heard]:
        """In the order of the sessions, not of the utterances."""
        sessions: dict[tuple[str, str], list[Utterance]] = {}
        for utterance in utterances:
            sessions.setdefault((utterance.voice, utterance.persona), []).append(utterance)
        for (voice, persona), said in sessions.items():
            yield from self._session(f"{voice} {persona}", persona, said)

    def _session(self, session: str, persona: str, said: list[Utterance]) -> Iterator[Heard]:
        snapshot = personas.load(PERSONAS, persona).snapshot() if persona else {}
        opening = Open(session=session, persona=snapshot, language="en", origin_ns=0, peers={})
        for stage in (self._vad, self._asr):
            stage.accept(opening)
        while not self._asr._listeners[session].recogniser.ready():
            time.sleep(0.01)
        start = 0
        for utterance in said:
            yield self._hear(session, snapshot, utterance, start)
            start += len(utterance.sound) // FRAME * FRAME
        for stage in (self._vad, self._asr):
            stage.accept(Close(session=session, reason="done"))

    def _hear(self, session: str, persona: dict[str, object], utterance: Utterance, start: int) -> Heard:
        pauses: dict[int, list[_Sign]] = {}
        resumed: dict[int, int] = {}
        last, number, text, ends, p_end = -1, 0, "", None, 0.5
        for at in range(0, len(utterance.sound) - FRAME + 1, FRAME):
            frame = MicFrame(session=session, mic_sample=start + at, pcm=utterance.sound[at : at + FRAME].tobytes())
            self._vad.accept(frame)
            for message in self._through((start + at) * 62_500):
                silence_ms = (start + at + FRAME - last) / 16
                match message:
                    case SpeechStarted():
                        last, text, ends = -1, "", None
                    case SpeechPaused():
                        new = message.mic_sample != last
                        last, number, p_end = message.mic_sample, message.utterance, message.p_end
                        silence_ms = (start + at + FRAME - last) / 16
                        # The verdict is asked for at the first silent window and comes with the second here.
                        pauses.setdefault(last, []).append((max(silence_ms, VERDICT_MS), p_end, text, ends))
                        if new:
                            resumed.pop(last, None)
                    case SpeechResumed():
                        resumed[last] = message.mic_sample
                        last = -1
                    case Transcript() if not message.final:
                        text, ends = message.text, message.ends
                        if last >= 0 and message.through_sample >= last:
                            pauses[last].append((silence_ms + WORDS_MS, p_end, text, ends))
        over = EndUtterance(session=session, utterance=number, mic_sample=last)
        for stage in (self._vad, self._asr):
            stage.accept(over)
        self._through((start + len(utterance.sound)) * 62_500)
        found = tuple(
            Pause(
                knowns=self._with_answers(persona, known),
                lasted_ms=(resumed[sample] - sample) / 16 if sample in resumed else math.inf,
                late_ms=(sample - start - utterance.end_sample) / 16,
            )
            for sample, known in pauses.items()
        )
        return Heard(utterance.text, utterance.voice, utterance.persona, bool(utterance.pause_ms), found)

    def _through(self, now_ns: int) -> list[Message]:
        out: list[Message] = []
        while self._vad.due_ns is not None and self._vad.due_ns <= now_ns:
            for message in self._vad.step(now_ns):
                out.append(message)
                self._asr.accept(message)
        while self._asr.due_ns is not None and self._asr.due_ns <= now_ns:
            out += self._asr.step(now_ns)
        return out

    def _with_answers(self, persona: dict[str, object], known: list[_Sign]) -> tuple[Known, ...]:
        """The prepared answer's confidence comes last: it is asked for once words are there and an attempt may be."""
        knowns = [Known(at_ms, p_end, text, None, ends) for at_ms, p_end, text, ends in known]
        text = knowns[-1].text
        if text and persona:
            knowledge = self._library.wait(persona, "en")
            lines = answer(Asked(session="bench", turn=1, text=text, language="en", persona=persona), knowledge)
            first = lines[0]
            said = Said(n=0, text=first.text, language="en", last=True, confidence=first.confidence, kind=first.kind)
            at_ms = max(knowns[-1].at_ms, TurnSettings().speculation_after_ms) + BRAIN_MS
            knowns.append(Known(at_ms, knowns[-1].p_end, text, hit_of(said), knowns[-1].ends))
        return tuple(knowns)

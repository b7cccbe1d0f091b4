"""Delay of the end-of-turn decision against false cuts: the adaptive wait, and fixed ones beside it.

    python -m bench.end_of_turn [--synthetic 60] [--human 60]

Half of the utterances have an inner pause of 300-700 ms spliced in where the sound is quietest; all end in silence.
Each goes through the real vad, smart-turn and (synthetic voices) pocketsphinx with the persona's vocabulary. A decision
in an inner pause is a false cut; the delay is from the true end of the last sound to the decision. Human clips are
mostly of telephone bandwidth, which the recogniser cannot read: they are decided on sound alone, as open sentences.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.asr import PERSONAS, questions
from bench.human import prompts, readings
from bench.spoken import silence, speak, trimmed
from broker.endpoint import EndpointSettings, wait_ms
from broker.messages import EndUtterance, Message, MicFrame, Open, SpeechPaused, SpeechStarted, Transcript
from workers.asr.engine import Engines
from workers.asr.stage import AsrStage
from workers.vad.engine import Question, Verdict
from workers.vad.segmenter import frame_levels_db
from workers.vad.silero_engine import SileroEngine
from workers.vad.smart_turn_engine import SmartTurnEngine
from workers.vad.stage import VadStage

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / ".cache" / "weights"
LEAD_MS = 600
FRAME = 320
VERDICT_MS = 30
"""What smart-turn takes; here it answers in media time."""
NO_WORDS = "one of the clips"


@dataclass(frozen=True)
class Utterance:
    name: str
    sound: NDArray[np.int16]
    end_sample: int
    persona: str = ""


@dataclass(frozen=True)
class Pause:
    """What was known in a pause, and how long it lasted (infinite at the utterance's end)."""

    p_end: float
    text: str
    noticed_ms: float
    """Silence until the vad had noticed it."""
    lasted_ms: float
    late_ms: float
    """The vad's idea of where speech stopped, after the true end (last pauses only)."""


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


def with_pause(sound: NDArray[np.int16], pause_ms: int) -> NDArray[np.int16]:
    """A pause where the sound is quietest between 30 and 75 % of it, with 5 ms fades."""
    frames = sound[: len(sound) // 160 * 160].reshape(-1, 160).astype(np.float64)
    level = np.convolve((frames**2).mean(axis=1), np.ones(3), "same")
    first, last = int(len(level) * 0.3), int(len(level) * 0.75)
    at = (first + int(np.argmin(level[first:last]))) * 160
    before, after = sound[:at].copy(), sound[at:].copy()
    fade = np.linspace(1, 0, 80)
    before[-80:] = before[-80:] * fade
    after[:80] = after[:80] * fade[::-1]
    return np.concatenate([before, silence(pause_ms, pause_ms), after])


def fading(clip: NDArray[np.int16]) -> int:
    """Samples at the end more than 40 dB under the loudest: still there, but nobody would say still speaking."""
    levels_db = frame_levels_db(clip)
    loud = np.flatnonzero(levels_db > levels_db.max() - 40)
    return len(clip) - (int(loud[-1]) + 1) * 160


def utterances(count: int, clips: list[tuple[str, NDArray[np.int16], str]]) -> list[Utterance]:
    made = []
    for n, (name, clip, persona) in enumerate(clips[:count]):
        paused = n % 2 == 1
        sound = with_pause(clip, 300 + 400 * (n // 2 % 9) // 8) if paused else clip
        whole = np.concatenate([silence(LEAD_MS, n), sound, silence(2000, n + 1)]).astype(np.int16)
        end = LEAD_MS * 16 + len(sound) - fading(clip)
        made.append(Utterance(name + " +pause" * paused, whole, end, persona))
    return made


def pauses(utterance: Utterance, vad: VadStage, asr: AsrStage | None, session: str) -> list[Pause]:
    """Each pause of the utterance as the broker sees it. Empty: it was not heard at all."""
    stages: list[Any] = [vad] if asr is None else [vad, asr]
    persona = {"knowledge": {"folder": utterance.persona}}
    for stage in stages:
        stage.accept(Open(session=session, persona=persona, language="en", origin_ns=0, peers={}))
    if asr is not None:
        while not asr._listeners[session].recogniser.ready():
            time.sleep(0.01)
    known: dict[int, dict[str, float | str]] = {}
    resumed: dict[int, int] = {}
    last, now_ns = -1, 0
    for at in range(0, len(utterance.sound) - FRAME + 1, FRAME):
        now_ns = at * 62_500
        vad.accept(MicFrame(session=session, mic_sample=at, pcm=utterance.sound[at : at + FRAME].tobytes()))
        for message in _through(stages, now_ns):
            if isinstance(message, SpeechPaused):
                last = message.mic_sample
                pause = known.setdefault(last, {"p": 0.5, "text": NO_WORDS, "noticed": float(message.silence_ms)})
                pause["p"] = message.p_end
            elif isinstance(message, Transcript) and not message.final and last >= 0:
                known[last]["text"] = message.text
            elif type(message).__name__ == "SpeechResumed":
                resumed[last] = message.mic_sample  # type: ignore[attr-defined]
                last = -1
            elif isinstance(message, SpeechStarted):
                last = -1
    for stage in stages:
        stage.accept(EndUtterance(session=session, utterance=0, mic_sample=0))
    return [
        Pause(
            float(pause["p"]),
            str(pause["text"]),
            float(pause["noticed"]),
            (resumed[sample] - sample) / 16 if sample in resumed else math.inf,
            (sample - utterance.end_sample) / 16,
        )
        for sample, pause in known.items()
    ]


def _through(stages: list[Any], now_ns: int) -> list[Message]:
    out: list[Message] = []
    vad = stages[0]
    while vad.due_ns is not None and vad.due_ns <= now_ns:
        for message in vad.step(now_ns):
            out.append(message)
            if len(stages) > 1:
                stages[1].accept(message)
    while len(stages) > 1 and stages[1].due_ns is not None and stages[1].due_ns <= now_ns:
        out += stages[1].step(now_ns)
    return out


def judge(heard: list[list[Pause]], decide: Rule) -> tuple[float, list[float]]:
    """(share of utterances cut off, delays of the others in ms) under a rule (p_end, text) → wait."""
    cut, delays = 0, []
    for found in heard:
        for pause in found:
            wait = max(decide(pause.p_end, pause.text), pause.noticed_ms + VERDICT_MS)
            if pause.lasted_ms < math.inf and wait < pause.lasted_ms:
                cut += 1
                break
            if math.isinf(pause.lasted_ms):
                delays.append(wait + pause.late_ms)
    return cut / max(len(heard), 1), delays


def report(title: str, heard: list[list[Pause]]) -> None:
    heard = [found for found in heard if found]
    inner = sum(not math.isinf(pause.lasted_ms) for found in heard for pause in found)
    last = [pause for found in heard for pause in found if math.isinf(pause.lasted_ms)]
    print(f"\n{title}: {len(heard)} utterances heard, {inner} inner pauses of 120 ms or more")
    if not last:
        return
    noticed = [pause.noticed_ms + pause.late_ms for pause in last]
    print(
        f"  noticed {statistics.median(noticed):.0f} ms after the true end (p90 {np.percentile(noticed, 90):.0f}); "
        f"the vad's end lies {statistics.median([p.late_ms for p in last]):+.0f} ms from the true one"
    )
    print("  rule                    false cuts   delay p50   p90")
    for wait in (200, 300, 400, 500, 600, 700, 800):
        _line(f"fixed {wait} ms", judge(heard, fixed(wait)))
    found: list[tuple[float, str]] = []
    for name, rule in RULES.items():
        result = judge(heard, rule)
        _line(name, result)
        if result[0] <= 0.05 and result[1]:
            found.append((statistics.median(result[1]), name))
    fixed_ok = [wait for wait in range(150, 1000, 25) if judge(heard, fixed(wait))[0] <= 0.05]
    if found:
        delay, name = min(found)
        print(f"  headline: at ≤ 5 % false cuts {delay:.0f} ms ({name})", end="")
        print(f"; the best fixed wait {min(fixed_ok)} ms" if fixed_ok else "")


Rule = Callable[[float, str], float]


def fixed(wait: int) -> Rule:
    return lambda p_end, text: wait


def adaptive(**numbers: float) -> Rule:
    settings = EndpointSettings(**numbers)  # type: ignore[arg-type]
    return lambda p_end, text: wait_ms(p_end, text, "en", None, settings)


RULES: dict[str, Rule] = {
    "adaptive, eager": adaptive(finished_p=0.8, likely_p=0.5, likely_ms=250, unsure_ms=450, unfinished_ms=650),
    "adaptive, as shipped": adaptive(),
    "adaptive, careful": adaptive(finished_p=0.93, likely_p=0.8, doubtful_p=0.4, likely_ms=400, unfinished_ms=800),
    "adaptive, very careful": adaptive(
        finished_p=0.98, likely_p=0.9, doubtful_p=0.4, likely_ms=500, unsure_ms=650, unfinished_ms=900
    ),
}


def _line(name: str, result: tuple[float, list[float]]) -> None:
    cut, delays = result
    p50, p90 = (np.percentile(delays, q) for q in (50, 90)) if delays else (math.nan, math.nan)
    print(f"  {name:22s} {100 * cut:8.1f} %   {p50:6.0f} ms {p90:6.0f} ms")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--synthetic", type=int, default=60)
    arguments.add_argument("--human", type=int, default=60)
    arguments.add_argument("--show", action="store_true", help="print each pause")
    chosen = arguments.parse_args()
    personas = sorted(path.parent.name for path in PERSONAS.glob("*/questions.toml"))
    asked = itertools.chain(*zip(*([(p, q) for q in questions(p, 2)] for p in personas), strict=False))
    voices = itertools.cycle(("slt", "rms", "awb"))
    synthetic = [
        (f"{voice} {ask}", trimmed(speak(ask + "?", voice)), persona)
        for (persona, ask), voice in zip(itertools.islice(asked, chosen.synthetic), voices, strict=False)
    ]
    human = [(name, sound, "") for name, sound in readings() + prompts()]
    vad = VadStage(SileroEngine(WEIGHTS), VerdictsAtOnce())
    engines = Engines(WEIGHTS, ROOT / ".cache", PERSONAS)
    for title, clips, count, asr in (
        ("synthetic voices, sound and words", synthetic, chosen.synthetic, AsrStage(engines, "pocketsphinx")),
        ("human voices, sound alone", human, chosen.human, None),
    ):
        heard = []
        for n, utterance in enumerate(utterances(count, clips)):
            found = pauses(utterance, vad, asr, f"{title} {n}")
            heard.append(found)
            if chosen.show:
                print(utterance.name)
                for pause in found:
                    print(f"    {pause.lasted_ms:6.0f} ms  p {pause.p_end:.2f}  {pause.late_ms:+.0f}  {pause.text}")
        report(title, heard)
    engines.close()


if __name__ == "__main__":
    main()

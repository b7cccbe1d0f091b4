"""Who takes the floor, offline: interjections through the real vad, smart-turn and recogniser into the turn machine.

  python -m bench.floor [--persona campus] [--voices tune|report] [--heard FILE] [--list]
                        [--turns hold_longest_ms=300 …]

No browser, no clock: media time only, so that a rule can be tried on hundreds of sounds in seconds. Each clip is said
over an answer that is being spoken. What is measured is when the machine holds, resumes and cancels, in milliseconds
from the clip's first sound as the broker sees it (bench/barge_in.py measures at the ear). Rules are tuned on one set of
voices and words and reported on another. `--heard` keeps what the stages said in a file: only the machine runs anew.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.floor_clips import Clip, clips
from bench.overheard import WEIGHTS, VerdictsAtOnce
from bench.spoken import silence
from broker.errors import ConfigError
from broker.messages import (
    Cancel,
    Close,
    Emitted,
    EndUtterance,
    Hold,
    Message,
    MicFrame,
    Open,
    Played,
    Resume,
    Sentence,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    Transcript,
    Typed,
    Word,
)
from broker.turn_state import TurnSettings
from broker.turns import Timer, TurnState, due_ns, step
from webrtc.denoise import Denoiser
from workers.asr.engine import Engines
from workers.asr.junk import is_junk
from workers.asr.stage import AsrStage
from workers.vad.silero_engine import SileroEngine
from workers.vad.stage import VadStage

ROOT = Path(__file__).resolve().parent.parent
FRAME = 160
LEAD_MS, REST_MS = 1000, 2600
MIC_MS = 25
"""From the microphone to the vad, measured in a browser on this kind of machine (research/probe-webrtc.md)."""
WORDS_MS = 9
"""From the last sound to the recogniser's words."""
MS = 1_000_000
WORD_MS = 300
"""A word of the avatar's answer."""


@dataclass(frozen=True)
class Heard:
    """What vad and asr said of a clip, each message with the instant (ms from the clip's first sound) it came at."""

    clip: Clip
    messages: tuple[tuple[float, Message], ...]


@dataclass(frozen=True)
class Outcome:
    """What the machine did, in ms from the clip's first sound."""

    clip: Clip
    held: tuple[float, ...]
    resumed: tuple[float, ...]
    cancelled: float | None
    words: str

    @property
    def verdict(self) -> str:
        if self.cancelled is not None:
            return "cancelled late" if self.resumed and self.resumed[0] < self.cancelled else "cancelled"
        return "resumed" if self.held else "unheard"

    @property
    def pauses_ms(self) -> list[float]:
        """How long each hold that was resumed lasted."""
        return [after - at for at, after in zip(self.held, self.resumed, strict=False)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persona", default="campus")
    parser.add_argument("--voices", choices=("tune", "report"), default="report")
    parser.add_argument("--heard", type=Path, metavar="FILE", help="keep what the stages said there, or take it thence")
    parser.add_argument("--list", action="store_true", help="every clip, not only those judged wrongly")
    parser.add_argument("--turns", nargs="+", default=[], metavar="KEY=NUMBER", help="other numbers of turn taking")
    arguments = parser.parse_args()
    try:
        numbers = {key: float(number) for key, _, number in (each.partition("=") for each in arguments.turns)}
        settings = TurnSettings.of(numbers, "--turns")
    except (ValueError, ConfigError) as error:
        parser.error(str(error))
    if arguments.heard and arguments.heard.exists():
        heard = pickle.loads(arguments.heard.read_bytes())  # written by this very command
    else:
        heard = list(hear(clips(arguments.voices), arguments.persona))
        if arguments.heard:
            arguments.heard.write_bytes(pickle.dumps(heard))
    report([converse(each, settings) for each in heard], arguments.list)


def hear(wanted: Sequence[Clip], persona: str) -> Iterator[Heard]:
    """Each clip through the stages, in a session of its own. Nobody ends an utterance there but the vad."""
    vad = VadStage(SileroEngine(WEIGHTS), VerdictsAtOnce())
    asr = AsrStage(Engines(WEIGHTS, ROOT / ".cache", ROOT / "etc" / "personas"))
    for number, clip in enumerate(wanted):
        session = f"{number}"
        opened = Open(session=session, persona={"knowledge": {"folder": persona}}, language="en", origin_ns=0, peers={})
        vad.accept(opened)
        asr.accept(opened)
        while not asr._listeners[session].recogniser.ready():
            pass
        yield Heard(clip, tuple(_stages(clip.sound, vad, asr, session)))
        for stage in (vad, asr):
            stage.accept(Close(session=session, reason="said"))
            stage.step(0)
        print(".", end="", flush=True)
    print()


def _stages(sound: NDArray[np.int16], vad: VadStage, asr: AsrStage, session: str) -> Iterator[tuple[float, Message]]:
    whole = np.concatenate([silence(LEAD_MS, 1), sound, silence(REST_MS, 2)]).astype(np.int16)
    cleaner = Denoiser()
    for at in range(0, len(whole) - FRAME + 1, FRAME):
        arrived_ms = (at + FRAME) / 16 + MIC_MS - LEAD_MS
        now_ns = (at + FRAME) * 62_500
        pcm = cleaner.clean(whole[at : at + FRAME].tobytes())
        vad.accept(MicFrame(session=session, mic_sample=at, pcm=pcm))
        while vad.due_ns is not None and vad.due_ns <= now_ns:
            for message in vad.step(now_ns):
                asr.accept(message)
                if not isinstance(message, MicFrame):
                    yield arrived_ms, message
        while asr.due_ns is not None and asr.due_ns <= now_ns:
            for message in asr.step(now_ns):
                yield arrived_ms + WORDS_MS, message


class Table:
    """The turn machine over an answer that is being spoken, one word every 300 ms while nobody holds it."""

    def __init__(self, settings: TurnSettings) -> None:
        self.ms = -3000.0
        self.state = TurnState(settings=settings, languages=("en",))
        self.held: list[float] = []
        self.resumed: list[float] = []
        self.cancelled: float | None = None
        self.words = ""
        self.ended: dict[int, int] = {}
        """Utterances the machine has ended, and where."""
        self._spoken = 0
        self.tell(Played(programme_sample=0))
        self.tell(Typed(text="go on and on"))
        text = " ".join(f"w{n}" for n in range(60))
        self.tell(Sentence(turn=1, n=0, text=text, language="en", last=True))

    def tell(self, event: object) -> None:
        self.state, actions = step(self.state, event, self._now_ns())
        for action in actions:
            match action:
                case Hold():
                    self.held.append(self.ms)
                case Resume():
                    self.resumed.append(self.ms)
                case Cancel() if self.cancelled is None and action.through_turn >= 1:
                    self.cancelled = self.ms
                case EndUtterance():
                    self.ended[action.utterance] = action.mic_sample

    def until(self, ms: float) -> None:
        """Let time pass: timers, the voice, the page's acknowledgements, 20 ms a tick."""
        while self.ms + 20 <= ms:
            self._at(self.ms + 20)
            self.tell(Played(programme_sample=self._sample()))
            self._speak()
        self._at(ms)

    def _at(self, ms: float) -> None:
        due = due_ns(self.state)
        while due is not None and due <= self._ns(ms):
            self.ms = max(self.ms, due / MS - 10_000)
            self.tell(Timer())
            due = due_ns(self.state)
        self.ms = ms

    def _speak(self) -> None:
        if self.state.held or self.cancelled is not None or self.state.answer is None:
            return
        start, length = self._spoken * 960, WORD_MS * 48
        fresh = start % length == 0
        word = Word(index=start // length, text=f"w{start // length}", start_sample=start, end_sample=start + length)
        self._spoken += 1
        self.tell(
            Emitted(
                turn=1,
                sentence=0,
                start_sample=start,
                programme_sample=self._sample(),
                samples=960,
                words=(word,) if fresh else (),
            )
        )

    def _sample(self) -> int:
        return int((self.ms + 10_000) * 48)

    def _now_ns(self) -> int:
        return self._ns(self.ms)

    def _ns(self, ms: float) -> int:
        return round((ms + 10_000) * MS)


def converse(heard: Heard, settings: TurnSettings) -> Outcome:
    """The machine's doings over one clip. An utterance that it ends gets the words of its last pause as final ones.

    Who goes on after that end is a new utterance, as the vad would have it.
    """
    table = Table(settings)
    shift, pending, at_end = 0, None, ""
    for ms, message in heard.messages:
        if pending and ms >= pending[0]:
            _final(table, *pending)
            pending = None
        table.until(ms)
        number = getattr(message, "utterance", 0) + shift
        over = number in table.ended
        match message:
            case SpeechResumed() if over:
                shift += 1
                table.tell(SpeechStarted(utterance=number + 1, mic_sample=message.mic_sample))
            case SpeechStarted() | SpeechResumed() | SpeechPaused() | SpeechEnded():
                table.tell(replace(message, utterance=number))
            case Transcript():
                at_end = message.text
                if not over:
                    text = message.text
                    if message.final and is_junk(text, "en", message.confidence):
                        text = ""
                    table.tell(replace(message, utterance=number, text=text))
        for ended in table.ended:
            if pending is None and ended == number and not over:
                pending = (table.ms + 20, ended, at_end)
    if pending:
        _final(table, *pending)
    table.until(len(heard.clip.sound) / 16 + REST_MS)
    return Outcome(heard.clip, tuple(table.held), tuple(table.resumed), table.cancelled, at_end)


def _final(table: Table, ms: float, utterance: int, text: str) -> None:
    table.until(max(ms, table.ms))
    table.tell(
        Transcript(utterance=utterance, n=999, text="" if is_junk(text, "en", 1.0) else text, final=True, language="en")
    )


def report(outcomes: Sequence[Outcome], everything: bool) -> None:
    """The confusion table, the times, and what went wrong."""
    verdicts = ("unheard", "resumed", "cancelled", "cancelled late")
    print(f"{'':24}{'n':>5}" + "".join(f"{verdict:>16}" for verdict in verdicts))
    for kind in dict.fromkeys(outcome.clip.kind for outcome in outcomes):
        of_kind = [outcome for outcome in outcomes if outcome.clip.kind == kind]
        counts = [sum(outcome.verdict == verdict for outcome in of_kind) for verdict in verdicts]
        print(f"{kind:24}{len(of_kind):5}" + "".join(f"{count:16}" for count in counts))
    others = [o for o in outcomes if not o.clip.takes_floor]
    takers = [o for o in outcomes if o.clip.takes_floor]
    _line("hold", [o.held[0] for o in outcomes if o.held])
    _line("pause by a backchannel", [p for o in others if o.cancelled is None for p in o.pauses_ms[:1]])
    _line("cancel by an interruption", [o.cancelled for o in takers if o.cancelled is not None])
    for outcome in outcomes:
        wrong = outcome.clip.takes_floor != outcome.verdict.startswith("cancelled")
        if everything or wrong or outcome.verdict == "cancelled late":
            held, resumed = ("/".join(f"{ms:.0f}" for ms in at) for at in (outcome.held, outcome.resumed))
            clip = outcome.clip
            print(
                f"  {clip.kind} {clip.name!r} {len(clip.sound) / 16:.0f} ms: {outcome.verdict}; "
                f"held {held}, resumed {resumed}, cancelled {outcome.cancelled and round(outcome.cancelled)}; "
                f"heard as {outcome.words!r}"
            )


def _line(name: str, values: Sequence[float]) -> None:
    if values:
        p50, p90, most = np.percentile(values, [50, 90, 100])
        over = sum(value > 400 for value in values)
        print(f"{name:28} n {len(values):3}  p50 {p50:5.0f}  p90 {p90:5.0f}  max {most:5.0f} ms; over 400: {over}")


if __name__ == "__main__":
    main()

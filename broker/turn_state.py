"""What the turn machine knows: frozen and hashable, so that every state it can reach may be explored.

All instants are the caller's `now_ns`; nothing here reads a clock.
"""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from broker.clock import NS_PER_MS
from broker.endpoint import DEFAULT as DEFAULT_ENDPOINT
from broker.endpoint import RANGES as ENDPOINT_RANGES
from broker.endpoint import EndpointSettings
from broker.errors import ConfigError
from broker.expressions import Expression
from broker.ledger import Answer, AnswerKind
from broker.messages import Exchange

MIC_SAMPLES_PER_MS = 16


@dataclass(frozen=True, kw_only=True)
class TurnSettings:
    """The numbers of turn taking; a persona's [turns] overrides them. Milliseconds unless named otherwise."""

    speculation_after_ms: float = 50
    """Silence after which an answer to the words so far may be prepared."""
    wasted_attempts: float = 2
    """Attempts that may come to nothing before waiting for the end of the utterance."""
    hold_decision_ms: float = 300
    """Whoever has stopped speaking: a hold becomes a cancel or a resume within this …"""
    hold_words_ms: float = 150
    """… or so long after they stopped, for the words to come …"""
    hold_longest_ms: float = 750
    """… and when they go on, within this: more than a backchannel and the time it takes to notice its end."""
    backchannel_ms: float = 650
    """An "mhm" or "okay" is shorter; of so little speech the recogniser's words are half guesses."""
    joined_words: float = 3
    """An answer of which fewer words have begun is withdrawn when the person goes on."""
    one_moment_ms: float = 2500
    """An accepted question without a first sentence gets a spoken "one moment"."""
    answer_timeout_ms: float = 20_000
    """… and without one for this long an apology. Above a persona's brain.timeout_s."""
    voice_timeout_ms: float = 8_000
    """An answer that stops coming in its middle is given up."""
    final_timeout_ms: float = 3_000
    """An utterance of which no more words come is answered by the provisional ones after this …"""
    no_words_timeout_ms: float = 9_000
    """… and without those only after this: a recogniser that has just replaced a dead one loads its models first."""
    ack_wait_ms: float = 300
    """What comes after an answer waits this long for the page to say how far it was heard."""
    away_ms: float = 3_000
    """A page that acknowledges nothing for this long is not listening."""
    not_caught_ms: float = 1_000
    """Speech of this length without any word understood is answered by "I did not catch that"."""
    buffered_ms: float = 500
    """The programme says within this what it has of a dead tts's voice."""
    history_lines: float = 24
    text_limit: float = 2_000
    """Characters of one typed text."""
    endpoint: EndpointSettings = DEFAULT_ENDPOINT
    """How long a silence must be to end an utterance; its keys stand in [turns] beside the others."""

    @staticmethod
    def of(numbers: dict[str, Any], where: str = "turns") -> TurnSettings:
        """The defaults with `numbers` over them. Raises ConfigError naming the known keys."""
        own = {each.name for each in dataclasses.fields(TurnSettings)} - {"endpoint"}
        ends = {each.name for each in dataclasses.fields(EndpointSettings)}
        for key, value in numbers.items():
            if key not in own | ends:
                close = difflib.get_close_matches(key, own | ends, 1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise ConfigError(f"{where} has no key {key!r}.{hint} Known keys: {', '.join(sorted(own | ends))}.")
            low, high = ENDPOINT_RANGES.get(key, (0, 3_600_000))
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ConfigError(f"{where}.{key} is {value!r}; it must be a number between {low} and {high}.")
        endpoint = EndpointSettings(**{key: value for key, value in numbers.items() if key in ends})
        if not endpoint.quick_ms <= endpoint.fluent_ms <= endpoint.patient_ms:
            raise ConfigError(
                f"{where}: quick_ms ({endpoint.quick_ms:g}), fluent_ms ({endpoint.fluent_ms:g}) and patient_ms "
                f"({endpoint.patient_ms:g}) must not fall in this order."
            )
        return TurnSettings(**{key: value for key, value in numbers.items() if key in own}, endpoint=endpoint)


def ns(milliseconds: float) -> int:
    """Milliseconds of a setting, in nanoseconds."""
    return round(milliseconds * NS_PER_MS)


class Presence(StrEnum):
    """Whether somebody listens."""

    NOT_YET = "not_yet"
    """No packet has been acknowledged since the session began."""
    HERE = "here"
    AWAY = "away"


@dataclass(frozen=True, kw_only=True)
class Pause:
    """A silence within an utterance, which may be its end."""

    mic_sample: int
    """Where speech stopped."""
    began_ns: int
    p_end: float
    before_n: int = -1
    """The newest words when it was noticed: they may lack the last sound, however far they are said to reach."""


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """What the person says now, or has just said."""

    number: int
    onset_sample: int
    over: int = 0
    """The turn that was in hand when it began; 0: none."""
    text: str = ""
    n: int = -1
    through_sample: int = 0
    ends: float | None = None
    """How likely a sentence ends after `text` (`Transcript.ends`)."""
    stands_at: int = -1
    """`text` stands for good if the pause at this microphone sample lasts (`Transcript.pause_sample`)."""
    pause: Pause | None = None
    end_at_ns: int = 0
    """When it is over unless the person goes on; 0 while not paused."""
    ended_ns: int = 0
    """When it was over; its final words are awaited."""
    heard_ns: int = 0
    """When the last words came that are not final yet, since it was over: a slow recogniser is at work."""
    final: bool = False
    """`text` are its final words; they wait for the caller to come back."""

    def covered(self) -> bool:
        """Whether the words so far account for all sound up to the pause."""
        return self.pause is not None and self.through_sample >= self.pause.mic_sample

    def settled(self) -> bool:
        """Whether the words so far were asked of the recogniser in the pause: it changes them until then."""
        return self.covered() and self.pause is not None and self.n > self.pause.before_n

    def stands(self) -> bool:
        """Whether its final words are known without asking for them."""
        return self.pause is not None and self.stands_at == self.pause.mic_sample

    def understood(self) -> Utterance:
        """It with its final words, which account for all of it."""
        end_sample = self.pause.mic_sample if self.pause else max(self.through_sample, self.onset_sample)
        pause = self.pause or Pause(mic_sample=end_sample, began_ns=self.ended_ns, p_end=1.0)
        return dataclasses.replace(
            self, n=pause.before_n + 1, pause=pause, through_sample=max(self.through_sample, end_sample)
        )


@dataclass(frozen=True, kw_only=True)
class Barge:
    """A hold because the person speaks, until it is known what it is."""

    since_ns: int
    until_ns: int


@dataclass(frozen=True, kw_only=True)
class Settling:
    """A turn that has ended; how far it was heard is not acknowledged yet."""

    answer: Answer
    since_ns: int
    interrupted: bool


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Words to be answered as soon as it is settled what was heard of the answer before."""

    text: str
    spoken: bool
    utterance: int = -1
    end_sample: int = 0


@dataclass(frozen=True, kw_only=True)
class ToSay:
    """Something the broker itself says when nobody speaks."""

    kind: AnswerKind
    text: str
    language: str
    upload: str = ""
    """The name of the recording in which it is said."""


@dataclass(frozen=True, kw_only=True)
class TurnState:
    """One session's conversation, whole."""

    settings: TurnSettings = field(default_factory=TurnSettings)
    languages: tuple[str, ...] = ("en",)
    language: str = "en"
    mode: str = "voice"
    origin_ns: int = 0
    greeting: str = ""
    """Still to be spoken, when the page first plays."""
    expressions: tuple[Expression, ...] = ()
    """The persona's own rules of what the face does with which sentence."""

    turn: int = 0
    """The newest turn given out."""
    cancelled_through: int = 0
    attempt: Answer | None = None
    """An answer prepared before the utterance is known to be over. Never together with `answer`."""
    answer: Answer | None = None
    """The turn that is being thought or spoken."""
    moment: Answer | None = None
    """The "one moment" spoken while `answer` has nothing yet."""
    settling: Settling | None = None
    waiting: Waiting | None = None
    says: tuple[ToSay, ...] = ()

    utterance: Utterance | None = None
    """What is being said now."""
    ending: Utterance | None = None
    """What was said and whose final words are awaited."""
    next_utterance: int = 0
    fluent: int = 0
    """Utterances in a row without a pause in them, at most `endpoint.fluent_after`."""
    carried: str = ""
    """Words of earlier utterances that the open one continues."""
    mic_through: int = 0
    """The microphone up to here is dealt with."""
    wasted: int = 0
    hold: Barge | None = None

    held: bool = False
    """The programme has been told to hold."""
    gone: bool = False
    """The caller's page or edge is gone: what was being said waits for them to come back."""
    presence: Presence = Presence.NOT_YET
    acknowledged: int = 0
    """The programme_sample up to which the page has played."""
    played_ns: int = 0
    finished_sample: int = 0
    """The programme_sample at which the last turn ended that is dealt with: no hold brings any of it back."""
    dialogue: tuple[Exchange, ...] = ()
    typed_ids: tuple[str, ...] = ()
    eased: bool = False
    """The page was told of a "one moment" or an apology; the next answer takes that back."""
    apologised: bool = False
    """The last thing said was "I did not catch that"."""
    owed: tuple[int, ...] = ()
    """Turns whose voice died with a tts; the programme is to say what it kept (`Buffered`)."""
    owed_by_ns: int = 0
    """What it has not spoken of by then it does not have."""


def in_hand(state: TurnState) -> bool:
    """Whether something is being thought or spoken."""
    return state.answer is not None or state.moment is not None


def final_by_ns(state: TurnState, ending: Utterance) -> int:
    """Until when its final words are waited for."""
    patience = state.settings.final_timeout_ms if ending.text else state.settings.no_words_timeout_ms
    return max(ending.ended_ns, ending.heard_ns) + ns(patience)


def committed_turns(state: TurnState) -> tuple[int, ...]:
    """The turns whose voice may sound, for `Open`."""
    turns = (each.turn for each in (state.moment, state.answer) if each and each.committed and not each.done)
    return tuple(sorted(turns))


def attention(state: TurnState) -> str:
    """What the face does while it does not talk, as `Attend` says it: idle, listening or thinking."""
    if state.presence is not Presence.HERE:
        return "idle"
    if state.utterance or state.hold:
        return "listening"
    if any(each and each.hearing.end_sample for each in (state.answer, state.moment)):
        return "idle"
    asked = state.answer is not None and state.answer.kind == "answer"
    return "thinking" if asked or state.waiting or state.ending else "idle"


PHASES = ("listening", "thinking", "speaking", "held", "away")


def phase(state: TurnState) -> str:
    """What the page shows, one of `PHASES`."""
    if state.presence is Presence.AWAY:
        return "away"
    if state.hold:
        return "held"
    if any(each and each.hearing.end_sample for each in (state.answer, state.moment)):
        return "speaking"
    return "thinking" if in_hand(state) or state.waiting else "listening"

"""Every message that crosses a process boundary, in pipeline order, with who sends it to whom (`FLOW`, at the end).

A message is history: frozen, keyword-only. The codec derives its wire form from the fields; `bytes` fields travel as
frames of their own. Fields are added with defaults; a changed meaning is a new message.

Clocks: `mic_sample` counts 16 kHz uplink samples of a session, `programme_sample` its 48 kHz downlink samples since
`origin_ns`, `start_sample`/`end_sample` 48 kHz samples from the start of a sentence, `*_ns` monotonic on this host.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# --- parts of messages -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word of a sentence as written, with where it sounds. `index` counts the sentence's words from 0."""

    index: int
    text: str
    start_sample: int
    end_sample: int


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A sound as the synthesiser names it (ARPABET or IPA), its viseme, and where it sounds."""

    phone: str
    viseme: str
    start_sample: int
    end_sample: int


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One line of the dialogue as heard. `role` is `user` or `avatar`; an interrupted line ends where it was cut."""

    role: str
    text: str
    passage: str = ""
    interrupted: bool = False


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A process one can send to: its name (`tts-1`), its incarnation and its addresses. `pub` only for publishers."""

    kind: str
    name: str
    incarnation: str
    data: str
    control: str
    pub: str = ""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What every message is. `session` is empty for messages about processes; the shell fills in `route`."""

    session: str = ""
    route: int = 0


# --- processes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Alive(Message):
    """Any process → broker, every 0.5 s and at once when a connection to the broker is made.

    `state` is `starting`, `ready` or `stopping`; `detail` says in words what it waits for, or, of one that is ready,
    why it has its `engine`. `counters` are totals since the process started: drops, faults, steps; they appear in
    /metrics.
    """

    peer: Peer
    state: str
    detail: str = ""
    engine: str = ""
    capacity: int = 0
    sessions: int = 0
    load: float = 0.0
    """Share of one core used since the last Alive."""
    counters: dict[str, float] = field(default_factory=dict)
    front: str = ""
    """An edge's: where browsers reach it, `scheme:port`; empty for workers."""


@dataclass(frozen=True, kw_only=True)
class Report(Message):
    """Broker → everyone, when it has started: say what you hold. Answered by `Alive` and a `Holding` a session.

    What a predecessor may have taken along unread is told again after that: the vad's marks of the newest utterance,
    the asr's last words of it, what the programme emitted lately, what was typed lately. Told twice it does nothing.
    """


@dataclass(frozen=True, kw_only=True)
class Holding(Message):
    """Any worker or edge → broker, in answer to `Report`: what it holds of one session, as plain facts.

    programme: turn, committed, cancelled_through, programme_sample, sentences [[turn, n, samples, complete, emitted]].
    llm: turns in hand. webrtc: present (bool), persona, token_hash.
    """

    kind: str
    facts: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Fleet(Message):
    """Broker → every edge, on change and once a second: what /ready, /metrics and the console show."""

    missing: tuple[str, ...]
    """Kinds (with the reason in words) without which no conversation can start; empty when the set is complete."""
    processes: tuple[dict[str, Any], ...]
    sessions: int
    capacity: int
    live: tuple[dict[str, Any], ...] = ()
    """A row per session, for /live: session, persona, name, portrait, viewers, away, edge, age_s."""


# --- a session -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Present(Message):
    """Edge → broker: a caller has connected (or come back). Answered by `Open` or `Refused`.

    A known session needs the same `token_hash` (sha256, hex, of the caller's secret); an unknown one is created.
    """

    persona: str
    token_hash: str
    edge: Peer
    mode: str = "voice"
    """`voice` or `text`."""
    language: str = ""
    """Empty: the persona's first."""
    hears_again: bool = False
    """The edge will get the page's own memory of its microphone, from before what was being said when it was lost."""


@dataclass(frozen=True, kw_only=True)
class Refused(Message):
    """Broker → edge: no session. `code`: forbidden, capacity, persona, not_ready; `text` is for the person.

    With `switch` the session goes on: what a `Switch` asked for cannot be.
    """

    code: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Open(Message):
    """Broker → all of the route, when a session starts and again whenever its route changes. Idempotent.

    A known session may get another persona, face or language: each stage takes it up as soon as it can without breaking
    off what it has in hand. It keeps what it holds, except what came from a kind in `replaced`: messages with an older
    route are still taken, unless their sender's kind was replaced since. `vad` or `asr` in `replaced`: the edge
    sends the microphone again from `mic_from`, and both vad and asr begin again there with utterance `utterance`.
    A stage that finds its own kind in `replaced` and knows nothing of the session is the successor.
    """

    persona: dict[str, Any]
    """The persona snapshot, plain data, every key present."""
    language: str
    origin_ns: int
    """Tick n of the programme is due at origin_ns + n · 20 ms."""
    peers: dict[str, Peer]
    """Kind → the one process of it that serves this session (`webrtc` is the caller's edge)."""
    replaced: tuple[str, ...] = ()
    mic_from: int = 0
    utterance: int = 0
    """The number the next (or replayed) utterance has."""
    turn: int = 0
    """The newest turn given out."""
    cancelled_through: int = 0
    committed: tuple[int, ...] = ()
    """Turns after `cancelled_through` whose voice may be emitted."""
    held: bool = False
    mode: str = "voice"


@dataclass(frozen=True, kw_only=True)
class Close(Message):
    """Broker → all of the route: forget the session. `reason` is for people: bye, away, error, operator."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Gone(Message):
    """Edge → broker: the caller's page has gone (`final`: the person pressed Stop, the session may end at once)."""

    final: bool = False


# --- those who look on ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Watch(Message):
    """Edge, outputs → broker, on change and every second: it has viewers of a session, or makes something of it.
    Answered by `Showing` or `Refused`.

    `viewers` is how many it has now; 0 asks for the programme beforehand. `leave`: it has none left and wants no more
    news. An edge that falls silent for some seconds has left. `Refused` has the code `unknown`. `hls`: somebody there
    plays it as HTTP live streaming, which is made meanwhile.
    """

    edge: Peer
    viewers: int = 0
    leave: bool = False
    hls: bool = False


@dataclass(frozen=True, kw_only=True)
class Showing(Message):
    """Broker → everybody that watches: where the session's programme is. Again whenever that changes. Idempotent.

    It holds until the session's `Close`, which watchers get too. `route` goes into their `KeyFrame` and `Wanted`.
    """

    persona: dict[str, Any]
    language: str
    origin_ns: int
    state: str
    """As in the `state` event; `away`: the caller is not there."""
    viewers: int
    """At all edges together."""
    peers: dict[str, Peer] = field(default_factory=dict)
    """`programme`; empty while none serves the session."""
    recording: dict[str, Any] = field(default_factory=dict)
    """As in the `recording` event; empty while nothing is recorded."""
    janus: str = ""
    """Where the WebSocket of the Janus is that it is pushed into; empty: into none."""


# --- what is made of a session besides its call -----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Outputs(Message):
    """Broker → outputs, edges, on change and to a process that is new: all that it is to make of a session. Idempotent.

    A row an output: id, kind (recording, …), settings, data (what an `OutputState` last said; a successor goes on from
    there). What it has by another id it ends. Edges are told every second, of sessions that some edge pushes.
    """

    wanted: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class OutputState(Message):
    """Outputs, edge → broker, on change and in answer to `Outputs`: how it goes with one output of a session.

    `state`: on; refused, failed or over when it has ended by itself, and `text` says why. `data`: what else is told of
    it, plain data (of a recording its `name`, of a push its `state` and the `reason`).
    """

    id: str
    state: str
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)


# --- films ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Make(Message):
    """Broker → production, on change and every second: the film it is to make; an empty `job`: none. Idempotent.

    What it makes by another name or in another attempt it breaks off. `order`: a request's fields, as it gave them.
    """

    job: str = ""
    attempt: int = 0
    order: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Making(Message):
    """Production → broker, on change and in answer to `Make`: how far a film is.

    `state`: making, done or failed; `share` 0..1. Done: so many `seconds` of film, which took `took_s`, and whether
    there are `captions`. Failed: `text` is a sentence that says why.
    """

    job: str
    attempt: int
    state: str
    share: float = 0.0
    code: str = ""
    text: str = ""
    seconds: float = 0.0
    took_s: float = 0.0
    captions: bool = False


# --- from outside: the control API ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Command(Message):
    """Edge → broker: somebody who is not the session's page wants something. Always answered by `Done`.

    `id` is the edge's own, for the answer. `what` and its `data`: broker/commands.py. Without `operator` the
    `token_hash` must be the session's.
    """

    id: str
    edge: Peer
    what: str
    token_hash: str = ""
    operator: bool = False
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Done(Message):
    """Broker → edge: what became of a `Command`. `code` is empty when it was done, else `text` says why not.

    `code`: unknown, forbidden, not_ready, busy, rate, full, bad_request, switch.
    """

    id: str
    code: str = ""
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Listen(Message):
    """Edge → broker, at once and every second: send this edge the session's events. Empty session: everybody's.

    An edge that falls silent for some seconds hears no more. The first one is answered by what is kept of the events
    after number `since` (-1: by nothing); a number that this broker has not given out yet was its predecessor's.
    """

    edge: Peer
    since: int = -1
    leave: bool = False


@dataclass(frozen=True, kw_only=True)
class Told(Message):
    """Broker → edges that `Listen`: an event as it is published. Pages get theirs as `Event`, whoever listens."""

    seq: int
    kind: str
    turn: int = 0
    data: dict[str, Any] = field(default_factory=dict)


# --- microphone to words ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MicFrame(Message):
    """Edge → vad, every frame; vad → asr, those of an utterance with some 300 ms before its onset.

    10 ms of mono s16le at 16 kHz starting at `mic_sample`; contiguous, gaps are concealed by the edge and marked.
    """

    mic_sample: int
    pcm: bytes
    utterance: int = -1
    """Set by vad; -1 before it."""
    concealed: bool = False


@dataclass(frozen=True, kw_only=True)
class SpeechStarted(Message):
    """vad → broker, asr: speech was found, ~80 ms after its onset at `mic_sample`. Utterances count from 0."""

    utterance: int
    mic_sample: int


@dataclass(frozen=True, kw_only=True)
class SpeechPaused(Message):
    """vad → broker, asr: silence since `mic_sample` (where speech stopped). First after ~100 ms, then as `p_end` firms.

    `p_end` in 0..1 is the acoustic belief that the person has finished, from smart-turn; 0.5 when there is none yet.
    """

    utterance: int
    mic_sample: int
    silence_ms: int
    p_end: float
    took_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class SpeechResumed(Message):
    """vad → broker, asr: the person goes on within the same utterance, from `mic_sample`."""

    utterance: int
    mic_sample: int


@dataclass(frozen=True, kw_only=True)
class EndUtterance(Message):
    """Broker → vad, asr: the utterance is over as of `mic_sample` (where speech stopped); later speech is a new one.

    asr answers with the final `Transcript`. An utterance nobody speaks in any more is ended by vad itself
    (`SpeechEnded`) after a hard limit.
    """

    utterance: int
    mic_sample: int


@dataclass(frozen=True, kw_only=True)
class SpeechEnded(Message):
    """vad → broker, asr: the utterance is over: after `EndUtterance`, a long silence, or its greatest length.

    asr answers with the final `Transcript` unless it has already.
    """

    utterance: int
    mic_sample: int
    reason: str = "silence"
    """`asked`, `silence` or `length`."""


@dataclass(frozen=True, kw_only=True)
class Transcript(Message):
    """asr → broker: the words so far (`final=False`, replaces the last) or for good. Empty text: no words in it.

    `through_sample`: the microphone sample up to which sound was heard. `took_ns`: work since the last one.
    """

    utterance: int
    n: int
    text: str
    final: bool
    language: str
    start_sample: int = 0
    through_sample: int = 0
    confidence: float = 1.0
    took_ns: int = 0
    ends: float | None = None
    """Natural logarithm of the chance that a sentence ends after these words; None where the recogniser cannot say."""
    pause_sample: int = -1
    """These are all words up to the pause at this microphone sample: if it lasts, they are the final ones."""


# --- what the person does on the page --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Typed(Message):
    """Edge → broker: the caller typed. Cancels what is being said at once. `id` makes it safe to send twice."""

    text: str
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Interrupt(Message):
    """Edge → broker: the interrupt button. Cancels what is being said at once."""


@dataclass(frozen=True, kw_only=True)
class SetMode(Message):
    """Edge → broker: voice or text; in text mode the microphone is not listened to."""

    mode: str


@dataclass(frozen=True, kw_only=True)
class Played(Message):
    """Edge → broker, a few times a second and at each hold: the page's speaker is at `programme_sample` now."""

    programme_sample: int


# --- words to sentences ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Ask(Message):
    """Broker → llm: answer `text`. `said_so_far`: sentences of this turn already had (a crash): go on after."""

    turn: int
    text: str
    language: str
    history: tuple[Exchange, ...] = ()
    said_so_far: tuple[str, ...] = ()
    speculative: bool = False
    """Not committed yet: no tool with a side effect may run."""


@dataclass(frozen=True, kw_only=True)
class Sentence(Message):
    """llm → tts, copy to broker: sentence `n` (from 0) of the answer, speakable text without markup.

    `tags` ride along to the face: {"emotion": "happy", "strength": 0.5, "gesture": "nod", "gaze": "away", "rate": 0.85}
    (broker/expressions.py). `text` may be empty with `last` (the answer ended without another sentence). `confidence`
    and `passage` say where it comes from.
    """

    turn: int
    n: int
    text: str
    language: str
    last: bool
    tags: dict[str, Any] = field(default_factory=dict)
    passage: str = ""
    confidence: float = 1.0
    kind: str = "answer"
    """`answer`, `ask_back`, `unknown`, `small_talk`, `follow_up`."""
    took_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class Speak(Message):
    """Broker → tts: say this: greeting, API say, apology, "one moment", or a replay after a crash.

    A replay has `from_word`: begin with that word of `text` (0: from the start). Words keep their index in `text`,
    samples count from where the speaking begins.
    """

    turn: int
    n: int
    text: str
    language: str
    last: bool
    from_word: int = 0
    tags: dict[str, Any] = field(default_factory=dict)
    upload: str = ""
    """Not to be synthesised: the recording of this name (broker/uploads.py) is the voice, `text` its words."""


@dataclass(frozen=True, kw_only=True)
class Failed(Message):
    """Any worker → broker: the turn (or, `turn` = 0, the session) cannot be served. `text` is a kind sentence.

    `code`: llm_timeout, llm_refused, tts_language, asr_language, face_unknown … The broker apologises or degrades.
    """

    turn: int
    code: str
    text: str
    kind: str = ""
    """Which stage."""
    language: str = ""
    """Of `text`; empty: the session's."""


# --- sentences to voice ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Voice(Message):
    """tts → programme: a piece of a sentence's sound, in order; mono s16le 48 kHz from `start_sample` of the sentence.

    `words`, `phones` and `mouth` are what is newly known with this piece: everything of the clause before its first
    sound. `mouth`: uint8 frames of 15 visemes at 100 Hz (broker/visemes.py), from frame `mouth_from`.
    `last`: the sentence ends with this piece. `turn_last`: so does the turn. A sentence with nothing to say is one
    empty piece with `last`.
    """

    turn: int
    sentence: int
    start_sample: int
    pcm: bytes
    words: tuple[Word, ...] = ()
    phones: tuple[Phone, ...] = ()
    mouth: bytes = b""
    mouth_from: int = 0
    last: bool = False
    turn_last: bool = False
    text: str = ""
    """The sentence's text, with its first piece."""
    language: str = ""
    tags: dict[str, Any] = field(default_factory=dict)
    took_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class Credit(Message):
    """Programme → tts: of this turn you may send up to sample `through_sample` of sentence `sentence`, absolute.

    Idempotent; a newer one replaces it. Without one, a turn's first sentence may be sent through 48000 (1 s).
    Sentences before `sentence` are granted whole. `buffered_samples`: the session's sound not yet emitted; tts serves
    the least first.
    """

    turn: int
    sentence: int
    through_sample: int
    buffered_samples: int = 0


# --- who may be heard ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Hold(Message):
    """Broker → programme, tts, llm: fade out within 10 ms and keep everything. Idempotent. `reason`: barge_in, away."""

    reason: str = "barge_in"


@dataclass(frozen=True, kw_only=True)
class Resume(Message):
    """Broker → programme, tts, llm: go on from the word that was cut (from its start). Idempotent.

    `heard_sample`: the programme_sample the page's speaker had reached at the hold, -1 when it did not say. What was
    sent after it was not heard, and is spoken again.
    """

    heard_sample: int = -1


@dataclass(frozen=True, kw_only=True)
class Commit(Message):
    """Broker → programme, tts, llm: this turn may be heard. Idempotent; never follows its cancel."""

    turn: int


@dataclass(frozen=True, kw_only=True)
class Cancel(Message):
    """Broker → programme, tts, llm: every turn up to `through_turn` is stale, for ever. Ends a hold. Idempotent."""

    through_turn: int


# --- what the face does besides talking ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Act(Message):
    """Edge → broker → programme: how the face is to behave, now. Empty fields leave things as they are.

    `emotion`: neutral, happy, concerned, surprised, thinking; kept until the next one, or for `for_ms` when that is not
    0. `gesture`: nod, shake, tilt, once. `gaze`: camera, away, down, up, left, right. `motion` 0..1: 0 keeps still
    (mouth and blinks go on). `background`: a colour "#rrggbb", the name of a picture, "none" or "transparent".
    """

    emotion: str = ""
    strength: float = 1.0
    for_ms: int = 0
    gesture: str = ""
    gaze: str = ""
    motion: float = -1.0
    background: str = ""


@dataclass(frozen=True, kw_only=True)
class Attend(Message):
    """Broker → programme, on change: what the avatar is doing while it does not talk.

    `state`: idle, listening (somebody speaks: the face attends), thinking (an answer is awaited). `phrase_end`: the
    person has just ended a phrase, a fit moment for a small nod.
    """

    state: str
    phrase_end: bool = False


@dataclass(frozen=True, kw_only=True)
class Switch(Message):
    """Edge → broker: another persona, face or language from here on, without dropping the call. Empty: as it is.

    Answered by a new `Open` to all of the route, or by `Refused` to the edge, which changes nothing.
    """

    persona: str = ""
    portrait: str = ""
    language: str = ""


# --- pictures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Draw(Message):
    """Programme → lipsync: one picture, wanted by `deadline_ns`; late ones are skipped and counted.

    `mouth`: 15 uint8 viseme weights. `face`: blink 0..1, gaze_x, gaze_y -1..1, yaw, pitch, roll rad, brows -1..1,
    breath 0..1, emotion_strength 0..1. `voice`: mono s16le 48 kHz around the picture, for neural faces; may be empty.
    `background`: as in `Act`; `cutout`: the figure alone is wanted too.
    """

    picture: int
    mouth: bytes
    face: dict[str, float]
    emotion: str = "neutral"
    width: int = 512
    height: int = 512
    deadline_ns: int = 0
    voice: bytes = b""
    background: str = ""
    cutout: bool = False


@dataclass(frozen=True, kw_only=True)
class Picture(Message):
    """Lipsync → programme: planar yuv420p (I420, width·height·3/2 bytes, BT.601 limited range).

    `cutout`, where it was asked for: one of twice the width, left the figure on black (colours times alpha), right its
    alpha as grey.
    """

    picture: int
    width: int
    height: int
    yuv: bytes
    took_ns: int = 0
    cutout: bytes = b""


# --- the programme ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Emitted(Message):
    """Programme → broker, every tick that carries voice: which samples of which sentence went out, and as what.

    A segment: `samples` of the sentence from `start_sample` went out from `programme_sample`. `words`: those that
    start in it. `last`: the sentence ends here; `turn_last`: the turn does. Gaps between segments are underruns,
    holds and crashes. `resumed_from`: `heard_sample` of the newest `Resume` that it follows, -1 before the first.
    """

    turn: int
    sentence: int
    start_sample: int
    programme_sample: int
    samples: int
    words: tuple[Word, ...] = ()
    last: bool = False
    turn_last: bool = False
    resumed_from: int = -1


@dataclass(frozen=True, kw_only=True)
class Buffered(Message):
    """Programme → broker, once after an `Open` whose `replaced` has tts: what voice it keeps, of the sentence in hand.

    All else it has dropped. The broker has the rest spoken again: sentence `sentence` of `turn` from word `next_word`,
    all after it, and every other turn in hand from the start of what was not emitted.
    `complete`: the whole sentence is here. turn 0: nothing in hand.
    """

    turn: int
    sentence: int
    next_word: int
    complete: bool


@dataclass(frozen=True, kw_only=True)
class KeyFrame(Message):
    """Edge, outputs → programme: somebody needs a key frame. Merged and rate-limited there."""

    codec: str = "h264"


@dataclass(frozen=True, kw_only=True)
class Wanted(Message):
    """Edge, outputs → programme, on change and every second: how many of its own want which rendition.

    None: nobody draws. `step`: how much the caller's line carries (broker/picture_steps.py), -1 from those who have no
    say in it; `reason` is for people. It holds as long as it is said again.
    """

    edge: str
    h264: int = 0
    vp8: int = 0
    h264_cutout: int = 0
    vp8_cutout: int = 0
    """Of twice the width, for a page that lays the figure over what it likes (see `Picture`)."""
    step: int = -1
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Programme(Message):
    """Programme → every edge and outputs, on its PUB with the session as topic: one tick, 20 ms.

    `programme_sample` = 960·tick is the first sample of `opus`. `mouth`: the 15 viseme weights at the tick's middle.
    `background`: what the face stands before, as in `Act`, for pages that draw it themselves.
    `words`: [turn, sentence, index, text, programme_sample, samples] that start in this tick. `picture_sample`: the
    programme_sample the picture shows (90 kHz time = 15/8 of it), when one is in it; `h264`, `vp8` and these with
    `_cutout` are whole access units, empty when nobody wants them or none falls here. `*_n` counts pictures encoded so
    since the start, so that a gap shows. `speaking`: voice is in it; `turn`, `sentence` then say whose.
    """

    tick: int
    programme_sample: int
    opus: bytes
    mouth: bytes
    face: dict[str, float] = field(default_factory=dict)
    emotion: str = "neutral"
    background: str = ""
    speaking: bool = False
    held: bool = False
    turn: int = 0
    sentence: int = 0
    words: tuple[tuple[int, int, int, str, int, int], ...] = ()
    picture: int = -1
    picture_sample: int = 0
    h264: bytes = b""
    h264_key: bool = False
    h264_n: int = 0
    vp8: bytes = b""
    vp8_key: bool = False
    vp8_n: int = 0
    h264_cutout: bytes = b""
    h264_cutout_key: bool = False
    h264_cutout_n: int = 0
    vp8_cutout: bytes = b""
    vp8_cutout_key: bool = False
    vp8_cutout_n: int = 0


# --- for listeners ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Event(Message):
    """Anyone → broker → its PUB, numbered by `seq`; those about a session also go to its edge, for the page.

    What `data` has, by kind. The broker's:
      state {state}
      heard {utterance, text, final}
      speech {what: started|paused|resumed|over, utterance, mic_sample}; over: nobody need hear it again
      sentence {n, text, language, passage, kind}
      turn {what: asked|committed|cancelled|interrupted|finished, text, heard, speculative, …}
      dialogue {lines: [{role, text, interrupted}]}, for a page that comes back
      question {mode} when that changes, else {mode, n, name, text, state}
      act {the fields of Act}
      switch {persona, portrait, language}
      audience {viewers}
      recording {state: starting|on|over|refused|failed, by: config|caller|operator, text}
      output {id, output (its kind), state, by, text}: whatever else is made of the session; not for viewers
      session {state: closed, reason}
      health {process, state}, about no session
      job {what GET /jobs/<job> gives}; its session is the name of the job
    The llm's, besides `error`:
      documents {persona, problems}: those that could not be read; about no session
    The programme's:
      phonemes {sentence, programme_sample, items: [[name, start_sample, end_sample]]}
      visemes {the same}
    The edge's:
      latency {the turn's record, webrtc/latency.py}
    Several processes':
      step {name, took_ns, …}; the programme's: first_pcm, the turn's first piece of voice has come
      error {code, text, stage}; stage: where it is known
      degraded {kind: a stage | answer | network | broker, step: what is done instead, or full, reason: a clause}
    """

    kind: str
    turn: int = 0
    seq: int = 0
    data: dict[str, Any] = field(default_factory=dict)


# --- who says what to whom -------------------------------------------------------------------------------------------

WORKER_KINDS = ("vad", "asr", "llm", "tts", "programme", "lipsync")
"""The stages, in the sound's order; a session's route has one of each."""

KINDS = ("broker", *WORKER_KINDS, "webrtc", "outputs", "production")

DATA = (MicFrame, Ask, Sentence, Speak, Voice, Draw, Picture)
"""Messages that travel to the `data` inbox; all others to `control`, which is drained first."""

_SPEECH_MARKS: dict[str, tuple[str, ...]] = {"vad": ("broker", "asr")}
_GATE: dict[str, tuple[str, ...]] = {"broker": ("programme", "tts", "llm")}

FLOW: dict[type[Message], dict[str, tuple[str, ...]]] = {
    Alive: dict.fromkeys((*WORKER_KINDS, "webrtc", "outputs", "production"), ("broker",)),
    Report: {"broker": (*WORKER_KINDS, "webrtc", "outputs", "production")},
    Holding: dict.fromkeys((*WORKER_KINDS, "webrtc"), ("broker",)),
    Fleet: {"broker": ("webrtc",)},
    Present: {"webrtc": ("broker",)},
    Refused: {"broker": ("webrtc", "outputs")},
    Open: {"broker": (*WORKER_KINDS, "webrtc")},
    Close: {"broker": (*WORKER_KINDS, "webrtc", "outputs")},
    Gone: {"webrtc": ("broker",)},
    Watch: {"webrtc": ("broker",), "outputs": ("broker",)},
    Showing: {"broker": ("webrtc", "outputs")},
    Outputs: {"broker": ("outputs", "webrtc")},
    OutputState: {"outputs": ("broker",), "webrtc": ("broker",)},
    Make: {"broker": ("production",)},
    Making: {"production": ("broker",)},
    Command: {"webrtc": ("broker",)},
    Done: {"broker": ("webrtc",)},
    Listen: {"webrtc": ("broker",)},
    Told: {"broker": ("webrtc",)},
    MicFrame: {"webrtc": ("vad",), "vad": ("asr",)},
    SpeechStarted: _SPEECH_MARKS,
    SpeechPaused: _SPEECH_MARKS,
    SpeechResumed: _SPEECH_MARKS,
    EndUtterance: {"broker": ("vad", "asr")},
    SpeechEnded: _SPEECH_MARKS,
    Transcript: {"asr": ("broker",)},
    Typed: {"webrtc": ("broker",)},
    Interrupt: {"webrtc": ("broker",)},
    SetMode: {"webrtc": ("broker",)},
    Played: {"webrtc": ("broker",)},
    Ask: {"broker": ("llm",)},
    Sentence: {"llm": ("tts", "broker")},
    Speak: {"broker": ("tts",)},
    Failed: dict.fromkeys(WORKER_KINDS, ("broker",)),
    Voice: {"tts": ("programme",)},
    Credit: {"programme": ("tts",)},
    Hold: _GATE,
    Resume: _GATE,
    Commit: _GATE,
    Cancel: _GATE,
    Act: {"webrtc": ("broker",), "broker": ("programme",)},
    Attend: {"broker": ("programme",)},
    Switch: {"webrtc": ("broker",)},
    Draw: {"programme": ("lipsync",)},
    Picture: {"lipsync": ("programme",)},
    Emitted: {"programme": ("broker",)},
    Buffered: {"programme": ("broker",)},
    KeyFrame: {"webrtc": ("programme",), "outputs": ("programme",)},
    Wanted: {"webrtc": ("programme",), "outputs": ("programme",)},
    Programme: {"programme": ()},
    Event: {**dict.fromkeys((*WORKER_KINDS, "webrtc"), ("broker",)), "broker": ("webrtc", "outputs")},
}
"""Message → sender's kind → kinds it goes to. `Programme` is published."""

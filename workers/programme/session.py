"""The programme of one session: what leaves in each tick, and what is asked for ahead of it."""

from __future__ import annotations

import zlib
from collections import Counter, deque
from typing import Any

from broker.messages import (
    Act,
    Attend,
    Cancel,
    Commit,
    Draw,
    Emitted,
    Event,
    Hold,
    KeyFrame,
    Message,
    Open,
    Picture,
    Programme,
    Resume,
    Voice,
    Wanted,
)
from broker.visemes import CLOSED_MOUTH
from workers.programme.announce import announced, captions
from workers.programme.bearing import Bearing
from workers.programme.conduct import Conduct
from workers.programme.credit import Ledger
from workers.programme.lips import Lips, closed, differs, standing_for
from workers.programme.opus import OpusEncoder
from workers.programme.screen import Screen, Showing
from workers.programme.settings import ProgrammeSettings
from workers.programme.sound import Sound, TickSound
from workers.programme.ticks import TICK_SAMPLES, due_ns, picture_middle, picture_sample, picture_tick, tick_at

CATCH_UP_TICKS = 3
"""A delay of up to 60 ms is made up for, so that the page hears no hole; after a longer one ticks are left out."""

PREPARE_NS = 6_000_000
"""A picture that is here is encoded this long before its tick, so that sound never waits for an encoder."""

REDRAW_NS = 8_000_000
"""A picture that leaves sooner than this is not asked for again."""

LATE_NS = 10_000_000
"""In a tick that is this late no picture is encoded: sound first."""

TOLD_AGAIN = 128
"""Segments, 2.5 s of voice, that a broker which starts anew is told again: its predecessor took some along unread."""

MIDDLE = TICK_SAMPLES // 2


class Session:
    """One session. `next_tick` is none until the clock is first seen."""

    def __init__(self, opened: Open, settings: ProgrammeSettings, counters: Counter[str]) -> None:
        self.name = opened.session
        self.next_tick: int | None = None
        self.without_pictures = False
        """None are asked for, for now."""
        self._settings = settings
        self._counters = counters
        self._sound = Sound()
        self._opus = OpusEncoder(settings.audio_kbps)
        self._screen = Screen(settings, counters)
        self._lips = Lips()
        self._bearing = Bearing(seed=zlib.crc32(opened.session.encode()))
        self._conduct = Conduct()
        self._credit = Ledger()
        self._news = False
        """Something was said that may change what the pictures under way should show."""
        self._outbox: list[Message] = []
        self._emitted: deque[Emitted] = deque(maxlen=TOLD_AGAIN)
        self._background = ""
        self._early: list[Wanted] = []
        """Said before the clock was seen."""
        self.open(opened)

    # --- what is said to it -------------------------------------------------------------------------------------------

    def open(self, opened: Open) -> None:
        """The session starts, or its route has changed."""
        self._origin_ns = opened.origin_ns
        face = opened.persona.get("face", {})
        self._conduct.motion = float(face.get("motion", 1.0))
        self._background = str(face.get("background", ""))
        self._sound.reopen(opened.committed, opened.cancelled_through, opened.held)
        if "tts" in opened.replaced:
            self._outbox.append(self._sound.cut())
            self._credit.forget(self._sound.answers)
        if "lipsync" in opened.replaced:
            self._screen.pictures.forget()
        self._news = True

    def accept(self, message: Message) -> None:
        """File what the broker, the synthesiser, lipsync or an edge says."""
        match message:
            case Voice():
                first = message.turn not in self._sound.answers
                fault = self._sound.feed(message)
                if fault:
                    self._counters[f"voice_{fault}"] += 1
                elif first:
                    step = {"name": "first_pcm", "took_ns": message.took_ns}
                    self._outbox.append(Event(kind="step", turn=message.turn, data=step))
            case Hold():
                self._sound.hold()
            case Resume():
                self._sound.resume(message.heard_sample)
            case Commit():
                self._sound.commit(message.turn)
            case Cancel():
                self._sound.cancel(message.through_turn)
            case Picture():
                self._screen.file(message)
            case Wanted():
                self._watchers(message)
            case KeyFrame():
                self._screen.ask_key(message)
            case Act():
                self._conduct.act(message)
            case Attend():
                self._conduct.attend(message)
        self._news = self._news or isinstance(message, (Voice, Hold, Resume, Commit, Cancel))

    def _watchers(self, wanted: Wanted) -> None:
        if self.next_tick is None:
            self._early.append(wanted)
        else:
            self._screen.want(wanted, self.next_tick)

    def report(self) -> dict[str, Any]:
        """The facts of a `Holding`; what left lately follows."""
        self._outbox += self._emitted
        return {**self._sound.facts(), "programme_sample": (self.next_tick or 0) * TICK_SAMPLES}

    # --- when ---------------------------------------------------------------------------------------------------------

    @property
    def tick_due_ns(self) -> int:
        """When its next tick leaves; at once while the clock is unknown."""
        return 0 if self.next_tick is None else due_ns(self._origin_ns, self.next_tick)

    @property
    def due_ns(self) -> int:
        """When it wants to be stepped."""
        if self.next_tick is None or self._news or self._outbox:
            return 0
        return self.tick_due_ns - PREPARE_NS if self._screen.preparable(self.next_tick) else self.tick_due_ns

    def start(self, now_ns: int) -> None:
        """See the clock for the first time: begin with the present tick, or the next one if that is under way."""
        tick = tick_at(self._origin_ns, now_ns)
        self.next_tick = tick + (now_ns > due_ns(self._origin_ns, tick))
        for wanted in self._early:
            self._screen.want(wanted, self.next_tick)
        self._early.clear()

    # --- between ticks ------------------------------------------------------------------------------------------------

    def between(self, now_ns: int) -> list[Message]:
        """What can be done before the next tick: messages that wait, pictures to ask for again, or one to encode."""
        assert self.next_tick is not None
        messages, self._outbox = self._outbox, []
        if self._news:
            self._news = False
            messages += self._ask_again(now_ns)
        elif self._screen.preparable(self.next_tick) and now_ns >= self.tick_due_ns - PREPARE_NS:
            self._screen.prepare(self.next_tick)
        return messages

    def _ask_again(self, now_ns: int) -> list[Draw]:
        draws: list[Draw] = []
        if self.without_pictures:
            return draws
        for number, mouth in sorted(self._screen.pictures.asked().items()):
            leaves_ns = due_ns(self._origin_ns, picture_tick(number, self._settings.fps))
            if leaves_ns - now_ns > REDRAW_NS and (not mouth or differs(mouth, self._mouth_of(number))):
                draws.append(self._draw(number))
        self._counters["pictures_asked_again"] += len(draws)
        return draws

    # --- a tick -------------------------------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> list[Message]:
        """The next 20 ms, and what follows from them."""
        tick = self._present(now_ns)
        start = tick * TICK_SAMPLES
        track = self._track_mouth(MIDDLE)
        sound = self._sound.next_tick(start)
        opus = self._opus.encode(sound.pcm)
        mouth = self._lips.show(start + MIDDLE, track if sound.voiced else None, start)
        for segment in sound.segments:
            self._conduct.begin(segment.track.turn, segment.track.sentence, segment.track.tags, start)
        cues = self._conduct.cues(start, sound.loudness, sound.voiced, self._sound.gate.held)
        self._bearing.advance(cues)
        hurry = now_ns - due_ns(self._origin_ns, tick) > LATE_NS
        showing = self._screen.show(tick, closed(mouth), hurry)
        programme = Programme(
            tick=tick,
            programme_sample=start,
            opus=opus,
            mouth=mouth,
            face=self._bearing.face(start + MIDDLE),
            emotion=self._bearing.mood.emotion,
            background=self._conduct.background or self._background,
            speaking=sound.voiced,
            held=self._sound.gate.held,
            turn=sound.segments[0].track.turn if sound.voiced else 0,
            sentence=sound.segments[0].track.sentence if sound.voiced else 0,
            words=tuple(caption for segment in sound.segments for caption in captions(segment, start)),
            **_picture_fields(showing, self._settings.fps),
        )
        heard = _heard(sound, start, self._sound.resumed_from)
        self._emitted += [message for message in heard if isinstance(message, Emitted)]
        self.next_tick = tick + 1
        self._counters["ticks"] += 1
        self._counters["underruns"] += sound.underrun
        return [
            programme,
            *heard,
            *self._asked(tick),
            *self._credit.news(self._sound.answers),
            *(_degraded(*change) for change in self._screen.degraded()),
        ]

    def _present(self, now_ns: int) -> int:
        """The tick to send: the next one, or the newest due one when too much time was lost."""
        assert self.next_tick is not None
        newest = tick_at(self._origin_ns, now_ns)
        if newest - self.next_tick > CATCH_UP_TICKS:
            self._counters["ticks_skipped"] += newest - self.next_tick
            self.next_tick = newest
            self._sound.skip()
        return self.next_tick

    # --- pictures to come ---------------------------------------------------------------------------------------------

    def _asked(self, tick: int) -> list[Draw]:
        number = self._screen.to_ask(tick)
        return [] if number is None or self.without_pictures else [self._draw(number)]

    def _draw(self, number: int) -> Draw:
        fps = self._settings.fps
        sample = picture_middle(number, fps)
        self._counters["pictures_asked"] += 1
        return self._screen.pictures.draw(
            number,
            mouth=self._mouth_of(number),
            face=self._bearing.face(sample),
            emotion=self._bearing.mood.emotion,
            deadline_ns=due_ns(self._origin_ns, picture_tick(number, fps)),
            voice=self._voice_around(sample),
            background=self._conduct.background or self._background,
            cutout=self._screen.wants_cutout(self.next_tick or 0),
        )

    def _mouth_of(self, number: int) -> bytes:
        shown = (number, number + 1) if self._screen.thinned else (number,)
        samples = [picture_middle(each, self._settings.fps) for each in shown]
        return standing_for(
            [self._lips.at(sample, self._track_mouth(sample - self._start), self._start) for sample in samples]
        )

    def _track_mouth(self, offset: int) -> bytes | None:
        """The voice's own mouth `offset` samples after the start of the next tick; none where there is no voice."""
        place = self._sound.ahead(max(0, offset))
        if place is None:
            return None
        track, sample = place
        return track.mouth_frame(sample) or (CLOSED_MOUTH if sample < track.end else None)

    def _voice_around(self, sample: int) -> bytes:
        samples = self._settings.voice_window_samples
        if not samples:
            return b""
        place = self._sound.ahead(max(0, sample - self._start))
        return place[0].window(place[1], samples) if place else bytes(2 * samples)

    @property
    def _start(self) -> int:
        """Where the next tick begins."""
        assert self.next_tick is not None
        return self.next_tick * TICK_SAMPLES


def _heard(sound: TickSound, start: int, resumed_from: int) -> list[Message]:
    messages: list[Message] = []
    for segment in sound.segments:
        track = segment.track
        emitted = Emitted(
            turn=track.turn,
            sentence=track.sentence,
            start_sample=segment.start_sample,
            programme_sample=start + segment.offset,
            samples=segment.samples,
            words=segment.words,
            last=segment.last,
            turn_last=segment.turn_last,
            resumed_from=resumed_from,
        )
        messages += [emitted, *announced(segment, start, sound.fresh)]
    return messages


def _degraded(kind: str, step: str, reason: str) -> Event:
    return Event(kind="degraded", data={"kind": kind, "step": step, "reason": reason})


def _picture_fields(showing: Showing, fps: int) -> dict[str, Any]:
    """The fields of `Programme` that carry a picture: of several types, hence `Any`."""
    if not showing.units:
        return {}
    fields: dict[str, Any] = {"picture": showing.number, "picture_sample": picture_sample(showing.number, fps)}
    for codec, unit in showing.units.items():
        fields |= {codec: unit.data, f"{codec}_key": unit.key, f"{codec}_n": unit.count}
    return fields

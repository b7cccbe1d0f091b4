"""How the face carries itself: idle life, coloured by the voice it speaks with, by what it attends to and by its mood.

Advanced by the cues of each tick, and nothing else but the seed: the same inputs make the same face. Everything is on
its way to somewhere at a bounded speed, so that no change of state shows as a jump.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from workers.programme.chance import chance
from workers.programme.conduct import Cues
from workers.programme.gestures import LENGTHS_S, Gesture
from workers.programme.idle import blinks_within, idle, lid
from workers.programme.mood import Mood
from workers.programme.spring import Spring
from workers.programme.ticks import RATE_HZ, TICK_SAMPLES

FULL_VOICE = 0.12
"""Root mean square of a loud syllable of a normalised voice, of full scale."""

LEAD_SAMPLES = 4 * TICK_SAMPLES
"""Blinks and gestures begin this long after their cue: pictures are asked for ahead, and each is to show all of it."""

THINKS_AFTER_TICKS = 15
"""A thought shorter than 0.3 s does not show: most answers are quicker."""

THOUGHT_SHIFT_TICKS = 90
"""A long thought looks elsewhere after this long."""

THINKING_STRENGTH = 0.55

NOD_APART_SAMPLES = 5 * RATE_HZ // 2
"""Small nods at phrase ends are at least this far apart …"""
NOD_SHARE = 0.75
"""… and some phrase ends get none."""

REPEAT_SAMPLES = 4 * RATE_HZ // 5
"""The same gesture again within this is the same wish."""

PHRASE_BLINK_SHARE = 0.6
BLINKS_APART_S = 1.1

MOST_LOOK = 0.16
"""The farthest the eyes go in a tick: a long jump takes some 80 ms."""

GAZES = {
    "camera": (0.0, 0.0),
    "away": (0.55, -0.12),
    "down": (0.0, -0.6),
    "up": (0.0, 0.55),
    "left": (-0.65, 0.0),
    "right": (0.65, 0.0),
}
"""Where the eyes go, right and up in the picture; `away` is to a side that the seed chooses."""

POSTURES = {
    "happy": (0.0, 0.012, 0.018),
    "concerned": (0.0, -0.022, 0.035),
    "surprised": (0.0, 0.03, 0.0),
    "thinking": (0.03, 0.012, -0.02),
}
"""Yaw, pitch and roll, radians, that go with an emotion at full strength."""


@dataclass(kw_only=True)
class Bearing:
    """What has come of all cues so far. `seed` tells sessions apart."""

    seed: int
    tick: int = 0
    level: float = 0.0
    """Loudness, smoothed over a syllable, 0..1."""
    usual: float = 0.0
    """Loudness, smoothed over a phrase; what rises above it is stress."""
    stress: Spring = field(default_factory=partial(Spring, pace=16.0))
    talking: float = 0.0
    listening: float = 0.0
    thinking: float = 0.0
    attends: str = "idle"
    since_tick: int = 0
    """When it began to attend like this."""
    thoughts: int = 0
    mood: Mood = field(default_factory=Mood)
    motion: float = 1.0
    wander: float = 1.0
    """How much the eyes go about by themselves."""
    gaze: tuple[float, float] = (0.0, 0.0)
    yaw: Spring = field(default_factory=partial(Spring, pace=6.0))
    pitch: Spring = field(default_factory=partial(Spring, pace=6.0))
    roll: Spring = field(default_factory=partial(Spring, pace=5.0))
    gestures: tuple[Gesture, ...] = ()
    blink_sample: int = -RATE_HZ
    nod_sample: int = -NOD_APART_SAMPLES
    voiced: bool = False

    # --- a tick later -------------------------------------------------------------------------------------------------

    def advance(self, cues: Cues) -> None:
        """20 ms later."""
        self.tick += 1
        fell_silent, self.voiced = self.voiced and not cues.talking, cues.talking
        self._attend(cues)
        thinks = self.attends == "thinking" and not cues.talking and self.tick - self.since_tick > THINKS_AFTER_TICKS
        self.talking = _near(self.talking, cues.talking, 0.05)
        self.listening = _near(self.listening, self.attends == "listening" and not cues.talking, 0.06)
        self.thinking = _near(self.thinking, thinks, 0.1)
        self.motion += _bound(0.1 * (cues.motion - self.motion), 0.03)
        self._hear(min(1.0, cues.loudness / FULL_VOICE))
        self._feel(cues, thinks)
        before = self.gaze
        self._look(cues, thinks)
        looked_away = max(abs(new - old) for new, old in zip(self.gaze, before, strict=True)) > 0.12
        self._pose()
        self._gesture(cues)
        if looked_away or (fell_silent and chance(self.seed, 40, cues.sample) < PHRASE_BLINK_SHARE):
            self._blink(cues.sample + LEAD_SAMPLES)

    def _attend(self, cues: Cues) -> None:
        if cues.attends != self.attends:
            self.attends, self.since_tick = cues.attends, self.tick
            self.thoughts += cues.attends == "thinking"

    def _hear(self, level: float) -> None:
        """The own voice: what rises above the phrase's usual loudness is stressed."""
        self.level = _near(self.level, level, 0.15)
        self.usual = _near(self.usual, level, 0.012)
        self.stress.towards(max(-0.5, self.level - self.usual) * self.talking)

    def _feel(self, cues: Cues, thinks: bool) -> None:
        if cues.emotion:
            self.mood = self.mood.towards(cues.emotion, cues.strength)
        else:
            self.mood = self.mood.towards("thinking" if thinks else "neutral", THINKING_STRENGTH if thinks else 0.0)

    def _look(self, cues: Cues, thinks: bool) -> None:
        """The eyes jump, but not in less than two pictures."""
        calm = 1.0 - 0.5 * self.talking - 0.65 * self.listening - 0.5 * self.thinking
        self.wander = _near(self.wander, self.motion * (0.25 if cues.gaze else max(0.2, calm)), 0.1)
        x, y = self._point(cues, thinks)
        self.gaze = _jump(self.gaze[0], x), _jump(self.gaze[1], y)

    def _point(self, cues: Cues, thinks: bool) -> tuple[float, float]:
        """Where the eyes are to go."""
        if cues.gaze in GAZES:
            x, y = GAZES[cues.gaze]
            return (x * self._side(31, 0), y) if cues.gaze == "away" else (x, y)
        if not thinks and cues.emotion != "thinking":
            return 0.0, 0.0
        number = 100 * self.thoughts + (self.tick - self.since_tick) // THOUGHT_SHIFT_TICKS
        up = 0.38 if chance(self.seed, 33, number) < 0.8 else -0.35
        return self.motion * 0.48 * self._side(32, number), self.motion * up

    def _pose(self) -> None:
        """Where the head is on its way to: it follows the eyes, listens with a slight tilt, and feels."""
        yaw, pitch, roll = (self.mood.strength * each for each in POSTURES.get(self.mood.emotion, (0.0, 0.0, 0.0)))
        tilt = 0.032 * self._side(35, self.since_tick) * self.listening
        self.yaw.towards(yaw * self._side(34, self.thoughts) + 0.11 * self.gaze[0])
        self.pitch.towards(pitch + 0.06 * self.gaze[1] + 0.008 * self.listening)
        self.roll.towards(roll * self._side(36, 0) + tilt)

    def _gesture(self, cues: Cues) -> None:
        """What was asked for, and small nods of its own at the ends of the other's phrases."""
        start = cues.sample + LEAD_SAMPLES
        if self.gestures:
            self.gestures = tuple(each for each in self.gestures if not each.over(cues.sample))
        for kind in cues.gestures:
            again = any(each.kind == kind and start - each.start_sample < REPEAT_SAMPLES for each in self.gestures)
            if kind in LENGTHS_S and not again:
                self.gestures = (*self.gestures, Gesture(kind, start, side=self._side(37, cues.sample)))
        listens = cues.phrase_end and not cues.talking and not self.gestures
        rested = start - self.nod_sample >= NOD_APART_SAMPLES
        if listens and rested and chance(self.seed, 38, cues.sample) < NOD_SHARE:
            self.nod_sample = start
            self.gestures = (Gesture("small_nod", start, 0.35 + 0.25 * chance(self.seed, 39, cues.sample)),)

    def _blink(self, start: int) -> None:
        """Where a phrase of one's own ends and where the eyes go far people blink, unless they have just done so."""
        rested = start - self.blink_sample > BLINKS_APART_S * RATE_HZ
        if rested and not blinks_within(start, self.seed, BLINKS_APART_S):
            self.blink_sample = start

    def _side(self, kind: int, number: int) -> float:
        return -1.0 if chance(self.seed, kind, number) < 0.5 else 1.0

    # --- what it looks like -------------------------------------------------------------------------------------------

    def face(self, sample: int) -> dict[str, float]:
        """The face at a programme_sample near now, as `Draw` and `Programme` carry it."""
        own = idle(sample, self.seed)
        turns = [gesture.head(sample) for gesture in self.gestures]
        yaw, pitch, roll = (sum(turn[axis] for turn in turns) for axis in range(3))
        beat = self.stress.value
        brows = 0.75 * max(0.0, beat - 0.06) + 0.14 * self.listening
        return {
            "blink": _short(max(own.blink, lid((sample - self.blink_sample) / RATE_HZ))),
            "gaze_x": _short(_bound(own.gaze_x * self.wander + self.gaze[0], 1.0)),
            "gaze_y": _short(_bound(own.gaze_y * self.wander + self.gaze[1], 1.0)),
            "yaw": _short(self.motion * (own.yaw * (1 + 0.5 * self.talking) + self.yaw.value + yaw)),
            "pitch": _short(self.motion * (own.pitch - 0.07 * beat + self.pitch.value + pitch)),
            "roll": _short(self.motion * (own.roll * (1 + 0.3 * self.talking) + self.roll.value + roll)),
            "brows": _short(self.motion * min(1.0, brows)),
            "breath": _short(self.motion * own.breath),
            "emotion_strength": _short(self.mood.strength),
        }


def _near(value: float, target: float, share: float) -> float:
    return value + share * (target - value)


def _jump(value: float, target: float) -> float:
    return value + _bound(0.5 * (target - value), MOST_LOOK)


def _bound(value: float, most: float) -> float:
    return min(most, max(-most, value))


def _short(value: float) -> float:
    return round(value, 4)

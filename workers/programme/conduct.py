"""How the face has been told to behave: by `Act`, by `Attend` and by the sentence that is spoken. Becomes cues, one a
tick, for the bearing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from broker.messages import Act, Attend
from workers.programme.ticks import RATE_HZ

SPOKEN_STRENGTH = 0.75
"""Of an emotion that a sentence names without a number: what is said counts, too."""

REMEMBERED = 0.5
"""Share of a sentence's emotion that colours the following ones of its turn, if they have none of their own."""

LINGERS_SAMPLES = RATE_HZ * 6 // 5
"""An emotion stays this long after the voice."""

LOOK_SAMPLES = RATE_HZ * 7 // 5
"""A sentence that begins with a look aside comes back to the person after this long."""


@dataclass(frozen=True, kw_only=True)
class Cues:
    """What the bearing is told in one tick that starts at `sample`."""

    sample: int = 0
    loudness: float = 0.0
    """Root mean square of the voice, of full scale."""
    talking: bool = False
    attends: str = "idle"
    phrase_end: bool = False
    emotion: str = ""
    """Empty: none wished; the bearing may show what it does."""
    strength: float = 0.0
    gestures: tuple[str, ...] = ()
    gaze: str = ""
    motion: float = 1.0


@dataclass
class _Wish:
    """Something asked for until a sample; 0: until the next one."""

    what: str = ""
    strength: float = 1.0
    until_sample: int = 0

    def now(self, sample: int) -> str:
        return self.what if not self.until_sample or sample < self.until_sample else ""


@dataclass
class Conduct:
    """One session's. `background` is carried for whoever draws it."""

    motion: float = 1.0
    """The persona's; an `Act` overrides it."""
    background: str = ""
    _acted_motion: float = -1.0
    _attends: str = "idle"
    _phrase_end: bool = False
    _acted: _Wish = field(default_factory=_Wish)
    _passing: _Wish = field(default_factory=_Wish)
    """An emotion for a while; the one before it comes back."""
    _gaze: str = ""
    _look: _Wish = field(default_factory=_Wish)
    _spoken: _Wish = field(default_factory=_Wish)
    _gestures: list[str] = field(default_factory=list)
    _begun: tuple[int, int] = (-1, -1)
    _sample: int = 0

    def act(self, act: Act) -> None:
        """Somebody with the right to says how to behave, now."""
        if act.emotion:
            strength = min(1.0, max(0.0, act.strength))
            wish = _Wish(act.emotion, strength, self._sample + act.for_ms * RATE_HZ // 1000 if act.for_ms else 0)
            self._passing = wish if act.for_ms else _Wish()
            if not act.for_ms:  # neutral: as the face makes it by itself
                self._acted = _Wish() if act.emotion == "neutral" else wish
            self._spoken = _Wish()
        if act.gesture:
            self._gestures.append(act.gesture)
        if act.gaze:
            self._gaze, self._look = act.gaze, _Wish()
        if act.motion >= 0:
            self._acted_motion = min(1.0, act.motion)
        self.background = act.background or self.background

    def attend(self, attend: Attend) -> None:
        """What the avatar does while it does not talk."""
        self._attends = attend.state
        self._phrase_end = self._phrase_end or attend.phrase_end

    def begin(self, turn: int, sentence: int, tags: Mapping[str, Any], sample: int) -> None:
        """A sentence begins to sound at `sample`; one that is said again from its middle does not begin again."""
        if (turn, sentence) <= self._begun:
            return
        same_turn = turn == self._begun[0]
        self._begun = turn, sentence
        emotion = str(tags.get("emotion", ""))
        if emotion:
            self._spoken = _Wish(emotion, _strength(tags.get("strength")))
        elif same_turn:
            self._spoken = _Wish(self._spoken.what, min(self._spoken.strength, REMEMBERED * SPOKEN_STRENGTH))
        else:
            self._spoken = _Wish()
        self._spoken.until_sample = sample + LINGERS_SAMPLES
        if tags.get("gesture"):
            self._gestures.append(str(tags["gesture"]))
        if tags.get("gaze"):
            self._look = _Wish(str(tags["gaze"]), until_sample=sample + LOOK_SAMPLES)

    def cues(self, sample: int, loudness: float, talking: bool, held: bool) -> Cues:
        """What holds in the tick that starts at `sample`. `held`: the talk was interrupted, somebody else speaks."""
        self._sample = sample
        if talking:
            self._spoken.until_sample = sample + LINGERS_SAMPLES
        gestures, self._gestures = tuple(self._gestures), []
        phrase_end, self._phrase_end = self._phrase_end, False
        wish = next((wish for wish in (self._spoken, self._passing, self._acted) if wish.now(sample)), _Wish())
        return Cues(
            sample=sample,
            loudness=loudness,
            talking=talking,
            attends="listening" if held else self._attends,
            phrase_end=phrase_end,
            emotion=wish.what,
            strength=wish.strength,
            gestures=gestures,
            gaze=self._look.now(sample) or self._gaze,
            motion=self._acted_motion if self._acted_motion >= 0 else self.motion,
        )


def _strength(value: object) -> float:
    """A tag's number, else the usual one."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return min(1.0, max(0.0, float(value))) if known else SPOKEN_STRENGTH  # type: ignore[arg-type]  # known says so

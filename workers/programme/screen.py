"""What is seen of a session: pictures are asked for ahead, taken when they come, encoded once for all who watch.

Numbers are picture numbers, ticks the clock; what a picture shows is the caller's business.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from broker import picture_steps
from broker.messages import KeyFrame, Picture, Wanted
from workers.programme.pictures import Pictures
from workers.programme.quality import Level, Quality
from workers.programme.renditions import Encoded, Renditions
from workers.programme.settings import ProgrammeSettings
from workers.programme.ticks import TICKS_PER_S, newest_picture

DRAW_AHEAD_TICKS = 3
"""Pictures are asked for this long before they leave: 60 ms for the bus, the queue and the face."""

REPEAT_TICKS = TICKS_PER_S
"""When no pictures come, the last one is sent again this often."""


@dataclass(frozen=True)
class Showing:
    """What leaves in a tick: nothing, or one picture as an access unit per codec."""

    number: int = -1
    units: dict[str, Encoded] = field(default_factory=dict)


class Screen:
    """One session's pictures."""

    def __init__(self, settings: ProgrammeSettings, counters: Counter[str]) -> None:
        self.pictures = Pictures(settings)
        self._fps = settings.fps
        self._kbps = settings.video_kbps
        self._renditions = Renditions(settings)
        self._quality = Quality()
        self._counters = counters
        self._prepared = Showing()
        self._sent_tick = 0
        self._degraded: list[tuple[str, str, str]] = []

    # --- what is said to it -------------------------------------------------------------------------------------------

    def want(self, wanted: Wanted, tick: int) -> None:
        """An edge says who watches."""
        self._renditions.want(wanted, tick)

    def ask_key(self, request: KeyFrame) -> None:
        """Somebody cannot see anything before a key frame."""
        if not self._renditions.ask_key(request.codec):
            self._counters["key_frame_unknown_codec"] += 1

    def file(self, picture: Picture) -> None:
        """A picture has come."""
        fault = self.pictures.file(picture)
        if fault:
            self._counters[f"picture_{fault}"] += 1

    def wants_cutout(self, tick: int) -> bool:
        """Whether pictures are to come with the figure alone."""
        return self._renditions.wants_cutout(tick)

    @property
    def thinned(self) -> bool:
        """Every other picture is left out: the one before it stands for both."""
        return self._quality.level is not Level.FULL or picture_steps.halves(self._renditions.step)

    # --- ahead of time ------------------------------------------------------------------------------------------------

    def to_ask(self, tick: int) -> int | None:
        """The picture to ask for in this tick, if one leaves a few ticks later and somebody watches."""
        leaves = tick + DRAW_AHEAD_TICKS
        number = newest_picture(leaves, self._fps)
        left_out = self.thinned and number % 2
        if number == newest_picture(leaves - 1, self._fps) or left_out or not self._renditions.wanted(tick):
            return None
        return number

    def preparable(self, tick: int) -> bool:
        """Whether the picture of the coming tick is here and can be encoded before it."""
        if self._prepared.units or not self._renditions.wanted(tick):
            return False
        number = newest_picture(tick, self._fps)
        return number > self.pictures.shown and self.pictures.here(number)

    def prepare(self, tick: int) -> None:
        """Encode it."""
        self._prepared = self._encode(newest_picture(tick, self._fps), tick)

    # --- in a tick ----------------------------------------------------------------------------------------------------

    def show(self, tick: int, silent: bool, hurry: bool) -> Showing:
        """What leaves in this tick. `silent`: nothing is being said; `hurry`: the tick is late, nothing is encoded."""
        due = newest_picture(tick, self._fps)
        for late in self.pictures.settle(due):
            self._settle(late)
        showing, self._prepared = self._prepared, Showing()
        if not showing.units and self._renditions.wanted(tick):
            if hurry:
                self._counters["pictures_skipped"] += self.pictures.newest(due) is not None
            else:
                showing = self._newest_or_again(tick, due, silent)
        if showing.units:
            self._sent_tick = tick
            self._counters["pictures_sent"] += 1
            self._counters["key_frames"] += sum(unit.key for unit in showing.units.values())
        self._renditions.sweep(tick)
        self._follow_line(tick)
        return showing

    def degraded(self) -> list[tuple[str, str, str]]:
        """Changes of quality since the last call: whose doing (lipsync, network), the step, and its reason."""
        changes, self._degraded = self._degraded, []
        return changes

    def _newest_or_again(self, tick: int, due: int, silent: bool) -> Showing:
        number = self.pictures.newest(due)
        if number is not None:
            return self._encode(number, tick)
        again = self.pictures.repeat(silent)
        idle_ticks = tick - self._sent_tick
        must = self._renditions.needs_picture(tick) or idle_ticks >= REPEAT_TICKS
        must = must or (silent and not self.pictures.at_rest and idle_ticks > DRAW_AHEAD_TICKS)
        if again is None or not must or due <= self.pictures.shown:
            return Showing()
        self.pictures.sent(due, again)
        self._counters["pictures_repeated"] += 1
        return Showing(due, self._renditions.encode(again.yuv, due, tick, again.cutout))

    def _encode(self, number: int, tick: int) -> Showing:
        shot = self.pictures.take(number)
        return Showing(number, self._renditions.encode(shot.yuv, number, tick, shot.cutout))

    def _settle(self, late: bool) -> None:
        self._counters["pictures_late"] += late
        change = self._quality.note(late)
        if change:
            self._degraded.append(("lipsync", str(change[0]), change[1]))

    def _follow_line(self, tick: int) -> None:
        reason = self._renditions.take_step(tick)
        if reason is None:
            return
        self._counters["picture_steps"] += 1
        step = self._renditions.step
        said = ": ".join(part for part in (reason, picture_steps.words(step, self._kbps)) if part)
        self._degraded.append(("network", picture_steps.name(step, self._kbps), said))

"""Who wants which rendition, a codec with or without cut-out figure, and one encoder for each that is wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from broker import picture_steps
from broker.messages import Wanted
from workers.programme.settings import ProgrammeSettings
from workers.programme.ticks import TICKS_PER_S
from workers.programme.video import VideoEncoder

CUTOUT = "_cutout"
CODECS = ("h264", "vp8", "h264" + CUTOUT, "vp8" + CUTOUT)

DROP_TICKS = 5 * TICKS_PER_S
"""An encoder nobody wanted for this long is closed."""

WANTED_TICKS = 3 * TICKS_PER_S
"""An edge says what it wants every second; one that is silent this long wants nothing."""

KEY_TICKS = 15
"""At least 300 ms between key frames: requests in between are merged."""


@dataclass(frozen=True)
class Encoded:
    """An access unit, and how many its codec has had since the start of the session here."""

    data: bytes
    key: bool
    count: int


class _Rendition:
    def __init__(self) -> None:
        self.encoder: VideoEncoder | None = None
        self.count = 0
        self.wanted_tick = 0
        self.key_tick = -KEY_TICKS
        self.key_asked = False


class Renditions:
    """The codecs of one session. Ticks are its clock."""

    def __init__(self, settings: ProgrammeSettings) -> None:
        self._settings = settings
        self._edges: dict[str, tuple[Wanted, int]] = {}
        self._renditions = {codec: _Rendition() for codec in CODECS}
        self.step = 0
        """How far the bit rate is down (broker/picture_steps.py)."""

    def want(self, wanted: Wanted, tick: int) -> None:
        """An edge says how many want what."""
        before = self.wanted(tick)
        self._edges[wanted.edge] = (wanted, tick)
        for codec in self.wanted(tick):
            if codec not in before:
                self._renditions[codec].key_asked = True

    def take_step(self, tick: int) -> str | None:
        """Follow what the caller's line carries; the whole rate when nobody says. The reason, if the step changes."""
        said = [each for each in self._edges.values() if each[0].step >= 0 and tick - each[1] <= WANTED_TICKS]
        newest = max(said, key=lambda each: each[1])[0] if said else None
        step = min(newest.step, picture_steps.LOWEST) if newest else 0
        if step == self.step:
            return None
        self.step = step
        for codec, rendition in self._renditions.items():
            if rendition.encoder and not rendition.encoder.retune(self._kbps(codec)):
                rendition.encoder = None
        return newest.reason if newest else ""

    def ask_key(self, codec: str) -> bool:
        """Somebody needs a key frame. False: there is no such codec."""
        if codec not in self._renditions:
            return False
        self._renditions[codec].key_asked = True
        return True

    def wanted(self, tick: int) -> tuple[str, ...]:
        """The codecs somebody wants at this tick."""
        current = [wanted for wanted, said in self._edges.values() if tick - said <= WANTED_TICKS]
        return tuple(codec for codec in CODECS if any(getattr(wanted, codec) > 0 for wanted in current))

    def needs_picture(self, tick: int) -> bool:
        """Whether some viewer cannot see anything before the next picture."""
        return any(self._key_due(self._renditions[codec], tick) for codec in self.wanted(tick))

    def wants_cutout(self, tick: int) -> bool:
        """Whether somebody wants the figure alone."""
        return any(codec.endswith(CUTOUT) for codec in self.wanted(tick))

    def encode(self, yuv: bytes, picture: int, tick: int, cutout: bytes = b"") -> dict[str, Encoded]:
        """The picture in every rendition that is wanted; `cutout` may not have come, where it was not asked for yet."""
        units = {}
        for codec in self.wanted(tick):
            shown = cutout if codec.endswith(CUTOUT) else yuv
            if not shown:
                continue
            rendition = self._renditions[codec]
            if rendition.encoder is None:
                rendition.encoder, rendition.key_asked = self._encoder(codec), True
                rendition.key_tick = tick - KEY_TICKS
            key_due = self._key_due(rendition, tick)
            data, key = rendition.encoder.encode(shown, picture, key_due)
            rendition.count += 1
            if key:
                rendition.key_tick, rendition.key_asked = tick, False
            units[codec] = Encoded(data, key, rendition.count)
        return units

    def _encoder(self, codec: str) -> VideoEncoder:
        settings = self._settings
        if codec.endswith(CUTOUT):
            settings = replace(settings, width=2 * settings.width)
        return VideoEncoder(codec.removesuffix(CUTOUT), replace(settings, video_kbps=self._kbps(codec)))

    def _kbps(self, codec: str) -> int:
        kbps = picture_steps.kbps(self.step, self._settings.video_kbps)
        return kbps * 5 // 4 if codec.endswith(CUTOUT) else kbps

    def sweep(self, tick: int) -> None:
        """Close what nobody has wanted for a while; forget edges that fell silent."""
        self._edges = {edge: said for edge, said in self._edges.items() if tick - said[1] <= WANTED_TICKS}
        for codec in self.wanted(tick):
            self._renditions[codec].wanted_tick = tick
        for rendition in self._renditions.values():
            if rendition.encoder and tick - rendition.wanted_tick > DROP_TICKS:
                rendition.encoder = None

    def open_encoders(self) -> tuple[str, ...]:
        """The codecs that have an encoder now."""
        return tuple(codec for codec, rendition in self._renditions.items() if rendition.encoder)

    @staticmethod
    def _key_due(rendition: _Rendition, tick: int) -> bool:
        return rendition.key_asked and tick - rendition.key_tick >= KEY_TICKS

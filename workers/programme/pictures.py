"""The pictures of one session between `Draw` and the encoder: asked for, arrived, late, shown.

A picture may be asked for again when what it should show has changed (the voice begins, a hold); the newest answer that
is there in time counts. `Draw.picture` therefore carries the picture's number and the attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from broker.messages import Draw, Picture
from workers.programme.lips import closed
from workers.programme.settings import ProgrammeSettings

ATTEMPTS = 16
"""`Draw.picture` = picture number · ATTEMPTS + attempt; 60 ms leave no time for more."""

KEPT = 4
"""Pictures that may still come after they were due."""


@dataclass(frozen=True)
class Shot:
    """A picture that came. `at_rest`: its mouth is closed and its eyes are open, fit to stand still."""

    yuv: bytes
    at_rest: bool
    attempt: int = 0
    cutout: bytes = b""


@dataclass(frozen=True)
class _Asked:
    """The mouth of each attempt, and how far the eyes are shut."""

    mouths: tuple[bytes, ...]
    blink: float
    owed: bool = True
    """The last attempt may still be answered; not when lipsync has died since."""


class Pictures:
    """Numbers are picture numbers since the session's origin."""

    def __init__(self, settings: ProgrammeSettings) -> None:
        self._settings = settings
        self._asked: dict[int, _Asked] = {}
        self._arrived: dict[int, Shot] = {}
        self._last: Shot | None = None
        self._rest: Shot | None = None
        self.shown = -1
        """The picture that was sent last."""
        self._settled = -1

    def draw(
        self,
        number: int,
        mouth: bytes,
        face: dict[str, float],
        emotion: str,
        deadline_ns: int,
        voice: bytes,
        background: str = "",
        cutout: bool = False,
    ) -> Draw:
        """Ask for picture `number`, or ask again: then the earlier answer only serves if the new one is late."""
        before = self._asked[number].mouths if number in self._asked else ()
        self._asked[number] = _Asked((*before, mouth), face["blink"])
        return Draw(
            picture=number * ATTEMPTS + len(before) % ATTEMPTS,
            mouth=mouth,
            face=face,
            emotion=emotion,
            width=self._settings.width,
            height=self._settings.height,
            deadline_ns=deadline_ns,
            voice=voice,
            background=background,
            cutout=cutout,
        )

    def asked(self) -> dict[int, bytes]:
        """Pictures asked for and not due yet, with the mouth they were asked with; none if it is to be asked again."""
        waiting = max(self._settled, self.shown)
        return {n: asked.mouths[-1] if asked.owed else b"" for n, asked in self._asked.items() if n > waiting}

    def forget(self) -> None:
        """A new lipsync knows nothing of what was asked."""
        self._asked = {number: replace(asked, owed=False) for number, asked in self._asked.items()}

    def file(self, picture: Picture) -> str:
        """A picture came. Returns why it is not taken (`superseded`, `malformed`), or nothing."""
        settings = self._settings
        size = (picture.width, picture.height, len(picture.yuv))
        if size != (settings.width, settings.height, settings.width * settings.height * 3 // 2):
            return "malformed"
        if picture.cutout and len(picture.cutout) != 2 * len(picture.yuv):
            return "malformed"
        number, attempt = divmod(picture.picture, ATTEMPTS)
        asked = self._asked.get(number)
        here = self._arrived.get(number)
        if asked is None or attempt >= len(asked.mouths) or number <= self.shown or (here and here.attempt >= attempt):
            return "superseded"
        at_rest = closed(asked.mouths[attempt]) and asked.blink < 0.1
        shot = self._arrived[number] = Shot(picture.yuv, at_rest, attempt, picture.cutout)
        self._rest = shot if shot.at_rest else self._rest
        self._last = self._last or shot
        return ""

    def here(self, number: int) -> bool:
        """Whether this picture has come as it was asked for last."""
        return number in self._arrived and self._arrived[number].attempt == len(self._asked[number].mouths) - 1

    def newest(self, due: int) -> int | None:
        """The newest picture not after `due` that has come and was not sent."""
        return max((number for number in self._arrived if self.shown < number <= due), default=None)

    def repeat(self, silent: bool) -> Shot | None:
        """What to show when nothing came: at rest if nothing is being said, else the last one."""
        return (self._rest or self._last) if silent else self._last

    @property
    def at_rest(self) -> bool:
        """Whether the picture that was sent last may stand still."""
        return self._last is None or self._last.at_rest

    def take(self, number: int) -> Shot:
        """Picture `number`, which has come, is being sent."""
        shot = self._arrived[number]
        self.sent(number, shot)
        return shot

    def sent(self, number: int, shot: Shot) -> None:
        """This is what viewers see from now on."""
        self.shown, self._last = number, shot
        self._arrived = {other: kept for other, kept in self._arrived.items() if other > number}

    def settle(self, due: int) -> list[bool]:
        """Pictures up to `due` should have come: for each that was asked for, whether it is late. Each once."""
        ripe = sorted(number for number in self._asked if self._settled < number <= due)
        self._settled = max(self._settled, due)
        for number in [number for number in self._asked if number < due - KEPT]:
            del self._asked[number]
        return [number > self.shown and number not in self._arrived for number in ripe]

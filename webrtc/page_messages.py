"""What a page may say on its WebSocket: JSON text to frozen dataclasses, every field checked, each error a sentence."""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from dataclasses import dataclass
from typing import Any, ClassVar

from broker import messages
from broker.acting import problem
from broker.foreign_json import read_json
from webrtc.errors import BadMessage, PageError
from webrtc.offer import LONGEST_SDP

LONGEST_MESSAGE = 100_000
"""Bytes; an offer with every codec a browser has is about 10 000."""

LONGEST_TEXT = 2_000
"""Characters a person may type at once."""

_SHORT = 200
_HALF = re.compile("[\ud800-\udfff]")
"""Half of a pair in UTF-16: JSON can have one alone, UTF-8 cannot."""
_SESSION = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, kw_only=True)
class Hello:
    """First message: begin, or resume with `session` and `token`. `mouth`: the page draws the face itself.

    `remembers`: it keeps its microphone's last half minute and can send it again.
    """

    type: ClassVar[str] = "hello"
    persona: str = ""
    mode: str = "voice"
    language: str = ""
    session: str = ""
    token: str = ""
    mouth: bool = False
    remembers: bool = False

    def check(self) -> None:
        _mode(self.mode)
        if bool(self.session) != bool(self.token):
            raise BadMessage("A conversation is resumed with both its session and its token.")
        if self.session and not _SESSION.fullmatch(self.session):
            raise BadMessage("This is not the name of a session.")


@dataclass(frozen=True, kw_only=True)
class Offer:
    type: ClassVar[str] = "offer"
    sdp: str


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A trickled network candidate; None ends them."""

    type: ClassVar[str] = "candidate"
    candidate: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Text:
    """The person typed. `id` makes it safe to send twice."""

    type: ClassVar[str] = "text"
    text: str
    id: str = ""

    def check(self) -> None:
        if not self.text.strip():
            raise BadMessage("There is nothing to say in an empty line.")
        if len(self.text) > LONGEST_TEXT:
            raise PageError("too_large", f"A line has at most {LONGEST_TEXT} characters.")


@dataclass(frozen=True, kw_only=True)
class Stop:
    """The interrupt button."""

    type: ClassVar[str] = "interrupt"


@dataclass(frozen=True, kw_only=True)
class Mode:
    type: ClassVar[str] = "mode"
    mode: str

    def check(self) -> None:
        _mode(self.mode)


@dataclass(frozen=True, kw_only=True)
class Front:
    """What the page shows from here on: `portrait` (pictures, no mouth track) or `avatar3d` (the other way round).

    Before the first one a page gets pictures, and the mouth track too when its hello asked for it.
    """

    type: ClassVar[str] = "front"
    front: str

    def check(self) -> None:
        if self.front not in ("portrait", "avatar3d"):
            raise BadMessage("front is portrait or avatar3d.")


@dataclass(frozen=True, kw_only=True)
class Cutout:
    """From here on the pictures are the figure alone, for a page that lays it over what it likes; or whole again.

    The connection stays as it is: the next key frame has twice the width, or half of it.
    """

    type: ClassVar[str] = "cutout"
    cutout: bool


@dataclass(frozen=True, kw_only=True)
class Mute:
    type: ClassVar[str] = "mute"
    muted: bool


@dataclass(frozen=True, kw_only=True)
class Heard:
    """RTP time `rtp` was at the speaker when the page's clock showed `t` ms."""

    type: ClassVar[str] = "played"
    rtp: int
    t: float

    def check(self) -> None:
        if not 0 <= self.rtp < 1 << 32:
            raise BadMessage("rtp is a number of 32 bits.")


@dataclass(frozen=True, kw_only=True)
class Ping:
    type: ClassVar[str] = "ping"
    t: float


@dataclass(frozen=True, kw_only=True)
class Again:
    """About the sound that a page which was asked sends again, as bytes: mono s16le, 16 kHz.

    `begins`: it comes now, its first sample was spoken `age_ms` ago. `level`: what comes from here on is the present.
    `none`: there is none.
    """

    type: ClassVar[str] = "again"
    what: str
    age_ms: float = 0.0

    def check(self) -> None:
        if self.what not in ("begins", "level", "none"):
            raise BadMessage("again.what is begins, level or none.")


@dataclass(frozen=True, kw_only=True)
class Bye:
    """The person pressed Stop."""

    type: ClassVar[str] = "bye"


@dataclass(frozen=True, kw_only=True)
class Act:
    """How the face is to behave, now; the fields of `broker.messages.Act`."""

    type: ClassVar[str] = "act"
    emotion: str = ""
    strength: float = 1.0
    for_ms: int = 0
    gesture: str = ""
    gaze: str = ""
    motion: float = -1.0
    background: str = ""

    def check(self) -> None:
        wrong = problem(self.message(""))
        if wrong:
            raise BadMessage(wrong)

    def message(self, session: str) -> messages.Act:
        """As the broker gets it."""
        return messages.Act(session=session, **vars(self))


@dataclass(frozen=True, kw_only=True)
class Switch:
    """Another persona, face or language from here on; the call goes on."""

    type: ClassVar[str] = "switch"
    persona: str = ""
    portrait: str = ""
    language: str = ""

    def check(self) -> None:
        if not (self.persona or self.portrait or self.language):
            raise BadMessage("A switch names a persona, a portrait or a language.")


PageMessage = (
    Hello | Offer | Candidate | Text | Stop | Mode | Front | Cutout | Mute | Heard | Ping | Again | Bye | Act | Switch
)

_TYPES: dict[str, type[Any]] = {cls.type: cls for cls in typing.get_args(PageMessage)}
_LIMITS = {"sdp": LONGEST_SDP, "text": LONGEST_MESSAGE}


def parse(text: str) -> PageMessage:
    """The message in `text`. Raises PageError (bad_message or too_large)."""
    if len(text) > LONGEST_MESSAGE:
        raise PageError("too_large", f"A message has at most {LONGEST_MESSAGE} characters.")
    try:
        table = read_json(text)
    except ValueError:
        raise BadMessage("A message must be JSON.") from None
    if not isinstance(table, dict) or not isinstance(table.get("type"), str):
        raise BadMessage("A message must be a JSON object with a type.")
    cls = _TYPES.get(table["type"])
    if cls is None:
        raise BadMessage(f"Unknown message type {table['type'][:40]!r}; known: {', '.join(_TYPES)}.")
    message = _fill(cls, table)
    if hasattr(message, "check"):
        message.check()
    return typing.cast(PageMessage, message)


def _fill(cls: type[Any], table: dict[str, Any]) -> Any:
    """`cls` from `table`; keys it does not know are for a newer edge and ignored."""
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        if field.name in table:
            values[field.name] = _value(hints[field.name], table[field.name], f"{cls.type}.{field.name}")
        elif field.default is dataclasses.MISSING:
            raise BadMessage(f"{cls.type}.{field.name} is missing.")
    return cls(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    if typing.get_origin(hint) is types.UnionType:
        return None if value is None else _value(typing.get_args(hint)[0], value, where)
    if typing.get_origin(hint) is dict:
        hint = dict
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1 << 53 else math.inf
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise BadMessage(f"{where} has the wrong type.")
    if hint is float and not math.isfinite(value):
        raise BadMessage(f"{where} must be finite.")
    if hint is str and len(value) > _LIMITS.get(where.rpartition(".")[2], _SHORT):
        raise PageError("too_large", f"{where} is too long.")
    if hint is str and _HALF.search(value):
        raise BadMessage(f"{where} is not valid text: it has half a letter in it.")
    return value


def _mode(mode: str) -> None:
    if mode not in ("voice", "text"):
        raise BadMessage("mode is voice or text.")

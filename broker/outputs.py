"""What is made of a session besides its call: recordings, streams. Who wanted it and how it goes, as plain values."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, NotRequired, TypedDict

from broker.config import RecordingSettings
from broker.messages import OutputState
from broker.noted import Note
from broker.push_address import JANUS, WHIP

RECORDING = "recording"
EDGES = frozenset({WHIP, JANUS})
"""Kinds that an edge makes; all others are made by the process of the outputs."""

GOING = frozenset({"starting", "on"})
MOST = 16
"""Outputs of one session, those that are over included; the oldest of these are forgotten."""


STATES = ("starting", "on", "over", "refused", "failed")
ORDERERS = ("config", "caller", "operator", "viewers")
RULES = ("every", "asked", "never")


class OutputTold(TypedDict):
    """How something goes that is made of a conversation."""

    state: Annotated[str, Note("off: nothing was ever begun.", ("off", *STATES))]
    by: Annotated[str, Note("Who began it.", ("", *ORDERERS))]
    text: Annotated[str, Note("Why it ended by itself, a sentence.")]


class RecordingTold(OutputTold):
    """Whether a conversation is recorded, and may be."""

    rule: Annotated[str, Note("Whether conversations like this one are.", RULES)]
    name: NotRequired[Annotated[str, Note("One of GET /recordings; for the operator.")]]


@dataclass(frozen=True, kw_only=True)
class Output:
    """One thing that is made, or was. `state` as in `OutputState`, and before it says anything `starting`."""

    kind: str
    by: str
    """One of `ORDERERS`."""
    settings: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    state: str = "starting"
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    at: str = ""
    """The edge that makes it, by name; empty where none does."""

    @property
    def going(self) -> bool:
        return self.state in GOING

    def wanted(self) -> dict[str, Any]:
        """As `Outputs` carries it."""
        table = asdict(self)
        return {key: table[key] for key in ("id", "kind", "settings", "data")}

    def told(self) -> OutputTold:
        """As everybody may hear it."""
        return {"state": self.state, "by": self.by, "text": self.text}


Made = tuple[Output, ...]


def begun(made: Made, output: Output) -> Made:
    """One more. Those that are over make room."""
    kept = [each for each in made if each.going or each.kind != output.kind]
    while len(kept) >= MOST and not all(each.going for each in kept):
        kept.remove(next(each for each in kept if not each.going))
    return (*kept, output)


def stopped(made: Made, output: Output) -> tuple[Made, Output]:
    """It is not wanted any more."""
    return _with(made, replace(output, state="over", text=""))


def heard(made: Made, news: OutputState) -> tuple[Made, Output | None]:
    """What the process that makes it says; None when everybody knows. What is over stays over."""
    before = next((each for each in made if each.id == news.id and each.going), None)
    if before is None:
        return made, None
    made, after = _with(made, replace(before, state=news.state, text=news.text, data=dict(news.data)))
    return made, after if after.told() != before.told() else None


def wanted(made: Made, edge: str = "") -> tuple[dict[str, Any], ...]:
    """What is to be made now, by an edge or by the process of the outputs."""
    return tuple(each.wanted() for each in made if each.going and (each.at == edge if each.kind in EDGES else not edge))


def unserved(made: Made, edge: str = "") -> tuple[Made, list[Output]]:
    """The process that made them is gone, an edge or that of the outputs: all that goes on begins again.
    Those of which that is news."""
    gone = [each for each in made if each.state == "on" and (each.at == edge if each.kind in EDGES else not edge)]
    news = [replace(each, state="starting") for each in gone]
    for each in news:
        made, _ = _with(made, each)
    return made, news


def current(made: Iterable[Output], kind: str = RECORDING) -> Output | None:
    """The one of a kind that is going."""
    return next((each for each in made if each.kind == kind and each.going), None)


def newest(made: Made, kind: str = RECORDING) -> Output | None:
    """The last one of a kind, over or not."""
    return next((each for each in reversed(made) if each.kind == kind), None)


def _with(made: Made, changed: Output) -> tuple[Made, Output]:
    return tuple(changed if each.id == changed.id else each for each in made), changed


# --- recordings ------------------------------------------------------------------------------------------------------


def rule(settings: RecordingSettings, persona: Mapping[str, Any]) -> str:
    """every, asked or never: what holds for conversations with this persona. Where it is off, it is off for all."""
    own = str(persona.get("recording") or "")
    return "never" if settings.sessions == "never" else own or settings.sessions


def recording(settings: RecordingSettings, by: str, format: str = "", sound: str = "") -> Output:
    """A recording that is wanted, as the settings have it where nothing else is asked for."""
    formats = ["mp4", "webm"] if format == "both" else [format] if format else list(settings.formats)
    return Output(kind=RECORDING, by=by, settings={"formats": formats, "sound": sound or settings.sound})

"""A persona: who answers. One TOML file, checked here, carried to every stage as a snapshot of plain data."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from broker.errors import ConfigError
from broker.expressions import Expression
from broker.persona_check import check
from broker.tables import fill, read_toml

LIGHT_MODEL = ".light.glb"
"""Ending of what low quality draws of a 3D head, beside its own file and named like it."""
IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class Face:
    portrait: str = "vera"
    """A folder of static/avatars/."""
    front: Literal["portrait", "avatar3d"] = "portrait"
    """What a page shows first: pictures of the portrait, or the model, drawn in the browser."""
    model: str = ""
    """A folder of static/avatars/ with a .glb or .vrm file; empty: that of the portrait, when it has one."""
    motion: float = 1.0
    """0 keeps the head still, 1 is lively."""
    background: str = ""
    """`#rrggbb`, a picture of static/backdrops/, or none: the portrait's own."""


@dataclass(frozen=True, kw_only=True)
class VoiceChoice:
    engine: str = "auto"
    voice: str = ""
    rate: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Brain:
    engine: str = "auto"
    prompt: str = ""
    url: str = ""
    model: str = ""
    api_key_env: str = ""
    temperature: float = 0.6
    max_tokens: int = 300
    timeout_s: float = 15.0


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    folder: str = ""
    answer: float = 0.8
    ask_back: float = 0.2


@dataclass(frozen=True, kw_only=True)
class SmallTalk:
    say: tuple[str, ...] = ()
    reply: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Hearing:
    engine: str = "auto"
    language: str = ""
    """Empty: the session's; `detect`: of `languages`, the one each utterance is in; or always the same one of them."""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Persona:
    id: str = ""
    name: str = ""
    description: str = ""
    languages: tuple[str, ...] = ("en",)
    greeting: str = ""
    suggestions: tuple[str, ...] = ()
    face: Face = field(default_factory=Face)
    voices: dict[str, VoiceChoice] = field(default_factory=dict)
    brain: Brain = field(default_factory=Brain)
    knowledge: Knowledge = field(default_factory=Knowledge)
    small_talk: tuple[SmallTalk, ...] = ()
    asr: Hearing = field(default_factory=Hearing)
    expressions: tuple[Expression, ...] = ()
    """Which sentences make which face; they come before the usual ones."""
    recording: Literal["", "every", "asked", "never"] = ""
    """Whether conversations are recorded; empty: as the installation has it."""
    turns: dict[str, float] = field(default_factory=dict)
    """Numbers of turn taking that differ from the usual: keys of broker.turns.TurnSettings, and of its endpoint."""

    def snapshot(self) -> dict[str, Any]:
        """Plain data with every key present, as `Open` carries it; tuples become lists on the wire."""
        return dataclasses.asdict(self)


def known(folder: Path) -> tuple[str, ...]:
    """The ids of the personas in `folder`, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml") if IDENTIFIER.fullmatch(path.stem)))


def readable(folder: Path) -> tuple[Persona, ...]:
    """The personas in `folder` that are in order; what is wrong with the others is said when they are asked for."""
    found = []
    for name in known(folder):
        try:
            found.append(load(folder, name))
        except ConfigError:
            continue
    return tuple(found)


def portraits(folder: Path) -> tuple[str, ...]:
    """The faces in `folder` (static/avatars), sorted: those with a picture called `portrait`."""
    return tuple(sorted({path.parent.name for path in folder.glob("*/portrait.*") if path.suffix != ".json"}))


def load(folder: Path, name: str) -> Persona:
    """The persona `name`. Raises ConfigError naming the known ones, or the key that is wrong."""
    if not IDENTIFIER.fullmatch(name) or name not in known(folder):
        raise ConfigError(f"There is no persona {name[:40]!r}. Known personas: {', '.join(known(folder)) or 'none'}.")
    table = read_toml(folder / f"{name}.toml")
    persona = fill(Persona, table | {"id": name}, f"{name}.toml")
    check(persona)
    return persona

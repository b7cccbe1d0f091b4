"""Another persona, face or language in mid-call: what is checked, and what the turn machine makes of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from broker.answering import drop_attempt, speak_up
from broker.errors import ConfigError
from broker.expressions import Expression, rules_of
from broker.interrupting import interrupt
from broker.languages import nearest
from broker.messages import Switch
from broker.move import Move
from broker.turn_state import TurnSettings


@dataclass(frozen=True)
class Leaving:
    """Event: another persona is about to take over. What is said, prepared or waits to be said is cancelled."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Event: from here on this persona, in this language; all processes of the route know it."""

    settings: TurnSettings
    languages: tuple[str, ...]
    language: str
    expressions: tuple[Expression, ...]
    greeting: str
    """To be spoken as soon as nobody speaks; empty: the same persona as before goes on."""


def wanted(
    persona: dict[str, Any],
    language: str,
    switch: Switch,
    personas: Callable[[str], dict[str, Any]],
    portraits: Callable[[], Collection[str]],
) -> tuple[dict[str, Any], str]:
    """The snapshot and the language after `switch`, given those before it. Raises ConfigError, a sentence for people.

    A new persona keeps the language of the call if she speaks it.
    """
    after = personas(switch.persona) if switch.persona else persona
    if switch.portrait:
        known = sorted(portraits())
        if switch.portrait not in known:
            raise ConfigError(f"There is no face {switch.portrait[:40]!r}. Known faces: {', '.join(known) or 'none'}.")
        after = {**after, "face": {**(after.get("face") or {}), "portrait": switch.portrait}}
    languages = languages_of(after)
    if switch.language and switch.language not in languages:
        name = after.get("name") or after.get("id") or "The persona"
        raise ConfigError(f"{name} does not speak {switch.language[:20]!r}, only {', '.join(languages)}.")
    return after, switch.language or nearest(language, languages) or languages[0]


def languages_of(persona: dict[str, Any]) -> tuple[str, ...]:
    """The languages of a snapshot, at least one."""
    return tuple(persona.get("languages") or ("en",))


def taken(persona: dict[str, Any], language: str, greets: bool) -> Taken:
    """The machine's event for a snapshot. Raises ConfigError for wrong numbers in the persona's [turns]."""
    where = f"{persona.get('id', 'persona')}.turns"
    return Taken(
        settings=TurnSettings.of(dict(persona.get("turns") or {}), where),
        languages=languages_of(persona),
        language=language,
        expressions=rules_of(persona),
        greeting=str(persona.get("greeting") or "") if greets else "",
    )


def on_leaving(move: Move, _: Leaving) -> None:
    """What was heard of the answer stays in the dialogue; what is being said to the avatar, the next one answers."""
    interrupt(move, joins=False)
    drop_attempt(move)
    move.set(says=(), greeting="", wasted=0, apologised=False)


def on_taken(move: Move, event: Taken) -> None:
    """An answer under way goes on; one prepared in another language is not wanted any more."""
    if event.language != move.state.language:
        drop_attempt(move)
    move.set(
        settings=event.settings,
        languages=event.languages,
        language=event.language,
        expressions=event.expressions,
        greeting=event.greeting or move.state.greeting,
    )
    speak_up(move)

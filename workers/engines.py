"""From an engine's name to the engine: a stage's own table or a third party's class, imported only when chosen."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from broker.errors import EngineError, MissingError

logger = logging.getLogger(__name__)

E = TypeVar("E")

CONFIGURED = "configured"
"""Why an engine is used that was named."""


def find(name: str, table: Mapping[str, str], what: str) -> Any:
    """The class (of whatever type: a third party's may be any callable) behind a name of `table`, or behind a
    `"package.module:Class"`. `what` the engine is, in words: "face engine".

    Raises EngineError (code `engine`) naming the known ones, MissingError for one that cannot be imported.
    """
    module, _, attribute = table.get(name, name).partition(":")
    if not attribute:
        known = ", ".join(("auto", *table, '"package.module:Class"'))
        raise EngineError(f"There is no {what} {name!r}. Known: {known}.")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as exc:
        raise MissingError(f"The {what} {name} cannot be loaded: {exc}.") from exc


def choose(
    wished: str, table: Mapping[str, str], best_first: Sequence[str], make: Callable[[str, Any], E], what: str
) -> tuple[E, str]:
    """The engine called `wished`, or for `auto` the first of `best_first` that can be made; and why it is that one.

    `make` gets its name and its class. Raises as `find` and `make` do, for `auto` MissingError with all reasons.
    """
    if wished != "auto":
        return _told(make(wished, find(wished, table, what)), CONFIGURED, what)
    lacking: list[str] = []
    for name in best_first:
        try:
            engine = make(name, find(name, table, what))
        except MissingError as missing:
            lacking.append(f"{name} is not there: {missing}")
        else:
            return _told(engine, " ".join(lacking) or "the best there is for this machine", what)
    raise MissingError(" ".join(lacking))


def _told(engine: E, why: str, what: str) -> tuple[E, str]:
    _log(what, str(getattr(engine, "name", type(engine).__name__)), why)
    return engine, why


def _log(what: str, name: str, why: str) -> None:
    logger.info("engine chosen", extra={"what": what, "engine": name, "reason": why})


class Reasons:
    """Which engines a process has chosen so far, and why each, the newest reason last; each is logged once."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._why: dict[str, str] = {}

    def add(self, name: str, why: str) -> None:
        if self._why.get(name) != why:
            self._why[name] = why
            _log(self._what, name, why)

    @property
    def names(self) -> str:
        """`knowledge+openai`; empty while none was chosen."""
        return "+".join(sorted(self._why))

    @property
    def words(self) -> str:
        """For people: each with its reason."""
        return "; ".join(f"{name}: {why}" for name, why in sorted(self._why.items()))

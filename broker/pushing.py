"""A session pushed to media servers, as the settings or the operator want it: which pushes there are, and where.

By RTMP the process of the outputs pushes; by WHIP and into Janus an edge does, and when that dies another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, TypedDict

from broker.noted import Note
from broker.outputs import EDGES, Made, Output
from broker.push_address import JANUS, JANUS_SCHEME, KINDS, RTMP, kind_of, shown

MOST = 4
"""Pushes of one session, of RTMP and of the edges each."""

_PUSHES = frozenset(KINDS.values())

PUSH_STATES = ("connecting", "live", "waiting", "ended")


class PushTold(TypedDict):
    """A push to somebody's media server, without its token or key."""

    id: str
    url: str
    state: Annotated[str, Note("waiting: it is tried again soon.", PUSH_STATES)]
    reason: Annotated[str, Note("Why it is not live.")]


def pushed(by: str, url: str, token: str = "") -> Output:
    """A push that is wanted."""
    return Output(kind=kind_of(url), by=by, settings={"url": url} | ({"token": token} if token else {}))


def going(made: Made) -> list[Output]:
    """The pushes there are."""
    return [each for each in made if each.kind in _PUSHES and each.going]


def full(made: Made, url: str) -> bool:
    """There is no room for another one to this address."""
    by_rtmp = kind_of(url) == RTMP
    return sum((each.kind == RTMP) == by_rtmp for each in going(made)) >= MOST


def placed(made: Made, edges: Sequence[str], caller: str) -> Made:
    """Every push of an edge at one that is there: where it is, else at the caller's, else at any.

    `edges`: those that are ready. Without one it stays where it was, for its successor.
    """
    return tuple(_at(each, edges, caller) if each.kind in EDGES and each.going else each for each in made)


def _at(push: Output, edges: Sequence[str], caller: str) -> Output:
    if push.at in edges or not edges:
        return push
    return replace(push, at=caller if caller in edges else edges[0], state="starting")


def janus_of(made: Made) -> str:
    """Where the WebSocket of the Janus is that it is pushed into; empty: into none."""
    urls = (str(each.settings["url"]) for each in made if each.kind == JANUS and each.going)
    return next(urls, "").removeprefix(JANUS_SCHEME)


def rows(made: Made) -> list[PushTold]:
    """Pushes as the operator sees them, those that failed for good included; no secret is in it."""
    return [_row(each) for each in made if each.kind in _PUSHES and each.state != "over"]


def _row(push: Output) -> PushTold:
    state = str(push.data.get("state", "connecting")) if push.state == "on" else "connecting" if push.going else "ended"
    reason = push.text or (str(push.data.get("reason", "")) if push.state == "on" else "")
    return {"id": push.id, "url": shown(push.settings["url"]), "state": state, "reason": reason}

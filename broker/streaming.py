"""A session streamed onward: HLS while somebody plays it, RTMP pushes while somebody wants them."""

from __future__ import annotations

from typing import Annotated, Any, Protocol, TypedDict

from broker import outputs
from broker.clock import NS_PER_S
from broker.noted import Note
from broker.outputs import Made, Output
from broker.rtmp_address import shown
from broker.sessions import Session
from broker.watchers import Watchers

HLS, RTMP = "hls", "rtmp"

AGAIN_NS = 10 * NS_PER_S
"""A stream that failed at once is not tried again before."""

MOST_PUSHES = 4
"""Of one session, by RTMP."""


PUSH_STATES = ("connecting", "live", "waiting", "ended")


class PushTold(TypedDict):
    """A push to somebody's media server, without its token or key."""

    id: str
    url: str
    state: Annotated[str, Note("waiting: it is tried again soon.", PUSH_STATES)]
    reason: Annotated[str, Note("Why it is not live.")]


class House(Protocol):
    """What it needs of the broker; see control.py."""

    watchers: Watchers
    settings: Any
    """`rtmp_url` and `hls_sound`, of control.ControlSettings."""

    def make(self, session: Session, output: Output, now_ns: int) -> None: ...

    def unmake(self, session: Session, output: Output, now_ns: int) -> None: ...


def stream(house: House, session: Session, now_ns: int) -> None:
    """HTTP live streaming begins with its first player, and ends after the last."""
    running = outputs.current(session.record.outputs, HLS)
    wanted = house.watchers.hls(session.id)
    if wanted and running is None and now_ns >= session.stream_again_ns:
        session.stream_again_ns = now_ns + AGAIN_NS
        house.make(session, Output(kind=HLS, by="viewers", settings={"sound": house.settings.hls_sound}), now_ns)
    elif running and not wanted:
        session.stream_again_ns = 0
        house.unmake(session, running, now_ns)


def push_as_configured(house: House, session: Session, now_ns: int) -> None:
    """A conversation begins: it is pushed where the settings say so."""
    if house.settings.rtmp_url:
        names = {"{session}": session.id, "{persona}": str(session.record.persona.get("id", ""))}
        url = house.settings.rtmp_url
        for name, value in names.items():
            url = url.replace(name, value)
        house.make(session, pushed("config", url), now_ns)


def pushed(by: str, url: str) -> Output:
    """A push that is wanted."""
    return Output(kind=RTMP, by=by, settings={"url": url})


def going(made: Made) -> list[Output]:
    """The pushes there are."""
    return [each for each in made if each.kind == RTMP and each.going]


def rows(made: Made) -> list[PushTold]:
    """Pushes as the operator sees them, those that failed for good included; the key is not in it."""
    return [_row(each) for each in made if each.kind == RTMP and each.state != "over"]


def _row(push: Output) -> PushTold:
    state = str(push.data.get("state", "connecting")) if push.going else "ended"
    reason = push.text or str(push.data.get("reason", ""))
    return {"id": push.id, "url": shown(push.settings["url"]), "state": state, "reason": reason}

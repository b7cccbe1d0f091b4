"""A session as those see it who look on, and those who look for one."""

from __future__ import annotations

from typing import Any

from broker import outputs
from broker.clock import NS_PER_S
from broker.messages import Showing
from broker.pushing import janus_of
from broker.sessions import Session
from broker.turn_state import phase
from broker.watchers import Watchers


def showing(session: Session, watchers: Watchers) -> Showing:
    """What an edge with viewers needs to know of it."""
    return Showing(
        session=session.id,
        route=session.route.id,
        persona=session.record.persona,
        language=session.state.language,
        origin_ns=session.state.origin_ns,
        state="away" if session.caller_gone_ns else phase(session.state),
        viewers=watchers.viewers(session.id),
        recording=dict(recording.told()) if (recording := outputs.current(session.record.outputs)) else {},
        janus=janus_of(session.record.outputs),
        peers={kind: peer for kind, peer in session.route.peers.items() if kind == "programme"},
    )


def live(session: Session, watchers: Watchers, now_ns: int) -> dict[str, Any]:
    """Its row in `Fleet.live`."""
    persona = session.record.persona
    return {
        "session": session.id,
        "persona": str(persona.get("id", "")),
        "name": str(persona.get("name", "")),
        "portrait": str((persona.get("face") or {}).get("portrait", "")),
        "viewers": watchers.viewers(session.id),
        "away": bool(session.caller_gone_ns) or phase(session.state) == "away",
        "edge": session.route.peers["webrtc"].name if "webrtc" in session.route.peers else "",
        "age_s": max(0, now_ns - session.state.origin_ns) // NS_PER_S,
    }

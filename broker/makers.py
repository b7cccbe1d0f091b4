"""Who makes what of the sessions besides their calls: each maker is told what is wanted, and heard how it goes.

A maker is an edge (pushes by WHIP and into Janus) or the process of the outputs (all else). What is made: outputs.py.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Protocol

from broker import outputs
from broker.grace import Grace
from broker.messages import Message, Outputs, OutputState, Peer
from broker.outputs import Made, Output
from broker.push_address import JANUS, JANUS_SCHEME, flaw
from broker.pushing import placed, pushed
from broker.registry import Registry
from broker.sessions import Session

logger = logging.getLogger(__name__)


class House(Protocol):
    """What it needs of the broker; see control.py."""

    sessions: dict[str, Session]
    registry: Registry
    grace: Grace
    settings: Any
    """`recording` and the addresses of pushes, of control.ControlSettings."""

    def post(self, peer: Peer, message: Message) -> None: ...

    def tell(self, kind: str, now_ns: int, session: Session | None = None, /, **data: Any) -> None: ...

    def show(self, session: Session) -> None: ...


class Makers:
    """What is wanted stands in the sessions' records (`Record.outputs`); nothing is kept here."""

    def __init__(self, house: House) -> None:
        self._house = house

    def make(self, session: Session, output: Output, now_ns: int) -> None:
        """Something is to be made of it from now on."""
        _keep(session, outputs.begun(session.record.outputs, output))
        self._otherwise(session, output, now_ns)

    def unmake(self, session: Session, output: Output, now_ns: int) -> None:
        """It is not wanted any more."""
        made, over = outputs.stopped(session.record.outputs, output)
        _keep(session, made)
        self._otherwise(session, over, now_ns)

    def record_as_configured(self, session: Session, now_ns: int) -> None:
        """A conversation begins, or goes on with another persona: what holds for it now."""
        rules = self._house.settings.recording
        rule, running = outputs.rule(rules, session.record.persona), outputs.current(session.record.outputs)
        if rule == "every" and running is None:
            self.make(session, outputs.recording(rules, "config"), now_ns)
        elif rule == "never" and running:
            self.unmake(session, running, now_ns)

    def push_as_configured(self, session: Session, now_ns: int) -> None:
        """A conversation begins: it is pushed where the settings say so."""
        settings = self._house.settings
        janus_url = JANUS_SCHEME + settings.janus_url if settings.janus_url else ""
        for url, token in (
            (settings.whip_url, settings.whip_token),
            (janus_url, settings.janus_key),
            (settings.rtmp_url, ""),
        ):
            if url:
                self._push(session, url, token, now_ns)

    def want_outputs(self, session: Session) -> None:
        """The process of the outputs hears what it makes of a session."""
        message = Outputs(session=session.id, route=session.route.id, wanted=outputs.wanted(session.record.outputs))
        for each in self._house.registry.ready("outputs"):
            self._house.post(each.peer, message)

    def want_pushes(self, session: Session, now_ns: int) -> None:
        """Every edge hears what it pushes of a session, be it nothing: a push may have gone to another meanwhile."""
        if not any(each.kind in outputs.EDGES for each in session.record.outputs):
            return
        edges = [each.peer for each in self._house.registry.ready("webrtc")]
        if not self._house.grace.running:  # before, one that has not reported yet would be taken for dead
            self._place(session, edges, now_ns)
        for edge in edges:
            wanted = outputs.wanted(session.record.outputs, edge.name)
            self._house.post(edge, Outputs(session=session.id, route=session.route.id, wanted=wanted))

    def heard(self, session: Session, message: OutputState, now_ns: int) -> None:
        """A maker says how it goes."""
        made, news = outputs.heard(session.record.outputs, message)
        _keep(session, made)
        if news:
            self._announce(session, news, now_ns)

    def gone(self, edge: str, now_ns: int) -> None:
        """A maker has died, an edge or (empty) the process of the outputs: what goes on begins again elsewhere, or
        with its successor."""
        for session in self._house.sessions.values():
            made, news = outputs.unserved(session.record.outputs, edge)
            _keep(session, made)
            for each in news:
                self._announce(session, each, now_ns)
            if edge:
                self.want_pushes(session, now_ns)

    # --- inside ---

    def _otherwise(self, session: Session, output: Output, now_ns: int) -> None:
        """One output more, or less: who makes it is told, and who listens."""
        if output.kind in outputs.EDGES:
            self.want_pushes(session, now_ns)
        else:
            self.want_outputs(session)
        if output.kind == JANUS:
            self._house.show(session)
        self._announce(session, output, now_ns)

    def _push(self, session: Session, url: str, token: str, now_ns: int) -> None:
        persona = str(session.record.persona.get("id", ""))
        filled = url.replace("{session}", session.id).replace("{persona}", persona)
        if wrong := flaw(filled):  # one wrong setting stops neither the conversation nor the other pushes
            logger.error("not pushed", extra={"session": session.id, "reason": wrong})
        else:
            self.make(session, pushed("config", filled, token), now_ns)

    def _place(self, session: Session, edges: list[Peer], now_ns: int) -> None:
        """Every push at an edge that is there."""
        before, caller = session.record.outputs, session.route.peers.get("webrtc")
        made = placed(before, [edge.name for edge in edges], caller.name if caller else "")
        _keep(session, made)
        for old, new in zip(before, made, strict=True):
            if old.told() != new.told():
                self._announce(session, new, now_ns)

    def _announce(self, session: Session, output: Output, now_ns: int) -> None:
        if output.kind == outputs.RECORDING:
            self._house.tell("recording", now_ns, session, **output.told())
        else:
            self._house.tell("output", now_ns, session, id=output.id, output=output.kind, **output.told())


def _keep(session: Session, made: Made) -> None:
    session.record = replace(session.record, outputs=made)

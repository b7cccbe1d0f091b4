"""The pushes that this edge carries out, as the broker has them; it is told how each goes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from broker.messages import Outputs, OutputState
from broker.push_address import JANUS, WHIP
from webrtc.audience import Audience
from webrtc.janus_out import JanusPush
from webrtc.pushing import Push
from webrtc.whip_out import WhipPush

KINDS: dict[str, type[Push]] = {WHIP: WhipPush, JANUS: JanusPush}


class Pushes:
    """By session and name. Runs on the event loop."""

    def __init__(self, audience: Audience, tell: Callable[[OutputState], object]) -> None:
        self._audience = audience
        self._tell = tell
        self._pushes: dict[str, dict[str, Push]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def held(self) -> list[Push]:
        """Those that are wanted, and those of sessions that have ended within the last second."""
        return [push for held in self._pushes.values() for push in held.values()]

    def want(self, message: Outputs) -> None:
        """All that is to be pushed of a session from here. One that has ended by itself begins anew."""
        rows = {str(row["id"]): row for row in message.wanted if row["kind"] in KINDS}
        held = self._pushes.setdefault(message.session, {})
        for name in [name for name, push in held.items() if name not in rows or push.over]:
            self._end(held.pop(name))
        for name, row in rows.items():
            if name not in held:
                held[name] = self._begun(message.session, name, row)
            self._say(held[name])
        if not held:
            del self._pushes[message.session]

    def forget_over(self) -> None:
        """Once a second: those of sessions that have ended."""
        for session in [each for each, held in self._pushes.items() if all(push.over for push in held.values())]:
            del self._pushes[session]

    def totals(self) -> Counter[str]:
        """`pushes` are those that are live now."""
        return Counter(pushes=sum(push.state == "live" for push in self.held))

    async def close(self) -> None:
        """Let go of all of them."""
        await asyncio.gather(*(push.stop() for push in self.held), *self._ending)

    def _begun(self, session: str, name: str, row: dict[str, Any]) -> Push:
        settings = row["settings"]
        push = KINDS[row["kind"]](self._audience, session, name, str(settings["url"]), str(settings.get("token", "")))
        push.changed = partial(self._say, push)
        return push

    def _end(self, push: Push) -> None:
        push.changed = lambda: None
        task = asyncio.ensure_future(push.stop())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _say(self, push: Push) -> None:
        if push.state != "ended":
            data = {"state": push.state, "reason": push.reason}
            self._tell(OutputState(session=push.session, id=push.name, state="on", data=data))

"""What the REST interface has to do with the broker: commands with their answers, and events for listeners."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Protocol

from broker.messages import Command, Done, Listen, Message, Peer, Told
from webrtc.api.problems import STATUS, Problem

ANSWERED_S = 3.0
"""A broker that restarts is back sooner."""

Hear = Callable[[Told], None]


class House(Protocol):
    """What the desk needs of the process around it; see calls.py."""

    @property
    def peer(self) -> Peer: ...

    def to_broker(self, message: Message, route: int) -> bool: ...

    def processes(self) -> tuple[dict[str, Any], ...]: ...


class Desk:
    """Open questions to the broker, and who listens to which session (`""`: to all)."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._waiting: dict[str, asyncio.Future[Done]] = {}
        self._hearing: dict[str, set[Hear]] = {}
        self._last: dict[str, int] = {}

    def processes(self) -> tuple[dict[str, Any], ...]:
        """One row a process, as the broker last knew it (`Registry.table`)."""
        return self._house.processes()

    @property
    def listeners(self) -> int:
        """How many listen here."""
        return sum(map(len, self._hearing.values()))

    async def ask(
        self, what: str, session: str = "", token_hash: str = "", operator: bool = False, **data: Any
    ) -> dict[str, Any]:
        """Have something done; its data. Raises Problem with the broker's reason."""
        name = secrets.token_hex(8)
        answer = self._waiting[name] = asyncio.get_running_loop().create_future()
        command = Command(
            session=session,
            id=name,
            edge=self._house.peer,
            what=what,
            token_hash=token_hash,
            operator=operator,
            data=data,
        )
        try:
            self._house.to_broker(command, 0)
            async with asyncio.timeout(ANSWERED_S):
                done = await answer
        except TimeoutError:
            raise Problem(
                "not_ready", "The server is not ready (the broker does not answer). Try again soon."
            ) from None
        finally:
            del self._waiting[name]
        if done.code:
            raise Problem(done.code if done.code in STATUS else "bad_request", done.text)
        return done.data

    def take(self, message: Message) -> bool:
        """A message of the bus, if it is for the desk."""
        if isinstance(message, Done):
            waiting = self._waiting.get(message.id)
            if waiting and not waiting.done():
                waiting.set_result(message)
            return True
        if isinstance(message, Told):
            for session in {message.session, ""} & self._hearing.keys():
                self._last[session] = message.seq
                for hear in list(self._hearing[session]):
                    hear(message)
            return True
        return False

    def listen(self, session: str, hear: Hear) -> None:
        """Pass a session's events on to `hear` from now on."""
        first = session not in self._hearing
        self._hearing.setdefault(session, set()).add(hear)
        if first:
            self._listen(session)

    def unlisten(self, session: str, hear: Hear) -> None:
        hearing = self._hearing.get(session, set())
        hearing.discard(hear)
        if not hearing and self._hearing.pop(session, None) is not None:
            self._last.pop(session, None)
            self._house.to_broker(Listen(session=session, edge=self._house.peer, leave=True), 0)

    def beat(self) -> None:
        """Once a second: say that somebody still listens; a broker that has restarted tells what was missed."""
        for session in self._hearing:
            self._listen(session)

    def _listen(self, session: str) -> None:
        since = self._last.get(session, -1)
        self._house.to_broker(Listen(session=session, edge=self._house.peer, since=since), 0)

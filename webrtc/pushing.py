"""Sends a session's programme on to somebody's media server, and tries again by itself while the session lives.

How is in the kinds: whip_out.py, janus_out.py. A push counts as no viewer: those are at the other end.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from broker.push_address import shown
from webrtc.audience import Audience
from webrtc.watched import Watched

logger = logging.getLogger(__name__)


class PushError(Exception):
    """The other end cannot be pushed to just now; the sentence says why."""


class Push(ABC):
    """One session to one address, until `stop` or the session's end."""

    waits_s: ClassVar[tuple[float, ...]] = (1.0, 2.0, 5.0, 10.0, 30.0)
    """Between attempts; the last one repeats."""

    def __init__(self, audience: Audience, session: str, name: str, url: str, token: str) -> None:
        self.session = session
        self.name = name
        self.url = url
        self.state = "connecting"
        """One of `broker.pushing.PUSH_STATES`."""
        self.reason = ""
        self.changed: Callable[[], None] = lambda: None
        """Called when `state` or `reason` are others."""
        self._audience = audience
        self._token = token
        self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """Let go of the other end."""
        self._task.cancel()
        await asyncio.wait([self._task])

    @property
    def over(self) -> bool:
        return self._task.done()

    def _becomes(self, state: str, reason: str | None = None) -> None:
        """`reason`: None leaves it."""
        self.state = state
        self.reason = self.reason if reason is None else reason
        self.changed()

    @abstractmethod
    async def _attempt(self, watched: Watched) -> None:
        """Returns when the connection or the session has ended. Raises PushError when it cannot be made."""

    async def _run(self) -> None:
        attempts = 0
        try:
            while (watched := await self._watched()) is not None:
                try:
                    await self._attempt(watched)
                    attempts = 0
                except PushError as error:
                    attempts = 0 if self.state == "live" else attempts
                    self.reason = str(error)
                    logger.warning(
                        "push", extra={"session": self.session, "url": shown(self.url), "reason": self.reason}
                    )
                if watched.over:
                    break
                self._becomes("waiting")
                await asyncio.sleep(self.waits_s[min(attempts, len(self.waits_s) - 1)])
                attempts += 1
        finally:
            self._becomes("ended")

    async def _watched(self) -> Watched | None:
        """The session, as soon as the broker answers; None when it has ended."""
        while True:
            try:
                return await self._audience.find(self.session)
            except TimeoutError:
                await asyncio.sleep(self.waits_s[0])

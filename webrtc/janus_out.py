"""Pushes a session's programme into Janus: plain RTP into a mountpoint of its streaming plugin.

The mountpoint is made when the session begins, again when Janus has lost it, and removed at the session's end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import ClassVar

from broker.push_address import JANUS_SCHEME
from webrtc.fanout import H264, Fanout
from webrtc.janus_api import JanusPlugin, streaming
from webrtc.mountpoint import PAYLOAD_TYPES, Mountpoint, Ports
from webrtc.pushing import Push, PushError
from webrtc.rtp_plain import PlainRtp
from webrtc.watched import Watched

CHECK_S = 1.0
"""How often Janus is asked whether it still has the mountpoint, and the session whether it has ended."""


class JanusPush(Push):
    """One session to one Janus. `token` is its streaming plugin's `admin_key`, where it has one."""

    waits_s: ClassVar[tuple[float, ...]] = (0.2, *[0.4] * 10, 1.0, 2.0, 5.0, 10.0)
    """A Janus that is started again is back within a second or two."""

    @property
    def place(self) -> str:
        """Where Janus' WebSocket is."""
        return self.url.removeprefix(JANUS_SCHEME)

    async def _attempt(self, watched: Watched) -> None:
        self._becomes("connecting")
        async with streaming(self.place) as janus:
            mountpoint = Mountpoint(janus, self.place, self.session, self._audience.token, self._token)
            ports = await mountpoint.make()
            try:
                assert watched.fanout is not None
                async with _fed(watched, watched.fanout, ports):
                    await self._live(watched, watched.fanout, janus, mountpoint)
            finally:
                with contextlib.suppress(PushError):
                    await mountpoint.remove()

    async def _live(self, watched: Watched, fanout: Fanout, janus: JanusPlugin, mountpoint: Mountpoint) -> None:
        """Returns when the session ends, or begins anew. Raises PushError when Janus or the mountpoint has gone."""
        watched.pushes.add(self)
        try:
            self._becomes("live", "")
            watched.want()
            while not watched.over and watched.fanout is fanout:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_S):
                        await janus.gone.wait()
                await mountpoint.look()
        finally:
            watched.pushes.discard(self)


@contextlib.asynccontextmanager
async def _fed(watched: Watched, fanout: Fanout, ports: Ports) -> AsyncIterator[None]:
    """Sound and pictures go to the mountpoint."""
    sinks = []
    try:
        for codec, (port, rtcp_port) in ports.of.items():
            sink = PlainRtp(codec, fanout.clock, PAYLOAD_TYPES[codec], partial(watched.want_key, codec))
            sinks.append(sink)
            await sink.connect(ports.host, port, rtcp_port)
            fanout.join(sink)
        watched.want_key(H264)
        yield
    except OSError as error:
        raise PushError(f"Janus' ports cannot be reached ({error.strerror or error}).") from error
    finally:
        for sink in sinks:
            fanout.leave(sink)
            sink.close()

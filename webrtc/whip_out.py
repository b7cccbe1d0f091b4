"""Pushes a session's programme to somebody's WHIP server (RFC 9725): packets as they are, nothing is encoded again.

Tries again by itself while the session lives. It counts as no viewer: those are at the other end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import Counter
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription

from webrtc.audience import Audience
from webrtc.errors import SdpError
from webrtc.fanout import AUDIO
from webrtc.peer import CONNECT_S, capabilities, gather_loopback_too, negotiated, picture_codecs
from webrtc.rtp_push import RtpPush
from webrtc.watched import Watched

logger = logging.getLogger(__name__)

WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Between attempts; the last one repeats."""

LONGEST_ANSWER = 64_000
REDIRECTS = 3
TIMEOUT = aiohttp.ClientTimeout(total=10)


class PushError(Exception):
    """The other end cannot be pushed to just now; the sentence says why."""


class Push:
    """One session to one address, until `stop` or the session's end."""

    def __init__(self, audience: Audience, session: str, url: str, token: str) -> None:
        self.name = secrets.token_urlsafe(6)
        self.session = session
        self.url = url
        self.state = "connecting"
        """connecting, live, waiting or ended."""
        self.reason = ""
        self.packets = 0
        self._audience = audience
        self._token = token
        self._task = asyncio.ensure_future(self._run())

    def row(self) -> dict[str, Any]:
        """What the operator sees; the token is not in it."""
        return {"id": self.name, "url": self.url, "state": self.state, "reason": self.reason}

    async def stop(self) -> None:
        """Let go of the other end."""
        self._task.cancel()
        await asyncio.wait([self._task])

    @property
    def over(self) -> bool:
        return self._task.done()

    async def _run(self) -> None:
        attempts = 0
        try:
            while (watched := await self._watched()) is not None:
                try:
                    await self._attempt(watched)
                    attempts = 0
                except PushError as error:
                    self.reason = str(error)
                    logger.warning("push", extra={"session": self.session, "url": self.url, "reason": self.reason})
                if watched.over:
                    break
                self.state = "waiting"
                await asyncio.sleep(WAITS_S[min(attempts, len(WAITS_S) - 1)])
                attempts += 1
        finally:
            self.state = "ended"

    async def _watched(self) -> Watched | None:
        """The session, as soon as the broker answers; None when it has ended."""
        while True:
            try:
                return await self._audience.find(self.session)
            except TimeoutError:
                await asyncio.sleep(WAITS_S[0])

    async def _attempt(self, watched: Watched) -> None:
        """Returns when the connection or the session has ended. Raises PushError when it cannot be made."""
        self.state = "connecting"
        changed = asyncio.Event()
        servers = [RTCIceServer(**server) for server in self._audience.own_ice_servers]
        connection = RTCPeerConnection(RTCConfiguration(servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        connection.on("connectionstatechange", changed.set)
        resource = ""
        watched.pushes.add(self)
        async with aiohttp.ClientSession(timeout=TIMEOUT) as http:
            try:
                resource = await self._offer(http, connection, watched, not servers)
                await self._until(connection, changed, {"connected"}, CONNECT_S)
                self.state, self.reason = "live", ""
                watched.want()
                await self._until(connection, changed, {"failed", "closed"}, None, watched)
            finally:
                watched.pushes.discard(self)
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    if resource:
                        await (await http.delete(resource, headers=self._headers())).release()
                await connection.close()

    async def _offer(
        self, http: aiohttp.ClientSession, connection: RTCPeerConnection, watched: Watched, loopback: bool
    ) -> str:
        """Post the offer and take the answer. Returns the resource's address."""
        audio = connection.addTransceiver("audio", "sendonly")
        audio.setCodecPreferences(capabilities("audio", "audio/opus", []))
        connection.addTransceiver("video", "sendonly").setCodecPreferences(picture_codecs())
        if loopback:
            gather_loopback_too(audio)
        await connection.setLocalDescription(await connection.createOffer())
        place, answer = await self._post(http, connection.localDescription.sdp)
        try:
            await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except Exception as error:  # aiortc's parser raises whatever its input makes it stumble over
            raise PushError("Its answer cannot be used: it needs Opus, and H.264 or VP8.") from error
        assert watched.fanout is not None
        fanout = watched.fanout
        for transceiver in connection.getTransceivers():
            codec = AUDIO if transceiver.kind == "audio" else negotiated(transceiver)
            want_key = partial(watched.want_key, codec)
            RtpPush(transceiver.sender, codec, fanout.clock, fanout.join, fanout.leave, want_key)
        return place

    async def _post(self, http: aiohttp.ClientSession, sdp: str) -> tuple[str, str]:
        """The resource's address and the answer. Follows redirects itself, since the token must go along."""
        url = self.url
        for _ in range(REDIRECTS):
            headers = self._headers() | {"Content-Type": "application/sdp", "Accept": "application/sdp"}
            try:
                async with http.post(url, data=sdp, headers=headers, allow_redirects=False) as response:
                    text = (await response.content.read(LONGEST_ANSWER)).decode(errors="replace")
                    location = response.headers.get("Location", "")
                    if response.status in (307, 308) and location:
                        url = urljoin(url, location)
                        continue
                    if response.status != 201:
                        raise PushError(f"It answers {response.status}: {text.strip()[:200]}")
                    return urljoin(url, location) if location else "", text
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise PushError(f"It cannot be reached ({type(error).__name__}).") from error
        raise PushError("It redirects in a circle.")

    async def _until(
        self,
        connection: RTCPeerConnection,
        changed: asyncio.Event,
        states: set[str],
        within_s: float | None,
        watched: Watched | None = None,
    ) -> None:
        """Wait for a state of the connection, or for the session's end. Raises PushError when it takes too long."""
        try:
            async with asyncio.timeout(within_s):
                while connection.connectionState not in states and not (watched is not None and watched.over):
                    if connection.connectionState in ("failed", "closed"):
                        raise PushError("No network path to it was found.")
                    changed.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(changed.wait(), 1.0)
        except TimeoutError:
            raise PushError("No network path to it was found.") from None

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}


class Pushes:
    """All of this edge. Those of the settings begin with each call here; others the operator asks for."""

    def __init__(self, audience: Audience, url: str = "", token: str = "") -> None:
        self._audience = audience
        self._url = url
        self._token = token
        self._pushes: dict[str, list[Push]] = {}

    def begin(self, session: str, url: str, token: str = "") -> Push:
        """Raises SdpError when the address is none."""
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise SdpError("A WHIP server's address begins with https:// or http://.")
        push = Push(self._audience, session, url, token)
        self._pushes.setdefault(session, []).append(push)
        return push

    def beat(self, sessions: dict[str, str]) -> None:
        """Once a second; `sessions`: those whose caller is here, with their persona."""
        for session in set(self._pushes) - set(sessions):
            if all(push.over for push in self._pushes[session]):
                del self._pushes[session]
        if self._url:
            for session in set(sessions) - set(self._pushes):
                url = self._url.replace("{session}", session).replace("{persona}", sessions[session])
                self.begin(session, url, self._token)

    def of(self, session: str) -> list[Push]:
        return list(self._pushes.get(session, ()))

    def totals(self) -> Counter[str]:
        """`pushes` are those that are live now."""
        return Counter(pushes=sum(push.state == "live" for each in self._pushes.values() for push in each))

    async def end(self, session: str, name: str) -> bool:
        """False: there is no such push."""
        push = next((each for each in self._pushes.get(session, ()) if each.name == name), None)
        if push is None:
            return False
        self._pushes[session].remove(push)
        await push.stop()
        return True

    async def close(self) -> None:
        pushes = [push for each in self._pushes.values() for push in each]
        await asyncio.gather(*(push.stop() for push in pushes))

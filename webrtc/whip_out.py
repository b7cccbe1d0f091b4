"""Pushes a session's programme to somebody's WHIP server (RFC 9725): packets as they are, nothing is encoded again."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription

from webrtc.answerer import CONNECT_S, gather_loopback_too
from webrtc.doors import ice_servers, mux_only
from webrtc.fanout import AUDIO
from webrtc.pushing import Push, PushError
from webrtc.rtp_push import RtpPush
from webrtc.transceivers import capabilities, negotiated, picture_codecs
from webrtc.watched import Watched

LONGEST_ANSWER = 64_000
REDIRECTS = 3
TIMEOUT = aiohttp.ClientTimeout(total=10)


class WhipPush(Push):
    """One session to one WHIP endpoint."""

    _told_servers: tuple[dict[str, Any], ...] = ()
    """The STUN and TURN servers of its last answer. They come after the offer, whose candidates aiortc has gathered by
    then: where these did not do, the next attempt has more."""

    async def _attempt(self, watched: Watched) -> None:
        """Returns when the connection or the session has ended. Raises PushError when it cannot be made."""
        self._becomes("connecting")
        changed = asyncio.Event()
        servers = [RTCIceServer(**server) for server in self._audience.own_ice_servers + self._told_servers]
        connection = RTCPeerConnection(RTCConfiguration(servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        connection.on("connectionstatechange", changed.set)
        resource = ""
        watched.pushes.add(self)
        async with aiohttp.ClientSession(timeout=TIMEOUT) as http:
            try:
                resource = await self._offer(http, connection, watched, not servers)
                await self._until(connection, changed, {"connected"}, CONNECT_S)
                self._becomes("live", "")
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
        place, answer = await self._post(http, mux_only(connection.localDescription.sdp))
        try:
            await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except Exception as error:  # aiortc's parser raises whatever its input makes it stumble over
            raise PushError("Its answer cannot be used: it needs Opus, and H.264 or VP8.") from error
        assert watched.fanout is not None
        fanout = watched.fanout
        for transceiver in connection.getTransceivers():
            codec = AUDIO if transceiver.kind == "audio" else negotiated(transceiver)
            want_key = partial(watched.want_key, codec)
            RtpPush(transceiver.sender, codec, fanout.clock, fanout.join, fanout.leave, fanout.wire, want_key)
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
                    self._told_servers = ice_servers(response.headers.getall("Link", []))
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
                        async with asyncio.timeout(1.0):
                            await changed.wait()
        except TimeoutError:
            raise PushError("No network path to it was found.") from None

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

"""A viewer whose socket takes nothing for a while: it alone loses pictures, and goes on by itself afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from pathlib import Path
from typing import Any

import pytest

from broker.clock import now_ns
from broker.messages import KeyFrame
from tests.webrtc.scene import Scene, scene, until
from tests.webrtc.viewer import Viewer
from webrtc import rtp_push
from webrtc.rtp_push import RtpPush

SESSION = "session-1"
TICK_RTP, PICTURE_RTP = 960, 3600
ROOM = 16 * 1024
"""What may wait here; the pictures of this scene are small."""


class Jammed:
    """The socket of one viewer's connection, full: the kernel says EAGAIN, and nothing wakes the loop until `clear`.

    Loopback hands a datagram over at once, so that a small send buffer never fills; here the writable end that asyncio
    waits for is a pipe that is full, and the socket is as it was, but for what it is sent.
    """

    def __init__(self, senders: list[RtpPush]) -> None:
        self._senders = senders
        self.transport = transport = senders[0]._ice._nominated[1].protocol.transport
        self._socket, self._fd = transport._sock, transport._sock_fd
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._near.send(bytes(65_536))
        transport._sock, transport._sock_fd = self, self._near.fileno()
        self._look_again()
        self.refused = 0

    def clear(self) -> None:
        """There is room again: what waits goes out."""
        self.transport._sock = self._socket
        self._look_again()
        self._far.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._far.recv(65_536)

    def close(self) -> None:
        """Nothing waits any more."""
        self.transport._sock_fd = self._fd
        self._near.close()
        self._far.close()

    def sendto(self, *_: object) -> int:
        self.refused += 1
        raise BlockingIOError

    sendmsg = send = sendto

    def _look_again(self) -> None:
        for sender in self._senders:
            sender._pair = None  # its way to the viewer is found anew, with the socket of now in it

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


def senders(world: Scene, viewer: Viewer) -> list[RtpPush]:
    """The edge's, of one viewer."""
    watched = world.calls.audience.watched(SESSION)
    assert watched
    return watched.viewers[viewer.location.rpartition("/")[2]].peer._outs


async def all_heard(world: Scene, *viewers: Viewer, tick: int) -> None:
    """The sound of a tick has come to each, and with it the pictures before it."""
    watched = world.calls.audience.watched(SESSION)
    assert watched
    assert watched.fanout
    wanted = watched.fanout.clock.audio_rtp(960 * tick)
    await until(lambda: all(wanted in [packet.timestamp for packet in each.packets["audio"]] for each in viewers))


def contiguous(viewer: Viewer, kind: str, step: int, first: int = 0) -> bool:
    """Every frame came, and every packet of it, each once."""
    packets = viewer.packets[kind][first:]
    numbers = [packet.sequence_number for packet in packets]
    shown = list(dict.fromkeys(packet.timestamp for packet in packets))
    return {(b - a) & 0xFFFF for a, b in itertools.pairwise(numbers)} == {1} and {
        (b - a) & 0xFFFFFFFF for a, b in itertools.pairwise(shown)
    } == {step}


def test_a_full_socket_costs_its_viewer_pictures_and_nobody_else_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rtp_push, "MOST_UNSENT", ROOM)

    async def run() -> None:
        async with scene(tmp_path) as world:
            world.origins[SESSION] = now_ns()
            fine, slow = await Viewer(world).watch(SESSION), await Viewer(world).watch(SESSION)
            await until(lambda: world.watching(SESSION)[-1].viewers == 2)
            await world.play(SESSION, 20)
            await all_heard(world, fine, slow, tick=19)
            mine = senders(world, slow)
            (picture,) = [sink for sink in mine if sink.codec != "opus"]
            jam, had = Jammed(mine), {kind: len(packets) for kind, packets in slow.packets.items()}
            keys = sum(isinstance(each, KeyFrame) for each in world.asked)

            await world.play(SESSION, 200, first=20)
            assert jam.refused, "the socket was full"
            assert {kind: len(packets) for kind, packets in slow.packets.items()} == had, "nothing came through"
            assert picture.counters["viewer_too_slow"] > 20
            largest = max(len(unit) for unit, _ in world._pictures["h264"])
            sounds = 200 * 200
            assert jam.transport.get_write_buffer_size() < ROOM + 2 * largest + sounds, "what waits is bounded"
            asked = sum(isinstance(each, KeyFrame) for each in world.asked)
            assert asked == keys, "a key frame costs everybody, and this viewer could not have it"

            jam.clear()
            await until(lambda: jam.transport.get_write_buffer_size() == 0)
            jam.close()
            after = {kind: len(packets) for kind, packets in slow.packets.items()}
            await world.play(SESSION, 150, first=220)
            await all_heard(world, fine, slow, tick=369)
            assert len(slow.packets["video"]) > after["video"] + 50, "pictures come again, without its asking"
            await until(lambda: slow.pictures > 50)  # they can be decoded
            assert sum(isinstance(each, KeyFrame) for each in world.asked) <= keys + 1, "by one key frame"
            numbers = [packet.sequence_number for packet in slow.packets["video"]]
            assert {(b - a) & 0xFFFF for a, b in itertools.pairwise(numbers)} == {1}, "what was left out is no loss"
            assert contiguous(slow, "audio", TICK_RTP), "its sound waited, and is whole"

            for kind, step in (("audio", TICK_RTP), ("video", PICTURE_RTP)):
                assert contiguous(fine, kind, step), kind
            for each in (fine, slow):
                await each.close()

    asyncio.run(run())

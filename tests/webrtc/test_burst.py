"""A picture's packets on their way to the socket: the same ones arrive, however they are handed over."""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pylibsrtp
import pytest

from tests.webrtc.srtp import inbound, outbound
from webrtc.burst import LONGEST, MOST, PRIVATE, Path, Wire, groups
from webrtc.payloads import h264_payloads


def packets(sizes: Sequence[int], first: int = 1) -> list[bytes]:
    """RTP packets of so many bytes, numbered."""
    return [struct.pack("!BBHLL", 0x80, 96, n, 0, 7) + bytes([n]) * (size - 12) for n, size in enumerate(sizes, first)]


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """The viewer's socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as each:
        each.bind(("127.0.0.1", 0))
        each.settimeout(2.0)
        yield each


class Refusing:
    """A socket that takes single packets only."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.bursts = 0
        self.single = 0

    def sendmsg(self, *args: Any) -> None:
        self.bursts += 1
        raise OSError(self.number, "no")

    def sendto(self, octets: memoryview, address: object) -> None:
        self.single += 1


class Transport:
    """What asyncio has around a socket, or, without one, aioice around a relay; takes notes."""

    def __init__(self, sock: Any = None, unsent: int = 0) -> None:
        if sock is not None:
            self._sock = sock
            self.get_write_buffer_size = lambda: unsent
        self.sent: list[bytes] = []

    def sendto(self, data: bytes, address: object) -> None:
        self.sent.append(data)


def clear(received: Sequence[bytes]) -> list[bytes]:
    session = inbound()
    return [session.unprotect(data) for data in received]


def test_what_is_used_inside_pylibsrtp_and_asyncio_is_there() -> None:
    async def look() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        assert {name for each in (outbound(), transport) for name in PRIVATE if hasattr(each, name)} == set(PRIVATE)
        transport.close()

    asyncio.run(look())


@pytest.mark.parametrize("sizes", [[100], [900, 900, 900, 345], [LONGEST] * MOST])
def test_packets_arrive_as_they_were_however_many_go_at_once(far: socket.socket, sizes: list[int]) -> None:
    sent = packets(sizes)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near:
        transport = Transport(near)
        Path(Wire(), transport, far.getsockname(), outbound()).send(sent)
        assert clear([far.recv(2048) for _ in sent]) == sent
    assert not transport.sent


def test_a_relay_gets_them_one_by_one() -> None:
    transport = Transport()
    path = Path(Wire(), transport, ("192.0.2.1", 5), outbound())
    path.send(packets([500, 500, 200]))
    assert clear(transport.sent) == packets([500, 500, 200])
    assert path.unsent() == 0


def test_behind_packets_that_wait_others_wait_too(far: socket.socket) -> None:
    transport = Transport(far, unsent=1)
    Path(Wire(), transport, far.getsockname(), outbound()).send(packets([500, 500]))
    assert clear(transport.sent) == packets([500, 500])


@pytest.mark.parametrize(("number", "tried"), [(errno.EIO, 1), (errno.EINVAL, 1), (errno.EAGAIN, 2)])
def test_what_the_kernel_does_not_take_at_once_goes_one_by_one(number: int, tried: int) -> None:
    near = Refusing(number)
    transport = Transport(near)
    path = Path(Wire(), transport, ("192.0.2.1", 5), outbound())
    path.send(packets([500, 500, 200]))
    path.send(packets([300, 300], first=4))
    assert clear(transport.sent) == packets([500, 500, 200, 300, 300])
    assert near.bursts == tried, "a path that cannot is not asked again; a full socket is"
    path.send(packets([100], first=6))
    assert near.single == 1


def test_a_packet_too_long_is_an_error_and_not_sent() -> None:
    transport = Transport()
    with pytest.raises(pylibsrtp.Error, match="past 1356"):
        Path(Wire(), transport, ("192.0.2.1", 5), outbound()).send(packets([LONGEST + 1]))
    assert not transport.sent


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([5], [[5]]),
        ([5, 5, 5, 3], [[5, 5, 5, 3]]),
        ([3, 5, 5, 5], [[3], [5, 5, 5]]),
        ([5, 3, 5, 3, 3, 3], [[5, 3], [5, 3], [3, 3]]),
        ([7] * (MOST + 2), [[7] * MOST, [7, 7]]),
    ],
)
def test_only_the_last_of_a_group_is_shorter(sizes: list[int], expected: list[list[int]]) -> None:
    found = list(groups([bytes(size) for size in sizes]))
    assert [[sizes[n] for n in group] for group in found] == expected
    assert list(itertools.chain(*found)) == list(range(len(sizes)))


@pytest.mark.parametrize("length", [1301, 1302, 2597, 2598, 10_000, 60_001])
def test_a_long_unit_of_h264_is_one_group(length: int) -> None:
    unit = b"\0\0\1" + b"\x65" + bytes([7]) * (length - 1)
    payloads = h264_payloads(unit)
    assert max(map(len, payloads)) <= 1300
    assert len(payloads) == -(-(length - 1) // 1298)
    assert len(list(groups(payloads))) == -(-len(payloads) // MOST)

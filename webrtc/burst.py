"""One viewer's way to the wire: RTP packets made, protected in place and handed to the kernel, a picture's at a time.

A plain packet costs four copies and a system call, each viewer's own. Here the packets of a picture are protected one
behind the other in one buffer, and Linux cuts it into datagrams (UDP_SEGMENT, udp(7)): one call for a picture. Where
that cannot be – a TURN relay, a full socket, another system – asyncio's transport gets them one by one. What is
touched inside pylibsrtp and asyncio is named in `PRIVATE`.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pylibsrtp
from pylibsrtp import ffi, lib

PRIVATE = ("_srtp", "_sock")
"""libsrtp's session within pylibsrtp 1.0's Session; the socket of asyncio's datagram transport."""

UDP_SEGMENT = 103
"""linux/udp.h; Python's socket module has no name for it."""

MOST = 40
"""Packets at once: the kernel takes 64, and 64 KiB."""

LONGEST, TRAILER = 1356, 144
"""Bytes of a packet before it is protected, and what that may add; as pylibsrtp has them."""

CANNOT_CUT = (errno.EINVAL, errno.EIO, errno.EMSGSIZE, errno.ENOPROTOOPT)
"""An old kernel, a path whose MTU is small, a network card that cannot sum: it is not tried again on this path."""


def groups(payloads: Sequence[bytes]) -> Iterator[range]:
    """Their indices, in order, in groups that `Path.send` takes: equally long ones, then at most one shorter."""
    sizes, start = list(map(len, payloads)), 0
    for n in range(1, len(sizes) + 1):
        if n == len(sizes) or n - start == MOST or sizes[n - 1] < sizes[start] or sizes[n] > sizes[start]:
            yield range(start, n)
            start = n


class Wire:
    """The buffer that the packets of all senders go through; each is done with it before it returns."""

    def __init__(self) -> None:
        self.room = ffi.new("char[]", MOST * (LONGEST + TRAILER))
        self.view = memoryview(ffi.buffer(self.room))
        self.length = ffi.new("int *")


class Path:
    """To one viewer, as long as its ICE pair and its keys are the same."""

    def __init__(self, wire: Wire, transport: Any, address: tuple[str, int], session: pylibsrtp.Session) -> None:
        self._room, self._view, self._length = wire.room, wire.view, wire.length
        self._transport = transport
        self._address = address
        self._session = session  # owns what the next line points to
        self._srtp = session._srtp[0]
        self._socket: socket.socket | None = getattr(transport, "_sock", None)
        self._cuts = sys.platform == "linux"
        self.unsent: Callable[[], int] = getattr(transport, "get_write_buffer_size", _nothing)
        """Bytes that wait in this process because the socket would not take them."""

    def send(self, packets: Sequence[bytes]) -> None:
        """RTP packets, at most `MOST`, all as long as the first but the last, which may be shorter.

        Raises pylibsrtp.Error; what the network refuses is lost, as datagrams are.
        """
        room, view, length, at = self._room, self._view, self._length, 0
        for packet in packets:
            size = len(packet)
            if size > LONGEST:
                raise pylibsrtp.Error(f"a packet of {size} bytes is past {LONGEST}")
            view[at : at + size] = packet
            length[0] = size
            if code := lib.srtp_protect(self._srtp, room + at, length):
                raise pylibsrtp.Error(f"srtp_protect says {code}")
            at += length[0]
        trailer = length[0] - size
        if self._socket is None or self.unsent() or not self._at_once(view[:at], len(packets[0]) + trailer):
            at = 0
            for packet in packets:
                size = len(packet) + trailer
                self._transport.sendto(bytes(view[at : at + size]), self._address)
                at += size

    def _at_once(self, octets: memoryview, size: int) -> bool:
        """Whether the kernel took them all, cut into datagrams of `size` bytes."""
        assert self._socket is not None
        try:
            if len(octets) == size:
                self._socket.sendto(octets, self._address)
            elif self._cuts:
                cut = (socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", size))
                self._socket.sendmsg((octets,), (cut,), 0, self._address)
            else:
                return False
        except OSError as error:
            self._cuts = self._cuts and error.errno not in CANNOT_CUT
            return False
        return True


def _nothing() -> int:  # aioice's stand-in for a relay keeps no account
    return 0

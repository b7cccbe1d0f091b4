"""Packets on their way to a process that sends them on: records in a pipe that never makes the sender wait."""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

SOUND, PICTURE, KEY_PICTURE = b"s", b"p", b"k"

_HEAD = struct.Struct("!cqI")


@dataclass(frozen=True, kw_only=True)
class Packet:
    """Opus or an H.264 access unit; `time`: the programme sample that it belongs to."""

    kind: bytes
    time: int
    data: bytes


def records(pipe: IO[bytes]) -> Iterator[Packet]:
    """What comes out of the pipe until its other end is closed."""
    while len(head := pipe.read(_HEAD.size)) == _HEAD.size:
        kind, time, length = _HEAD.unpack(head)
        data = pipe.read(length)
        if len(data) < length:
            return
        yield Packet(kind=kind, time=time, data=data)


class PacketPipe:
    """The sending end. What the pipe does not take yet waits here; how long is for its owner to judge."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._waiting: deque[tuple[int, bytes]] = deque()
        os.set_blocking(file.fileno(), False)

    def behind(self, now: int) -> int:
        """Samples by which the oldest packet that waits is older than `now`."""
        return now - self._waiting[0][0] if self._waiting else 0

    def send(self, packet: Packet) -> None:
        """Raises OSError when the other end is gone."""
        head = _HEAD.pack(packet.kind, packet.time, len(packet.data))
        self._waiting.append((packet.time, head + packet.data))
        self.flush()

    def flush(self) -> None:
        """As much as the pipe takes."""
        while self._waiting:
            time, data = self._waiting[0]
            try:
                taken = os.write(self._file.fileno(), data)
            except BlockingIOError:
                return
            if taken < len(data):
                self._waiting[0] = (time, data[taken:])
                return
            self._waiting.popleft()

    def close(self) -> None:
        """The other end reads to its end."""
        self._file.close()

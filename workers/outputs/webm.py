"""Opus and VP8 packets to WebM: a header, then clusters of a second or so that each stand alone (RFC 9559).

Times are 48 kHz samples from the start; the container keeps milliseconds.
"""

from __future__ import annotations

import struct

RATE_HZ = 48_000
VIDEO, AUDIO = 1, 2

UNKNOWN = b"\x01" + b"\xff" * 7
"""The size of a segment that is still written."""

SEEK_ROOM = 64
"""Bytes kept free behind the segment's head for the way to the index."""

LONGEST_CLUSTER_MS = 30_000
"""A block's time is 16 bits relative to its cluster."""


class Webm:
    """The bytes of one file. `size`: pixels of the pictures; None for sound only."""

    def __init__(self, size: tuple[int, int] | None) -> None:
        self._size = size
        self._waiting: list[tuple[int, int, bytes, bool]] = []
        """(time, track, packet, key)."""
        self._cues: list[tuple[int, int]] = []
        """(ms, position of the cluster) of clusters with a key frame."""

    def header(self, duration: int = 0, index_at: int = 0, segment_size: int = 0) -> bytes:
        """What comes before the clusters; the same length whatever is known by then."""
        ebml = element(
            0x1A45DFA3,
            uint(0x4286, 1),
            uint(0x42F7, 1),
            uint(0x42F2, 4),
            uint(0x42F3, 8),
            element(0x4282, b"webm"),
            uint(0x4287, 4),
            uint(0x4285, 2),
        )
        size = struct.pack("!Q", segment_size | 1 << 56) if segment_size else UNKNOWN
        seek = b""
        if index_at:
            entry = element(0x4DBB, element(0x53AB, bytes.fromhex("1c53bb6b")), element(0x53AC, _u64(index_at)))
            seek = element(0x114D9B74, entry)
        room = SEEK_ROOM - len(seek) - 2
        void = b"\xec" + bytes((0x80 | room,)) + bytes(room)
        info = element(
            0x1549A966,
            uint(0x2AD7B1, 1_000_000),
            element(0x4489, struct.pack("!d", duration * 1000 / RATE_HZ)),
            element(0x4D80, b"Visavis"),
            element(0x5741, b"Visavis"),
        )
        return ebml + bytes.fromhex("18538067") + size + seek + void + info + self._tracks()

    def sound(self, time: int, packet: bytes) -> None:
        self._waiting.append((time, AUDIO, packet, True))

    def picture(self, time: int, frame: bytes, key: bool) -> None:
        self._waiting.append((time, VIDEO, frame, key))

    def cut(self, before: int, offset: int = 0) -> bytes:
        """A cluster of all that waits from before this time; empty for nothing. `offset`: where it goes in the file."""
        taken = sorted((each for each in self._waiting if each[0] < before), key=lambda each: (each[0], each[1]))
        if not taken:
            return b""
        self._waiting = [each for each in self._waiting if each[0] >= before]
        start_ms = _ms(taken[0][0])
        pieces = [each for each in taken if _ms(each[0]) - start_ms < LONGEST_CLUSTER_MS]
        blocks = [uint(0xE7, start_ms)]
        for time, track, packet, key in pieces:
            head = bytes((0x80 | track,)) + struct.pack("!hB", _ms(time) - start_ms, 0x80 if key else 0)
            blocks.append(element(0xA3, head, packet))
        if self._size is None or any(track == VIDEO and key for _, track, _, key in pieces):
            self._cues.append((start_ms, offset - self._segment_start))
        cluster = element(0x1F43B675, *blocks)
        self._waiting = taken[len(pieces) :] + self._waiting
        return cluster + (self.cut(before, offset + len(cluster)) if len(pieces) < len(taken) else b"")

    def ending(self, duration: int, offset: int) -> tuple[bytes, bytes]:
        """For a file that is complete: the header that takes the first one's place, and what follows at the end."""
        index, start = self._index(), self._segment_start
        return self.header(duration, offset - start, offset + len(index) - start), index

    def _index(self) -> bytes:
        """Cues: where one can start to play."""
        track = VIDEO if self._size else AUDIO
        points = [
            element(0xBB, uint(0xB3, at_ms), element(0xB7, uint(0xF7, track), uint(0xF1, position)))
            for at_ms, position in self._cues
        ]
        return element(0x1C53BB6B, *points)

    @property
    def _segment_start(self) -> int:
        """Bytes before the first one that positions count from."""
        return self.header().index(bytes.fromhex("18538067")) + 12

    def _tracks(self) -> bytes:
        head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, RATE_HZ, 0, 0)
        sound = element(
            0xAE,
            uint(0xD7, AUDIO),
            uint(0x73C5, AUDIO),
            uint(0x83, 2),
            uint(0x9C, 0),
            element(0x86, b"A_OPUS"),
            element(0x63A2, head),
            uint(0x56BB, 80_000_000),
            element(0xE1, element(0xB5, struct.pack("!d", RATE_HZ)), uint(0x9F, 1)),
        )
        if self._size is None:
            return element(0x1654AE6B, sound)
        width, height = self._size
        picture = element(
            0xAE,
            uint(0xD7, VIDEO),
            uint(0x73C5, VIDEO),
            uint(0x83, 1),
            uint(0x9C, 0),
            element(0x86, b"V_VP8"),
            element(0xE0, uint(0xB0, width), uint(0xBA, height)),
        )
        return element(0x1654AE6B, picture, sound)


def vp8_size(key_frame: bytes) -> tuple[int, int]:
    """Width and height in a VP8 key frame's head (RFC 6386, 9.1). Raises ValueError where it is none."""
    if len(key_frame) < 10 or key_frame[0] & 1 or key_frame[3:6] != b"\x9d\x01\x2a":
        raise ValueError("not a VP8 key frame")
    width, height = struct.unpack("<HH", key_frame[6:10])
    return width & 0x3FFF, height & 0x3FFF


def _ms(time: int) -> int:
    return round(time * 1000 / RATE_HZ)


def _u64(value: int) -> bytes:
    return struct.pack("!Q", value)


def element(name: int, *parts: bytes) -> bytes:
    """An EBML element; sizes take eight bytes from 127 on, so that none need be thought about."""
    body = b"".join(parts)
    size = bytes((0x80 | len(body),)) if len(body) < 127 else struct.pack("!Q", len(body) | 1 << 56)
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + size + body


def uint(name: int, value: int) -> bytes:
    return element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))

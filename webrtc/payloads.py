"""A picture cut into RTP payloads as aiortc cuts it (RFC 6184, RFC 7741), but that fragments of H.264 are equally long.

Only the last may be shorter, as it is with VP8 anyway: the kernel can cut those apart by itself (burst.py).
"""

from __future__ import annotations

from aiortc.codecs.h264 import FU_A_HEADER_SIZE, NAL_HEADER_SIZE, NAL_TYPE_FU_A, PACKET_MAX, H264Encoder
from aiortc.codecs.vpx import Vp8Encoder

FIRST, LAST = 0x80, 0x40
"""Of a NAL unit's fragments, in the second byte of each."""

PICTURE_IDS = 1 << 15


def h264_payloads(access_unit: bytes) -> tuple[bytes, ...]:
    return tuple(_H264._packetize(_H264._split_bitstream(access_unit)))


def vp8_payloads(access_unit: bytes, n: int) -> tuple[bytes, ...]:
    """Of the nth picture: its number is in each payload."""
    return tuple(Vp8Encoder._packetize(access_unit, n % PICTURE_IDS))


class _H264(H264Encoder):
    @staticmethod
    def _packetize_fu_a(data: bytes) -> list[bytes]:
        """A NAL unit of more than `PACKET_MAX` bytes in fragments."""
        unit, kind, rest = data[0] & 0xE0 | NAL_TYPE_FU_A, data[0] & 0x1F, data[NAL_HEADER_SIZE:]
        count = -(-len(rest) // (PACKET_MAX - FU_A_HEADER_SIZE))
        size = -(-len(rest) // count)
        starts = range(0, len(rest), size)
        flags = [FIRST, *[0] * (len(starts) - 2), LAST]
        return [bytes((unit, kind | flag)) + rest[at : at + size] for at, flag in zip(starts, flags, strict=True)]

"""H.264 as the encoder makes it (Annex B) to H.264 as files hold it: lengths before units, parameter sets apart."""

from __future__ import annotations

import struct
from dataclasses import dataclass

SPS, PPS, DELIMITER = 7, 8, 9
"""nal_unit_type (H.264, table 7-1)."""


@dataclass(frozen=True, kw_only=True)
class AvcConfig:
    """What a decoder needs before the first picture. Equal when the parameter sets are."""

    sps: bytes
    pps: bytes

    @property
    def codec(self) -> str:
        """As in RFC 6381: avc1.42c01f."""
        return f"avc1.{self.sps[1:4].hex()}"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return _size(self.sps)

    def record(self) -> bytes:
        """AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1), lengths of four bytes."""
        head = bytes((1, *self.sps[1:4], 0xFF, 0xE1))
        return head + struct.pack("!H", len(self.sps)) + self.sps + b"\1" + struct.pack("!H", len(self.pps)) + self.pps


def units(access_unit: bytes) -> list[bytes]:
    """The NAL units between start codes."""
    found = []
    for part in access_unit.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1"):
        if part:
            found.append(part)
    return found


def config_of(access_unit: bytes) -> AvcConfig | None:
    """The parameter sets in a key frame; None where it has none."""
    sets = {unit[0] & 0x1F: unit for unit in units(access_unit) if unit[0] & 0x1F in (SPS, PPS)}
    return AvcConfig(sps=sets[SPS], pps=sets[PPS]) if len(sets) == 2 else None


def sample(access_unit: bytes) -> bytes:
    """The access unit with lengths, without what the configuration holds."""
    kept = [unit for unit in units(access_unit) if unit[0] & 0x1F not in (SPS, PPS, DELIMITER)]
    return b"".join(struct.pack("!I", len(unit)) + unit for unit in kept)


class _Bits:
    """Bits of a NAL unit, emulation prevention removed."""

    def __init__(self, unit: bytes) -> None:
        plain = unit.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(plain, "big")
        self._left = 8 * len(plain)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("a sequence parameter set ends too soon")
        return self._value >> self._left & (1 << count) - 1

    def ue(self) -> int:
        """Exp-Golomb (H.264, 9.1)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


def _size(sps: bytes) -> tuple[int, int]:
    """Pixels of a sequence parameter set of a baseline stream (H.264, 7.3.2.1.1)."""
    bits = _Bits(sps[1:])
    profile, _, _ = bits.take(8), bits.take(16), bits.ue()
    if profile not in (66, 77, 88):
        raise ValueError(f"H.264 profile {profile} is not one the programme makes")
    bits.ue()
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        raise ValueError("picture order 1 is not one the programme makes")
    bits.ue()
    bits.take(1)
    width, height = 16 * (bits.ue() + 1), 16 * (bits.ue() + 1)
    frames_only = bits.take(1)
    if not frames_only:
        height *= 2
        bits.take(1)
    bits.take(1)
    if bits.take(1):
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= 2 * (left + right)
        height -= 2 * (top + bottom) * (2 - frames_only)
    return width, height

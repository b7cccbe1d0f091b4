"""The downlink's clock: programme samples as RTP timestamps, and as the wall time a sender report tells.

Sound and pictures share it, so a browser that trusts the sender reports plays each picture with its own sound whatever
the network did to either.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

from broker.clock import NS_PER_S, now_ns

AUDIO_HZ = 48_000
VIDEO_NUMERATOR, VIDEO_DENOMINATOR = 15, 8
"""RTP's 90 kHz video clock is 15/8 of 48 kHz."""

RTP_MODULUS = 1 << 32
NTP_EPOCH_S = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970 (RFC 5905)."""


@dataclass(frozen=True, kw_only=True)
class MediaClock:
    """One session's downlink. The offsets are told to its page; `wall_ns` is the wall time at `origin_ns`."""

    origin_ns: int
    wall_ns: int
    audio_offset: int
    video_offset: int

    @classmethod
    def start(cls, origin_ns: int) -> MediaClock:
        """A clock for a programme whose sample 0 is due at `origin_ns`, with offsets nobody can guess."""
        wall_ns = time.time_ns() + origin_ns - now_ns()
        return cls(
            origin_ns=origin_ns,
            wall_ns=wall_ns,
            audio_offset=secrets.randbits(32),
            video_offset=secrets.randbits(32),
        )

    @classmethod
    def shared(cls, session: str, origin_ns: int) -> MediaClock:
        """The clock of a session's viewers: with the same offsets at every edge, so that captions fit wherever from."""
        digest = hashlib.sha256(f"{session} {origin_ns}".encode()).digest()
        return cls(
            origin_ns=origin_ns,
            wall_ns=time.time_ns() + origin_ns - now_ns(),
            audio_offset=int.from_bytes(digest[:4], "big"),
            video_offset=int.from_bytes(digest[4:8], "big"),
        )

    def audio_rtp(self, programme_sample: int) -> int:
        return (programme_sample + self.audio_offset) % RTP_MODULUS

    def video_rtp(self, programme_sample: int) -> int:
        return (programme_sample * VIDEO_NUMERATOR // VIDEO_DENOMINATOR + self.video_offset) % RTP_MODULUS

    def ntp(self, programme_sample: int) -> int:
        """When this sample is due, as NTP's 64 bits: seconds since 1900 in the upper half, their fraction below."""
        unix_ns = self.wall_ns + programme_sample * NS_PER_S // AUDIO_HZ
        seconds, rest_ns = divmod(unix_ns, NS_PER_S)
        return (seconds + NTP_EPOCH_S) << 32 | (rest_ns << 32) // NS_PER_S

    def late_ns(self, programme_sample: int) -> int:
        """How long ago this sample was due."""
        return now_ns() - self.origin_ns - programme_sample * NS_PER_S // AUDIO_HZ

    def programme_sample(self, audio_rtp: int, near: int) -> int:
        """The programme sample with this RTP timestamp that lies nearest to `near` (RTP wraps each 24.9 hours)."""
        ahead = (audio_rtp - self.audio_offset - near) % RTP_MODULUS
        return near + (ahead - RTP_MODULUS if ahead >= RTP_MODULUS // 2 else ahead)

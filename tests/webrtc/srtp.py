"""SRTP sessions with a known key, for one direction each."""

from __future__ import annotations

from pylibsrtp import Policy, Session

KEY = bytes(range(28))
PROFILE = Policy.SRTP_PROFILE_AEAD_AES_128_GCM


def outbound() -> Session:
    return Session(Policy(KEY, Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILE))


def inbound() -> Session:
    return Session(Policy(KEY, Policy.SSRC_ANY_INBOUND, srtp_profile=PROFILE))

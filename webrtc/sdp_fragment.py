"""`application/trickle-ice-sdpfrag` (RFC 8840): the candidates a WHIP or WHEP client sends after its offer."""

from __future__ import annotations

from dataclasses import dataclass

from aiortc import RTCIceCandidate

from webrtc import offer
from webrtc.errors import SdpError

LONGEST = 16_000
"""Characters; forty candidates are half of it."""


@dataclass(frozen=True, kw_only=True)
class Fragment:
    """What one PATCH says. `ufrag` is empty where it was left out."""

    ufrag: str
    candidates: tuple[RTCIceCandidate, ...]


def parse(text: str) -> Fragment:
    """Raises SdpError with a sentence for the person. Candidates that are not tried are left out (offer.py)."""
    if len(text) > LONGEST:
        raise SdpError("This is too long for a list of network candidates.")
    ufrag, mid, line_index = "", None, -1
    candidates = []
    for line in text.splitlines():
        if line.startswith("a=ice-ufrag:"):
            ufrag = line.partition(":")[2].strip()
        elif line.startswith("m="):
            line_index, mid = line_index + 1, None
        elif line.startswith("a=mid:"):
            mid = line.partition(":")[2].strip()
        elif line.startswith("a=candidate:"):
            fields = {"candidate": line[2:], "sdpMid": mid, "sdpMLineIndex": max(0, line_index)}
            found = offer.candidate(fields)
            if found:
                candidates.append(found)
        elif line and not line.startswith(("a=", "o=", "s=", "t=", "v=")):
            raise SdpError("This is not a fragment of a session description.")
    return Fragment(ufrag=ufrag, candidates=tuple(candidates))


def ufrag_of(sdp: str) -> str:
    """The ICE user fragment of a whole offer or answer; empty where there is none."""
    found = (line.partition(":")[2].strip() for line in sdp.splitlines() if line.startswith("a=ice-ufrag:"))
    return next(found, "")

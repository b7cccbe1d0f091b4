"""A page's offer and candidates, checked before aiortc sees them.

`.local` candidates are taken out: resolving them costs a second each by multicast, and the browser's checks reach us
anyway. End-of-candidates is left out too: with nothing but `.local` ones aioice would give up before those checks come;
how long a connection may take is the edge's own limit.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from typing import Any

from aiortc import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp

from webrtc.errors import SdpError

LONGEST_SDP = 64_000
LONGEST_CANDIDATE = 400
MOST_CANDIDATES = 40
"""A page has about a dozen; each is an address this host would send checks to."""

_MEDIA = re.compile(r"^m=(\S+) ", re.MULTILINE)


def cleaned(sdp: str, speaks: bool = True) -> str:
    """The offer without what must not be tried. Raises SdpError with a sentence for the person.

    `speaks`: it comes from a caller, so there is sound in it; a viewer may want only pictures.
    """
    if len(sdp) > LONGEST_SDP or not sdp.startswith("v=0"):
        raise SdpError("The browser's offer is not a session description.")
    lines_of = Counter(media(sdp))
    if (
        max(lines_of.values(), default=0) > 1
        or set(lines_of) - {"audio", "video"}
        or (speaks and not lines_of["audio"])
    ):
        raise SdpError("An offer has one line of sound and at most one of pictures.")
    if not lines_of:
        raise SdpError("An offer has a line of sound or one of pictures.")
    lines = [line for line in sdp.splitlines() if _kept(line)]
    if sum(line.startswith("a=candidate:") for line in lines) > MOST_CANDIDATES:
        raise SdpError(f"An offer has at most {MOST_CANDIDATES} network candidates.")
    return "\r\n".join(lines) + "\r\n"


def candidate(fields: dict[str, Any]) -> RTCIceCandidate | None:
    """A trickled candidate; None when it is one that is not tried. Raises SdpError when it is none."""
    text, mid, index = fields.get("candidate"), fields.get("sdpMid"), fields.get("sdpMLineIndex")
    if not isinstance(text, str) or len(text) > LONGEST_CANDIDATE:
        raise SdpError("A network candidate is a line of text.")
    text = text.strip().removeprefix("a=").removeprefix("candidate:")
    if not text or not _reachable(text):
        return None
    if not (mid is None or isinstance(mid, str)) or not (index is None or isinstance(index, int)):
        raise SdpError("A network candidate names its line by sdpMid or sdpMLineIndex.")
    try:
        parsed = candidate_from_sdp(text)
    except (ValueError, IndexError, AssertionError, KeyError) as error:
        raise SdpError("A network candidate could not be read.") from error
    parsed.sdpMid, parsed.sdpMLineIndex = mid, index if mid is not None or index is not None else 0
    return parsed


def media(sdp: str) -> list[str]:
    """`audio` and `video` in the order of the offer's lines."""
    return _MEDIA.findall(sdp)


def has_pictures(sdp: str) -> bool:
    """The offer has a line for pictures."""
    return "video" in media(sdp)


def _kept(line: str) -> bool:
    if line.startswith("a=candidate:"):
        return _reachable(line.removeprefix("a=candidate:"))
    return not line.startswith("a=end-of-candidates")


def _reachable(text: str) -> bool:
    """UDP to a numeric address: no names (they would be looked up), no TCP (aioice has none)."""
    parts = text.split()
    if len(parts) < 8 or parts[2].lower() != "udp":
        return False
    try:
        address = ipaddress.ip_address(parts[4])
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified)

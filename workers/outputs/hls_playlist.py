"""The media playlist of a live stream (RFC 8216): which segments there are, and when each of them was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

RATE_HZ = 48_000
TARGET_S = 2
"""No segment is longer, rounded to whole seconds (RFC 8216, 4.3.3.1)."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """From `start` to `end`, in programme samples. `name` and `header`: files beside the playlist.

    `fresh`: it does not go on from the segment before it.
    """

    name: str
    header: str
    start: int
    end: int
    fresh: bool = False


def playlist(segments: Sequence[Segment], number: int, breaks: int, zero_ns: int, ended: bool) -> str:
    """The text. `number`: of the first segment; `breaks`: how many discontinuities came before those listed.

    `zero_ns`: the Unix time of programme sample 0. Each segment's file is named by the sample it begins with, so a
    player's date is a programme sample too.
    """
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{TARGET_S}",
        f"#EXT-X-MEDIA-SEQUENCE:{number}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{breaks}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    header = ""
    for segment in segments:
        if segment.fresh:
            lines.append("#EXT-X-DISCONTINUITY")
        if segment.header != header:
            header = segment.header
            lines.append(f'#EXT-X-MAP:URI="{header}"')
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_date(zero_ns + segment.start * 1_000_000_000 // RATE_HZ)}")
        lines.append(f"#EXTINF:{(segment.end - segment.start) / RATE_HZ:.6f},")
        lines.append(segment.name)
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _date(unix_ns: int) -> str:
    seconds, rest_ns = divmod(unix_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns // 1_000_000:03}Z"

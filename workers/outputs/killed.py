"""Files that a killed process left: how long they last; a WebM gets its duration and index, its packets as they are."""

from __future__ import annotations

import logging
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError

logger = logging.getLogger(__name__)


def mend(path: Path) -> int:
    """Milliseconds that it lasts; 0 where nothing was written. Without room for a second copy it stays as it is."""
    draft = path.with_name(f".{path.name}")
    try:
        with av.open(str(path)) as old:
            if path.suffix != ".webm":  # fragments of MP4 say themselves how long they are
                return _through(old)
            with av.open(str(draft), "w", format="webm") as new:
                lasts_ms = _through(old, new)
        draft.replace(path)
        return lasts_ms
    except (FFmpegError, OSError) as error:
        logger.warning("not mended", extra={"file": path.name, "reason": str(error)})
        draft.unlink(missing_ok=True)
        return 0


def _through(old: InputContainer, new: OutputContainer | None = None) -> int:
    """Each packet, into another file where there is one; when the last of them ends, in ms."""
    streams = {each.index: new.add_stream_from_template(each) for each in old.streams} if new else {}
    end_s = 0.0
    for packet in old.demux():
        if packet.pts is None or packet.time_base is None:
            continue
        end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if new:
            packet.stream = streams[packet.stream.index]
            new.mux(packet)
    return round(end_s * 1000)

"""A sound file as a voice: any format FFmpeg reads to mono 48 kHz at the common loudness, cut at its quiet places."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from broker.visemes import MOUTH_FRAME_SAMPLES
from workers.production.order import LONGEST_RECORDING_S, OrderError
from workers.tts.loudness import RATE_HZ, Samples, gain_to_target, limited

MOST_GAIN = 10.0
"""20 dB: what is softer than that is left soft, lest its noise be all one hears."""

PASSAGE_S = 20.0
"""About how long a passage is; each is one sentence for the programme and one run of the recogniser."""

_SEARCH_S = 5.0

_FORMATS = {b"RIFF": "wav", b"fLaC": "flac", b"OggS": "ogg", b"ID3": "mp3", b"\xff\xfb": "mp3", b"\xff\xf3": "mp3",
            b"\xff\xf2": "mp3", b"\xff\xfa": "mp3", b"\xff\xf1": "aac", b"\xff\xf9": "aac"}  # fmt: skip
"""First bytes → FFmpeg's name. Playlists, which can name other files of this machine, are none of them."""
_QUIET_S = 0.2


@dataclass(frozen=True, eq=False)
class Passage:
    """A stretch of a recording: whole mouth frames, floats in -1..1 at 48 kHz, and where it begins in the whole."""

    start_sample: int
    samples: Samples


def read(path: Path, longest_s: int = LONGEST_RECORDING_S) -> Samples:
    """The recording, mono, 48 kHz, levelled. Raises OrderError for what is no sound, empty, silent or too long."""
    pieces: list[npt.NDArray[np.int16]] = []
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    total = 0
    try:
        with av.open(str(path), format=_format(path), options={"protocol_whitelist": "file"}) as container:
            if not container.streams.audio:
                raise OrderError(f"{path.name} has no sound in it.", "audio")
            for frame in container.decode(container.streams.audio[0]):
                for out in resampler.resample(frame):
                    pieces.append(out.to_ndarray().reshape(-1).astype(np.int16, copy=False))
                    total += out.samples
                if total > longest_s * RATE_HZ:
                    longest = f"{longest_s // 60} minutes" if longest_s >= 120 else f"{longest_s} s"
                    raise OrderError(f"{path.name} is longer than {longest}.", "audio")
            for out in resampler.resample(None):
                pieces.append(out.to_ndarray().reshape(-1).astype(np.int16, copy=False))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise OrderError(f"{path.name} cannot be read as sound; send a WAV, MP3 or FLAC file.", "audio") from error
    samples = (np.concatenate(pieces) if pieces else np.zeros(0, np.int16)).astype(np.float32) / np.float32(32768)
    if len(samples) < RATE_HZ // 10 or float(np.abs(samples).max()) < 0.003:
        raise OrderError(f"There is nothing to be heard in {path.name}.", "audio")
    return limited(samples * np.float32(min(gain_to_target(samples), MOST_GAIN)))


def _format(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp":
        return "mp4"
    for beginning, name in _FORMATS.items():
        if head.startswith(beginning):
            return name
    raise OrderError(
        f"{path.name} is no sound file that is known here; send a WAV, MP3, FLAC, Ogg or M4A file.", "audio"
    )


def passages(samples: Samples) -> list[Passage]:
    """The recording in stretches of some `PASSAGE_S`, cut where it is quietest; the last is filled to a whole frame."""
    found = []
    start = 0
    while len(samples) - start > (PASSAGE_S + _SEARCH_S) * RATE_HZ:
        end = _quietest(samples, start + round((PASSAGE_S - _SEARCH_S) * RATE_HZ), start + round(PASSAGE_S * RATE_HZ))
        found.append(Passage(start, samples[start:end]))
        start = end
    rest = samples[start:]
    return [*found, Passage(start, np.pad(rest, (0, -len(rest) % MOUTH_FRAME_SAMPLES)))]


def _quietest(samples: Samples, first: int, last: int) -> int:
    """The middle of the quietest fifth of a second, on a mouth frame."""
    frames = samples[first : first + (last - first) // MOUTH_FRAME_SAMPLES * MOUTH_FRAME_SAMPLES]
    power = np.mean(frames.reshape(-1, MOUTH_FRAME_SAMPLES) ** 2, axis=1)
    width = round(_QUIET_S * RATE_HZ) // MOUTH_FRAME_SAMPLES
    quiet = np.convolve(power, np.ones(width), mode="valid")
    place = int(np.argmin(quiet)) + width // 2
    start = first + place * MOUTH_FRAME_SAMPLES
    return start - start % MOUTH_FRAME_SAMPLES

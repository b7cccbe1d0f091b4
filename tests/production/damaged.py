"""Real sound files of the kinds that are uploaded, and what may become of them on the way."""

from __future__ import annotations

import io
import random

import av
import numpy as np

KINDS = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac"}


def sound_file(kind: str, seconds: float = 1.0, rate_hz: int = 16_000) -> bytes:
    """Somebody humming, mono, on and off."""
    times = np.arange(int(seconds * rate_hz)) / rate_hz
    hum = 8_000 * np.sin(2 * np.pi * 160 * times) * (np.sin(2 * np.pi * 3 * times) > 0)
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(KINDS[kind], rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(hum.astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(stream.format, "mono", rate_hz, stream.codec_context.frame_size or None)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return out.getvalue()


def damaged(data: bytes, chance: random.Random) -> bytes:
    """One to six times: bits turned, bytes lost, doubled, made extreme or random; mostly near the beginning."""
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 7)):
        at = chance.randrange(min(len(changed), chance.choice([16, 64, 512, 1 << 30])))
        width = chance.choice([1, 1, 2, 4, 4, 8, 200])
        match chance.randrange(6):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at : at + width]
            case 2:
                changed[at:at] = changed[at : at + width] * chance.choice([1, 50])
            case 3:
                changed[at : at + width] = chance.choice([b"\x00", b"\xff", b"\x7f", b"\x80"]) * width
            case 4:
                changed[at : at + width] = chance.randbytes(width)
            case _:
                del changed[max(1, at) :]
        changed = changed or bytearray(b"\x00")
    return bytes(changed)

"""A spoken sentence as a small film, to be looked at: the real voice, track and pictures, made faster than real time.

python -m bench.clip -o out.mp4 --portrait vera --text "Hello." [--voice flite:slt] [--size 384] [--background NAME]
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from bench.spoken_pictures import SpokenPictures, speak
from broker.config import load
from broker.errors import VisavisError
from workers.lipsync.engine import Wanted
from workers.lipsync.portrait_engine import PortraitEngine

RATE_HZ = 48_000
AAC_SAMPLES = 1024


def film(out: Path, spoken: SpokenPictures, engine: PortraitEngine, portrait: str, size: int, background: str) -> None:
    """H.264 and AAC. Raises AvatarError for what is not known."""
    file = Path(portrait)
    avatar = engine.still(file if file.is_file() else engine.find(portrait), size)
    backdrop = engine.prepare_backdrop(engine.find_backdrop(background), size) if background else None
    with av.open(str(out), "w", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=spoken.fps, options={"crf": "23", "preset": "slow"})
        assert isinstance(video, VideoStream)
        video.width = video.height = size
        video.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        first = next(spoken.pictures())[0]
        for number, (_sample, face) in enumerate(spoken.pictures()):
            (yuv,) = engine.draw([Wanted(avatar, face, b"", backdrop)])
            picture = av.VideoFrame.from_ndarray(np.frombuffer(yuv, np.uint8).reshape(-1, size), format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, spoken.fps)
            container.mux(video.encode(picture))
        pcm = np.concatenate([np.zeros(spoken.voice_sample - first, np.int16), spoken.pcm])
        for start in range(0, len(pcm), AAC_SAMPLES):
            piece = np.ascontiguousarray(pcm[None, start : start + AAC_SAMPLES])
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
            container.mux(sound.encode(frame))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--portrait", default="vera", help="a known portrait, or a picture file")
    parser.add_argument("--text", default="Hello, I am Vera. Maybe we could move to a bigger room; who knows?")
    parser.add_argument("--language", default="en")
    parser.add_argument("--voice", default="flite:slt", help="engine:voice")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--background", default="", help="#rrggbb or the name of a backdrop")
    options = parser.parse_args()
    engine, _, voice = options.voice.partition(":")
    try:
        spoken = speak(options.text, options.language, {"engine": engine, "voice": voice})
        film(options.out, spoken, PortraitEngine(load()), options.portrait, options.size, options.background)
    except VisavisError as exc:
        raise SystemExit(str(exc)) from exc
    print(f"wrote {options.out}, {options.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()

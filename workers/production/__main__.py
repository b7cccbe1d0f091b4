"""`bin/say "Hello." -o hello.mp4`: a text, or a recording, spoken by an avatar into a film, faster than real time."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from broker import logs, profile
from broker.config import load
from broker.errors import ConfigError, VisavisError
from workers.production.order import order

NICE = 10
"""Whoever talks live comes first."""

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/say", description=__doc__)
    parser.add_argument("text", nargs="?", default="", help="what is said; - reads it from standard input")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the film, an .mp4")
    parser.add_argument(
        "--audio", type=Path, help="a WAV, MP3, FLAC, Ogg or M4A the face speaks; the text says which words"
    )
    parser.add_argument(
        "--text", dest="words", default="", help="the words of --audio; without them its sounds are guessed"
    )
    parser.add_argument("--persona", default="", help="whose face and voice; default: the installation's")
    parser.add_argument("--portrait", default="", help="another face, a folder of static/avatars/")
    parser.add_argument("--language", default="", help="default: the persona's first")
    parser.add_argument("--size", type=int, default=512, help="pixels, square, a multiple of 16 (512)")
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--sound", choices=("aac", "opus"), default="aac")
    parser.add_argument("--captions", action="store_true", help="a caption track in the film, and a .vtt beside it")
    arguments = parser.parse_args()
    here = Path(os.environ.get("VISAVIS_CALLED_FROM", "."))
    arguments.output = here / arguments.output
    arguments.audio = here / arguments.audio if arguments.audio else None
    return arguments


def main() -> int:
    arguments = parsed()
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    os.nice(NICE)
    logs.start("say", "error")
    from workers.production.make import make  # numpy is imported there: the threads are set first

    try:
        text = sys.stdin.read() if arguments.text == "-" else arguments.text or arguments.words
        if arguments.output.suffix.lower() != ".mp4":
            raise ConfigError(f"The film is an MP4: call it {arguments.output.with_suffix('.mp4').name}.")
        if not arguments.output.parent.is_dir():
            raise ConfigError(f"There is no folder {arguments.output.parent}.")
        began = time.monotonic()
        settings = load()
        profile.enforce(settings.stages.profile)
        wanted = order(
            settings,
            arguments.persona,
            arguments.portrait,
            arguments.language,
            text=text,
            recording=arguments.audio,
            size=arguments.size,
            fps=arguments.fps,
            sound=arguments.sound,
            captions=arguments.captions,
        )
        made = make(settings, wanted, arguments.output, _shown)
    except (VisavisError, FileNotFoundError) as error:
        print(f"\rsay: {error}", file=sys.stderr)
        return 1
    took_s = time.monotonic() - began
    print(f"\r{made.path}: {made.seconds:.1f} s, made in {took_s:.1f} s ({made.seconds / took_s:.1f} times real time)")
    return 0


def _shown(share: float) -> None:
    if sys.stderr.isatty():
        print(f"\r{share:4.0%}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

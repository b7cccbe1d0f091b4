"""Recorded people, from packages whose licences allow it, fetched when a bench asks and kept in .cache/human.

LibriVox readings inside pocketsphinx's source archive (public domain), and the telephone prompts of Debian's
asterisk-core-sounds-en-wav (CC BY-SA 3.0). Where they cannot be had, the bench says so and goes on without.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from bench.spoken import RATE_HZ, trimmed

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "human"


def readings() -> list[tuple[str, NDArray[np.int16]]]:
    """(name, sound) of LibriVox sentences; empty when they cannot be had."""
    folder = FOLDER / "librivox"
    if not folder.is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        # A source archive is only unpacked here: nothing of it is built or run.
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation", "--no-binary"]
        _run([*command, ":all:", "pocketsphinx==5.1.1", "-d", str(FOLDER)])
        for archive in FOLDER.glob("pocketsphinx-*.tar.gz"):
            with tarfile.open(archive) as packed:
                members = [m for m in packed.getmembers() if "/test/data/librivox/" in m.name]
                packed.extractall(FOLDER / "unpacked", members=members, filter="data")
            next((FOLDER / "unpacked").glob("*/test/data/librivox")).rename(folder)
    return [(path.stem, read(path)) for path in sorted(folder.glob("*.wav"))] if folder.is_dir() else []


def prompts() -> list[tuple[str, NDArray[np.int16]]]:
    """(name, sound) of telephone prompts between 1 and 6 s; empty when they cannot be had."""
    folder = FOLDER / "prompts"
    if not folder.is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "download", "-qq", "asterisk-core-sounds-en-wav"])
        for package in FOLDER.glob("asterisk-core-sounds-en-wav*.deb"):
            _run(["dpkg", "-x", str(package), str(folder)])
    sounds = [(path.stem, trimmed(read(path))) for path in sorted(folder.rglob("*.wav"))]
    return [(name, sound) for name, sound in sounds if RATE_HZ <= len(sound) <= 6 * RATE_HZ]


def read(path: Path) -> NDArray[np.int16]:
    """A mono 16-bit WAV at 16 kHz."""
    with wave.open(str(path)) as opened:
        sound = np.frombuffer(opened.readframes(opened.getnframes()), "<i2")
        rate_hz = opened.getframerate()
    if rate_hz == RATE_HZ:
        return sound
    return soxr.resample(sound.astype(np.float32), rate_hz, RATE_HZ).clip(-32768, 32767).astype(np.int16)


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"human voices: {command[0]} failed ({error}); going on without")

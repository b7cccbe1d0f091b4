"""Recorded people, from packages whose licences allow it, fetched when a bench asks and kept in .cache/human.

LibriVox readings inside pocketsphinx's source archive (public domain), and the telephone prompts of Debian's
asterisk-core-sounds (CC BY-SA 3.0): at telephone bandwidth, and at 16 kHz with what is said in them. Where they cannot
be had, the bench says so and goes on without.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tarfile
import wave
from dataclasses import dataclass
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
        # The source archive is only unpacked; pip asks its build tools, which come as wheels, for its metadata.
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "pocketsphinx"]
        _run([*command, "pocketsphinx==5.1.1", "-d", str(FOLDER)])
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


@dataclass(frozen=True)
class Recorded:
    """A person's sentence, with its words. `voice`: who speaks."""

    name: str
    voice: str
    text: str
    sound: NDArray[np.int16]


def sentences() -> list[Recorded]:
    """Whole sentences of four words or more up to 6 s, at 16 kHz; empty when they cannot be had."""
    return _read_aloud() + _spoken_prompts()


def _read_aloud() -> list[Recorded]:
    spoken = dict(readings())
    lines = (FOLDER / "librivox" / "transcription").read_text().splitlines() if spoken else []
    found = [(re.sub(r"</?s>|\(.*", "", line).strip(), line.rpartition("(")[2].rstrip(") ")) for line in lines]
    sounds = [Recorded(name, "librivox", text, trimmed(spoken[name])) for text, name in found if name in spoken]
    return [one for one in sounds if len(one.sound) <= 6 * RATE_HZ]


def _spoken_prompts() -> list[Recorded]:
    """Prompts that are one sentence, and nothing that goes on in the next prompt."""
    folder = FOLDER / "wideband"
    if not folder.is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "download", "-qq", "asterisk-core-sounds-en-g722", "asterisk-core-sounds-en"])
        for package in FOLDER.glob("asterisk-core-sounds-en[-_][g1]*.deb"):
            _run(["dpkg", "-x", str(package), str(folder)])
    found = []
    texts = next(iter(folder.rglob("core-sounds-en.txt.gz")), None)
    for line in gzip.decompress(texts.read_bytes()).decode().splitlines() if texts else ():
        name, _, text = line.partition(": ")
        path = next(iter(folder.rglob(f"{name}.g722")), None) if re.fullmatch(r"[\w/-]+", name) else None
        whole = re.fullmatch(r"[A-Z][^.;!?\[\]]*[^.,\[\]][.!?]?", text.strip())
        if path is None or not whole or not 4 <= len(text.split()) <= 16:
            continue
        sound = trimmed(_read_g722(path), 45)
        if RATE_HZ <= len(sound) <= 6 * RATE_HZ:
            found.append(Recorded(name, "allison", text.strip(), sound))
    return found


def _read_g722(path: Path) -> NDArray[np.int16]:
    """G.722 at 64 kb/s to 16 kHz."""
    import av

    with av.open(str(path), format="g722") as opened:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in opened.decode(audio=0)]).astype(np.int16)


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

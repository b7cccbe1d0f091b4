"""What this machine has and lacks for Visavis, in words, with the command that brings each missing thing.

`python -m workers.doctor` (bin/doctor) exits 1 when a conversation cannot be had.
"""

from __future__ import annotations

import ctypes.util
import importlib.metadata
import logging
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker import personas, profile
from broker.config import ROOT, Settings, load
from broker.errors import VisavisError
from broker.launch import processes, url
from workers import weights
from workers.knowledge_folder import read_folder
from workers.persona_needs import Needs


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `needed`: without it no conversation."""

    what: str
    good: bool
    words: str
    needed: bool = True


def findings() -> Iterator[Finding]:
    """Everything, in the order one would mend it."""
    version = sys.version_info
    yield Finding(
        "python", (3, 11) <= version[:2] <= (3, 13), f"{platform.python_version()} (3.11 to 3.13 are supported)"
    )
    yield Finding("cores", (os.cpu_count() or 1) >= 2, f"{os.cpu_count()} (two or more keep the picture smooth)", False)
    yield from _requirements()
    try:
        settings = load()
    except VisavisError as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("settings", True, "etc/visavis.toml is in order")
    profile.enforce("cpu" if settings.stages.profile == "cpu" else "auto")
    yield from _personas(settings)
    yield from _weights(settings)
    yield from _engines(settings)
    yield _library("libflite_cmu_us_slt", "the English voice", "sudo apt-get install libflite1")
    yield from _gpu(settings)
    yield _port(settings)
    yield _browser_modules()
    yield _browser()


def _requirements() -> Iterator[Finding]:
    lacking = []
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        name = line.split("#")[0].strip()
        for mark in "<>=~! ":
            name = name.split(mark)[0]
        if name:
            try:
                importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                lacking.append(name)
    words = f"missing {', '.join(lacking)}: bin/up installs them" if lacking else "all of requirements.txt"
    yield Finding("packages", not lacking, words)


def _personas(settings: Settings) -> Iterator[Finding]:
    folder = settings.path("personas")
    needs = Needs(settings)
    try:
        for name in personas.known(folder):
            usual = name == settings.sessions.persona
            try:
                persona = personas.load(folder, name)
            except VisavisError as error:
                yield Finding(f"persona {name}", False, str(error), usual)
                continue
            lacking = [*needs.lacking(persona)]
            for each in lacking:
                yield Finding(f"persona {name}", False, f"{name}.toml: {each.key}: {each.words}", usual and each.needed)
            if not lacking:
                yield Finding(f"persona {name}", True, "in order")
            yield from _documents(name, folder, persona.snapshot())
    finally:
        needs.close()


def _documents(name: str, personas_folder: Path, persona: Mapping[str, Any]) -> Iterator[Finding]:
    """Documents of the persona that cannot be read; nothing when all can."""
    folder = str(persona.get("knowledge", {}).get("folder") or "")
    if not folder:
        return
    for error in read_folder(personas_folder / folder)[1]:
        yield Finding(f"documents of {name}", False, str(error), False)


def _weights(settings: Settings) -> Iterator[Finding]:
    for name, entry in weights.catalogue().items():
        lacking = weights.missing(name, entry, settings.path("weights"))
        words = f"{entry.used_by}: " + ("missing; bin/models fetch brings it" if lacking else "here")
        yield Finding(f"weights {name}", not lacking, words, name in ("silero-vad", "smart-turn"))


def _engines(settings: Settings) -> Iterator[Finding]:
    """What each stage takes on this machine, and why; for those that a persona decides on, the usual one's."""
    try:
        persona = personas.load(settings.path("personas"), settings.sessions.persona).snapshot()
    except VisavisError:
        persona = {}  # said before
    for stage, choice in _CHOICES.items():
        try:
            yield Finding(f"engine {stage}", True, choice(settings, persona))
        except VisavisError as error:
            yield Finding(f"engine {stage}", False, str(error), stage != "asr")  # without ears one types


def _vad(settings: Settings, persona: Mapping[str, Any]) -> str:
    from workers.vad.build import build

    return build(settings).engine_why


def _asr(settings: Settings, persona: Mapping[str, Any]) -> str:
    from workers.asr.engine import Engines

    engines = Engines(settings.path("weights"), settings.path("cache"), settings.path("personas"), settings.engines)
    language = str((persona.get("languages") or ["en"])[0])
    try:
        engines.chosen(persona.get("asr", {}).get("engine") or "auto", language)
        return engines.reasons.words
    finally:
        engines.close()


def _llm(settings: Settings, persona: Mapping[str, Any]) -> str:
    from workers.llm.build import chosen

    return ": ".join(chosen(persona))


def _tts(settings: Settings, persona: Mapping[str, Any]) -> str:
    from workers.tts.voices import Voices

    voices = Voices(settings.engines)
    voices.warm()
    return voices.why


def _lipsync(settings: Settings, persona: Mapping[str, Any]) -> str:
    from workers.lipsync.engine import choose

    engine, why = choose(settings.stages.face, settings)
    return f"{engine.name}: {why}"


_CHOICES = {"vad": _vad, "asr": _asr, "llm": _llm, "tts": _tts, "lipsync": _lipsync}


def _library(name: str, purpose: str, command: str) -> Finding:
    there = ctypes.util.find_library(name.removeprefix("lib")) is not None
    return Finding(name, there, purpose + ("" if there else f" is missing: {command}"), False)


def _gpu(settings: Settings) -> Iterator[Finding]:
    wanted = settings.stages.profile
    lacking = wanted == "gpu" and not profile.gpus()
    words = profile.in_words(wanted) + ("; there is none: bin/up --profile auto" if lacking else "")
    yield Finding("profile", not lacking, words)
    if not shutil.which("nvidia-smi"):
        yield Finding("gpu", True, "no NVIDIA driver: everything runs on the CPU", False)
        return
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    result = subprocess.run(query, capture_output=True, text=True)
    yield Finding("gpu", result.returncode == 0, result.stdout.strip() or "nvidia-smi fails: mend the driver", False)


def _port(settings: Settings) -> Finding:
    if processes(settings) is not None:
        return Finding("port", True, f"Visavis is running: {url(settings)}")
    with socket.socket() as probe:
        taken = probe.connect_ex((settings.server.host, settings.server.port)) == 0
    free = f"{settings.server.host}:{settings.server.port} is free"
    return Finding("port", not taken, "taken: set server.port in etc/visavis.toml" if taken else free)


def _browser_modules() -> Finding:
    there = (ROOT / "static" / "vendor" / "three" / "SOURCE.json").is_file()
    words = "three.js is here" if there else "bin/up fetches three.js with npm; until then faces are pictures only"
    return Finding("3D face", there, words, False)


def _browser() -> Finding:
    there = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    words = str(Path(there)) if there else "none here; only the tests need one (sudo apt-get install chromium)"
    return Finding("browser", True, words, False)


def main() -> int:
    logging.getLogger("workers").setLevel(logging.ERROR)  # what is found is said below
    found = list(findings())
    for finding in found:
        mark = "ok  " if finding.good else ("BAD " if finding.needed else "note")
        print(f"{mark} {finding.what:20} {finding.words}")
    return 1 if any(not finding.good and finding.needed for finding in found) else 0


if __name__ == "__main__":
    sys.exit(main())

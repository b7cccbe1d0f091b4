"""Browser modules out of npm packages: only the pinned tarball, only listed files, and errors that say what to do."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from broker.config import ROOT
from broker.errors import ConfigError, MissingError
from webrtc import vendor
from webrtc.vendor import Package, catalogue, complete, fetch, integrity, unpack

CONTENT = b"export const three = 3;\n" * 20


def tarball(tmp_path: Path, content: bytes = CONTENT) -> Path:
    path = tmp_path / "thing-1.0.0.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in (("package/build/thing.js", content), ("package/install.js", b"steal()")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("package/link.js")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


def pinned(path: Path, *files: str) -> Package:
    return Package(package="thing@1.0.0", integrity=integrity(path), files=files or ("build/thing.js",), licence="MIT")


def test_the_listed_files_are_unpacked_and_nothing_else(tmp_path: Path) -> None:
    package, place = pinned(tarball(tmp_path)), tmp_path / "vendor"
    assert not complete("thing", package, place)
    unpack("thing", package, tmp_path / "thing-1.0.0.tgz", place)
    assert (place / "thing/build/thing.js").read_bytes() == CONTENT
    assert gzip.decompress((place / "thing/build/thing.js.gz").read_bytes()) == CONTENT
    assert not (place / "thing/install.js").exists()
    assert complete("thing", package, place)


def test_a_tarball_that_is_not_the_pinned_one_is_not_used(tmp_path: Path) -> None:
    package = pinned(tarball(tmp_path))
    with pytest.raises(ConfigError, match="not the package"):
        unpack("thing", package, tarball(tmp_path, b"tampered"), tmp_path / "vendor")
    assert not (tmp_path / "vendor/thing").exists()


@pytest.mark.parametrize("file", ["build/other.js", "link.js", "../../etc/passwd"])
def test_a_file_that_is_not_there_or_no_file_is_an_error(tmp_path: Path, file: str) -> None:
    path = tarball(tmp_path)
    with pytest.raises(ConfigError, match=r"vendor\.toml|plain file"):
        unpack("thing", pinned(path, "build/thing.js", file), path, tmp_path / "vendor")
    assert not (tmp_path / "vendor/thing").exists()


def test_a_file_that_was_changed_or_another_pin_counts_as_missing(tmp_path: Path) -> None:
    path, place = tarball(tmp_path), tmp_path / "vendor"
    unpack("thing", pinned(path), path, place)
    (place / "thing/build/thing.js").write_bytes(b"changed")
    assert not complete("thing", pinned(path), place)
    unpack("thing", pinned(path), path, place)
    newer = pinned(tarball(tmp_path, b"newer"))
    assert not complete("thing", newer, place)


def test_without_npm_the_error_names_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor, "npm", lambda: None)
    with pytest.raises(MissingError, match="apt-get install npm"):
        fetch("thing", pinned(tarball(tmp_path)), tmp_path / "vendor")


def test_npm_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "npm"
    fake.write_text("#!/bin/sh\necho 'no such host' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(vendor, "npm", lambda: str(fake))
    with pytest.raises(MissingError, match="no such host"):
        fetch("thing", pinned(tarball(tmp_path)), tmp_path / "vendor")


def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> Path:
    """An npm that brings nothing and says so; the file in which its calls are counted."""
    calls, fake = tmp_path / "calls", tmp_path / "npm"
    fake.write_text(f"#!/bin/sh\necho $2 >>'{calls}'\ncat >&2 <<'END'\n{said}\nEND\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(vendor, "npm", lambda: str(fake))
    monkeypatch.setattr(vendor, "complete", lambda *_: False)
    monkeypatch.setattr(sys, "argv", ["vendor", "--quiet"])
    return calls


NO_NETWORK = """npm error code EAI_AGAIN
npm error syscall getaddrinfo
npm error request to https://registry.npmjs.org/three failed, reason: getaddrinfo EAI_AGAIN registry.npmjs.org
npm error A complete log of this run can be found in: /home/ada/.npm/_logs/debug-0.log"""
NOT_THERE = """npm error code E404
npm error 404 Not Found - GET https://registry.npmjs.org/thing
npm error 404"""


def test_without_a_network_one_package_is_tried_and_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = failing(tmp_path, monkeypatch, NO_NETWORK)
    assert vendor.main() == 1
    assert len(calls.read_text().splitlines()) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Going on without three, three-vrm, ")
    assert "reason: getaddrinfo EAI_AGAIN" in line


def test_a_package_that_is_not_there_does_not_keep_the_others_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = failing(tmp_path, monkeypatch, NOT_THERE)
    assert vendor.main() == 1
    assert len(calls.read_text().splitlines()) == len(catalogue())
    assert "404 Not Found" in capsys.readouterr().err


def test_an_npm_that_waits_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "npm"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setattr(vendor, "npm", lambda: str(fake))
    monkeypatch.setattr(vendor, "PACKED_WITHIN_S", 0.1)
    with pytest.raises(vendor.UnreachableError, match="did not bring thing"):
        fetch("thing", pinned(tarball(tmp_path)), tmp_path / "vendor")


def test_the_shipped_catalogue_is_pinned_and_has_all_the_import_map_names() -> None:
    text = (ROOT / "etc/vendor.toml").read_text(encoding="utf-8")
    assert "://" not in text, "no address: npm's own settings say where packages come from"
    for name, package in catalogue().items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package.integrity), name
        assert re.fullmatch(r"(@[\w-]+/)?[\w.-]+@\d+\.\d+\.\d+", package.package)
        assert any(Path(file).stem == "LICENSE" for file in package.files), name
    page = (ROOT / "static/call.html").read_text(encoding="utf-8")
    (found,) = re.findall(r'<script type="importmap">(.*?)</script>', page, re.DOTALL)
    for address in json.loads(found)["imports"].values():
        name, inner = address.removeprefix("/static/vendor/").split("/", 1)
        assert any(file.startswith(inner) for file in catalogue()[name].files), address


@pytest.mark.skipif(not vendor.VENDOR.is_dir() or not shutil.which("node"), reason="needs node and static/vendor")
def test_every_import_between_the_files_leads_to_a_file() -> None:
    for path in vendor.VENDOR.rglob("*.js"):
        for target in re.findall(r"""from\s*['"](\.[^'"]+)['"]""", path.read_text(encoding="utf-8")):
            assert (path.parent / target).resolve().is_file(), f"{path.name} imports {target}"


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_set_up_commands_are_sound_shell() -> None:
    for command in ("up", "test", "environment"):
        assert subprocess.run(["bash", "-n", str(ROOT / "bin" / command)], env=os.environ).returncode == 0

"""Guards over the structure: who imports whom, which names are taken, what the top level holds."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("broker", "workers", "webrtc", "tests", "bench")
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "README.md",
    "bench",
    "bin",
    "broker",
    "docker-compose.yml",
    "docs",
    "etc",
    "pyproject.toml",
    "requirements.txt",
    "static",
    "tests",
    "webrtc",
    "workers",
}
STAGES = ("vad", "asr", "llm", "tts", "programme", "lipsync")
SHARED_ACROSS_STAGES = {("asr", "tts"): "workers.tts.g2p"}
"""The one helper a stage may take from another: pronunciations for the recogniser's new words."""

PRODUCTION = "production"
"""Not a stage: it builds stages and steps them offline, so it imports them; none of them may know of it."""


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Every module a file imports, dotted."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def test_the_top_level_is_the_agreed_one() -> None:
    assert {path.split("/")[0] for path in tracked()} <= TOP_LEVEL


@pytest.mark.parametrize("path", [*modules("broker"), ROOT / "workers" / "shell.py"], ids=lambda p: p.name)
def test_the_spine_imports_only_the_standard_library_pyzmq_and_msgpack(path: Path) -> None:
    foreign = {name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names) - {"broker", "workers"}
    assert foreign <= {"zmq", "msgpack"}, f"{path.name} imports {foreign}"


@pytest.mark.parametrize("path", [p for f in ("broker", "workers", "webrtc") for p in modules(f)], ids=str)
def test_only_the_bus_speaks_zeromq(path: Path) -> None:
    if path.relative_to(ROOT).as_posix() not in ("broker/bus.py", "broker/__main__.py"):
        assert not any(name.split(".")[0] == "zmq" for name in imports(path))


@pytest.mark.parametrize("path", [p for f in OURS[:3] for p in modules(f)], ids=str)
def test_dependencies_point_to_the_spine(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    forbidden = {"broker": {"workers", "webrtc"}, "workers": {"webrtc"}, "webrtc": {"workers"}}[room]
    assert not {name.split(".")[0] for name in imports(path)} & forbidden


@pytest.mark.parametrize("path", modules("workers"), ids=str)
def test_a_stage_does_not_reach_into_another(path: Path) -> None:
    parts = path.relative_to(ROOT / "workers").parts
    if parts[0] not in STAGES:
        return
    for name in imports(path):
        other = name.split(".")[1] if name.startswith("workers.") else ""
        if other in (*STAGES, PRODUCTION) and other != parts[0]:
            assert SHARED_ACROSS_STAGES.get((parts[0], other)) == name, f"{path.name} imports {name}"


@pytest.mark.parametrize("name", OURS)
def test_no_package_of_ours_shadows_a_distribution(name: str) -> None:
    assert name not in importlib.metadata.packages_distributions()


@pytest.mark.parametrize("path", [p for f in OURS[:3] for p in modules(f)], ids=str)
def test_no_file_is_called_like_a_module_we_import(path: Path) -> None:
    taken = {"queue", "codecs", "types", "signal", "whisper", "zmq", "av", "numpy", "logging", "json", "time", "array"}
    assert path.stem not in taken


def test_no_file_names_this_machine_or_a_registry() -> None:
    words = ("/work/" + "main", "/work/" + "shared", "index" + "-url", "extra-" + "index")
    for name in tracked():
        path = ROOT / name
        if (
            path.suffix in (".py", ".mjs", ".md", ".toml", ".txt", ".html", ".css", ".yml", ".conf", "")
            and path.is_file()
        ):
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert not [word for word in words if word in text], name


def test_every_command_is_executable() -> None:
    for path in (ROOT / "bin").iterdir():
        if path.name != "environment":
            assert path.stat().st_mode & 0o111, path.name


def test_only_the_sculptor_needs_the_sculptors_libraries() -> None:
    """What runs does not load them, nor the sculptor."""
    sculptor = ROOT / "workers" / "lipsync" / "generator3d"
    heavy = {"fast_simplification", "skimage", "bpy", "mathutils"}
    for path in (p for f in ("broker", "workers", "webrtc") for p in modules(f)):
        if sculptor not in path.parents:
            found = imports(path)
            assert not {name.split(".")[0] for name in found} & heavy, path
            assert not [name for name in found if name.startswith("workers.lipsync.generator3d")], path


def test_nothing_waits_by_what_loses_a_cancellation() -> None:
    """Python 3.11's `asyncio.wait_for` forgets one that comes with the result: who waits for the end waits for ever."""
    waiting = [
        str(path.relative_to(ROOT))
        for folder in ("broker", "workers", "webrtc")
        for path in modules(folder)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr == "wait_for"
        and isinstance(node.value, ast.Name)
        and node.value.id == "asyncio"
    ]
    assert waiting == [], "use asyncio.timeout"


def test_onnxruntime_is_told_to_tell_nobody_wherever_it_is_imported() -> None:
    users = {path for room in ("broker", "webrtc", "bench") for path in modules(room) if "onnxruntime" in imports(path)}
    assert users == set(), "`workers` switches its reports off; the others do not"
    told = "import os, workers.vad.silero_engine; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    done = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"

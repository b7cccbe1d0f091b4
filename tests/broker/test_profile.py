"""The profile: `cpu` hides GPUs from every process, `gpu` refuses to start without one, and bin/up passes it on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from broker import launch, profile
from broker.config import ROOT, load
from broker.errors import ConfigError

WORKER = """
import json, os, sys
from workers import __main__ as worker

class Nothing:
    def __init__(self, *args, **kwargs): ...
    def close(self): ...
    def run(self, build): build()
    def stop(self, *args): ...

def builder(kind):
    return lambda settings: print(json.dumps(dict(os.environ)))

worker.Bus = worker.Shell = Nothing
worker.builder = builder
sys.argv = ["workers", "asr"]
sys.exit(worker.main())
"""


def worker(profile_name: str) -> subprocess.CompletedProcess[str]:
    """A worker's own main, which prints its environment where it would make its engines."""
    environ = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
    environ["VISAVIS_STAGES_PROFILE"] = profile_name
    return subprocess.run(
        [sys.executable, "-c", WORKER], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )


def test_on_cpu_a_workers_libraries_find_no_gpu() -> None:
    assert json.loads(worker("cpu").stdout.splitlines()[-1])["CUDA_VISIBLE_DEVICES"] == "-1"


def test_on_auto_a_workers_libraries_may_find_one() -> None:
    assert "CUDA_VISIBLE_DEVICES" not in json.loads(worker("auto").stdout.splitlines()[-1])


def test_without_a_gpu_a_worker_with_the_profile_gpu_ends_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")  # so that this machine has none, if it has
    environ = os.environ | {"VISAVIS_STAGES_PROFILE": "gpu"}
    done = subprocess.run(
        [sys.executable, "-c", WORKER], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "no NVIDIA GPU" in done.stdout + done.stderr


@pytest.mark.parametrize(("count", "refused"), [(0, True), (1, False)])
def test_gpu_wants_one(monkeypatch: pytest.MonkeyPatch, count: int, refused: bool) -> None:
    monkeypatch.setattr(profile, "gpus", lambda: count)
    environ: dict[str, str] = {}
    if refused:
        with pytest.raises(ConfigError, match="bin/up --profile auto"):
            profile.enforce("gpu", environ)
    else:
        profile.enforce("gpu", environ)
    assert environ == {}, "what there is stays visible"


def test_the_launcher_refuses_before_it_starts_anything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(profile, "gpus", lambda: 0)
    monkeypatch.setattr(launch.subprocess, "Popen", lambda *args, **kwargs: pytest.fail("it started"))
    settings = load(environ={"VISAVIS_STAGES_PROFILE": "gpu", "VISAVIS_BUS_RUN_FOLDER": str(tmp_path / "run")})
    with pytest.raises(ConfigError, match="profile is gpu"):
        launch.start(settings)
    assert not (tmp_path / "run").exists()


def test_every_process_of_a_stack_is_told_the_profile() -> None:
    told = launch.environment(load(environ={"VISAVIS_STAGES_PROFILE": "cpu"}))
    assert told["VISAVIS_STAGES_PROFILE"] == "cpu"
    assert told["CUDA_VISIBLE_DEVICES"] == "-1"
    assert "CUDA_VISIBLE_DEVICES" not in launch.environment(load(environ={}))


def test_an_unknown_profile_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'auto', 'cpu', 'gpu'"):
        load(environ={"VISAVIS_STAGES_PROFILE": "tpu"})


@pytest.fixture
def pretended(tmp_path: Path) -> dict[str, str]:
    """An environment in which bin/up finds a Python that only says what it was called for, and installs nothing."""
    for folder, name, script in (
        ("venv/bin", "python", 'echo "$* profile=${VISAVIS_STAGES_PROFILE-none}"'),
        ("path", "sudo", "exit 1"),
        ("path", "apt-get", "exit 1"),
        ("path", "npm", "exit 0"),
    ):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / folder / name).chmod(0o755)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("VISAVIS_")}
    return environ | {"VISAVIS_VENV": str(tmp_path / "venv"), "PATH": f"{tmp_path / 'path'}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("arguments", "told"), [(["--profile", "cpu"], "cpu"), (["--profile=auto"], "auto"), ([], "none")]
)
def test_bin_up_hands_its_profile_on(pretended: dict[str, str], arguments: list[str], told: str) -> None:
    done = subprocess.run(
        [ROOT / "bin" / "up", *arguments, "--detach"], env=pretended, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"-m broker.launch --detach profile={told}"


def test_bin_up_refuses_an_unknown_profile(pretended: dict[str, str]) -> None:
    done = subprocess.run(
        [ROOT / "bin" / "up", "--profile", "tpu"], env=pretended, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "auto, cpu or gpu" in done.stderr

"""Hostile and odd files: a clear sentence each, and bounded memory for all of them; unusual good ones work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from broker.config import ROOT
from tests.avatar3d.heads import odd_files
from tests.lipsync.adding.films import write_odd_films
from tests.lipsync.adding.odd_models import odd_models
from tests.lipsync.adding.odd_pictures import odd_pictures, unusual_pictures
from workers.limits import MEMORY
from workers.lipsync.adding.confined import Job, run
from workers.lipsync.photo import load_photo

PEAK_KB = 1_000_000
"""Resident, over all files; the largest allowed picture, 38 megapixels of 16 bit with alpha, unpacks to 307 MB."""


def examined(folder: Path, weights: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.lipsync.adding.examine_all", str(folder), str(weights)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["fell"] == {}
    assert found["peak_kb"] < PEAK_KB
    return dict(found["reports"])


@pytest.fixture(scope="module")
def profile() -> np.ndarray:
    """A photographer seen from the side, from scikit-image, near enough to be found."""
    data = pytest.importorskip("skimage.data")
    return cv2.cvtColor(cv2.resize(data.camera(), None, fx=2, fy=2), cv2.COLOR_GRAY2BGR)


@pytest.fixture(scope="module")
def cat() -> np.ndarray:
    return cv2.cvtColor(pytest.importorskip("skimage.data").chelsea(), cv2.COLOR_RGB2BGR)


def test_every_odd_picture_is_refused_with_a_sentence(
    tmp_path: Path, weights: Path, astronaut: np.ndarray, cat: np.ndarray, profile: np.ndarray
) -> None:
    files = odd_pictures(astronaut, cat, profile)
    refusals_of(files, tmp_path, weights, "photo")


def test_every_odd_model_is_refused_with_a_sentence(tmp_path: Path, weights: Path) -> None:
    refusals_of(odd_models(), tmp_path, weights, "model")


def test_heads_that_the_page_refuses_are_refused_before(tmp_path: Path, weights: Path) -> None:
    refusals_of({f"{name}.glb": (data, "") for name, data in odd_files().items()}, tmp_path, weights, "model")


def test_every_odd_film_is_refused_with_a_sentence(tmp_path: Path, weights: Path, astronaut: np.ndarray) -> None:
    words = write_odd_films(tmp_path, np.ascontiguousarray(astronaut[0:300, 80:380]))
    check_refusals(words, tmp_path, weights, "clip")


def refusals_of(files: dict[str, tuple[bytes, str]], folder: Path, weights: Path, kind: str) -> None:
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    check_refusals({name: words for name, (_, words) in files.items()}, folder, weights, kind)


def check_refusals(expected: dict[str, str], folder: Path, weights: Path, kind: str) -> None:
    reports = examined(folder, weights)
    wrong = []
    for name, words in expected.items():
        report = reports[name]
        texts = [each["text"] for each in report["findings"] if each["level"] == "refusal"]
        sentence = len(texts) == 1 and texts[0].endswith(".") and len(texts[0].split()) > 4
        if report["usable"] or not sentence or words.lower() not in texts[0].lower() or report["kind"] != kind:
            wrong.append((name, words, texts))
    assert wrong == []


def test_unusual_pictures_work(tmp_path: Path, weights: Path, astronaut: np.ndarray) -> None:
    drawing = load_photo(ROOT / "static/avatars/sam/portrait.jpg")
    files = unusual_pictures(astronaut, drawing)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    reports = examined(tmp_path, weights)
    assert {name: report["findings"] for name, report in reports.items() if not report["usable"]} == {}
    assert {report["kind"] for report in reports.values()} == {"photo"}


@pytest.mark.parametrize("death", ["memory", "crash", "hang"])
def test_a_file_that_ends_its_process_is_a_sentence_too(
    death: str, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoders without faults cannot be made to fail, so the process is told to: by an unreadable job."""
    program = {
        "memory": f"x = bytearray({MEMORY * 2})",
        "crash": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "hang": "import time; time.sleep(600)",
    }[death]
    fake = tmp_path / "python"
    fake.write_text(f"#!{sys.executable}\nfrom workers.limits import confine\nconfine()\n{program}\n")
    fake.chmod(0o755)
    monkeypatch.setattr("workers.lipsync.adding.confined.sys.executable", str(fake))
    monkeypatch.setattr("workers.lipsync.adding.confined.WALL_S", 3)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "out"
    folder.mkdir()
    report = run(Job(source=str(fake), folder=str(folder), weights=str(weights)))
    (finding,) = report.findings
    assert not report.usable
    assert finding.level == "refusal"
    assert {"memory": "memory", "crash": "damaged", "hang": "longer than"}[death] in finding.text

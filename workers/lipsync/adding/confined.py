"""Opens a stranger's file in a process of its own, with bounded memory and time, and brings back what it said.

A picture made to break a decoder then ends that process, not the server; whatever happens, there is a sentence.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from broker.config import ROOT
from broker.foreign_json import read_json
from workers.lipsync.adding.findings import Report, refused, report_of
from workers.lipsync.errors import AvatarError

WALL_S = 240
"""A busy machine is slow; the processor time is bounded more tightly, in `workers.limits`."""
REPORT = "report.json"
LARGEST_REPORT = 2_000_000
FRUGAL = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
"""On a machine of many cores, threads and their heaps would fill the address space that is allowed."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """`folder`: an empty one for what is made; nothing is made when `make` is false. `portrait_px`: the preview's."""

    source: str
    folder: str
    weights: str
    name: str = ""
    face: int = 0
    make: bool = True
    portrait_px: int = 512


def run(job: Job) -> Report:
    """The workshop's report, or a refusal that says how it died. Raises AvatarError when it cannot be started."""
    folder = Path(job.folder)
    command = [sys.executable, "-m", "workers.lipsync.adding.workshop"]
    try:
        child = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=os.environ | FRUGAL,
        )  # fmt: skip
    except OSError as exc:
        raise AvatarError("workshop", f"The workshop could not be started ({exc.strerror}).") from exc
    try:
        _, errors = child.communicate(json.dumps(job.__dict__).encode(), timeout=WALL_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return refused("too_long", f"It took longer than {WALL_S} s and was given up; use a smaller or shorter file.")
    except BaseException:
        child.kill()
        child.wait()
        raise
    report = folder / REPORT
    if child.returncode == 0 and report.is_file() and report.stat().st_size <= LARGEST_REPORT:
        try:
            return report_of(read_json(report.read_bytes()))
        except ValueError:
            pass
        finally:
            report.unlink(missing_ok=True)
    return _died(child.returncode, errors)


def _died(code: int, errors: bytes) -> Report:
    if code == -signal.SIGXCPU or code == -signal.SIGKILL:
        return refused("too_long", "It took too much work to open and was given up; use a smaller or shorter file.")
    if b"MemoryError" in errors or b"bad_alloc" in errors or b"Insufficient memory" in errors:
        return refused("too_big", "It needs too much memory to open; use a smaller file.")
    if code < 0:
        return refused("damaged", "It is damaged in a way that cannot be read; export it again.")
    last = errors.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
    return refused("workshop", f"It could not be examined ({last[0][:200] or f'code {code}'}); try another file.")

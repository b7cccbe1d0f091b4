"""Films to be made and made: one folder a job, written by the edge and by the process that makes them.

A job is its folder: `order.json` (what is wanted), `recording` (an upload, if any), `state.json`, `film.mp4`,
`film.vtt`. That is all there is of it, so it survives every process. State is replaced whole; a `cancel` file asks its
maker to stop.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

NAME = re.compile(r"[A-Za-z0-9_-]{22}")

PARTLY = ".new-"
"""Beginning of the name of a job's folder while its upload comes."""

MOST_ATTEMPTS = 2
"""A job during which its maker died twice is not tried again."""

ABANDONED_S = 3600.0


class Stage(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    MAKING = "making"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        return self in (Stage.DONE, Stage.FAILED, Stage.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class State:
    """What is told of a job. `share` 0..1; `created_s` is wall time."""

    stage: Stage = Stage.QUEUED
    share: float = 0.0
    created_s: float = 0.0
    attempts: int = 0
    code: str = ""
    text: str = ""
    """Why it failed."""
    seconds: float = 0.0
    """Of film."""
    took_s: float = 0.0
    captions: bool = False
    """There is a WebVTT file, too."""


class Job:
    """One film, made or not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self.film = folder / "film.mp4"
        self.captions = folder / "film.vtt"
        self.recording = folder / "recording"

    def state(self) -> State | None:
        """None once it has been removed."""
        try:
            table = json.loads((self.folder / "state.json").read_text())
            return State(**table | {"stage": Stage(table["stage"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def order(self) -> dict[str, Any]:
        """What is wanted, in names as the request gave them."""
        table = json.loads((self.folder / "order.json").read_text())
        return table if isinstance(table, dict) else {}

    def write(self, state: State) -> None:
        """Replace the state. A job that was removed meanwhile stays removed."""
        with contextlib.suppress(FileNotFoundError):
            _replace(self.folder / "state.json", asdict(state))

    @property
    def cancelled(self) -> bool:
        return not self.folder.is_dir() or (self.folder / "cancel").exists()

    def told(self, state: State) -> dict[str, Any]:
        """The job for a client, plain data."""
        about: dict[str, Any] = {"job": self.name, "state": str(state.stage), "share": round(state.share, 3)}
        if state.stage is Stage.DONE:
            about |= {"video": f"/api/v1/videos/{self.name}.mp4", "seconds": state.seconds, "took_s": state.took_s}
            if state.captions:
                about["captions"] = f"/api/v1/videos/{self.name}.vtt"
        if state.code:
            about |= {"code": state.code, "text": state.text}
        return about


class Films:
    """All jobs of an installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self) -> Job:
        """A folder for a job that is being uploaded; `queue` it, or `drop` it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        job = Job(self.folder / f"{PARTLY}{secrets.token_urlsafe(16)}")
        job.folder.mkdir(mode=0o700)
        return job

    def queue(self, job: Job, order: dict[str, Any]) -> Job:
        """All of it is there: it will be made."""
        _replace(job.folder / "order.json", order)
        job.write(State(created_s=time.time()))
        queued = Job(self.folder / job.name.removeprefix(PARTLY))
        job.folder.rename(queued.folder)
        return queued

    def drop(self, job: Job) -> None:
        """Remove a job and all its files."""
        shutil.rmtree(job.folder, ignore_errors=True)

    def cancel(self, job: Job) -> None:
        """Stop a job that is waiting or being made; remove one that is over."""
        state = job.state()
        if state is None or state.stage.over:
            self.drop(job)
        else:
            with contextlib.suppress(FileNotFoundError):
                (job.folder / "cancel").touch()

    def job(self, name: str) -> Job | None:
        """The job of that name; None when there is none (any more)."""
        if not NAME.fullmatch(name):
            return None
        job = Job(self.folder / name)
        return job if job.state() is not None else None

    def jobs(self) -> list[tuple[Job, State]]:
        """Every job, the oldest first."""
        found = []
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            state = Job(path).state() if NAME.fullmatch(path.name) else None
            if state:
                found.append((Job(path), state))
        return sorted(found, key=lambda pair: (pair[1].created_s, pair[0].name))

    def waiting(self) -> int:
        """Jobs that are not over."""
        return sum(not state.stage.over for _, state in self.jobs())

    def size_bytes(self) -> int:
        """All files of all jobs."""
        total = 0
        for root, _, names in os.walk(self.folder):
            for name in names:
                with contextlib.suppress(OSError):
                    total += (Path(root) / name).stat().st_size
        return total

    def sweep(self, keep_s: float) -> None:
        """Forget films older than `keep_s`, and uploads nobody finished."""
        now_s = time.time()
        for job, state in self.jobs():
            if state.stage.over and now_s - state.created_s > keep_s:
                self.drop(job)
        for path in self.folder.glob(f"{PARTLY}*"):
            with contextlib.suppress(OSError):
                if now_s - path.stat().st_mtime > ABANDONED_S:
                    shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def claimed(self) -> Iterator[tuple[Job, State] | None]:
        """The next job to make, nobody else's meanwhile: the oldest that waits, or that a dead maker left."""
        for job, state in self.jobs():
            if state.stage.over:
                continue
            lock = _locked(job.folder / "lock")
            if lock is None:
                continue
            with lock:
                state = job.state() or state  # another maker may have finished it just before
                if state.stage.over:
                    continue
                state = replace(state, stage=Stage.MAKING, attempts=state.attempts + 1)
                if job.cancelled:
                    job.write(replace(state, stage=Stage.CANCELLED))
                    continue
                if state.attempts > MOST_ATTEMPTS:
                    text = "Its maker died over it, twice."
                    job.write(replace(state, stage=Stage.FAILED, code="died", text=text))
                    continue
                job.write(state)
                yield job, state
                return
        yield None


def _locked(path: Path) -> TextIO | None:
    try:
        file = path.open("w")
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def _replace(path: Path, table: dict[str, Any]) -> None:
    part = path.with_suffix(f".{secrets.token_hex(4)}.part")
    part.write_text(json.dumps(table))
    part.replace(path)

"""The confined process: `python -m workers.lipsync.adding.workshop` reads one job, makes files, leaves a report.

It opens what strangers made, so it bounds itself before it loads anything that could be broken.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from workers.limits import confine
from workers.lipsync.adding.confined import REPORT, Job
from workers.lipsync.adding.findings import Report, refused
from workers.lipsync.adding.kinds import kind_of
from workers.lipsync.errors import AvatarError


def main() -> None:
    job = Job(**json.load(sys.stdin))
    confine()
    text = json.dumps(report_on(job).plain(), ensure_ascii=True)
    (Path(job.folder) / REPORT).write_text(text, encoding="utf-8")


def report_on(job: Job) -> Report:
    """What `work` says, or why it could not be done."""
    try:
        return work(job)
    except AvatarError as error:
        return refused(error.code, str(error), _kind(job))
    except MemoryError:
        return refused("too_big", "It needs too much memory to open; use a smaller file.", _kind(job))


def work(job: Job) -> Report:
    """Raises AvatarError for what cannot become an avatar at all."""
    source, folder = Path(job.source), Path(job.folder)
    match kind_of(source):
        case "photo":
            return _photo(job, source, folder)
        case "clip":
            from workers.lipsync.adding.film import add_film

            return add_film(job, source, folder)
        case "model":
            from workers.lipsync.adding.model_report import add_model

            return add_model(job, source, folder)


def _photo(job: Job, source: Path, folder: Path) -> Report:
    from workers.lipsync.adding.still import examine, write_portrait, write_preview
    from workers.lipsync.landmark_finder import LandmarkFinder

    report, framed = examine(source, LandmarkFinder(Path(job.weights)), job.face)
    if job.make and framed is not None and report.usable:
        write_portrait(framed, folder)
        write_preview(framed, folder, job.portrait_px)
    return report


def _kind(job: Job) -> str:
    try:
        return kind_of(Path(job.source))
    except AvatarError:
        return ""


if __name__ == "__main__":
    main()

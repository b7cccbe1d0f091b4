"""Examines every file of a folder in one confined process, as the workshop does: `… examine_all FOLDER WEIGHTS`.

Prints JSON: `reports` by file name, `fell` for exceptions nobody thought of, `peak_kb` of resident memory.
"""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from pathlib import Path

from workers.limits import confine
from workers.lipsync.adding.confined import Job
from workers.lipsync.adding.workshop import report_on


def main() -> None:
    source, weights = Path(sys.argv[1]), sys.argv[2]
    confine(processor_s=400)
    reports, fell = {}, {}
    for path in sorted(source.iterdir()):
        with tempfile.TemporaryDirectory() as folder:
            try:
                reports[path.name] = report_on(
                    Job(source=str(path), folder=folder, weights=weights, make=False)
                ).plain()
            except Exception:
                fell[path.name] = traceback.format_exc()
    sys.stdout.write(json.dumps({"reports": reports, "fell": fell, "peak_kb": peak_kb()}))


def peak_kb() -> int:
    """Resident at most, of this program alone: `ru_maxrss` counts what the process was before its `exec` as well."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()

"""Examines every file of a folder in one confined process, as the workshop does: `… examine_all FOLDER WEIGHTS`.

Prints JSON: `reports` by file name, `fell` for exceptions nobody thought of, `peak_kb` of resident memory.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import traceback
from pathlib import Path

from workers.lipsync.adding.confined import Job
from workers.lipsync.adding.limits import confine
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
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(json.dumps({"reports": reports, "fell": fell, "peak_kb": peak_kb}))


if __name__ == "__main__":
    main()

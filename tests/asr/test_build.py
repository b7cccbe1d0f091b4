"""The asr stage as it is put together for a process."""

from __future__ import annotations

import subprocess
import sys

from broker.config import ROOT

MADE = """
import sys
from broker.config import load
from workers.asr.build import build
build(load(environ={}))
print(*sorted(sys.modules))
"""


def test_the_usual_engine_is_loaded_before_the_first_session_so_that_a_successor_hears_at_once() -> None:
    made = subprocess.run([sys.executable, "-c", MADE], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    assert {"pocketsphinx", "faster_whisper"} & set(made.stdout.split())

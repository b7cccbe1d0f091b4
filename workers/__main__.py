"""`python -m workers tts --name tts-0`: settings → stage → shell, one process."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Callable

from broker import logs, profile
from broker.bus import Bus
from broker.config import Settings, load
from broker.errors import VisavisError
from broker.messages import WORKER_KINDS
from broker.orphan import end_with_parent
from workers.shell import Shell, Stage, stop_on_signals

logger = logging.getLogger(__name__)

NICE = {"asr": 5, "lipsync": 5}
"""Who gives way: words so far and pictures, which are work all the time. The clock must not wait for them, nor the ear
(a hold waits for it), nor brain and voice, of whose few milliseconds an answer's beginning consists. The vad's own
thinking about turns gives way, too (its engine's thread)."""

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Two threads a library on a busy two-core machine are many times slower than one."""


def builder(kind: str) -> Callable[[Settings], Stage]:
    """`build(settings)` of a stage's room; imported only when chosen."""
    build: Callable[[Settings], Stage] = importlib.import_module(f"workers.{kind}.build").build
    return build


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("kind", choices=WORKER_KINDS)
    parser.add_argument("--name", default="", help="this process's name, such as tts-0")
    arguments = parser.parse_args()
    name = arguments.name or f"{arguments.kind}-0"
    end_with_parent()
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    try:
        settings = load()
        logs.start(name, settings.log.level)
        profile.enforce(settings.stages.profile)
        os.nice(NICE.get(arguments.kind, 0))
        bus = Bus(arguments.kind, name, settings, publishes=arguments.kind == "programme")
        shell = Shell(arguments.kind, bus)
        stop_on_signals(shell)
        try:
            shell.run(lambda: builder(arguments.kind)(settings))
        finally:
            bus.close()
    except VisavisError as error:
        logger.error("cannot go on", extra={"reason": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    # A library's own thread must not keep an asked-for exit waiting.
    code = main()
    sys.stderr.flush()
    os._exit(code)

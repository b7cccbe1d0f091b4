"""`python -m workers.production.service`: makes the films ordered through the edge, one at a time, at nice 10."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from dataclasses import replace
from typing import Any

from broker import logs
from broker.config import Settings, load
from broker.errors import VisavisError
from broker.films import Films, Job, Stage, State
from broker.orphan import end_with_parent

logger = logging.getLogger(__name__)

NICE = 10
LOOK_S = 0.25
SWEEP_S = 600.0
SAID_S = 0.3
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class CancelledError(VisavisError):
    """The client does not want it any more."""


def work(settings: Settings, films: Films) -> bool:
    """Make the next film; False when there is nothing to do."""
    with films.claimed() as claimed:
        if claimed is None:
            return False
        job, state = claimed
        logger.info("film begins", extra={"job": job.name})
        final = _made(settings, job, state)
        job.write(final)
        logger.info("film ends", extra={"job": job.name, "state": str(final.stage), "reason": final.text})
        return True


def _made(settings: Settings, job: Job, state: State) -> State:
    from workers.production.make import make  # what it needs is loaded with the first film: most have none to make
    from workers.production.order import order

    began = said = time.monotonic()

    def progress(share: float) -> None:
        nonlocal said
        if job.cancelled:
            raise CancelledError("cancelled")
        if time.monotonic() - said > SAID_S:
            said = time.monotonic()
            job.write(replace(state, share=share))

    try:
        recording = job.recording if job.recording.exists() else None
        wanted = order(settings, recording=recording, **job.order())
        made = make(settings, wanted, job.film, progress)
    except CancelledError:
        return replace(state, stage=Stage.CANCELLED)
    except (VisavisError, ValueError, TypeError, OSError) as error:
        code = str(getattr(error, "code", "order"))
        return replace(state, stage=Stage.FAILED, code=code, text=str(error))
    took_s = round(time.monotonic() - began, 2)
    captioned = job.captions.exists()
    return replace(
        state, stage=Stage.DONE, share=1.0, seconds=round(made.seconds, 2), took_s=took_s, captions=captioned
    )


def main() -> int:
    """Until SIGTERM; a film that is being made then is made anew by a successor."""
    end_with_parent()
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    try:
        settings = load()
        logs.start("production", settings.log.level)
    except VisavisError as error:
        print(f"production: {error}", file=sys.stderr)
        return 2
    os.nice(NICE)
    signal.signal(signal.SIGTERM, _leave)
    films = Films(settings.path("films"))
    swept = -SWEEP_S
    while True:
        if time.monotonic() - swept > SWEEP_S:
            swept = time.monotonic()
            films.sweep(settings.films.keep_h * 3600)
        if not work(settings, films):
            time.sleep(LOOK_S)


def _leave(*_: Any) -> None:
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())

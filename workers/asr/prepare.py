"""`python -m workers.asr.prepare`: writes every persona's vocabulary to disk, so that the first call need not wait.

Run at set-up; doing it again costs a second. Where another engine listens there is nothing to do.
"""

from __future__ import annotations

import sys
import time

from broker import personas
from broker.config import load
from broker.errors import EngineError, VisavisError
from workers.asr.engine import Engines
from workers.asr.pocketsphinx_engine import PocketsphinxEngine


def main() -> int:
    settings = load()
    engines = Engines(settings.path("weights"), settings.path("cache"), settings.path("personas"), settings.engines)
    problems = 0
    for persona in personas.readable(settings.path("personas")):
        english = next((each for each in persona.languages if each.partition("-")[0] == "en"), None)
        if english is None:
            continue
        try:
            engine = engines.for_persona(persona.snapshot(), english)
        except EngineError:  # said when a session needs it, and by bin/doctor
            continue
        if not isinstance(engine, PocketsphinxEngine):
            continue
        started = time.perf_counter()
        try:
            engine.model(persona.snapshot())
        except VisavisError as error:
            print(f"{persona.id:12} {error}", file=sys.stderr)
            problems += 1
            continue
        print(f"{persona.id:12} its vocabulary for the recogniser, {time.perf_counter() - started:.1f} s")
    engines.close()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m workers.llm.prepare`: makes every persona's knowledge ready on disk, so that the first call need not wait.

Says which documents cannot be read and what to do about each. Run at set-up; doing it again costs a second.
"""

from __future__ import annotations

import os
import sys
import time

from broker.config import load

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def main() -> int:
    for variable in ONE_THREAD:  # before numpy is loaded: two threads on a busy two-core machine took ten times as long
        os.environ.setdefault(variable, "1")
    from workers.llm.build import shipped
    from workers.llm.library import Library

    settings = load()
    library = Library(settings.path("personas"), settings.path("weights") / "minilm", settings.path("cache"))
    problems = 0
    for persona in shipped(settings):
        for language in persona.languages:
            started = time.perf_counter()
            knowledge = library.wait(persona.snapshot(), language, timeout_s=3600)
            took_s = time.perf_counter() - started
            print(f"{persona.id:12} {language}  {len(knowledge.index.passages)} passages, {took_s:.1f} s")
        for problem in knowledge.problems:
            print(f"{persona.id:12} {problem}", file=sys.stderr)
        problems += len(knowledge.problems)
    if library.detail:
        print(library.detail, file=sys.stderr)
    library.close()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

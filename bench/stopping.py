"""Starting and stopping a whole stack: seconds to a first conversation, and from SIGTERM in mid-call to nothing left.

  python -m bench.stopping [--rounds 5]

Each round starts a stack of its own, calls it from headless Chromium and stops it in the middle of an answer. It is
stopped when the launcher, which waits for all the others, has ended; what is left then is named.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time

from tests.stack.caller import Caller
from tests.stack.running import Stack, lives

GOAL_STOP_S = 3.0
QUESTION = "How do I apply for a place?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rounds = []
    load = os.getloadavg()[0]
    for number in range(arguments.rounds):
        started_s, stopped_s, left = one()
        rounds.append((started_s, stopped_s))
        print(
            f"{number + 1:3}  ready after {started_s:5.2f} s, gone after {stopped_s:4.2f} s, left: {left or 'nothing'}"
        )
    print(f"{platform.machine()}, {os.cpu_count()} cores, load before {load:.1f}")
    for name, values, goal in (
        ("ready", [r[0] for r in rounds], ""),
        ("gone", [r[1] for r in rounds], f"  goal < {GOAL_STOP_S:.0f} s"),
    ):
        print(f"{name:6} p50 {statistics.median(values):5.2f} s, at most {max(values):5.2f} s{goal}")


def one() -> tuple[float, float, str]:
    """Seconds to ready, seconds to gone, and what was left behind."""
    stack = Stack()
    try:
        begun = time.monotonic()
        stack.start()
        started_s = time.monotonic() - begun
        with Caller(stack.url) as caller:
            caller.open("?persona=campus").start()
            caller.type(QUESTION)
            caller.until(lambda: caller.state() == "speaking", "no answer began", 40)
            family = stack.family()
            stopped_s = stack.down()
            left = [*(each.name() for each in family if lives(each)), *stack.sockets()]
        return started_s, stopped_s, ", ".join(left)
    finally:
        stack.stop()


if __name__ == "__main__":
    main()

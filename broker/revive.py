"""A supervisord event listener: processes given up as FATAL are started again, 30 s later, then ever less often."""

from __future__ import annotations

import json
import os
import sys
import time
import xmlrpc.client
from typing import Any

from broker.orphan import end_with_parent
from broker.supervisor_rpc import connect

FIRST_S = 30.0
LONGEST_S = 600.0


class Revival:
    """When to start which process again; arithmetic on `now_s`."""

    def __init__(self) -> None:
        self._due_s: dict[str, float] = {}
        self._delay_s: dict[str, float] = {}
        self._tried_s: dict[str, float] = {}

    def fatal(self, name: str, now_s: float) -> float:
        """The process was given up; returns after how many seconds it is tried again."""
        ran_s = now_s - self._tried_s.get(name, now_s)
        delay_s = self._delay_s.get(name, FIRST_S) if ran_s <= LONGEST_S else FIRST_S
        self._delay_s[name] = min(LONGEST_S, delay_s * 2)
        self._due_s[name] = now_s + delay_s
        return delay_s

    def due(self, now_s: float) -> list[str]:
        """Processes to start now; each is named once."""
        names = [name for name, due_s in self._due_s.items() if due_s <= now_s]
        for name in names:
            del self._due_s[name]
            self._tried_s[name] = now_s
        return names


def parse(line: str) -> dict[str, str]:
    """`key:value key:value` of a supervisord header or payload."""
    return dict(part.split(":", 1) for part in line.split() if ":" in part)


def main() -> None:
    end_with_parent()
    server: Any = connect(os.environ["SUPERVISOR_SERVER_URL"].removeprefix("unix://"))
    revival = Revival()
    while True:
        sys.stdout.write("READY\n")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return
        header = parse(line)
        payload = parse(sys.stdin.read(int(header["len"])))
        if header["eventname"] == "PROCESS_STATE_FATAL":
            name = f"{payload['groupname']}:{payload['processname']}"
            delay_s = revival.fatal(name, time.monotonic())
            print(json.dumps({"event": "given up", "name": name, "again_in_s": delay_s}), file=sys.stderr, flush=True)
        for name in revival.due(time.monotonic()):
            try:
                server.supervisor.startProcess(name, False)
            except (xmlrpc.client.Fault, OSError) as error:
                print(json.dumps({"event": "not started", "name": name, "reason": str(error)}), file=sys.stderr)
        sys.stdout.write("RESULT 2\nOK")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

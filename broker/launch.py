"""Starts everything under supervisord, waits until a conversation is possible, prints the URL, stops all on Ctrl-C.

supervisord knows neither readiness nor dependencies and exits 0 after a FATAL: both are looked after here. Before the
first complete READY a process that cannot start ends the launch with its reason; afterwards it is a degradation.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import xmlrpc.client
from pathlib import Path
from typing import Any

from broker import profile
from broker.bus import private_folder
from broker.config import ROOT, Settings, load
from broker.errors import VisavisError
from broker.messages import WORKER_KINDS
from broker.supervisor_rpc import connect

READY_WITHIN_S = 180.0
STOP_WITHIN_S = 6.0


class LaunchError(VisavisError):
    """The stack did not come up; says which process and why."""


def environment(settings: Settings) -> dict[str, str]:
    """What etc/supervisord.conf wants to know, and every process of it."""
    hidden = profile.HIDDEN if settings.stages.profile == "cpu" else {}
    return {
        **hidden,
        "VISAVIS_STAGES_PROFILE": settings.stages.profile,
        "VISAVIS_ROOT": str(ROOT),
        "VISAVIS_RUN": str(settings.run_folder()),
        "VISAVIS_PYTHON": sys.executable,
        "PYTHONUNBUFFERED": "1",
        "VISAVIS_EDGES": str(settings.workers.webrtc - 1),
    } | {f"VISAVIS_{kind.upper()}": str(settings.workers.count(kind)) for kind in WORKER_KINDS}


def url(settings: Settings) -> str:
    """Where the call page is."""
    scheme = "https" if settings.server.tls_cert else "http"
    host = "127.0.0.1" if settings.server.host in ("0.0.0.0", "::", "") else settings.server.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.server.port}/"


def start(settings: Settings) -> subprocess.Popen[bytes]:
    """supervisord, in a session of its own so that Ctrl-C reaches only the launcher. Raises LaunchError if one runs,
    ConfigError where the profile wants a GPU and there is none."""
    profile.enforce(settings.stages.profile)
    run = settings.run_folder()
    private_folder(run)
    (run / "logs").mkdir(exist_ok=True)
    if processes(settings) is not None:
        raise LaunchError(f"Visavis is already running (see {run}). Stop it with bin/down.")
    for stale in (*run.glob("*.control"), *run.glob("*.data"), *run.glob("*.events"), *run.glob("supervisor*.sock*")):
        stale.unlink(missing_ok=True)
    supervisord = Path(sys.executable).with_name("supervisord")
    return subprocess.Popen(
        [str(supervisord), "-n", "-c", str(ROOT / "etc" / "supervisord.conf")],
        env=os.environ | environment(settings),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=(run / "logs" / "supervisord.out").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def processes(settings: Settings) -> list[dict[str, Any]] | None:
    """supervisord's view of every process; None when no supervisord listens."""
    server: Any = connect(str(settings.run_folder() / "supervisor.sock"))
    try:
        found: list[dict[str, Any]] = server.supervisor.getAllProcessInfo()
    except (OSError, xmlrpc.client.Error):
        return None
    return found


def await_ready(settings: Settings, supervisord: subprocess.Popen[bytes], timeout_s: float = READY_WITHIN_S) -> None:
    """Returns when the edge says ready. Raises LaunchError with the reason when that cannot happen (any more)."""
    deadline, missing = time.monotonic() + timeout_s, "the edge does not answer yet"
    while time.monotonic() < deadline:
        if supervisord.poll() is not None:
            raise LaunchError(f"supervisord ended with {supervisord.returncode}: {_tail(settings, 'supervisord.out')}")
        for process in processes(settings) or []:
            if process["statename"] == "FATAL":
                raise LaunchError(f"{process['name']} cannot start: {_tail(settings, process['name'] + '.log')}")
        ready, missing = _ready(settings)
        if ready:
            return
        time.sleep(0.1)
    raise LaunchError(f"Not ready after {timeout_s:.0f} s: {missing}. Logs: {settings.run_folder()}/logs")


def _ready(settings: Settings) -> tuple[bool, str]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # our own certificate, on our own loopback
    try:
        with urllib.request.urlopen(url(settings) + "ready", timeout=2, context=context) as reply:
            return reply.status == 200, ""
    except urllib.error.HTTPError as error:
        try:
            return False, "missing " + ", ".join(json.load(error).get("missing", []))
        except ValueError:
            return False, f"the edge answers {error.code}"
    except OSError as error:
        return False, f"the edge does not answer yet ({error})"


def stop(settings: Settings, supervisord: subprocess.Popen[bytes] | None = None) -> bool:
    """Stop everything; False when nothing was running."""
    server: Any = connect(str(settings.run_folder() / "supervisor.sock"))
    children = [process["pid"] for process in processes(settings) or [] if process["pid"]]
    try:
        pid = server.supervisor.getPID()
        server.supervisor.stopAllProcesses(False)  # all at once: `shutdown` alone takes a second for each kind
        server.supervisor.shutdown()
    except (OSError, xmlrpc.client.Error):
        if supervisord is None or supervisord.poll() is not None:
            return False
        pid = supervisord.pid
        supervisord.terminate()
    deadline = time.monotonic() + STOP_WITHIN_S
    while running := [each for each in (pid, *children) if _runs(each)]:
        if time.monotonic() > deadline:
            for each in running:  # each child leads a process group of its own
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(each, signal.SIGKILL)
            break
        time.sleep(0.02)
    if supervisord is not None:
        supervisord.wait()
    return True


def _runs(pid: int) -> bool:
    """Whether there is such a process, and not only its exit status, which somebody has yet to ask for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _tail(settings: Settings, log: str) -> str:
    """The last thing a process said, in words when it was one of our JSON lines."""
    try:
        lines = (settings.run_folder() / "logs" / log).read_text(errors="replace").strip().splitlines()
    except OSError:
        return f"no log in {settings.run_folder()}/logs"
    for line in reversed(lines[-20:]):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("level") == "error":
            return str(record.get("reason") or record.get("event"))
    return " | ".join(lines[-3:]) or "it said nothing"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m broker.launch", description=__doc__)
    parser.add_argument("--detach", action="store_true", help="leave it running and return")
    parser.add_argument("--stop", action="store_true", help="stop what runs")
    parser.add_argument("--environment", action="store_true", help="print what etc/supervisord.conf needs, for a shell")
    arguments = parser.parse_args()
    try:
        settings = load()
        if arguments.environment:
            print("\n".join(f"export {key}={shlex.quote(value)}" for key, value in environment(settings).items()))
            return 0
        if arguments.stop:
            print("Stopped." if stop(settings) else "Nothing was running.")
            return 0
        return _serve(settings, arguments.detach)
    except VisavisError as error:
        print(error, file=sys.stderr)
        return 1


def _serve(settings: Settings, detach: bool) -> int:
    supervisord = start(settings)
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        await_ready(settings, supervisord)
        print(f"Visavis is ready: {url(settings)}", flush=True)
        if detach:
            print("It goes on in the background; bin/down stops it.")
            return 0
        print("Ctrl-C stops it.", flush=True)
        return supervisord.wait()
    except KeyboardInterrupt:
        stop(settings, supervisord)
        print("\nStopped.")
        return 0
    except VisavisError:
        stop(settings, supervisord)
        raise


if __name__ == "__main__":
    sys.exit(main())

"""Starts everything under supervisord, waits until a conversation is possible, prints the URL, stops all on Ctrl-C.

supervisord knows neither readiness nor dependencies and exits 0 after a FATAL: both are looked after here. Before the
first complete READY a process that cannot start ends the launch with its reason; afterwards it is a degradation.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import http.client
import json
import os
import secrets
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import xmlrpc.client
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from broker import profile
from broker.bus import private_folder
from broker.config import ROOT, Settings, load
from broker.errors import VisavisError
from broker.messages import WORKER_KINDS
from broker.supervisor_rpc import connect

READY_WITHIN_S = 180.0
STOP_WITHIN_S = 6.0
OFTEN = 4
"""Starts of one process, by which one that lives a while each time, and so is never FATAL, has shown that it cannot."""

SILENT = (OSError, xmlrpc.client.Error, http.client.HTTPException)
"""What asking a supervisord raises that is not there, or just going."""

LARGEST_ANSWER = 64 * 1024


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


def make_run_folder(settings: Settings) -> Path:
    """For sockets and process ids, with a folder for logs in it."""
    run = settings.run_folder()
    private_folder(run)
    (run / "logs").mkdir(exist_ok=True)
    return run


def start(settings: Settings, launch: str = "") -> subprocess.Popen[bytes]:
    """supervisord, in a session of its own so that Ctrl-C reaches only the launcher; /ready of its edge tells `launch`.

    Raises LaunchError if one runs or a port is taken, ConfigError where the profile wants a GPU and there is none.
    """
    profile.enforce(settings.stages.profile)
    run = make_run_folder(settings)
    if processes(settings) is not None:
        raise LaunchError(f"Visavis is already running (see {run}). Stop it with bin/down.")
    if settings.server.port:
        for number in range(settings.workers.webrtc):
            _check_free(settings.server.host, settings.server.port + number)
    for stale in (*run.glob("*.control"), *run.glob("*.data"), *run.glob("*.events"), *run.glob("supervisor*.sock*")):
        stale.unlink(missing_ok=True)
    return subprocess.Popen(
        # Not the script beside Python: its first line names a folder that may have been moved meanwhile.
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(ROOT / "etc" / "supervisord.conf")],
        env=os.environ | environment(settings) | {"VISAVIS_LAUNCH": launch},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=(run / "logs" / "supervisord.out").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _check_free(host: str, port: int) -> None:
    """Raises LaunchError where another program listens. What else keeps an edge from listening it says itself."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                if family == socket.AF_INET6:  # as asyncio has it; otherwise IPv4's port would count as well
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise LaunchError(
                f"Port {port} is taken by another program. Name another one: [server] port in etc/visavis.toml, or "
                f"VISAVIS_SERVER_PORT={port + 1000 if port < 60_000 else port - 1000} bin/up."
            ) from error


def processes(settings: Settings) -> list[dict[str, Any]] | None:
    """supervisord's view of every process; None when no supervisord listens."""
    server: Any = connect(str(settings.run_folder() / "supervisor.sock"))
    try:
        found: list[dict[str, Any]] = server.supervisor.getAllProcessInfo()
    except SILENT:
        return None
    return found


def await_ready(
    settings: Settings, supervisord: subprocess.Popen[bytes], launch: str = "", timeout_s: float = READY_WITHIN_S
) -> None:
    """Returns when the edge of this `launch` says ready.

    Raises LaunchError with the reason when that cannot happen (any more).
    """
    deadline, missing = time.monotonic() + timeout_s, "the edge does not answer yet"
    starts: dict[str, set[int]] = {}
    while time.monotonic() < deadline:
        if supervisord.poll() is not None:
            raise LaunchError(f"supervisord ended with {supervisord.returncode}: {_tail(settings, 'supervisord.out')}")
        for process in processes(settings) or []:
            began = starts.setdefault(process["name"], set())
            began.add(process["start"])  # in seconds since 1970; 0 before the first
            if process["statename"] == "FATAL" or len(began - {0}) >= OFTEN:
                raise LaunchError(f"{process['name']} cannot start: {_tail(settings, process['name'] + '.log')}")
        ready, missing = _ready(settings, launch)
        if ready:
            return
        time.sleep(0.1)
    raise LaunchError(f"Not ready after {timeout_s:.0f} s: {missing}. Logs: {settings.run_folder()}/logs")


def _ready(settings: Settings, launch: str) -> tuple[bool, str]:
    """Whether a conversation is possible, else what is missing."""
    try:
        status, body = _ask(url(settings) + "ready")
    except (OSError, http.client.HTTPException) as error:
        return False, f"the edge does not answer yet ({error})"
    try:
        told = json.loads(body)
        own, missing = told["launch"] == launch, ", ".join(told["missing"])
    except (ValueError, TypeError, KeyError):
        own, missing = False, ""
    if not own:
        return False, f"another program answers at {url(settings)}"
    return status == 200, f"missing {missing}"


def _ask(address: str) -> tuple[int, bytes]:
    """Status and body. A proxy of the environment is not asked: it knows another loopback."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # our own certificate, on our own loopback
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(address, timeout=2) as reply:
            return reply.status, reply.read(LARGEST_ANSWER)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(LARGEST_ANSWER)


def stop(settings: Settings, supervisord: subprocess.Popen[bytes] | None = None) -> bool:
    """Stop everything; False when nothing was running."""
    server: Any = connect(str(settings.run_folder() / "supervisor.sock"))
    children = _process_ids(settings)
    try:
        pid = server.supervisor.getPID()
        server.supervisor.stopAllProcesses(False)  # all at once: `shutdown` alone takes a second for each kind
        children |= _process_ids(settings)  # what it had begun to start meanwhile
        server.supervisor.shutdown()
    except SILENT:
        if supervisord is None or supervisord.poll() is not None:
            return False
        pid = supervisord.pid
        supervisord.terminate()
    deadline = time.monotonic() + STOP_WITHIN_S
    while (late := {pid, *children} & _running().keys()) and time.monotonic() < deadline:
        time.sleep(0.02)
    for group in children | late:  # each leads a group of its own: what is left in it helps somebody who has gone
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    while children & set(_running().values()) and time.monotonic() < deadline + 1:
        time.sleep(0.02)
    if supervisord is not None:
        supervisord.wait()
    return True


def _process_ids(settings: Settings) -> set[int]:
    return {process["pid"] for process in processes(settings) or [] if process["pid"]}


def _running() -> dict[int, int]:
    """Every process of this machine and its group, without those whose exit status only has yet to be asked for."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
            if state not in "ZX":
                found[int(stat.parent.name)] = int(group)
    return found


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
            make_run_folder(settings)
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
    _on_ending(signal.default_int_handler)
    launch = secrets.token_hex(8)
    supervisord = start(settings, launch)
    try:
        await_ready(settings, supervisord, launch)
        print(f"Visavis is ready: {url(settings)}", flush=True)
        if detach:
            print("It goes on in the background; bin/down stops it.", flush=True)
            return 0
        print("Ctrl-C stops it.", flush=True)
        return supervisord.wait()
    except BaseException as error:
        _on_ending(signal.SIG_IGN)  # a second Ctrl-C would leave half of it running
        stop(settings, supervisord)
        if not isinstance(error, KeyboardInterrupt):
            raise
        with contextlib.suppress(OSError):  # the terminal may be gone
            print("\nStopped.", flush=True)
        return 0


def _on_ending(handler: Callable[[int, FrameType | None], Any] | signal.Handlers) -> None:
    """What Ctrl-C, `kill` and a closed terminal do. What was ignored from the start stays so: nohup, a shell's `&`."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, handler)


if __name__ == "__main__":
    sys.exit(main())

"""The launcher with a real supervisord over two small processes: what ends a start with its reason, and what does not
end what has started."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from supervisor.options import ServerOptions

from broker import launch
from broker.config import ROOT, Settings, load
from tests.stack.running import free_port, lives

PATIENCE_S = 40

EDGE = """
import http.server, json, os, pathlib, sys
folder = pathlib.Path(sys.argv[1])

class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        missing = [] if (folder / "complete").exists() else ["tts: loading flite"]
        self.send_response(503 if missing else 200)
        self.end_headers()
        self.wfile.write(json.dumps(
            {"ready": not missing, "missing": missing, "launch": os.environ["VISAVIS_LAUNCH"]}
        ).encode())

    def log_message(self, *parts):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Door).serve_forever()
"""
WORKER = """
import json, pathlib, subprocess, sys, time
if (pathlib.Path(sys.argv[1]) / "broken").exists():
    print(json.dumps({"level": "info", "event": "starting"}))
    print(json.dumps({"level": "error", "event": "cannot go on", "reason": "flite is not here: apt-get it"}))
    sys.exit(1)
if (pathlib.Path(sys.argv[1]) / "brief").exists():
    time.sleep(1.2)  # longer than startsecs: not FATAL for supervisord
    print(json.dumps({"level": "error", "event": "cannot go on", "reason": "half a file: fetch it again"}))
    sys.exit(1)
if (pathlib.Path(sys.argv[1]) / "helped").exists():
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (pathlib.Path(sys.argv[1]) / "helper").write_text(str(helper.pid))
time.sleep(600)
"""
REVIVE = "from broker import revive; revive.FIRST_S = 0.5; revive.main()"
"""The listener itself; only its patience is shorter. supervisord wakes it every 5 s."""

CONF = """
[supervisord]
nodaemon=true
silent=true
pidfile=%(ENV_VISAVIS_RUN)s/supervisord.pid
logfile=%(ENV_VISAVIS_RUN)s/logs/supervisord.log
childlogdir=%(ENV_VISAVIS_RUN)s/logs
[unix_http_server]
file=%(ENV_VISAVIS_RUN)s/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[program:webrtc]
command={python} {folder}/edge.py {folder} {port}
redirect_stderr=true
stdout_logfile=%(ENV_VISAVIS_RUN)s/logs/webrtc.log
[program:tts-0]
command={python} {folder}/worker.py {folder}
startsecs=1
startretries=0
redirect_stderr=true
stdout_logfile=%(ENV_VISAVIS_RUN)s/logs/tts-0.log
[eventlistener:revive]
command={python} {folder}/revive.py
environment=PYTHONPATH="{root}"
events=PROCESS_STATE_FATAL,TICK_5
stdout_logfile=NONE
stderr_logfile=%(ENV_VISAVIS_RUN)s/logs/revive.log
"""


class Small:
    """A set of an edge, which is ready once there is a file `complete`, and a worker, which fails while `broken`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = port = free_port()
        self.environ = os.environ | {
            "VISAVIS_BUS_RUN_FOLDER": str(folder / "run"),
            "VISAVIS_SERVER_PORT": str(port),
        }
        self.settings: Settings = load(environ=self.environ)
        for name, source in (("edge", EDGE), ("worker", WORKER), ("revive", REVIVE)):
            (folder / f"{name}.py").write_text(source)
        (folder / "etc").mkdir()
        conf = CONF.format(python=sys.executable, folder=folder, root=ROOT, port=port)
        (folder / "etc" / "supervisord.conf").write_text(conf)
        self.launcher: subprocess.Popen[str] | None = None

    def launch(self, *arguments: str, first: str = "") -> subprocess.Popen[str]:
        """`python -m broker.launch`, with this configuration for supervisord; `first` is done before."""
        source = (
            "import sys; from pathlib import Path; from broker import launch; "
            f"launch.ROOT = Path({str(self.folder)!r}); {first}"
        )
        self.launcher = subprocess.Popen(
            [sys.executable, "-c", f"{source}\nsys.exit(launch.main())", *arguments],
            cwd=ROOT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.launcher

    def mark(self, name: str, there: bool = True) -> None:
        path = self.folder / name
        path.touch() if there else path.unlink()

    def process(self, name: str) -> dict[str, Any]:
        return next((each for each in launch.processes(self.settings) or [] if each["name"] == name), {})

    def revived(self) -> list[str]:
        path = self.settings.run_folder() / "logs" / "revive.log"
        return path.read_text().splitlines() if path.exists() else []

    def until(self, holds: Callable[[], Any], otherwise: str) -> Any:
        end = time.monotonic() + PATIENCE_S
        while not (found := holds()):
            assert time.monotonic() < end, f"{otherwise}; {self.process('tts-0')}, {self.revived()}"
            time.sleep(0.05)
        return found

    def said(self, name: str) -> str:
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def sockets(self) -> list[str]:
        return [path.name for path in self.settings.run_folder().rglob("*") if path.is_socket()]

    def close(self) -> None:
        launch.stop(self.settings)
        if self.launcher:
            self.launcher.communicate(timeout=PATIENCE_S)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    made = Small(tmp_path)
    yield made
    made.close()


def test_a_worker_that_cannot_start_ends_the_launch_with_its_reason(small: Small) -> None:
    small.mark("broken")
    out, err = small.launch().communicate(timeout=PATIENCE_S)
    assert small.launcher
    assert small.launcher.returncode == 1
    assert err == "tts-0 cannot start: flite is not here: apt-get it\n"
    assert "ready" not in out
    assert launch.processes(small.settings) is None, "supervisord is gone, and the processes that could start with it"
    assert small.sockets() == []


def test_detached_or_not_a_worker_that_cannot_start_leaves_nothing_running(small: Small) -> None:
    small.mark("broken")
    _, err = small.launch("--detach").communicate(timeout=PATIENCE_S)
    assert "flite is not here" in err
    assert launch.processes(small.settings) is None


def test_a_worker_that_lives_a_while_each_time_ends_the_launch_too(small: Small) -> None:
    small.mark("brief")
    _, err = small.launch().communicate(timeout=PATIENCE_S)
    assert small.launcher
    assert small.launcher.returncode == 1
    assert err == "tts-0 cannot start: half a file: fetch it again\n"
    assert launch.processes(small.settings) is None


def test_what_a_process_started_ends_with_it(small: Small) -> None:
    """A helper in its group that is busy and does not notice, as one that still loads its libraries."""
    small.mark("complete")
    small.mark("helped")
    launcher = small.launch()
    assert launcher.stdout
    assert launcher.stdout.readline().startswith("Visavis is ready")
    helper = int(small.until(lambda: small.said("helper"), "no helper"))
    process = psutil.Process(helper)
    launcher.terminate()
    assert launcher.wait(PATIENCE_S) == 0
    assert not lives(process)


def test_once_it_was_complete_a_worker_given_up_is_tried_again_ever_less_often(small: Small) -> None:
    small.mark("complete")
    launcher = small.launch()
    assert launcher.stdout
    assert launcher.stdout.readline().startswith("Visavis is ready: http://127.0.0.1:")
    small.mark("broken")
    os.kill(small.until(lambda: small.process("tts-0").get("pid"), "no worker"), signal.SIGKILL)
    small.until(lambda: len(small.revived()) >= 2, "it was not tried again")
    assert launcher.poll() is None, "the others go on"
    assert small.process("webrtc")["statename"] == "RUNNING"
    assert ['"again_in_s": 0.5' in small.revived()[0], '"again_in_s": 1.0' in small.revived()[1]] == [True, True]
    small.mark("broken", there=False)
    small.until(lambda: small.process("tts-0")["statename"] == "RUNNING", "it did not come back")
    launcher.terminate()
    assert launcher.wait(PATIENCE_S) == 0
    assert small.sockets() == []


def test_a_set_that_does_not_become_complete_says_what_is_missing(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "ROOT", small.folder)
    supervisord = launch.start(small.settings)
    try:
        small.until(
            lambda: launch._ready(small.settings, "")[1] == "missing tts: loading flite", "the edge does not answer"
        )
        with pytest.raises(
            launch.LaunchError, match=r"Not ready after 1 s: missing tts: loading flite\. Logs: .*run/logs"
        ):
            launch.await_ready(small.settings, supervisord, timeout_s=1)
        with pytest.raises(launch.LaunchError, match="already running"):
            launch.start(small.settings)
    finally:
        launch.stop(small.settings, supervisord)


def test_a_supervisord_that_ends_is_told_with_its_words(small: Small) -> None:
    conf = small.folder / "etc" / "supervisord.conf"
    conf.write_text(conf.read_text().replace("nodaemon=true", "nodaemon=perhaps"))
    _, err = small.launch().communicate(timeout=PATIENCE_S)
    assert "supervisord ended with 2" in err
    assert "perhaps" in err


def test_a_port_that_is_taken_is_said_with_the_setting_that_changes_it(small: Small) -> None:
    with socket.create_server(("127.0.0.1", small.port)):
        _, err = small.launch("--detach").communicate(timeout=PATIENCE_S)
    assert small.launcher
    assert small.launcher.returncode == 1
    assert err.startswith(f"Port {small.port} is taken by another program. Name another one: [server] port in ")
    assert launch.processes(small.settings) is None


def test_the_ports_of_all_edges_are_looked_at(small: Small) -> None:
    small.environ["VISAVIS_WORKERS_WEBRTC"] = "2"
    with socket.create_server(("127.0.0.1", small.port + 1)):
        _, err = small.launch("--detach").communicate(timeout=PATIENCE_S)
    assert err.startswith(f"Port {small.port + 1} is taken")


OURS = b'{"ready": true, "missing": [], "launch": "ours"}'
NOT_OURS = {
    "another Visavis": b"HTTP/1.0 200 OK\r\n\r\n" + OURS.replace(b"ours", b"theirs"),
    "an older one": b'HTTP/1.0 200 OK\r\n\r\n{"ready": true, "missing": []}',
    "any other server": b"HTTP/1.0 200 OK\r\n\r\n<p>Welcome!</p>",
    "a list": b"HTTP/1.0 404 Not Found\r\n\r\n[]",
    "words": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
}


def answered(small: Small, answer: bytes) -> tuple[bool, str]:
    """What the launcher makes of who answers so."""

    def serve() -> None:
        caller, _ = door.accept()
        with caller:
            caller.recv(4096)
            caller.sendall(answer)

    with socket.create_server(("127.0.0.1", small.port)) as door:
        server = threading.Thread(target=serve)
        server.start()
        found = launch._ready(small.settings, "ours")
        server.join()
    return found


@pytest.mark.parametrize("answer", NOT_OURS.values(), ids=list(NOT_OURS))
def test_who_else_answers_there_is_not_ready(small: Small, answer: bytes) -> None:
    ready, reason = answered(small, answer)
    assert not ready
    assert reason.startswith(("another program answers", "the edge does not answer yet"))


def test_our_own_edge_is(small: Small) -> None:
    assert answered(small, b"HTTP/1.0 200 OK\r\n\r\n" + OURS)[0]


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(small: Small) -> None:
    small.mark("complete")
    small.environ = {key: value for key, value in small.environ.items() if key.lower() != "no_proxy"}
    small.environ |= {"http_proxy": f"http://127.0.0.1:{free_port()}"}
    out, err = small.launch("--detach").communicate(timeout=PATIENCE_S)
    assert out.startswith("Visavis is ready: "), err


def test_what_nobody_expected_stops_it_too(small: Small) -> None:
    _, err = small.launch(first="launch._ready = lambda *_: 1 / 0").communicate(timeout=PATIENCE_S)
    assert "ZeroDivisionError" in err
    assert launch.processes(small.settings) is None
    assert small.sockets() == []


def test_a_terminal_that_is_closed_stops_it(small: Small) -> None:
    small.mark("complete")
    launcher = small.launch(first="import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)")
    assert launcher.stdout
    launcher.stdout.readline()
    launcher.send_signal(signal.SIGHUP)
    assert launcher.wait(PATIENCE_S) == 0
    assert launch.processes(small.settings) is None


def test_one_that_is_to_outlive_its_terminal_does(small: Small) -> None:
    small.mark("complete")
    launcher = small.launch(first="import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)")  # as nohup does
    assert launcher.stdout
    launcher.stdout.readline()
    launcher.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert launcher.poll() is None
    launcher.terminate()


def test_a_folder_with_a_space_in_its_path_is_as_good_as_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file as it is, read by supervisor itself."""
    settings = load(environ={"VISAVIS_BUS_RUN_FOLDER": str(tmp_path / "r u n"), "VISAVIS_WORKERS_WEBRTC": "2"})
    launch.make_run_folder(settings)
    python = "/home/me/my projects/visavis/.venv/bin/python"
    for key, value in (launch.environment(settings) | {"VISAVIS_PYTHON": python}).items():
        monkeypatch.setenv(key, value)
    options = ServerOptions()
    options.realize(["-c", str(ROOT / "etc" / "supervisord.conf")])
    commands = [
        shlex.split(process.command) for group in options.process_group_configs for process in group.process_configs
    ]
    assert len(commands) > 14
    assert {tuple(words[:2]) for words in commands} == {(python, "-m")}
    assert options.logfile == str(tmp_path / "r u n/logs/supervisord.log")


def test_by_hand_it_starts_as_the_configuration_says(small: Small) -> None:
    """In a new run folder: `--environment` makes it."""
    small.mark("complete")
    head = (ROOT / "etc" / "supervisord.conf").read_text().split("[supervisord]")[0]
    made, started = re.findall("`(.+?)`", head.replace("`bin/up`", ""))
    script = f"{made}; cd {shlex.quote(str(small.folder))}; {started}".replace(".venv/bin/python", sys.executable)
    by_hand = subprocess.Popen(["bash", "-ec", script], cwd=ROOT, env=small.environ | {"VISAVIS_LAUNCH": ""})
    try:
        small.until(lambda: launch._ready(small.settings, "")[0], "it does not start by hand")
    finally:
        launch.stop(small.settings)
        by_hand.wait(PATIENCE_S)

"""`python -m webrtc.janus_server`, by bin/janus: Debian's Janus with etc/janus, and what is live here pushed into it.

To try it out on one machine: Janus is on loopback and ends with this process. For good it is a service of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from broker.config import ROOT, load
from broker.errors import VisavisError

CONFIGS = ROOT / "etc" / "janus"
PORT_LINE, KEY_LINE = "ws_port = 8188", '#admin_key = "…"'
STARTS_WITHIN_S = 20.0
LOOK_S = 1.0


class JanusServer:
    """Janus with a copy of the shipped settings in `folder`, on another port and with a key of its own."""

    def __init__(self, folder: Path, port: int, key: str) -> None:
        self.url = f"ws://127.0.0.1:{port}"
        self.log = folder / "janus.log"
        self._port = port
        self._configs = folder / "etc"
        self._process: subprocess.Popen[bytes] | None = None
        shutil.copytree(CONFIGS, self._configs, dirs_exist_ok=True)
        _replace(self._configs / "janus.transport.websockets.jcfg", PORT_LINE, f"ws_port = {port}")
        _replace(self._configs / "janus.plugin.streaming.jcfg", KEY_LINE, f'admin_key = "{key}"')

    def start(self) -> None:
        """Returns when it listens. Raises RuntimeError with its last words when it does not."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["janus", "-F", str(self._configs), "--disable-colors"], stdout=log, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + STARTS_WITHIN_S
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > end:
                last = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
                raise RuntimeError(f"Janus did not start:\n{last}")
            time.sleep(0.02)

    def stop(self, kill: bool = False) -> None:
        """`kill`: at once, as when it crashes."""
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


@contextlib.contextmanager
def janus(port: int, key: str) -> Iterator[JanusServer]:
    """A running Janus; gone afterwards. Raises RuntimeError."""
    with tempfile.TemporaryDirectory(prefix="visavis-janus-") as folder:
        server = JanusServer(Path(folder), port, key)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} has no line {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")


class Trial:
    """Pushes each conversation of the edge at `edge` into `janus`, as the operator of this machine."""

    def __init__(self, edge: str, janus_url: str, key: str) -> None:
        self._edge = edge
        self._wish = {"url": f"janus+{janus_url}", "token": key}
        self._pushed: set[str] = set()

    def look(self) -> list[str]:
        """Push what is new; the addresses of its viewer pages. Raises OSError when the edge is not there."""
        live = {row["session"] for row in self._ask("GET", "/live/sessions")["sessions"]}
        pages = []
        for session in live - self._pushed:
            with contextlib.suppress(urllib.error.HTTPError):  # it has just ended; or it has enough pushes
                self._ask("POST", f"/api/v1/sessions/{session}/push", self._wish)
                pages.append(f"{self._edge}/view/{session}?via=janus")
        self._pushed |= live
        return pages

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:  # JSON
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(
            self._edge + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=5) as reply:
            return json.load(reply)


def _free_port(wanted: int) -> int:
    """The wanted one, or another that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("no port is free")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/janus", description="Try Janus out: conversations here, viewers there.")
    parser.add_argument("--port", type=int, default=8188, help="of its WebSocket; another one when that is taken")
    arguments = parser.parse_args()
    if not shutil.which("janus"):
        print("Janus is not installed: apt-get install janus", file=sys.stderr)
        return 1
    try:
        server = load().server
    except VisavisError as error:
        print(error, file=sys.stderr)
        return 1
    edge, key = f"{'https' if server.tls_cert else 'http'}://127.0.0.1:{server.port}", secrets.token_hex(16)
    try:
        with janus(_free_port(arguments.port), key) as running:
            print(f"Janus listens on {running.url}. Ctrl-C ends it.", flush=True)
            _follow(Trial(edge, running.url, key), running, edge)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _follow(trial: Trial, running: JanusServer, edge: str) -> None:
    """Say where each conversation can be watched, as it begins. Raises RuntimeError when Janus has ended."""
    hint = ""
    while running.running:
        try:
            for page in trial.look():
                print(f"Watch it through Janus: {page}", flush=True)
            told = f"Begin a conversation at {edge}/ – its viewers' address appears here."
        except OSError:
            told = f"Nothing answers at {edge}: start it with bin/up. It is looked for until then."
        if told != hint:
            print(told, flush=True)
            hint = told
        time.sleep(LOOK_S)
    raise RuntimeError("Janus has ended.")


if __name__ == "__main__":
    sys.exit(main())

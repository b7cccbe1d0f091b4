"""A real nginx with its RTMP module (Debian: nginx, libnginx-mod-rtmp) on a port of loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")

CONFIG = """
load_module {module};
user {user};
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 64; }}
rtmp {{
  access_log off;
  server {{
    listen 127.0.0.1:{port};
    application live {{ live on; }}
    application closed {{ live on; deny publish all; }}
  }}
}}
"""


def lacking() -> str:
    """Why it cannot run here; empty when it can."""
    if not shutil.which("nginx") or not MODULE.exists() or not shutil.which("ffprobe"):
        return "nginx's RTMP module or ffprobe is not here: apt-get install nginx libnginx-mod-rtmp ffmpeg"
    return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MediaServer:
    """Started by `start`, killed by `kill`; keeps its port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        user = "root" if os.getuid() == 0 else "nobody"
        text = CONFIG.format(module=MODULE, folder=folder, port=self.port, user=user)
        (folder / "nginx.conf").write_text(text)

    def url(self, key: str = "key", application: str = "live") -> str:
        return f"rtmp://127.0.0.1:{self.port}/{application}/{key}"

    def start(self) -> MediaServer:
        config = str(self._folder / "nginx.conf")
        command = ["nginx", "-p", str(self._folder), "-e", str(self._folder / "error.log"), "-c", config]
        self._process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        until(self._listens, "nginx does not listen")
        return self

    def kill(self) -> None:
        """At once, with all its connections."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It keeps its connections, and takes nothing."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def until(holds: Callable[[], bool], otherwise: str, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)

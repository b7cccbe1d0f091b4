"""Debian's coturn with the shipped settings, for tests: with a certificate of its own, so that TLS is tried too."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from broker.config import ROOT
from tests.certificate import certificate

SECRET = "a secret of the tests, long enough"
STARTS_WITHIN_S = 30.0


@contextlib.contextmanager
def relay(folder: Path, port: int, address: str = "127.0.0.1", within: Sequence[str] = ()) -> Iterator[None]:
    """coturn on one port of `address`, the only place it relays to. `within`: a command that starts it elsewhere."""
    pem = certificate(folder, "relay", f"IP:{address}")
    command = [*within, "turnserver", "-c", str(ROOT / "etc/coturn.conf")]
    command += [f"--listening-port={port}", f"--tls-listening-port={port}", f"--listening-ip={address}"]
    command += [f"--relay-ip={address}", f"--allowed-peer-ip={address}", f"--static-auth-secret={SECRET}"]
    command += [f"--cert={pem}", f"--pkey={pem.with_suffix('.key')}"]
    command += [f"--pidfile={folder}/turn.pid", f"--userdb={folder}/turn.db"]
    if address.startswith("127."):
        command.append("--allow-loopback-peers")
    log = folder / "turn.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=folder)
    try:
        end = time.monotonic() + STARTS_WITHIN_S
        while not _listens(address, port, within):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _listens(address: str, port: int, within: Sequence[str]) -> bool:
    if within:
        probe = f"exec 3<>/dev/tcp/{address}/{port}"
        return subprocess.run([*within, "bash", "-c", probe], capture_output=True, check=False).returncode == 0
    with socket.socket() as probe_socket:
        return probe_socket.connect_ex((address, port)) == 0

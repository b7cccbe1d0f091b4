"""Two hosts on this machine: network namespaces joined by a cable of their own. Needs root and iproute2."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

SERVER, HOME = "198.51.100.1", "198.51.100.2"
"""Addresses of RFC 5737, which are nobody's."""


@dataclass(frozen=True)
class Hosts:
    """`server` and `home`: what starts a command on them."""

    server: tuple[str, ...]
    home: tuple[str, ...]

    def block(self, *what: str) -> None:
        """Nothing like this leaves home, such as `ipproto udp`."""
        _run(*self.home, "ip", "rule", "add", "priority", "10", *what, "prohibit")

    def unblock(self) -> None:
        """Everything leaves home again."""
        while subprocess.run([*self.home, "ip", "rule", "del", "priority", "10"], capture_output=True).returncode == 0:
            pass


def possible() -> bool:
    """This machine lets us have them."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return False
    return subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def two_hosts() -> Iterator[Hosts]:
    names = [f"visavis-{role}-{os.getpid()}" for role in ("server", "home")]
    ends = [f"vis{os.getpid() % 100_000}{letter}" for letter in "sh"]
    hosts = Hosts(*(("ip", "netns", "exec", name) for name in names))
    try:
        for name in names:
            _run("ip", "netns", "add", name)
        _run("ip", "link", "add", ends[0], "netns", names[0], "type", "veth", "peer", ends[1], "netns", names[1])
        for name, end, own, other in zip(names, ends, (SERVER, HOME), (HOME, SERVER), strict=True):
            here = ("ip", "-n", name)
            _run(*here, "link", "set", "lo", "up")
            _run(*here, "address", "add", f"{own}/24", "dev", end)
            _run(*here, "link", "set", end, "up")
            _run(*here, "route", "add", "default", "via", other)  # Chromium gathers nothing without one
        yield hosts
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)

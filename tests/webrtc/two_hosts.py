"""Two hosts on this machine: network namespaces joined by a cable of their own. Needs root and iproute2."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

SERVER, HOME = "198.51.100.1", "198.51.100.2"
"""Addresses of RFC 5737, which are nobody's."""


ALLOWED, BLOCKED, DARK = "9", "10", "100"
"""Priorities of the rules of who may leave home, and the table of routes to nowhere."""


@dataclass(frozen=True)
class Hosts:
    """`server` and `home`: what starts a command on them."""

    server: tuple[str, ...]
    home: tuple[str, ...]

    def block(self, *what: str) -> None:
        """What leaves home like this, such as `ipproto udp`, is lost without a word, as in a firewall."""
        _run(*self.home, "ip", "rule", "add", "priority", BLOCKED, *what, "table", DARK)

    def allow(self, *what: str) -> None:
        """But not this."""
        _run(*self.home, "ip", "rule", "add", "priority", ALLOWED, *what, "table", "main")

    def unblock(self) -> None:
        """Everything leaves home again."""
        for priority in (ALLOWED, BLOCKED):
            while _ran(*self.home, "ip", "rule", "del", "priority", priority):
                pass


@contextlib.contextmanager
def two_hosts() -> Iterator[Hosts]:
    """Raises CalledProcessError where this machine does not let us have them."""
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
        # A cable whose other end nobody listens at.
        home, dark = ("ip", "-n", names[1]), f"{ends[1]}d"
        _run(*home, "link", "add", dark, "type", "veth", "peer", f"{dark}x")
        for end in (dark, f"{dark}x"):
            _run(*home, "link", "set", end, "arp", "off", "up")
        _run(*home, "route", "add", "default", "dev", dark, "src", HOME, "table", DARK)
        yield hosts
    finally:
        for name in names:
            _ran("ip", "netns", "del", name)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _ran(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0

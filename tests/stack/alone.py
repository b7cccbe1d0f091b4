"""A network of one's own for a while: loopback, and a cable to nowhere on which whatever wants out is seen."""

from __future__ import annotations

import ctypes
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

CLONE_NEWNET = 0x40000000
ETH_P_ALL, ETH_P_IP = 3, 0x0800
PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp"}
ADDRESS = "198.51.100.2"
"""Of RFC 5737: nobody's."""
OUTSIDE = "203.0.113.7"

Result = TypeVar("Result")


AS_ROOT_OF_OURSELVES = ("unshare", "--user", "--map-root-user")
"""Before a command: it is root in a user namespace, user_namespaces(7), and may have networks of its own."""


def possible(*before: str) -> bool:
    """This machine lets us have one, at least `before` a command: as root, or where user namespaces are allowed."""
    try:
        lo = ["unshare", "--net", "ip", "link", "set", "lo", "up"]
        return subprocess.run([*before, *lo], capture_output=True).returncode == 0
    except OSError:
        return False


class Cable:
    """Seen from its far end, which nobody else has."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._socket.bind(("nowhere", 0))
        self._socket.setblocking(False)
        self._seen: list[str] = []

    def seen(self) -> list[str]:
        """Every packet that wanted out so far: its protocol and where to."""
        while True:
            try:
                packet, (_, kind, *_) = self._socket.recvfrom(2048)
            except BlockingIOError:
                return list(self._seen)
            self._seen.append(_told(packet, kind))


def _told(packet: bytes, kind: int) -> str:
    if kind != ETH_P_IP:
        return f"protocol {kind:#06x}"
    after = (packet[0] & 15) * 4
    port = int.from_bytes(packet[after + 2 : after + 4], "big")
    return f"{PROTOCOLS.get(packet[9], packet[9])} {socket.inet_ntoa(packet[16:20])}:{port}"


def alone(work: Callable[[Cable], Result]) -> Result:
    """What `work` returns; it runs in a thread of its own, which alone with its child processes has this network.

    The network goes with the last of them. Raises what `work` raises.
    """

    def apart() -> Result:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "no network of one's own")
        _ip("link", "set", "lo", "up")
        _ip("link", "add", "out", "type", "veth", "peer", "name", "nowhere")
        for end in ("out", "nowhere"):
            # Neither looks for neighbours: what is counted is what somebody sends.
            _ip("link", "set", end, "arp", "off", "addrgenmode", "none")
            _ip("link", "set", end, "up")
        _ip("address", "add", f"{ADDRESS}/24", "dev", "out")
        _ip("route", "add", "default", "dev", "out")
        return work(Cable())

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(apart).result()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)

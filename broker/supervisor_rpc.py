"""supervisord's XML-RPC over its Unix socket, with the standard library."""

from __future__ import annotations

import http.client
import socket
import xmlrpc.client
from typing import Any


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=5)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(5)
        self.sock.connect(self.path)


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _UnixConnection(self.path)


def connect(path: str) -> xmlrpc.client.ServerProxy:
    """A proxy for the supervisord whose socket is at `path`. Calls raise OSError when nobody listens there."""
    return xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(path))

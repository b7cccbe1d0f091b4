"""Credentials for a TURN server that expire, from the secret it shares with the edge (coturn's `use-auth-secret`).

The scheme is draft-uberti-behave-turn-rest-00: the user name is the second at which it expires, and who it is for; the
password is its HMAC. The server keeps no list; a leaked pair is worthless in an hour.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from broker.config import Server


def credentials(secret: str, name: str, expires_s: int) -> tuple[str, str]:
    """User name and password, good until `expires_s` (Unix time)."""
    user = f"{expires_s}:{name}"
    digest = hmac.new(secret.encode(), user.encode(), hashlib.sha1).digest()
    return user, base64.b64encode(digest).decode()


def minted(server: Server, now_s: float, name: str = "visavis") -> tuple[dict[str, Any], ...]:
    """The TURN server as a browser wants it; nothing where none is configured."""
    if not server.turn_urls:
        return ()
    user, password = credentials(server.turn_secret, name, int(now_s) + server.turn_ttl_s)
    return ({"urls": list(server.turn_urls), "username": user, "credential": password},)

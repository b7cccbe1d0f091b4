"""Where a conversation may be pushed by RTMP, and what of that address may be shown: its last part is a secret."""

from __future__ import annotations

from urllib.parse import urlsplit

SCHEMES = ("rtmp", "rtmps")
LONGEST = 2_000


def is_rtmp(url: str) -> bool:
    return url.partition(":")[0].lower() in SCHEMES


def flaw(url: str) -> str:
    """Why this is no address to push to, as a sentence; empty when it is one."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "The host or the port in this address cannot be read."
    if not is_rtmp(url) or not host or len(parts.path.strip("/").split("/")) < 2:
        return "An RTMP address is rtmp://host/application/key or rtmps://host/application/key."
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        return f"An RTMP address has at most {LONGEST} characters, and no spaces among them."
    return ""


def shown(url: str) -> str:
    """The address without the key and the password."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rpartition('/')[0]}/…"

"""Where a conversation may be pushed – by RTMP, by WHIP, into Janus – and what of that address may be shown."""

from __future__ import annotations

from urllib.parse import urlsplit

RTMP, WHIP, JANUS = "rtmp", "whip", "janus"

JANUS_SCHEME = "janus+"
"""Before `ws://` or `wss://`, which alone does not say what speaks there."""

KINDS = {
    "rtmp": RTMP,
    "rtmps": RTMP,
    "http": WHIP,
    "https": WHIP,
    f"{JANUS_SCHEME}ws": JANUS,
    f"{JANUS_SCHEME}wss": JANUS,
}
"""What speaks to an address, by its scheme."""

LONGEST = 2_000


def kind_of(url: str) -> str:
    """rtmp, whip or janus; empty when nothing here speaks to such an address."""
    return KINDS.get(url.partition(":")[0].lower(), "")


def flaw(url: str) -> str:
    """Why this is no address to push to, as a sentence; empty when it is one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "The host or the port in this address cannot be read."
    kind = kind_of(url)
    if kind == RTMP and (not host or len(parts.path.strip("/").split("/")) < 2):
        return "An RTMP address is rtmp://host/application/key or rtmps://host/application/key."
    if not kind or not host or port == 0:
        return (
            "A WHIP server's address begins with https:// or http://, an RTMP server's with rtmps:// or rtmp://, "
            "a Janus' with janus+wss:// or janus+ws://."
        )
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        return f"An address has at most {LONGEST} plain characters, and no spaces among them."
    return ""


def shown(url: str) -> str:
    """The address without its secrets: the password, and by RTMP the key, which is its last part."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    path = f"{parts.path.rpartition('/')[0]}/…" if kind_of(url) == RTMP else parts.path
    return f"{parts.scheme}://{host}{port}{path}"

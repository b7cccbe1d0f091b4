"""Who may reach the edge, under which name and from which page; what its pages may load; where it may listen.

A page elsewhere on the web can make a browser talk to 127.0.0.1. The Host check stops names that were pointed here
(DNS rebinding), the Origin check stops other pages' sockets and posts.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from broker.config import Server
from broker.errors import ConfigError
from broker.loopback import is_loopback

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

SETTINGS: web.AppKey[Server] = web.AppKey("server", Server)


class Neighbours(Protocol):
    """Other places whose pages may use some of this edge's doors, and which its own pages may use; see edges.py."""

    def admits(self, request: web.Request, origin: str) -> bool:
        """A page of `origin` may make this request."""

    def places(self, request: web.Request) -> tuple[str, ...]:
        """The other edges, and the session's media server, as `scheme://host:port`."""


NEIGHBOURS: web.AppKey[Neighbours] = web.AppKey("neighbours", Neighbours)
POLICY = "Content-Security-Policy"

_IMPORT_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), autoplay=(self), camera=(), geolocation=()",
}


def new_token() -> str:
    """A caller's secret. Only its hash leaves this process, except to its own page."""
    return secrets.token_urlsafe(24)


def token_hash(token: str) -> str:
    return hashlib.sha256(_bytes(token)).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare secrets in time that does not tell how much of them is right."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


def _bytes(secret: str) -> bytes:
    """Of whatever a header had: aiohttp hands on bytes that are not UTF-8 as halves of letters."""
    return secret.encode("utf-8", "surrogatepass")


def check_bind(server: Server) -> None:
    """Raises ConfigError when `server.host` lets others in without TLS and an operator's token."""
    if is_loopback(server.host):
        return
    lacking = []
    if not server.operator_token:
        lacking.append("VISAVIS_SERVER_OPERATOR_TOKEN to a secret of 16 characters or more")
    elif len(server.operator_token) < 16:
        lacking.append("a longer VISAVIS_SERVER_OPERATOR_TOKEN (16 characters or more)")
    if not server.tls_cert or not server.tls_key:
        lacking.append("server.tls_cert and server.tls_key to a certificate and its key")
    if lacking:
        raise ConfigError(
            f"server.host = {server.host!r} can be reached from other machines, so it needs protection: "
            f"set {' and '.join(lacking)}, or set server.host back to 127.0.0.1."
        )


def bearer(request: web.Request) -> str:
    """The bearer token of a request (RFC 6750); empty where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def is_operator(request: web.Request) -> bool:
    """The request may operate: it comes from this machine itself, or bears the operator's token."""
    server = request.app[SETTINGS]
    if server.operator_token and same(bearer(request), server.operator_token):
        return True
    forwarded = "Forwarded" in request.headers or "X-Forwarded-For" in request.headers
    return not forwarded and is_loopback(request.remote or "")


def address_of(request: web.Request) -> str:
    """Who asks, for limits per address: of `X-Forwarded-For`, from its end, the first that is none of server.proxies.

    What stands before that can be anybody's invention; without a proxy of ours on the connection all of it can.
    """
    proxies = _networks(request.app[SETTINGS].proxies)
    hops = [hop for line in request.headers.getall("X-Forwarded-For", []) for hop in line.split(",")]
    address = _address(request.remote or "")
    while hops and address and any(address in network for network in proxies):
        before = _address(hops.pop())
        if before is None:
            break
        address = before
    return str(address or request.remote or "")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@functools.cache
def _networks(proxies: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ipaddress.ip_network, proxies))


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Checks Host and Origin of every request, adds the headers to every answer."""
    refusal = _refusal(request)
    if refusal:
        raise web.HTTPForbidden(text=refusal + "\n", headers=HEADERS)
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(_headers(request))
        raise
    if not response.prepared:
        for name, value in _headers(request).items():
            response.headers.setdefault(name, value)
    return response


def _refusal(request: web.Request) -> str:
    """Why the request is not answered; empty when it is."""
    server = request.app[SETTINGS]
    host = request.headers.get("Host", "")
    name = _name(host)
    if name is None or name not in LOOPBACK_NAMES | {each.lower() for each in (*server.hosts, server.host)}:
        return f"This server is not called {host[:80]!r}. If it should be, add the name to server.hosts."
    origin = request.headers.get("Origin")
    if origin is not None and _place(origin) != host.lower() and not request.app[NEIGHBOURS].admits(request, origin):
        return f"A page of {origin[:80]!r} may not use this server."
    return ""


def _name(host: str) -> str | None:
    """The name in a Host header without its port, in lower case; None when it is not one."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _place(origin: str) -> str | None:
    """Host and port of an Origin header; None when it has none (`null`: a sandboxed page or a file)."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _headers(request: web.Request) -> dict[str, str]:
    return HEADERS | {POLICY: policy_of(request)}


def policy_of(request: web.Request, page: str = "") -> str:
    """The Content-Security-Policy of the answer to `request`; `page`: the HTML in it."""
    return policy(request.headers.get("Host", ""), page, request.app[NEIGHBOURS].places(request))


def policy(host: str, page: str = "", places: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of an answer of `host`; `page`: the HTML in it, whose import map is let in.

    `places`: other edges that the page may talk to. WebAssembly is for the decoders of compressed 3D models, `blob:`
    for the pictures inside a model.
    """
    maps = [hashlib.sha256(text.encode()).digest() for text in _IMPORT_MAP.findall(page)]
    inline = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in maps)
    directives = {
        "default-src": "'self'",
        "script-src": f"'self' 'wasm-unsafe-eval'{inline}",
        "connect-src": " ".join(["'self'", "blob:", f"ws://{host}", f"wss://{host}", *places]),
        "img-src": "'self' data: blob:",
        "media-src": "'self' blob: mediastream:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())

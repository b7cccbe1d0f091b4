"""What WHIP and WHEP have in common over HTTP (RFC 9725, draft-ietf-wish-whep): bodies, tags, links, candidates.

Every refusal is an HTTP status and one sentence that says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import web
from aiortc import RTCIceCandidate

from broker.config import ICE_URL
from webrtc import sdp_fragment
from webrtc.errors import SdpError
from webrtc.offer import LONGEST_SDP

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"

_PARAMETER = re.compile(r';\s*([\w-]+)\s*=\s*(?:"([^"]*)"|([^;,\s]*))')
_LINK = re.compile(r'<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^;,\s]*))*)')
"""RFC 8288, as far as these links use it."""


async def offer_of(request: web.Request) -> str:
    """The SDP a client posts. Raises 406, 413, 415 or 400."""
    if request.content_type != SDP:
        raise web.HTTPUnsupportedMediaType(
            text=f"Send an offer as {SDP}.\n", headers={"Accept": SDP, "Accept-Post": SDP}
        )
    accepted = request.headers.get("Accept", "*/*")
    if not any(kind in accepted for kind in (SDP, "application/*", "*/*")):
        raise web.HTTPNotAcceptable(text=f"The answer is {SDP}.\n")
    return await _text(request, LONGEST_SDP)


async def fragment_of(request: web.Request, etag: str, ufrag: str) -> tuple[RTCIceCandidate, ...]:
    """The candidates of a PATCH. Raises 415, 428, 412, 413, 400, or 422 for an ICE restart, which is not offered."""
    if request.content_type != FRAGMENT:
        raise web.HTTPUnsupportedMediaType(text=f"Send candidates as {FRAGMENT}.\n", headers={"Accept-Patch": FRAGMENT})
    match = request.headers.get("If-Match")
    if match is None:
        raise web.HTTPPreconditionRequired(text="Name the ICE session by If-Match, with the ETag of the answer.\n")
    tags = [tag.strip() for tag in match.split(",")]
    if "*" not in tags and etag not in tags:
        raise web.HTTPPreconditionFailed(text="This ICE session is over, or another one.\n", headers={"ETag": etag})
    try:
        fragment = sdp_fragment.parse(await _text(request, sdp_fragment.LONGEST))
    except SdpError as error:
        raise web.HTTPBadRequest(text=f"{error}\n") from error
    if fragment.ufrag and ufrag and fragment.ufrag != ufrag:
        raise web.HTTPUnprocessableEntity(text="ICE is not restarted here: delete this resource, post a new offer.\n")
    return fragment.candidates


async def tried(candidates: tuple[RTCIceCandidate, ...], add: Callable[[RTCIceCandidate], Awaitable[None]]) -> None:
    """Hand trickled candidates on. Raises 400 past the limit."""
    for candidate in candidates:
        try:
            await add(candidate)
        except SdpError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        except ValueError as error:  # aioice: a media line that is not there
            raise web.HTTPBadRequest(text="A candidate names a line the offer does not have.\n") from error


def created(answer: str, location: str, etag: str, ice_servers: tuple[dict[str, Any], ...], links: list[str]) -> Any:
    """201 with all that a client needs to go on."""
    headers = {"Location": location, "ETag": etag}
    response = web.Response(status=201, text=mux_only(answer), content_type=SDP, headers=headers)
    response.headers["Accept-Patch"] = FRAGMENT
    for link in [*ice_links(ice_servers), *links]:
        response.headers.add("Link", link)
    return response


def mux_only(sdp: str) -> str:
    """The description saying that its RTCP never has a port of its own.

    RFC 9725, 4.4.1 and the draft of WHEP want this from both sides; RFC 8858 would have it in offers only.
    """
    return sdp.replace("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtcp-mux-only\r\n")


def ice_links(servers: tuple[dict[str, Any], ...]) -> list[str]:
    """`Link` headers with rel="ice-server", one a URL (RFC 9725, 4.6)."""
    links = []
    for server in servers:
        urls = server.get("urls", ())
        for url in [urls] if isinstance(urls, str) else urls:
            link = f'<{url}>; rel="ice-server"'
            if server.get("username"):
                link += f'; username="{server["username"]}"; credential="{server.get("credential", "")}"'
                link += '; credential-type="password"'
            links.append(link)
    return links


def ice_servers(links: Iterable[str]) -> tuple[dict[str, Any], ...]:
    """What a server's `Link` headers name, as aiortc's RTCIceServer takes it; links of other kinds are left out."""
    found = []
    for url, told in (pair for link in links for pair in _LINK.findall(link)):
        values = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(told)}
        if values.get("rel") == "ice-server" and ICE_URL.fullmatch(url):
            found.append({"urls": url} | {name: values[name] for name in ("username", "credential") if name in values})
    return tuple(found)


async def _text(request: web.Request, longest: int) -> str:
    if (request.content_length or 0) > longest:
        raise web.HTTPRequestEntityTooLarge(longest, request.content_length or 0)
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError:
        raise web.HTTPBadRequest(text="This is not text in UTF-8.\n") from None

"""What WHIP and WHEP have in common over HTTP (RFC 9725, draft-ietf-wish-whep): bodies, tags, links, candidates.

Every refusal is an HTTP status and one sentence that says what to do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiortc import RTCIceCandidate

from webrtc import sdp_fragment
from webrtc.errors import SdpError
from webrtc.offer import LONGEST_SDP

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"


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
    response = web.Response(status=201, text=answer, content_type=SDP, headers={"Location": location, "ETag": etag})
    response.headers["Accept-Patch"] = FRAGMENT
    for link in [*ice_links(ice_servers), *links]:
        response.headers.add("Link", link)
    return response


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


async def _text(request: web.Request, longest: int) -> str:
    if (request.content_length or 0) > longest:
        raise web.HTTPRequestEntityTooLarge(longest, request.content_length or 0)
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError:
        raise web.HTTPBadRequest(text="This is not text in UTF-8.\n") from None

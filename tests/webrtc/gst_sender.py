"""A WHIP sender made of GStreamer's webrtcbin, for the system's Python: `python3 gst_sender.py URL TOKEN SECONDS`.

Sends a tone and pictures; posts its offer at once, its candidates after it, and takes its leave after so many seconds.
Prints a JSON line with the status of each request it made. It shares no line of code with the product.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

URL, TOKEN, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
SENT = (
    "audiotestsrc is-live=true freq=300 ! opusenc ! rtpopuspay pt=96 ! "
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=96 ! out. "
    "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=5/1 ! vp8enc deadline=1 ! "
    "rtpvp8pay pt=97 ! application/x-rtp,media=video,encoding-name=VP8,payload=97 ! out. "
    "webrtcbin name=out bundle-policy=max-bundle"
)
place: dict[str, str] = {}
"""The resource: its Location, and the ETag of its ICE session."""
statuses: dict[str, list[int]] = {"POST": [], "PATCH": [], "DELETE": []}


def main() -> None:
    Gst.init(None)
    loop, pipeline = GLib.MainLoop(), Gst.parse_launch(SENT)
    out = pipeline.get_by_name("out")
    early: list[tuple[int, str]] = []

    def wanted(_: Gst.Element) -> None:
        out.emit("create-offer", None, Gst.Promise.new_with_change_func(offered, None))

    def offered(promise: Gst.Promise, _: object) -> None:
        reply = promise.get_reply()  # owns the offer
        offer = reply.get_value("offer")
        out.emit("set-local-description", offer, Gst.Promise.new())
        GLib.idle_add(post, offer.sdp.as_text())

    def post(sdp: str) -> bool:
        answer, headers = ask("POST", URL, sdp, "application/sdp")
        if "Location" not in headers:
            loop.quit()
            return False
        place.update(url=urllib.parse.urljoin(URL, headers["Location"]), tag=headers["ETag"])
        _, message = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(answer, message)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        out.emit("set-remote-description", description, Gst.Promise.new())
        for line, candidate in early:
            trickle(line, candidate)
        return False

    def found(_: Gst.Element, line: int, candidate: str) -> None:
        GLib.idle_add(later, line, candidate)

    def later(line: int, candidate: str) -> bool:
        if place:
            trickle(line, candidate)
        else:
            early.append((line, candidate))
        return False

    out.connect("on-negotiation-needed", wanted)
    out.connect("on-ice-candidate", found)
    pipeline.set_state(Gst.State.PLAYING)
    GLib.timeout_add(int(1000 * SECONDS), loop.quit)
    loop.run()
    if place:
        ask("DELETE", place["url"])
    pipeline.set_state(Gst.State.NULL)
    print(json.dumps(statuses), flush=True)


def trickle(line: int, candidate: str) -> None:
    kind = ("audio", "video")[line]
    fragment = f"m={kind} 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:{kind}{line}\r\na={candidate}\r\n"
    ask("PATCH", place["url"], fragment, "application/trickle-ice-sdpfrag", {"If-Match": place["tag"]})


def ask(
    method: str, url: str, body: str = "", kind: str = "", more: dict[str, str] | None = None
) -> tuple[bytes, dict[str, str]]:
    headers = {"Authorization": f"Bearer {TOKEN}", **(more or {}), **({"Content-Type": kind} if kind else {})}
    request = urllib.request.Request(url, body.encode() or None, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            statuses[method].append(reply.status)
            return reply.read(), dict(reply.headers)
    except urllib.error.HTTPError as refused:
        statuses[method].append(refused.code)
        return refused.read(), {}


main()

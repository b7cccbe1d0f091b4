"""A WHEP player made of GStreamer's webrtcbin, for the system's Python: `python3 gst_player.py URL SECONDS [ENOUGH]`.

Ends when enough packets of both kinds have come, or the time is over; 0 is never enough. Prints a JSON line with the
packets of each kind, and the whole pictures, now and then and at the end. It shares no line of code with the product.
"""

from __future__ import annotations

import json
import sys
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

URL, SECONDS = sys.argv[1], float(sys.argv[2])
ENOUGH = int(sys.argv[3]) if len(sys.argv) > 3 else 30
TOLD_MS = 100
CAPS = (
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=96,clock-rate=48000,encoding-params=(string)2",
    (
        "application/x-rtp,media=video,encoding-name=H264,payload=97,clock-rate=90000,packetization-mode=(string)1,"
        "profile-level-id=(string)42e01f,rtcp-fb-nack-pli=true"
    ),
)
came = {"audio": 0, "video": 0, "pictures": 0}


def main() -> None:
    Gst.init(None)
    loop, pipeline = GLib.MainLoop(), Gst.Pipeline.new()
    webrtc = Gst.ElementFactory.make("webrtcbin")
    webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
    pipeline.add(webrtc)

    def offered(promise: Gst.Promise, _: object) -> None:
        reply = promise.get_reply()  # owns the offer
        webrtc.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def gathered(element: Gst.Element, _: object) -> None:
        if element.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(post)

    def post() -> bool:
        sdp = webrtc.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(URL, sdp.encode(), {"Content-Type": "application/sdp"}, method="POST")
        answer = urllib.request.urlopen(request, timeout=5).read()
        _, message = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(answer, message)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        webrtc.emit("set-remote-description", description, Gst.Promise.new())
        return False

    def added(_: Gst.Element, pad: Gst.Pad) -> None:
        kind = str(pad.get_current_caps().get_structure(0).get_string("media"))
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("sync", False)
        pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

        def count(_: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
            came[kind] += 1
            if kind == "video" and info.get_buffer().extract_dup(1, 1)[0] & 0x80:  # RTP's marker
                came["pictures"] += 1
            if ENOUGH and min(came["audio"], came["video"]) > ENOUGH:
                loop.quit()
            return Gst.PadProbeReturn.OK

        pad.add_probe(Gst.PadProbeType.BUFFER, count)

    webrtc.connect("notify::ice-gathering-state", gathered)
    webrtc.connect("pad-added", added)
    for caps in CAPS:
        webrtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps))
    pipeline.set_state(Gst.State.PLAYING)
    webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(offered, None))
    GLib.timeout_add(int(1000 * SECONDS), loop.quit)
    GLib.timeout_add(TOLD_MS, tell)
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    tell()


def tell() -> bool:
    """True: again."""
    print(json.dumps(came), flush=True)
    return True


main()

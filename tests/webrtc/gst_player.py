"""A WHEP player made of GStreamer's webrtcbin, for the system's Python: `python3 gst_player.py URL SECONDS`.

Ends when enough has come, or the time is over; prints one JSON line with the buffers of each kind. It shares no line of
code with the product.
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
ENOUGH = 30
CAPS = (
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=96,clock-rate=48000,encoding-params=(string)2",
    (
        "application/x-rtp,media=video,encoding-name=H264,payload=97,clock-rate=90000,packetization-mode=(string)1,"
        "profile-level-id=(string)42e01f,rtcp-fb-nack-pli=true"
    ),
)
came = {"audio": 0, "video": 0}


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

        def count(*_: object) -> Gst.PadProbeReturn:
            came[kind] += 1
            if min(came.values()) > ENOUGH:
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
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    print(json.dumps(came))


main()

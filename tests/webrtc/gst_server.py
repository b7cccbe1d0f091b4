"""A WHIP server made of GStreamer's webrtcbin, for the system's Python: `python3 gst_server.py TOKEN SECONDS`.

Prints a JSON line with its address, then now and then the packets of each kind that came, and at the end whether the
sender took its leave by DELETE. Takes one sender. It shares no line of code with the product.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

TOKEN, SECONDS = sys.argv[1], float(sys.argv[2])
TOLD_MS = 100
came = {"audio": 0, "video": 0, "deleted": 0}


def main() -> None:
    Gst.init(None)
    loop = GLib.MainLoop()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.quit = loop.quit  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}/in"}), flush=True)
    GLib.timeout_add(int(1000 * SECONDS), loop.quit)
    GLib.timeout_add(TOLD_MS, tell)
    loop.run()
    tell()


class Door(BaseHTTPRequestHandler):
    """POST /in, DELETE /in/resource."""

    def do_POST(self) -> None:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.reply(401)
            return
        offer = self.rfile.read(int(self.headers["Content-Length"]))
        answered = threading.Event()
        receiver = Receiver(answered)
        GLib.idle_add(receiver.take, offer)
        answered.wait(10)
        self.reply(201, receiver.answer.encode(), {"Location": "in/resource", "Content-Type": "application/sdp"})

    def do_DELETE(self) -> None:
        came["deleted"] += 1
        self.reply(200)
        GLib.timeout_add(TOLD_MS, self.server.quit)  # type: ignore[attr-defined]

    def reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Standard output is for what is counted."""


class Receiver:
    """One webrtcbin; `answer` is there, with all its candidates, once `answered` is set. Runs on the main loop."""

    def __init__(self, answered: threading.Event) -> None:
        self.answer = ""
        self._answered = answered
        self._pipeline = Gst.Pipeline.new()
        self._in = Gst.ElementFactory.make("webrtcbin")
        self._in.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self._pipeline.add(self._in)
        self._in.connect("pad-added", self._added)
        self._in.connect("notify::ice-gathering-state", self._gathered)

    def take(self, offer: bytes) -> bool:
        self._pipeline.set_state(Gst.State.PLAYING)
        _, message = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(offer, message)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.OFFER, message)
        self._in.emit("set-remote-description", description, Gst.Promise.new_with_change_func(self._taken, None))
        return False

    def _taken(self, _: Gst.Promise, __: object) -> None:
        self._in.emit("create-answer", None, Gst.Promise.new_with_change_func(self._made, None))

    def _made(self, promise: Gst.Promise, _: object) -> None:
        reply = promise.get_reply()  # owns the answer
        self._in.emit("set-local-description", reply.get_value("answer"), Gst.Promise.new())

    def _gathered(self, element: Gst.Element, _: object) -> None:
        if element.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self._say)

    def _say(self) -> bool:
        self.answer = self._in.get_property("local-description").sdp.as_text()
        self._answered.set()
        return False

    def _added(self, _: Gst.Element, pad: Gst.Pad) -> None:
        kind = str(pad.get_current_caps().get_structure(0).get_string("media"))
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("sync", False)
        self._pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

        def count(_: Gst.Pad, __: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
            came[kind] += 1
            return Gst.PadProbeReturn.OK

        pad.add_probe(Gst.PadProbeType.BUFFER, count)


def tell() -> bool:
    """True: again."""
    print(json.dumps(came), flush=True)
    return True


main()

"""A real HTTP server on a thread that speaks the OpenAI chat protocol well, or badly in the ways servers do."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = "The library opens at eight. On weekends it opens at ten! Is there **anything** else?"


class ChatServer:
    """`behaviour` is what the next requests meet; `requests` and `cut_short` tell what happened."""

    def __init__(self) -> None:
        self.behaviour = "stream"
        self.text = ANSWER
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.cut_short = threading.Event()
        """Set when a client closed the stream before its end."""
        self.release = threading.Event()
        """Lets a stalled answer go on."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                return

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.requests.append(json.loads(body) | {"path": self.path})
                server.headers.append(dict(self.headers))
                self.close_connection = True
                try:
                    getattr(server, "_" + server.behaviour)(self)
                except (BrokenPipeError, ConnectionResetError):
                    server.cut_short.set()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # --- behaviours ---

    def _stream(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request)
        for at in range(0, len(self.text), 7):
            _event(request, self.text[at : at + 7])
        _finish(request)

    def _drip(self, request: BaseHTTPRequestHandler) -> None:
        """One byte of the wire at a time, comments and odd line ends in between."""
        _begin(request)
        wire = b": hello\r\n\r\n" + b"".join(_wire(word + " ") for word in self.text.split()) + b"data: [DONE]\r\n\r\n"
        for byte in wire:
            request.wfile.write(bytes([byte]))
            request.wfile.flush()

    def _empty_reasons(self, request: BaseHTTPRequestHandler) -> None:
        """Each piece says that the answer ended for the reason ""."""
        _begin(request)
        for at in range(0, len(self.text), 7):
            _event(request, self.text[at : at + 7], reason="")
        _finish(request)

    def _stall(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request)
        _event(request, "One sentence comes. And then ")
        self.release.wait(10)

    def _silent(self, request: BaseHTTPRequestHandler) -> None:
        self.release.wait(10)

    def _keep_alive(self, request: BaseHTTPRequestHandler) -> None:
        """Comments for ever, which are no answer."""
        _begin(request)
        while not self.release.wait(0.02):
            request.wfile.write(b": still here\n\n")
            request.wfile.flush()

    def _cut(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request)
        _event(request, "One sentence comes. And then it bre")

    def _endless(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request)
        while True:
            _event(request, "And so on and on. " * 20)
            time.sleep(0.001)

    def _huge(self, request: BaseHTTPRequestHandler) -> None:
        """Megabytes without the end of an event."""
        _begin(request)
        for _ in range(40):
            request.wfile.write(b"data: " + b"x" * 100_000)

    def _garbage(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request)
        request.wfile.write(b"data: {not json\n\n")

    def _page(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request, kind="text/html")
        request.wfile.write(b"<html>It works!</html>")

    def _error_event(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request)
        request.wfile.write(b'data: {"error": {"message": "out of memory"}}\n\n')

    def _empty(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request)
        _finish(request)

    def _json(self, request: BaseHTTPRequestHandler) -> None:
        """A server that does not stream."""
        _begin(request, kind="application/json")
        request.wfile.write(_answer(self.text))

    def _json_in_pieces(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request, kind="application/json")
        body = _answer(self.text)
        for at in range(0, len(body), 40):
            request.wfile.write(body[at : at + 40])
            request.wfile.flush()
            time.sleep(0.01)

    def _json_large(self, request: BaseHTTPRequestHandler) -> None:
        """More than a client has read when the first of it arrives."""
        _begin(request, kind="application/json")
        request.wfile.write(_answer(self.text, padding="x" * 300_000))

    def _json_huge(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request, kind="application/json")
        request.wfile.write(_answer(self.text, padding="x" * 4_000_000))

    def _json_stall(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request, kind="application/json")
        request.wfile.write(_answer(self.text)[:40])
        request.wfile.flush()
        self.release.wait(10)

    def _json_cut(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request, kind="application/json")
        request.wfile.write(_answer(self.text)[:40])

    def _busy(self, request: BaseHTTPRequestHandler) -> None:
        _status(request, 429)

    def _broken(self, request: BaseHTTPRequestHandler) -> None:
        _status(request, 500)

    def _forbidden(self, request: BaseHTTPRequestHandler) -> None:
        _status(request, 401)

    def _moved(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", "http://127.0.0.1:1/elsewhere")
        request.send_header("Content-Length", "0")
        request.end_headers()


def _begin(request: BaseHTTPRequestHandler, kind: str = "text/event-stream") -> None:
    request.send_response(200)
    request.send_header("Content-Type", kind)
    request.send_header("Connection", "close")
    request.end_headers()


def _answer(text: str, **more: str) -> bytes:
    """The whole of one at once."""
    return json.dumps(more | {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()


def _wire(text: str, reason: str | None = None) -> bytes:
    return (
        b"data: "
        + json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": reason}]}).encode()
        + b"\r\n\r\n"
    )


def _event(request: BaseHTTPRequestHandler, text: str, reason: str | None = None) -> None:
    request.wfile.write(_wire(text, reason))
    request.wfile.flush()


def _finish(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')


def _status(request: BaseHTTPRequestHandler, status: int) -> None:
    request.send_response(status)
    request.send_header("Content-Length", "0")
    request.end_headers()

"""`python -m workers.outputs.rtmp_push`: one attempt to send a session to an RTMP server, in a process of its own.

The address comes by the environment, where no list of processes shows it; packets come by standard input, with Opus
that becomes AAC here. Says on standard output how it goes, a JSON line each: {"state", "reason"}.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import ssl
import sys
from fractions import Fraction
from urllib.parse import urlsplit

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.stream import Stream

from broker.orphan import end_with_parent
from workers.outputs.aac import Aac
from workers.outputs.avc import AvcConfig, config_of, sample
from workers.outputs.fragmented_mp4 import RATE_HZ, FragmentedMp4
from workers.outputs.media_file import OPUS_DELAY_SAMPLES
from workers.outputs.packet_pipe import KEY_PICTURE, SOUND, Packet, records

ADDRESS = "VISAVIS_RTMP_URL"
TIME_BASE = Fraction(1, RATE_HZ)

GOING_S = 3
"""After the end a server that takes nothing more is waited for so long."""

RTMPS_PORT = 443
HANDSHAKE_S = 5.0


class Flv:
    """The stream, from its first key frame on, which is its time 0."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._aac = Aac()
        self._config: AvcConfig | None = None
        self._start = 0
        self._output: OutputContainer | None = None
        self._picture: Stream | None = None
        self._sound: Stream | None = None

    @property
    def open(self) -> bool:
        return self._output is not None

    def feed(self, packet: Packet) -> None:
        """Raises FFmpegError when the server is not there (any more), ValueError when pictures change their shape."""
        if packet.kind == SOUND:
            for time, frame in self._aac.feed(packet.time - OPUS_DELAY_SAMPLES, packet.data):
                if time >= self._start:
                    self._mux(self._sound, time, frame, True)
            return
        config = config_of(packet.data) if packet.kind == KEY_PICTURE else None
        if config and self._output is None:
            self._begin(config, packet.time)
        elif config and config != self._config:
            raise ValueError("The pictures have another size now; it begins anew.")
        self._mux(self._picture, packet.time, sample(packet.data), packet.kind == KEY_PICTURE)

    def close(self) -> None:
        if self._output:
            self._output.close()

    def _begin(self, config: AvcConfig, start: int) -> None:
        """Streams with the packets' own parameters, taken from the header of a file of them."""
        header = FragmentedMp4(config, aac=self._aac.config, live=True).header()
        with av.open(io.BytesIO(header), format="mp4") as shape:
            output = av.open(destination(self._url), "w", format="tee")
            self._picture = output.add_stream_from_template(shape.streams.video[0])
            self._sound = output.add_stream_from_template(shape.streams.audio[0])
            output.start_encoding()
        self._config, self._start, self._output = config, start, output

    def _mux(self, stream: Stream | None, time: int, data: bytes, key: bool) -> None:
        if self._output is None or stream is None:
            return
        packet = av.Packet(data)
        packet.stream, packet.time_base = stream, TIME_BASE
        packet.pts = packet.dts = time - self._start
        packet.is_keyframe = key
        self._output.mux(packet)


def destination(url: str) -> str:
    """`url` as FFmpeg's tee has it: of what PyAV can open it alone hands options to the connection, and without any
    FFmpeg takes every certificate. Raises ValueError where nobody is known who could have signed one.
    """
    options = "f=flv:flvflags=no_duration_filesize"
    if url.lower().startswith("rtmps:"):
        authorities = ssl.get_default_verify_paths().cafile
        if not authorities:
            raise ValueError("There is no file of trusted certificates here; name one by SSL_CERT_FILE.")
        options += f":tls_verify=1:ca_file={_escaped(authorities, ':]')}"
    return _escaped(f"[{options}]{url}", "|")


def _escaped(text: str, separators: str) -> str:
    return "".join(f"\\{each}" if each in f"\\'{separators}" else each for each in text)


def distrust(url: str) -> str:
    """What is wrong with the certificate of the server at `url`, which FFmpeg keeps to itself; empty: nothing."""
    parts = urlsplit(url)
    if parts.scheme != "rtmps":
        return ""
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or RTMPS_PORT), HANDSHAKE_S) as connection,
            ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError:
        return ""


def _say(state: str, reason: str = "") -> None:
    print(json.dumps({"state": state, "reason": reason}), flush=True)


def main() -> int:
    end_with_parent()
    url = os.environ.pop(ADDRESS)
    flv = Flv(url)
    _say("ready")
    try:
        for packet in records(sys.stdin.buffer):
            before = flv.open
            flv.feed(packet)
            if flv.open and not before:
                _say("live")
        signal.alarm(GOING_S)
        flv.close()
    except FFmpegError as error:
        why = "" if flv.open else distrust(url)
        if why:
            _say("failed", f"The server's certificate is not trusted here: {why}.")
        else:
            _say("failed", f"The server does not take it ({error.strerror}).")
        return 1
    except ValueError as error:
        _say("failed", str(error))
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a connection that hangs must not keep an ended push

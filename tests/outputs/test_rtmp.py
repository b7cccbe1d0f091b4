"""A session pushed to a real nginx, and pulled back from it as a player would."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from broker.messages import Programme
from broker.push_address import RTMP, flaw, kind_of, shown
from tests.certificate import certificate
from tests.outputs.media_server import MediaServer, lacking, until
from tests.outputs.programme import SHADES, conversation, picture_times, probe
from workers.outputs.avc import sample
from workers.outputs.rtmp import STUCK_SAMPLES, Rtmp

pytestmark = pytest.mark.skipif(bool(lacking()), reason=lacking())

PERIOD = 200
"""Ticks of the programme that is told over and over: four seconds, voice from 0.7 to 2.2."""


def endless() -> Iterator[Programme]:
    """The same four seconds again and again, with times that go on."""
    ticks = conversation(5.0)[0][:PERIOD]
    pictures = [tick.h264_n for tick in ticks if tick.h264]
    for turn in itertools.count():
        for tick in ticks:
            yield replace(
                tick,
                tick=tick.tick + turn * PERIOD,
                programme_sample=tick.programme_sample + turn * PERIOD * 960,
                picture_sample=tick.picture_sample + turn * PERIOD * 960,
                h264_n=tick.h264_n + turn * len(pictures),
            )


class Pushing:
    """Feeds a push at the pace of the programme, in a thread.

    `filler_bytes`: what each picture is swollen by, with a unit that no decoder reads.
    """

    def __init__(self, push: Rtmp, filler_bytes: int = 0) -> None:
        self.push = push
        self._filler = b"\0\0\0\1\x0c" + b"\xff" * filler_bytes if filler_bytes else b""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Pushing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.push.close("bye")

    def until(self, state: str) -> None:
        until(lambda: self.push.state == state, f"it is not {state}", 60)

    def _run(self) -> None:
        begun = time.monotonic()
        for tick in endless():
            self._stop.wait(max(0.0, begun + tick.tick * 0.02 - time.monotonic()))
            if self._stop.is_set():
                return
            self.push.tick(replace(tick, h264=tick.h264 + self._filler) if tick.h264 else tick)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MediaServer]:
    server = MediaServer(tmp_path).start()
    try:
        yield server
    finally:
        server.kill()


def pull(server: MediaServer, into: Path, seconds: float) -> Path:
    """What a player gets, its packets as they are."""
    command = ["ffmpeg", "-v", "error", "-i", server.url(), "-t", str(seconds), "-c", "copy", "-y", str(into)]
    subprocess.run(command, check=True, timeout=90, stdin=subprocess.DEVNULL)
    return into


def test_what_is_pulled_back_is_the_programme(server: MediaServer, tmp_path: Path) -> None:
    with Pushing(Rtmp(server.url())) as pushing:
        pushing.until("live")
        pulled = pull(server, tmp_path / "pulled.mp4", 9)
    told = probe(pulled, "-show_streams", "-show_format")
    streams = {each["codec_type"]: each for each in told["streams"]}
    assert (streams["video"]["codec_name"], streams["audio"]["codec_name"]) == ("h264", "aac")
    for each in streams.values():
        assert float(each["start_time"]) + float(each["duration"]) == pytest.approx(9.0, abs=0.3), each["codec_type"]
        assert float(each["duration"]) > 7.0
    own = [sample(tick.h264) for tick in itertools.islice(endless(), 3 * PERIOD) if tick.h264]
    with av.open(str(pulled)) as container:
        sent = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    places = [n for n, unit in enumerate(own) if unit == sent[0] and own[n : n + 100] == sent[:100]]
    assert places, "the pictures are the encoder's own, one after the other"
    assert len(sent) > 200


def test_sound_and_pictures_are_together(server: MediaServer, tmp_path: Path) -> None:
    with Pushing(Rtmp(server.url())) as pushing:
        pushing.until("live")
        pulled = pull(server, tmp_path / "pulled.mkv", 7)
    assert abs(offset_ms(pulled)) <= 5


def offset_ms(path: Path) -> float:
    """By how much pictures are late against the sound, modulo the 320 ms in which their shades come round."""
    ticks, emitted = conversation(5.0)
    said = emitted[0].programme_sample
    onset_s = onset_after_silence_s(path)
    expected = next(tick for tick in ticks if tick.h264 and tick.picture_sample >= said)
    shown = [at_s for at_s, shade in picture_times(path) if shade == expected.picture % SHADES]
    nearest_s = min(shown, key=lambda at_s: abs(at_s - onset_s))
    return 1000 * ((nearest_s - onset_s) - (expected.picture_sample - said) / 48_000)


def onset_after_silence_s(path: Path) -> float:
    """When the last loud sample is that follows on half a second of silence: pictures have come by then."""
    quiet_since_s: float | None = None
    onset_s = 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            assert frame.time is not None
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.05)
            if not loud.size:
                quiet_since_s = frame.time if quiet_since_s is None else quiet_since_s
            elif quiet_since_s is not None and frame.time - quiet_since_s > 0.5:
                onset_s, quiet_since_s = float(frame.time) + int(loud[0]) / 48_000, None
            else:
                quiet_since_s = None
    assert onset_s, "no voice begins in it"
    return onset_s


def test_a_push_comes_back_when_the_server_was_killed(server: MediaServer, tmp_path: Path) -> None:
    with Pushing(Rtmp(server.url())) as pushing:
        pushing.until("live")
        server.kill()
        pushing.until("waiting")
        assert "server" in pushing.push.reason
        server.start()
        pushing.until("live")
        assert pushing.push.reason == ""
        assert float(probe(pull(server, tmp_path / "pulled.flv", 2), "-show_format")["format"]["duration"]) > 1.5


def test_a_server_that_takes_nothing_is_left_and_makes_nobody_wait(server: MediaServer) -> None:
    push = Rtmp(server.url())
    with Pushing(push, filler_bytes=400_000) as pushing:
        pushing.until("live")
        server.freeze()
        pushing.until("waiting")
        assert "8 seconds" in push.reason
    assert STUCK_SAMPLES == 8 * 48_000


def test_a_server_that_is_not_there_is_told_in_words_without_the_key(tmp_path: Path) -> None:
    server = MediaServer(tmp_path)
    with Pushing(Rtmp(server.url("secret-key"))) as pushing:
        pushing.until("waiting")
        assert "refused" in pushing.push.reason
        assert pushing.push.place == f"rtmp://127.0.0.1:{server.port}/live/…"


def test_a_server_that_refuses_the_key_is_told(server: MediaServer) -> None:
    with Pushing(Rtmp(server.url(application="closed"))) as pushing:
        pushing.until("waiting")
        assert pushing.push.reason


def test_the_address_is_on_no_command_line(server: MediaServer) -> None:
    with Pushing(Rtmp(server.url("secret-key"))) as pushing:
        pushing.until("live")
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if os.access(path, os.R_OK)]
        assert not any(b"secret-key" in line for line in lines)
    assert pushing.push.state == "ended"


@pytest.mark.parametrize(
    "url",
    [
        "rtmp://host",
        "rtmp://host/live",
        "ftp://host/live/key",
        "rtmp://host/live/key live=1",
        "rtmp://h:x/live/key",
        "",
    ],
)
def test_what_is_no_address_is_told_so(url: str) -> None:
    assert flaw(url).endswith(".")


def test_addresses_are_known_by_their_scheme_and_shown_without_their_key() -> None:
    url = "rtmps://user:password@live.example:1936/app/secret?token=secret"
    assert kind_of(url) == RTMP
    assert flaw(url) == ""
    assert shown(url) == "rtmps://live.example:1936/app/…"


class TlsFront:
    """What stands before a server that knows no TLS; its certificate is its own authority."""

    def __init__(self, folder: Path, behind: int) -> None:
        self.certificate = certificate(folder, "front", "DNS:localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.certificate.with_suffix(".key"))
        self._behind = behind
        self.told = bytearray()
        """What has come by TLS."""
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(context)), daemon=True)
        self._thread.start()
        assert self._begun.wait(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _serve(self, context: ssl.SSLContext) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self._begun.set()
        await self._over.wait()
        server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self._behind)
        try:
            await asyncio.gather(_copied(reader, onward, self.told), _copied(there, writer), return_exceptions=True)
        finally:
            onward.close()
            writer.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray | None = None) -> None:
    while data := await reader.read(65_536):
        if kept is not None:
            kept += data
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
def front(server: MediaServer, tmp_path: Path) -> Iterator[TlsFront]:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not here: apt-get install openssl")
    folder = tmp_path / "it's [a] place: odd|named"  # FFmpeg is told of a file in it
    folder.mkdir()
    front = TlsFront(folder, server.port)
    try:
        yield front
    finally:
        front.close()


def test_rtmps_is_rtmp_by_tls(
    server: MediaServer, front: TlsFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(front.certificate))
    with Pushing(Rtmp(f"rtmps://localhost:{front.port}/live/key")) as pushing:
        pushing.until("live")
        assert float(probe(pull(server, tmp_path / "pulled.flv", 2), "-show_format")["format"]["duration"]) > 1.5
    assert b"publish" in front.told


@pytest.mark.parametrize(
    ("host", "trusted", "why"),
    [("localhost", False, "self-signed certificate"), ("127.0.0.1", True, "IP address mismatch")],
)
def test_a_certificate_that_does_not_hold_is_refused_in_words(
    front: TlsFront, monkeypatch: pytest.MonkeyPatch, host: str, trusted: bool, why: str
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(front.certificate))
    with Pushing(Rtmp(f"rtmps://{host}:{front.port}/live/key")) as pushing:
        pushing.until("waiting")
        assert pushing.push.reason.startswith("The server's certificate is not trusted here: ")
        assert why in pushing.push.reason
        assert not front.told, "only a server whose certificate holds is told the key"


def test_without_authorities_no_certificate_is_trusted(
    front: TlsFront, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "there is none"))
    with Pushing(Rtmp(f"rtmps://localhost:{front.port}/live/key")) as pushing:
        pushing.until("waiting")
        assert "SSL_CERT_FILE" in pushing.push.reason

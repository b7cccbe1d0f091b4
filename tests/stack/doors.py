"""Every door of one conversation, each used as a stranger would: what comes through is counted, and kept to compare.

A door is open within `with`; `got()` says what has come through so far and up to when, by the media's own time where
things come by the piece. Pictures and sounds: those shown and the packets received in a page, else the packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar

import aiohttp
import av
from av.error import FFmpegError
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.e2e.page_harness.browser import CHROMIUM, SOFTWARE_3D
from tests.outputs.media_server import MediaServer
from tests.stack.caller import FLAGS
from tests.stack.running import Stack
from tests.webrtc import gstreamer
from tests.webrtc.janus_player import JanusPlayer
from tests.webrtc.viewer import Listener, Viewer
from webrtc.janus_server import JanusServer

T = TypeVar("T")

WITHIN_S = 120.0
"""Everything here comes much sooner; on a machine that is busy, by then."""

KEY = "the tests' key to mountpoints"
LOOK_S = 0.3
HEARD = 20
"""Bytes from which a packet of sound is taken for one with a voice in it: those of silence are all alike."""


@dataclass(frozen=True, kw_only=True)
class Got:
    """What came through, and until when, in seconds of a clock of the door's own."""

    pictures: int
    sounds: int
    at_s: float
    mouths: int = 0
    """Frames of the mouth track, where a page draws the face itself."""


class Door(Protocol):
    def __enter__(self) -> Any: ...

    def __exit__(self, *_: object) -> None: ...

    def got(self) -> Got: ...


@dataclass
class Kept:
    """Packets in the order in which they came; counted, and kept as they are where `keep`."""

    pictures: list[bytes] = field(default_factory=list)
    sounds: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """When each picture is shown, by the media's own time, in seconds."""
    at_s: float = 0.0

    def take(self, packet: av.Packet) -> None:
        if packet.pts is None or packet.time_base is None or not packet.size:
            return
        start_s = float(packet.pts * packet.time_base)
        self.at_s = max(self.at_s, start_s)
        if packet.stream.type == "video":
            self.pictures.append(bytes(packet))
            self.times.append(start_s)
        else:
            self.sounds.append(bytes(packet))

    def copy(self) -> Kept:
        """What has come so far."""
        return Kept(list(self.pictures), list(self.sounds), list(self.times), self.at_s)

    def got(self) -> Got:
        return Got(pictures=len(self.pictures), sounds=len(self.sounds), at_s=self.at_s)


# --- asking the edge --------------------------------------------------------------------------------------------------


def ask(stack: Stack, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The control API, as the operator of this machine."""
    data = json.dumps(body).encode() if body else None
    headers = {"Content-Type": "application/json"} if body else {}
    request = urllib.request.Request(f"{stack.url}api/v1/{path}", data=data, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as reply:
        text = reply.read()
    return json.loads(text) if text else None


def until(holds: Callable[[], T | None], otherwise: str) -> T:
    """Wait until it is true."""
    end = time.monotonic() + WITHIN_S
    while not (found := holds()):
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)
    return found


class Push:
    """A conversation is pushed to `url` while this lasts."""

    def __init__(self, stack: Stack, session: str, url: str, token: str = "") -> None:
        self._stack, self._path = stack, f"sessions/{session}/push"
        self._wish = {"url": url, **({"token": token} if token else {})}
        self.id = ""

    def __enter__(self) -> Push:
        self.id = str(ask(self._stack, "POST", self._path, self._wish)["id"])
        until(lambda: self.state == "live", f"{self._wish['url']} is not pushed to")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(urllib.error.URLError):  # the conversation has ended
            ask(self._stack, "DELETE", f"{self._path}/{self.id}")

    @property
    def state(self) -> str:
        rows = ask(self._stack, "GET", self._path)["pushes"]
        return next((str(row["state"]) for row in rows if row["id"] == self.id), "")


# --- the doors --------------------------------------------------------------------------------------------------------


class Browsing:
    """One Chromium for all pages; `draws`: it can draw in 3D, by the CPU."""

    def __init__(self, draws: bool = True) -> None:
        self._flags = [*FLAGS, *(SOFTWARE_3D if draws else ())]
        self._playwright: Playwright | None = None
        self.browser: Browser | None = None

    def __enter__(self) -> Browsing:
        self._playwright = sync_playwright().start()
        self.browser = self._playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=self._flags)
        return self

    def __exit__(self, *_: object) -> None:
        if self.browser:
            self.browser.close()
        if self._playwright:
            self._playwright.stop()


COUNT_JS = """
(() => {
  const connections = new Set();
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...parts) { super(...parts); connections.add(this); }
  };
  let drawn = 0;
  document.addEventListener("drawn", () => drawn++, true);
  let mouths = 0;
  const read = async (lines) => {
    let rest = "";
    for await (const part of lines.pipeThrough(new TextDecoderStream())) {
      const whole = (rest + part).split("\\n");
      rest = whole.pop();
      for (const line of whole.filter((each) => each.startsWith("data: {"))) {
        const message = JSON.parse(line.slice(6));
        if (message.type === "mouth") mouths += message.frames.length;
      }
    }
  };
  const fetched = window.fetch;
  window.fetch = async (...parts) => {
    const answer = await fetched(...parts);
    if (!answer.body || !String(parts[0]).includes("/events")) return answer;
    const [its, ours] = answer.body.tee();
    read(ours).catch(() => {});
    return new Response(its, answer);
  };
  window.got = async () => {
    let sounds = 0, pictures = drawn;
    for (const connection of connections) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type !== "inbound-rtp") continue;
        if (report.kind === "audio") sounds += report.packetsReceived ?? 0;
        else pictures += report.framesDecoded ?? 0;
      }
    }
    return { pictures, sounds, mouths };
  };
})();
"""


class ViewerPage:
    """The viewer page in Chromium; `front` 3d: it draws the face itself."""

    def __init__(self, browsing: Browsing, stack: Stack, session: str, front: str = "", key: str = "") -> None:
        """`key`: the audience's token."""
        self._browsing = browsing
        more = "?front=3d&quality=low" if front == "3d" else ""
        self._address = f"{stack.url}view/{session}{more}{f'#key={key}' if key else ''}"

    def __enter__(self) -> ViewerPage:
        assert self._browsing.browser is not None
        self._context = self._browsing.browser.new_context(viewport={"width": 640, "height": 640})
        self.page = self._context.new_page()
        self.page.add_init_script(COUNT_JS)
        self.page.goto(self._address)
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def got(self) -> Got:
        return Got(at_s=time.monotonic(), **self.page.evaluate("window.got()"))

    def captions(self) -> str:
        return self.page.inner_text("#captions")


class Strangers:
    """An event loop in a thread, for players that are made of aiortc."""

    def __enter__(self) -> Strangers:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="strangers", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN_S)


class Stranger:
    """A WHEP player that is not the product's, made of aiortc; keeps the packets."""

    def __init__(self, strangers: Strangers, stack: Stack, session: str) -> None:
        self._strangers, self._stack, self._session = strangers, stack, session

    def __enter__(self) -> Stranger:
        self._strangers.do(self._join())
        return self

    def __exit__(self, *_: object) -> None:
        self._strangers.do(self._leave())

    def got(self) -> Got:
        return _rtp(self.player)

    @property
    def sounds(self) -> list[bytes]:
        return [packet.payload for packet in self.player.packets["audio"]]

    async def _join(self) -> None:
        self._http = aiohttp.ClientSession()
        place = SimpleNamespace(url=self._stack.url.rstrip("/"), http=self._http)
        self.player = await Viewer(place, codec="h264").watch(self._session)

    async def _leave(self) -> None:
        await self.player.close()
        await self._http.close()


class BehindJanus(Stranger):
    """A player of a mountpoint that the conversation is pushed into."""

    player: JanusPlayer  # type: ignore[assignment]  # it has packets too

    def __init__(self, strangers: Strangers, stack: Stack, session: str, server: JanusServer) -> None:
        super().__init__(strangers, stack, session)
        self.push = Push(stack, session, f"janus+{server.url}", KEY)

    def __enter__(self) -> BehindJanus:
        self.push.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.push.__exit__()

    async def _join(self) -> None:
        self._http = aiohttp.ClientSession()
        place = SimpleNamespace(url=self._stack.url.rstrip("/"), http=self._http)
        listener = await Listener().listen(place, self._session, "?playing&via=janus")
        told = await listener.hears("session")
        await listener.close()
        self.player = await JanusPlayer(told["janus"]).play()


def _rtp(player: Any) -> Got:
    """`player`: has `packets` by kind. A picture is whole with the packet that is marked."""
    pictures = sum(packet.marker for packet in player.packets["video"])
    return Got(pictures=pictures, sounds=len(player.packets["audio"]), at_s=time.monotonic())


class GStreamer:
    """GStreamer's webrtcbin as a WHEP player, in a process of its own."""

    def __init__(self, stack: Stack, session: str) -> None:
        self._command = [gstreamer.SYSTEM_PYTHON, gstreamer.PLAYER, f"{stack.url}whep/{session}", "600", "0"]
        self._last: dict[str, int] = {}

    def __enter__(self) -> GStreamer:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reading.join()

    def got(self) -> Got:
        last = self._last
        return Got(pictures=last.get("pictures", 0), sounds=last.get("audio", 0), at_s=time.monotonic())

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._last = json.loads(line)


class HlsPlayer:
    """Fetches the playlist and each segment once, as a player does."""

    def __init__(self, stack: Stack, session: str) -> None:
        self.kept = Kept()
        self._base = f"{stack.url}hls/{session}/"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._play, name="hls", daemon=True)

    def __enter__(self) -> HlsPlayer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def got(self) -> Got:
        return self.kept.got()

    def _play(self) -> None:
        seen: set[str] = set()
        headers: dict[str, bytes] = {}
        while not self._done.wait(LOOK_S):
            with contextlib.suppress(urllib.error.HTTPError):  # nothing to play yet
                for header, segment in _segments(self._fetch("index.m3u8").decode()):
                    if segment in seen:
                        continue
                    if header not in headers:
                        headers[header] = self._fetch(header)
                    piece = self._fetch(segment)
                    seen.add(segment)
                    with av.open(io.BytesIO(headers[header] + piece), "r") as container:
                        for packet in container.demux():
                            self.kept.take(packet)

    def _fetch(self, name: str) -> bytes:
        with urllib.request.urlopen(self._base + name, timeout=WITHIN_S) as reply:
            return bytes(reply.read())


def _segments(playlist: str) -> Iterator[tuple[str, str]]:
    """(header, segment) of each segment in a playlist."""
    header = ""
    for line in playlist.splitlines():
        if found := re.match(r'#EXT-X-MAP:URI="(.*)"', line):
            header = found[1]
        elif line and not line.startswith("#"):
            yield header, line


class RtmpPlayer:
    """Pulls from a media server what is pushed there."""

    def __init__(self, stack: Stack, session: str, server: MediaServer) -> None:
        self.kept = Kept()
        self._url = server.url(session)
        self.push = Push(stack, session, self._url)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._play, name="rtmp", daemon=True)

    def __enter__(self) -> RtmpPlayer:
        self.push.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.push.__exit__()

    def got(self) -> Got:
        return self.kept.got()

    def _play(self) -> None:
        while not self._done.is_set():
            with contextlib.suppress(FFmpegError, OSError), av.open(self._url, timeout=(10.0, 5.0)) as container:
                for packet in container.demux():
                    self.kept.take(packet)
                    if self._done.is_set():
                        return


class Recorder:
    """The conversation is recorded; what is in the file so far."""

    def __init__(self, stack: Stack, session: str, sound: str = "opus") -> None:
        self._stack, self._path = stack, f"sessions/{session}/recording"
        self._wish = {"format": "mp4", "sound": sound}
        self.folder = Path()

    def __enter__(self) -> Recorder:
        ask(self._stack, "POST", self._path, self._wish)
        told = until(lambda: self._told("on"), "it is not recorded")
        self.folder = self._stack.settings.path("recordings") / str(told["name"])
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Harmless twice."""
        with contextlib.suppress(urllib.error.URLError):
            ask(self._stack, "DELETE", self._path)

    def got(self) -> Got:
        return self.kept.got()

    @property
    def kept(self) -> Kept:
        kept = Kept()
        for path in sorted(self.folder.glob("programme.mp4")):
            with contextlib.suppress(FFmpegError), av.open(str(path)) as container:
                for packet in container.demux():
                    kept.take(packet)
        return kept

    def _told(self, state: str) -> dict[str, Any] | None:
        told = dict(ask(self._stack, "GET", self._path))
        return told if told["state"] == state and told.get("name") else None

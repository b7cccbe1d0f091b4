"""One session as the viewers at this edge have it: its programme, its captions, who looks on. Decides nothing.

Independent of whether the caller is at this edge too: the two share a subscription and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter, deque
from functools import partial
from typing import Any, Protocol

from broker.clock import NS_PER_MS, NS_PER_S, now_ns
from broker.key_frames import KeyFrameRequests
from broker.messages import Event, KeyFrame, Message, Peer, Programme, Showing, Wanted
from broker.outputs import GOING
from webrtc.event_stream import EventStream, encoded
from webrtc.fanout import H264, VP8, Fanout
from webrtc.media_clock import MediaClock
from webrtc.viewer_peer import ViewerPeer

logger = logging.getLogger(__name__)

LISTENER = "viewers"
"""What this edge's subscription and its wants are called, beside the caller's."""

RECENT = 120
"""Messages about the turn on the air that somebody who joins is told: its sentences and its words."""

LATE_SHARE, TOLD_TICKS = 1 / 100, 100
"""How late ticks are is smoothed over some 2 s, and told as often."""
HLS_LINGER_NS = 20 * NS_PER_S
"""A player asks for the playlist every two seconds; one that does not for so long has gone."""

FRAME_SAMPLES = 960
"""Of the programme, a tick."""

DATED = frozenset({"state", "turn", "switched", "ended"})
"""These say when they happen, as an RTP time of the sound, for pages that play some seconds behind."""

TURNS_TOLD = frozenset({"committed", "cancelled", "interrupted", "finished"})


class House(Protocol):
    """What a watched session needs of those around it; see audience.py."""

    @property
    def peer(self) -> Peer: ...

    @property
    def ice_servers(self) -> tuple[dict[str, Any], ...]: ...

    @property
    def own_ice_servers(self) -> tuple[dict[str, Any], ...]: ...

    def to(self, peer: Peer, message: Message, route: int) -> bool: ...

    def listen(self, old: Peer | None, new: Peer | None, session: str, listener: str) -> None: ...

    def viewers_changed(self) -> None: ...

    def card(self, persona: dict[str, Any]) -> dict[str, Any]: ...


class Viewer:
    """One WHEP resource. `etag` stays, since nothing about its ICE session is ever restarted."""

    def __init__(self, peer: ViewerPeer, edge: str, ufrag: str) -> None:
        self.name = f"{edge}.{secrets.token_urlsafe(12)}"
        self.etag = f'"{secrets.token_urlsafe(9)}"'
        self.peer = peer
        self.ufrag = ufrag
        self.ended = False


class Watched:
    """A session while somebody at this edge looks on, or is about to. All of it runs on the event loop."""

    def __init__(self, house: House, session: str) -> None:
        self.session = session
        self.shown: Showing | None = None
        self.fanout: Fanout | None = None
        self.state = "listening"
        self.recorded = False
        self.total = 0
        """Viewers at all edges, as the broker has it."""
        self.viewers: dict[str, Viewer] = {}
        self.streams: set[EventStream] = set()
        self.pushes: set[object] = set()
        """Whoever else sends the programme on from here, while they do."""
        self.hls_ns = 0
        """When it was last asked for as HTTP live streaming."""
        self.over = False
        self.empty_ns = now_ns()
        """Since when nobody looks on; 0 while somebody does."""
        self.answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """Whether the broker knows the session."""
        self._house = house
        self._keys = KeyFrameRequests(self._ask_key)
        self._left: Counter[str] = Counter()
        self._last_tick = -1
        self._missing = 0
        self._late_ns = 0.0
        self._mouth_frames: list[list[Any]] = []
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=RECENT)
        self._wanted = (-1, -1)
        self._background = ""
        """What the face stands before, as the programme said last."""
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        """Viewers here: players, and pages that only listen to the events."""
        return len(self.viewers) + sum(stream.counts for stream in self.streams)

    @property
    def hls(self) -> bool:
        """Somebody here plays it as HTTP live streaming."""
        return bool(self.hls_ns) and now_ns() - self.hls_ns < HLS_LINGER_NS

    @property
    def empty(self) -> bool:
        """Nobody here looks on, nor listens."""
        return not self.viewers and not self.streams and not self.pushes and not self.hls

    # --- the broker and the programme speak ---

    def show(self, message: Showing) -> None:
        """Where the programme is; again whenever that changes."""
        before, self.shown = self.shown, message
        if before and before.persona != message.persona:
            self._say("switched", persona=self._house.card(message.persona))
        if self.fanout is None or self.fanout.clock.origin_ns != message.origin_ns:
            self._drop_viewers()
            self.fanout = Fanout(MediaClock.shared(self.session, message.origin_ns), partial(self.want, False))
        self.state, self.total = message.state, message.viewers
        self._recorded(message.recording)
        old, new = (each.peers.get("programme") if each else None for each in (before, message))
        if old != new:
            self._house.listen(old, new, self.session, LISTENER)
            self._wanted = (-1, -1)
        self.want()
        if not self.answer.done():
            self.answer.set_result(True)

    def programme(self, tick: Programme) -> None:
        """20 ms of the programme, to everyone here."""
        if tick.tick <= self._last_tick or self.fanout is None:
            return
        if self._last_tick >= 0:
            self._missing += tick.tick - self._last_tick - 1
        self._last_tick = tick.tick
        self.fanout.feed(tick)
        self._time(tick, self.fanout.clock)
        if tick.background != self._background:
            self._background = tick.background
            self._say("background", background=self._background)
        if not self.streams and not tick.words:
            return
        rtp = self.fanout.clock.audio_rtp
        if tick.words:
            words = [[*word[:4], rtp(word[4]), word[5]] for word in tick.words]
            self._say("words", tick.words[-1][0], words=words)
        if any(stream.mouth for stream in self.streams):
            self._mouth(tick)

    def event(self, event: Event) -> None:
        """Something viewers see: states, sentences, what became of turns, how many look on."""
        data = event.data
        match event.kind:
            case "state":
                self.state = str(data.get("state", self.state))
                self._say("state", state=self.state)
            case "sentence":
                told = {key: data.get(key) for key in ("n", "text", "language")}
                self._say("sentence", event.turn, turn=event.turn, **told)
            case "turn" if data.get("what") in TURNS_TOLD:
                told = {key: data.get(key, "") for key in ("what", "text", "heard")}
                self._say("turn", event.turn, turn=event.turn, **told)
            case "audience":
                self.total = int(data.get("viewers", 0))
                self._say("audience", viewers=self.total)
            case "recording":
                self._recorded(data)

    def end(self, reason: str) -> None:
        """The session is over: everybody is told and let go."""
        self.over = True
        if not self.answer.done():
            self.answer.set_result(False)
        self._say("ended", reason=reason)
        for stream in self.streams:
            stream.end()
        self._drop_viewers()
        if self.shown:
            self._house.listen(self.shown.peers.get("programme"), None, self.session, LISTENER)

    # --- viewers come and go ---

    async def join(self, sdp: str, ufrag: str) -> tuple[Viewer, str]:
        """Answer a viewer's offer. Raises SdpError; needs the broker's `Showing`."""
        assert self.fanout is not None
        viewer: Viewer | None = None

        def ended(state: str) -> None:
            if viewer and not viewer.ended:
                logger.info("viewer", extra={"session": self.session, "state": state})
                self.leave(viewer)

        servers, bundled = self._house.own_ice_servers, "a=group:BUNDLE" in sdp
        peer = ViewerPeer(servers, self.fanout, self.want_key, self._house.viewers_changed, ended, bundled)
        viewer = Viewer(peer, self._house.peer.name, ufrag)
        self.viewers[viewer.name] = viewer  # counted at once: many may be on their way
        try:
            return viewer, await peer.answer(sdp)
        except BaseException:
            self.leave(viewer)
            raise

    def leave(self, viewer: Viewer) -> None:
        """A viewer has gone; harmless twice."""
        if self.viewers.pop(viewer.name, None):
            viewer.ended = True
            self._left.update(viewers_gone=1)
            task = asyncio.ensure_future(viewer.peer.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
            self._house.viewers_changed()

    def listen(self, stream: EventStream, persona: dict[str, Any], janus: dict[str, Any] | None = None) -> None:
        """A page wants the events: what it needs to begin, what is on the air, then everything.

        `janus`: where it plays from, when that is not the edge. RTP time begins anew there, so that such a page finds
        the programme's by the wall clock.
        """
        stream.relayed = janus is not None
        assert self.fanout is not None
        clock = self.fanout.clock
        opening = {"session": self.session, "persona": persona, "state": self.state, "viewers": self.total}
        opening |= {"recorded": self.recorded}
        offsets = {"audio_offset": clock.audio_offset, "video_offset": clock.video_offset}
        rest: dict[str, Any] = {
            "ice": list(self._house.ice_servers),
            "edge": self._house.peer.incarnation,
            "background": self._background,
        }
        if janus:
            rest["janus"] = janus | {"origin_ms": self._sent_origin_ms(clock)}
        stream.send(encoded("session", opening | offsets | rest))
        for _, message in self._recent:
            stream.send(message)
        self.streams.add(stream)
        self._house.viewers_changed()

    def unlisten(self, stream: EventStream) -> None:
        self.streams.discard(stream)
        self._left.update(event_streams_too_slow=int(stream.overflowed))
        self._house.viewers_changed()

    def want(self, always: bool = True) -> None:
        """Tell the programme which pictures somebody here looks at."""
        if self.shown is None or self.fanout is None or "programme" not in self.shown.peers:
            return
        wanted = (self.fanout.wanted(H264), self.fanout.wanted(VP8))
        if always or wanted != self._wanted:
            self._wanted = wanted
            edge = f"{self._house.peer.name}/{LISTENER}"
            message = Wanted(session=self.session, edge=edge, h264=wanted[0], vp8=wanted[1])
            self._house.to(self.shown.peers["programme"], message, self.shown.route)

    def want_key(self, codec: str) -> None:
        """Somebody needs a key frame."""
        self._keys.want(codec, now_ns())

    async def closed(self) -> None:
        """Wait until the connections of those who left are closed."""
        if self._closing:
            await asyncio.wait(self._closing, timeout=1.0)

    def stats(self) -> dict[str, float]:
        """What is counted here, for /metrics."""
        sent = self.fanout.totals() if self.fanout else Counter[str]()
        own = {"ticks_missing": self._missing, "viewer_key_requests_merged": self._keys.merged}
        return {**sent, **self._left, **own}

    # --- inside ---

    def _say(self, kind: str, turn: int = 0, /, **fields: Any) -> None:
        """To every listener; `turn`: whoever joins while it is on the air is told too."""
        if self.fanout and kind in DATED:
            fields["rtp"] = self.fanout.clock.audio_rtp(FRAME_SAMPLES * (self._last_tick + 1))
        message = encoded(kind, fields)
        if turn:
            while self._recent and self._recent[0][0] < turn:
                self._recent.popleft()
            self._recent.append((turn, message))
        for stream in self.streams:
            stream.send(message)

    def _recorded(self, recording: dict[str, Any]) -> None:
        """Whether it is recorded now; by whom, or why not, is no business of viewers."""
        recorded = recording.get("state") in GOING
        if recorded != self.recorded:
            self.recorded = recorded
            self._say("recorded", on=recorded)

    def _mouth(self, tick: Programme) -> None:
        self._mouth_frames.append([tick.programme_sample, list(tick.mouth), tick.face, tick.emotion])
        if len(self._mouth_frames) >= 2:
            message = encoded("mouth", {"frames": self._mouth_frames})
            for stream in self.streams:
                if stream.mouth:
                    stream.send(message)
            self._mouth_frames = []

    def _time(self, tick: Programme, clock: MediaClock) -> None:
        """How late ticks are here, for pages behind a media server: it dates what it sends by when it came."""
        late_ns = clock.late_ns(tick.programme_sample)
        self._late_ns += (late_ns - self._late_ns) * (LATE_SHARE if self._late_ns else 1.0)
        if tick.tick % TOLD_TICKS == 0 and any(stream.relayed for stream in self.streams):
            message = encoded("clock", {"origin_ms": self._sent_origin_ms(clock)})
            for stream in self.streams:
                if stream.relayed:
                    stream.send(message)

    def _sent_origin_ms(self, clock: MediaClock) -> float:
        """When sample 0 would have left this machine, as samples leave now: wall time, ms since 1970."""
        return (clock.wall_ns + self._late_ns) / NS_PER_MS

    def _drop_viewers(self) -> None:
        for viewer in list(self.viewers.values()):
            self.leave(viewer)

    def _ask_key(self, codec: str) -> None:
        if self.shown and "programme" in self.shown.peers:
            message = KeyFrame(session=self.session, codec=codec)
            self._house.to(self.shown.peers["programme"], message, self.shown.route)

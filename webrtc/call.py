"""One session as the edge has it: its page, the line to it, its microphone, its programme.

Outlives pages (a reload, a lost network) and peer connections; ends with the broker's `Close`. Decides nothing: what
the person does goes to the broker, what the broker decides goes to the page.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from aiortc.rtp import RtpPacket

from broker.clock import NS_PER_MS, NS_PER_S, now_ns
from broker.key_frames import KeyFrameRequests
from broker.messages import (
    Close,
    Event,
    Gone,
    Interrupt,
    KeyFrame,
    Message,
    MicFrame,
    Open,
    Peer,
    Played,
    Present,
    Programme,
    SetMode,
    Switch,
    Typed,
    Wanted,
)
from webrtc import page_line, page_messages
from webrtc.errors import PageError
from webrtc.fanout import RENDITIONS, Fanout
from webrtc.latency import LatencyBook
from webrtc.media_clock import MediaClock
from webrtc.microphone import Microphone
from webrtc.page_clock import PageClock
from webrtc.page_line import PageLine
from webrtc.page_socket import PageSocket
from webrtc.uplink import FRAME, MicSound

TYPED_KEPT, TYPED_AGAIN_NS = 8, 30 * NS_PER_S
"""Typed lines that a new broker is told again; it knows by their ids those that its predecessor had read."""

ENDED = "The server has closed it."
ENDINGS = {
    "operator": "An operator of this server has closed it.",
    "away": "You were away for too long.",
    "fault": "Something in it went wrong on the server.",
    "unknown": "The server does not know it any more; it may have been restarted.",
}
"""Why a conversation is over, for the person whose page is still there, by the reason of the broker's `Close`."""

PLAYED_AHEAD = 48_000
"""Samples a page may claim to have played beyond what was sent (its clock runs on in a gap)."""

PLAYED_BEHIND = 48_000 * 60


class House(page_line.House, Protocol):
    """What a call needs of the process around it; see calls.py."""

    @property
    def peer(self) -> Peer: ...

    @property
    def ice_servers(self) -> tuple[dict[str, Any], ...]: ...

    @property
    def shown(self) -> bool: ...

    @property
    def away_s(self) -> float: ...

    def to_broker(self, message: Message, route: int) -> bool: ...

    def to(self, peer: Peer, message: Message, route: int) -> bool: ...

    def listen(self, old: Peer | None, new: Peer | None, session: str) -> None: ...

    def latency(self, session: str, turn: int, record: dict[str, Any]) -> None: ...


class Call:
    """A session at this edge. All methods run on the event loop; none waits but `stopped`."""

    def __init__(self, house: House, session: str, token_hash: str, hello: page_messages.Hello, known: bool) -> None:
        self.session = session
        self.token_hash = token_hash
        self.persona = hello.persona
        self.mode = hello.mode
        self.language = hello.language
        self.mouth = hello.mouth
        self.page: PageSocket | None = None
        self.secret = ""
        """The caller's token, kept for its pages only."""
        self.resuming = False
        self.route = 0
        self.opened: Open | None = None
        self.dialogue: list[dict[str, Any]] = []
        """As the broker told it last, for a page that comes back."""
        self.fanout: Fanout | None = None
        self.page_clock = PageClock()
        self.microphone = Microphone(self._send_mic, self._first_mic_sample, lambda: self._say("microphone", live=True))
        self.latency = LatencyBook(self.microphone.history.arrived_ns)
        self._house = house
        self._known = known
        """The session had a life before this edge (it was restarted): microphone samples go on after that."""
        self._remembers = False
        """The page can send its microphone again, and this edge has heard nothing of it yet."""
        self._again_from = -1
        """The utterance from which on it is asked to; -1: nothing."""
        self._typed: deque[tuple[int, Typed]] = deque(maxlen=TYPED_KEPT)
        self._muted = False
        self._over_through = -1
        """Words of turns up to this one are no longer heard, though a last tick of them may be on its way."""
        self._source = ""
        """Who speaks in the place of the page's microphone (WHIP), and how to let them go."""
        self._end_source: Callable[[], None] = lambda: None
        self._background = ""
        """What the face stands before, as the programme said last."""
        self._state = "listening"
        self._recording: dict[str, str] = {}
        """What was last said of it; see the event."""
        self._keys = KeyFrameRequests(self._ask_key)
        self._line = PageLine(house, self)
        self._last_tick = -1
        self._last_sample = 0
        self._mouth_frames: list[list[Any]] = []
        self._wanted: dict[str, Any] = {}

    # --- the page comes and goes ---

    def present(self) -> None:
        """Tell the broker that the caller is here."""
        self._to_broker(
            Present(
                session=self.session,
                persona=self.persona,
                token_hash=self.token_hash,
                edge=self._house.peer,
                mode=self.mode,
                language=self.language,
                hears_again=self._remembers,
            )
        )

    def attach(self, page: PageSocket, hello: page_messages.Hello) -> None:
        """A page has said hello with the right token."""
        if self.page and self.page is not page:
            self.page.error(PageError("elsewhere", "This conversation goes on in another window.", fatal=True))
            self.page.end()
        self.page, self.secret, self.mouth = page, hello.token or self.secret, hello.mouth
        self._mouth_frames = []
        self._line.attach()
        self.mode, self.language = hello.mode, hello.language or self.language
        self._muted = False
        self._remembers = hello.remembers and self._known and self.opened is None and hello.mode == "voice"
        self._again_from = -1
        self.microphone.end_replay()
        self._listen()
        self.page_clock = PageClock()
        self.present()

    def detach(self, page: PageSocket, final: bool) -> None:
        """The page's WebSocket has ended; `final`: the person pressed Stop."""
        if page is not self.page:
            return
        self.page = None
        if self.opened:
            self._to_broker(Gone(session=self.session, final=final))
        self._line.detach(final)

    def welcome(self, resumed: bool, persona: dict[str, Any]) -> None:
        """Tell the page what it needs to begin; needs an open session."""
        assert self.fanout is not None
        clock = self.fanout.clock
        self._say(
            "session",
            session=self.session,
            token=self.secret,
            ice=list(self._house.ice_servers),
            persona=persona,
            language=self.opened.language if self.opened else self.language,
            background=self._background,
            audio_offset=clock.audio_offset,
            video_offset=clock.video_offset,
            resumed=resumed,
            dialogue=self.dialogue,
            share=self._house.shown,
            away_s=self._house.away_s,
            again=None if self._again_from < 0 else {"utterance": self._again_from},
        )
        self._say("state", state=self._state)
        if self._recording:
            self._say("recording", **self._recording)

    def tell_again(self) -> None:
        """A broker that has just started may have a predecessor that took along what was said to it last."""
        if self.page and not self.page.welcomed:
            self.present()
        if self.opened is None:
            return
        self._to_broker(SetMode(session=self.session, mode=self.mode))
        for typed_ns, typed in self._typed:
            if now_ns() - typed_ns < TYPED_AGAIN_NS:
                self._to_broker(typed)

    # --- the broker speaks ---

    def open(self, message: Open) -> None:
        """The session is served, by these peers; again whenever they change."""
        before, self.opened = self.opened, message
        self.route = message.route
        if self.fanout is None or self.fanout.clock.origin_ns != message.origin_ns:
            self.fanout = Fanout(MediaClock.start(message.origin_ns), partial(self.want, False))
            self._line.drop()
            if self.page:
                self.page.welcomed = False
        old = before.peers.get("programme") if before else None
        new = message.peers.get("programme")
        if old != new:
            self._house.listen(old, new, self.session)
            self._wanted = {}
        if self._remembers and "webrtc" in message.replaced:
            self._again_from = message.utterance
            self.microphone.expect_replay()
        self._remembers = False
        if {"vad", "asr"} & set(message.replaced):
            self.microphone.again(message.mic_from)
        self.microphone.resume()
        self.want()

    def close(self, message: Close) -> None:
        """The session has ended."""
        if self.page:
            if message.reason != "bye":
                self.page.error(PageError("ended", ENDINGS.get(message.reason, ENDED), fatal=True))
            self.page.end()
            self.page = None
        self.stop()

    def event(self, event: Event) -> None:
        """Something the page shows or the latency record needs."""
        self.latency.event(event, now_ns())
        data = event.data
        match event.kind:
            case "state":
                self._state = str(data.get("state", self._state))
                self._say("state", state=self._state)
            case "heard" | "degraded":
                self._say(event.kind, **data)
            case "speech":
                self._speech(str(data.get("what")), int(data.get("utterance", -1)), int(data.get("mic_sample", -1)))
            case "sentence":
                self._say("sentence", **{"turn": event.turn, **data})
            case "turn":
                self._turn(event.turn, data)
            case "dialogue":
                self.dialogue = [dict(line) for line in data.get("lines", [])]
            case "audience":
                self._say("audience", viewers=int(data.get("viewers", 0)))
            case "recording":
                self._recording = {key: str(data.get(key, "")) for key in ("state", "by", "text")}
                self._say("recording", **self._recording)
            case "error":
                self._say("error", code=data.get("code", "server"), text=data.get("text", ""), fatal=False)

    def switched(self, persona: dict[str, Any], event: Event) -> None:
        """Another persona, face or language: the page shows its card, and asks for it when it comes back."""
        self.persona = str(persona["id"]) or self.persona
        self.language = str(event.data.get("language", self.language))
        self._say("switched", persona=persona, language=self.language)

    def programme(self, tick: Programme) -> None:
        """20 ms of the programme."""
        if tick.tick <= self._last_tick or self.fanout is None:
            self._house.count("ticks_repeated")
            return
        if self._last_tick >= 0 and tick.tick != self._last_tick + 1:
            self._house.count("ticks_missing", tick.tick - self._last_tick - 1)
        self._last_tick, self._last_sample = tick.tick, tick.programme_sample
        self.fanout.feed(tick)
        self.latency.programme(tick, now_ns())
        if tick.background != self._background:
            self._background = tick.background
            self._say("background", background=self._background)
        words = [word for word in tick.words if word[0] > self._over_through]
        if words:
            rtp = self.fanout.clock.audio_rtp
            self._say("words", words=[[*word[:4], rtp(word[4]), word[5]] for word in words])
        if self.mouth:
            self._mouth(tick)

    def want(self, always: bool = True) -> None:
        """Tell the programme which pictures somebody looks at."""
        if self.opened is None or self.fanout is None or "programme" not in self.opened.peers:
            return
        wanted: dict[str, Any] = {each: self.fanout.wanted(each) for each in RENDITIONS}
        wanted |= {"step": self._line.rate.step, "reason": self._line.rate.reason}
        if always or wanted != self._wanted:
            self._wanted = wanted
            message = Wanted(session=self.session, edge=self._house.peer.name, **wanted)
            self._house.to(self.opened.peers["programme"], message, self.route)

    def want_key(self, codec: str) -> None:
        """Somebody's pictures of this rendition wait for a key frame."""
        self._keys.want(codec, now_ns())

    def judge_rate(self) -> None:
        """Twice a second: what the page's line carries may have changed."""
        if self._line.rate.judge(now_ns()):
            self._house.count("picture_steps")
            self.want(False)

    # --- the page speaks ---

    def page_says(self, message: page_messages.PageMessage) -> None:
        """One message of the attached page. Raises PageError.

        Nothing counts before the broker's `Open`: it is the proof that the token was the right one.
        """
        if self.opened is None:
            raise PageError("not_ready", "The server has not opened this conversation yet.")
        match message:
            case page_messages.Offer():
                self._line.offer(message.sdp)
            case page_messages.Candidate():
                if message.candidate is not None:
                    self._line.candidate(message.candidate)
            case page_messages.Text():
                self.latency.typed(now_ns())
                typed = Typed(session=self.session, text=message.text.strip(), id=message.id or secrets.token_hex(4))
                self._typed.append((now_ns(), typed))
                self._to_broker(typed)
            case page_messages.Stop():
                self._to_broker(Interrupt(session=self.session))
            case page_messages.Mode():
                self.mode = message.mode
                self._listen()
                if not self._source:
                    self._to_broker(SetMode(session=self.session, mode=message.mode))
            case page_messages.Front():
                self.mouth = message.front == "avatar3d"
                self._mouth_frames = []
                self._line.pause_pictures(self.mouth)
            case page_messages.Cutout():
                self._line.cut_out(message.cutout)
            case page_messages.Mute():
                self._muted = message.muted
                self._listen()
            case page_messages.Heard():
                self._played(message)
            case page_messages.Again():
                self._again(message)
            case page_messages.Act():
                self._to_broker(message.message(self.session))
            case page_messages.Switch():
                self._to_broker(Switch(session=self.session, **vars(message)))
            case _:
                raise PageError("bad_message", "A page says hello once, at the start.")

    def _played(self, message: page_messages.Heard) -> None:
        assert self.fanout is not None
        now = now_ns()
        sample = self.fanout.clock.programme_sample(message.rtp, self._last_sample)
        if not self._last_sample - PLAYED_BEHIND <= sample <= self._last_sample + PLAYED_AHEAD or sample < 0:
            self._house.count("played_ignored")
            return
        age_ms = min(self.page_clock.age_ms(message.t, now), 2000.0)
        self._to_broker(Played(session=self.session, programme_sample=sample))
        for turn, record in self.latency.played(sample, now - int(age_ms * NS_PER_MS)):
            self._house.latency(self.session, turn, record)
            self._say("latency", turn=turn, **record)

    # --- microphone ---

    def _send_mic(self, frame: MicSound) -> bool:
        vad = self.opened.peers.get("vad") if self.opened else None
        if vad is None:
            return False
        message = MicFrame(session=self.session, mic_sample=frame.mic_sample, pcm=frame.pcm, concealed=frame.concealed)
        return self._house.to(vad, message, self.route)

    def page_sounds(self, pcm: bytes) -> None:
        """Sound that the attached page remembers. Raises PageError."""
        self.microphone.replay(pcm)

    def page_packet(self, packet: RtpPacket) -> None:
        """An Opus packet of the page's microphone."""
        if not self._source:
            self.microphone.packet(packet)

    def source_packet(self, packet: RtpPacket) -> None:
        """An Opus packet of the source that speaks in the microphone's place."""
        if self._source:
            self.microphone.packet(packet)

    def speak_from(self, source: str, end: Callable[[], None]) -> None:
        """From now on this source is the caller's voice, whatever the page's microphone does; `end` lets it go."""
        self._source, self._end_source = source, end
        self._listen()
        self._to_broker(SetMode(session=self.session, mode="voice"))

    def speak_from_page(self, source: str) -> None:
        """The source has ended: the page's own microphone is heard again. Harmless when it was not the newest."""
        if source == self._source:
            self._source = ""
            self._listen()
            self._to_broker(SetMode(session=self.session, mode=self.mode))

    def _listen(self) -> None:
        self.microphone.listen(bool(self._source) or (self.mode == "voice" and not self._muted))

    def _again(self, message: page_messages.Again) -> None:
        match message.what:
            case "begins":
                self.microphone.replay_begins(message.age_ms)
            case "level":
                self.microphone.replay_level()
            case _:
                self.microphone.end_replay()

    def _speech(self, what: str, utterance: int, mic_sample: int) -> None:
        """The page learns when, by its own clock, an utterance began, paused and was dealt with."""
        self.microphone.speech(what, utterance)
        arrived_ns = self.microphone.history.arrived_ns(mic_sample)
        ago_ms = -1.0 if arrived_ns is None else round((now_ns() - arrived_ns) / NS_PER_MS, 1)
        self._say("speech", what=what, utterance=utterance, ago_ms=ago_ms)

    def _first_mic_sample(self) -> int:
        """Where the broker says, else 0; for a session this edge had lost: more than was ever counted, as time was."""
        if self.opened is None or not self._known:
            return 0
        if "webrtc" in self.opened.replaced:
            return self.opened.mic_from
        elapsed_ms = (now_ns() - self.opened.origin_ns) // NS_PER_MS
        return max(0, elapsed_ms * 16 // FRAME * FRAME)

    # --- its end ---

    def stop(self) -> None:
        """Let go of everything; the call is over."""
        self._end_source()
        if self.opened:
            self._house.listen(self.opened.peers.get("programme"), None, self.session)
        self.microphone.stop()
        self._line.drop()

    async def stopped(self) -> None:
        """Wait until the peer connection is closed."""
        await self._line.settled()

    def stats(self) -> dict[str, float]:
        """What this call counts, for /metrics."""
        sent = self.fanout.totals() if self.fanout else {}
        return {**self.microphone.stats(), **sent, "key_requests_merged": self._keys.merged}

    # --- inside ---

    def _turn(self, turn: int, data: dict[str, Any]) -> None:
        self._say("turn", **{"turn": turn, **data})
        if data.get("what") in ("interrupted", "cancelled"):
            self._over_through = max(self._over_through, turn)
        if data.get("what") == "committed" and data.get("text"):
            self._say("user", text=data["text"])

    def _mouth(self, tick: Programme) -> None:
        self._mouth_frames.append([tick.programme_sample, list(tick.mouth), tick.face, tick.emotion])
        if len(self._mouth_frames) >= 2:
            self._say("mouth", frames=self._mouth_frames)
            self._mouth_frames = []

    def _say(self, kind: str, /, **fields: Any) -> None:
        if self.page:
            self.page.send(kind, **fields)

    def _to_broker(self, message: Message) -> None:
        self._house.to_broker(message, self.route)

    def _ask_key(self, codec: str) -> None:
        if self.opened and "programme" in self.opened.peers:
            self._house.to(self.opened.peers["programme"], KeyFrame(session=self.session, codec=codec), self.route)

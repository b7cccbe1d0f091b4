"""A session pushed to an RTMP server by a process of its own; tries again by itself. Time is the programme's."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from broker.config import ROOT
from broker.messages import Event, Programme
from broker.push_address import shown
from workers.outputs.packet_pipe import KEY_PICTURE, PICTURE, SOUND, Packet, PacketPipe
from workers.outputs.rtmp_push import ADDRESS, GOING_S
from workers.outputs.sink import STOPPED

RATE_HZ = 48_000

WAITS = tuple(seconds * RATE_HZ for seconds in (1, 2, 5, 10, 30))
"""Samples between attempts; the last one repeats."""

STUCK_SAMPLES = 8 * RATE_HZ
"""A server that has taken nothing for so long is left; at 1 Mbit/s a megabyte waits by then."""

STOPPING_S = 1.0
"""How long the server is waited for when the process has to stop. One that takes what it is sent needs 0.1 s."""

SETTLED_SAMPLES = 10 * RATE_HZ
"""A push that was live for so long begins its waits anew."""


class Rtmp:
    """One session to one address, until `close`."""

    def __init__(self, url: str) -> None:
        self.state = "connecting"
        """connecting, live, waiting or ended."""
        self.reason = ""
        """Why the last attempt failed; empty while it is live."""
        self.packets = self.attempts = 0
        self.place = shown(url)
        """The address as it may be shown."""
        self._url = url
        self._child: subprocess.Popen[bytes] | None = None
        self._pipe: PacketPipe | None = None
        self._heard = b""
        self._failures = 0
        """Since it was live for long."""
        self._again_at = -1
        self._live_since = 0
        self._ready = False
        """The child takes packets."""
        self._keyed = False
        """It has had a key frame, and everything since."""
        self._tick = self._last_n = -1

    wants = frozenset({"h264"})

    @property
    def needs_key(self) -> frozenset[str]:
        return self.wants if self._ready and not self._keyed else frozenset()

    def tick(self, tick: Programme) -> None:
        """20 ms of the programme; each once, in order. Never waits."""
        if self.state == "ended" or tick.tick <= self._tick:
            return
        self._tick = tick.tick
        now = tick.programme_sample
        if self._child is None:
            if now >= self._again_at:
                self._start()
            return
        self._listen(now)
        if self._child and self._ready:
            self._send(tick)

    def event(self, event: Event) -> None:
        """Nothing of it is in the stream."""

    def close(self, reason: str) -> None:
        """The server is told that it is over, which may take some seconds where there are some. Harmless twice."""
        child = self._child
        self._leave()
        self.state = "ended"
        if child:
            try:
                child.wait(STOPPING_S if reason == STOPPED else GOING_S + 1)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    # --- inside ---

    def _start(self) -> None:
        self.attempts += 1
        self._ready, self._keyed, self._heard = False, False, b""
        self._child = subprocess.Popen(
            [sys.executable, "-m", "workers.outputs.rtmp_push"],
            cwd=ROOT,
            env=os.environ | {ADDRESS: self._url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        os.set_blocking(self._child.stdout.fileno(), False)
        self._pipe = PacketPipe(self._child.stdin)

    def _send(self, tick: Programme) -> None:
        assert self._pipe is not None
        if tick.h264:
            lost, self._last_n = tick.h264_n != self._last_n + 1, tick.h264_n
            self._keyed = tick.h264_key or (self._keyed and not lost)
        kinds = [(KEY_PICTURE if tick.h264_key else PICTURE, tick.picture_sample, tick.h264)]
        kinds.append((SOUND, tick.programme_sample, tick.opus))
        try:
            for kind, time, data in kinds:
                if data and (self._keyed or kind == SOUND):
                    self._pipe.send(Packet(kind=kind, time=time, data=data))
                    self.packets += 1
            self._pipe.flush()
        except OSError:
            return  # it has ended: its last words come with the next tick
        if self._pipe.behind(tick.programme_sample) > STUCK_SAMPLES:
            self._failed("It has taken nothing for 8 seconds.", tick.programme_sample)

    def _listen(self, now: int) -> None:
        """What the child says, and whether it lives."""
        assert self._child is not None
        assert self._child.stdout is not None
        ended = self._child.poll() is not None
        lines = (self._heard + (self._child.stdout.read() or b"")).split(b"\n")
        self._heard = lines.pop()
        for line in lines:
            told = json.loads(line)
            if told["state"] == "ready":
                self._ready = True
            elif told["state"] == "live":
                self.state, self.reason, self._live_since = "live", "", now
            else:
                return self._failed(told["reason"], now)
        if ended:
            self._failed("The process that pushes has ended.", now)
        return None

    def _failed(self, reason: str, now: int) -> None:
        if self.state == "live" and now - self._live_since > SETTLED_SAMPLES:
            self._failures = 0
        self.state, self.reason = "waiting", reason
        self._again_at = now + WAITS[min(self._failures, len(WAITS) - 1)]
        self._failures += 1
        if self._child:
            self._child.kill()
        self._leave()

    def _leave(self) -> None:
        if self._child and self._pipe:
            assert self._child.stdout is not None
            self._pipe.close()
            self._child.stdout.close()
            self._child.poll()
        self._child = self._pipe = None

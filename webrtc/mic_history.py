"""The last half minute of a microphone: what a successor of vad or asr hears again, and when each sample arrived.

A cursor says what the stage has been sent. It is normally at the end; set back, it catches up in small batches, faster
than the microphone brings new sound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from webrtc.uplink import FRAME, MicSound

KEPT = 3000
"""Frames, 30 s."""

BATCH = 50
"""Frames handed on at once while catching up: half a second of sound, so that live frames of others get through."""


class MicHistory:
    """Frames by position, contiguous; `cursor` is the mic_sample that the stage gets next."""

    def __init__(self) -> None:
        self.cursor = 0
        self.dropped = 0
        """Frames that left the half minute before the stage took them."""
        self._kept: deque[tuple[MicSound, int]] = deque(maxlen=KEPT)

    @property
    def start(self) -> int:
        """The oldest mic_sample kept."""
        return self._kept[0][0].mic_sample if self._kept else self.cursor

    @property
    def end(self) -> int:
        """The mic_sample after the newest."""
        return self._kept[-1][0].mic_sample + FRAME if self._kept else self.cursor

    @property
    def behind(self) -> bool:
        """Something is kept that the stage has not been sent."""
        return self.cursor < self.end

    def add(self, frame: MicSound, arrived_ns: int) -> None:
        assert not self._kept or frame.mic_sample == self.end, "microphone frames are contiguous"
        self._kept.append((frame, arrived_ns))

    def rewind(self, mic_sample: int) -> None:
        """Hand on again from the frame that holds `mic_sample`, or from the oldest kept."""
        self.cursor = max(self.start, min(self.end, mic_sample - mic_sample % FRAME))

    def hand_on(self, send: Callable[[MicSound], bool]) -> int:
        """Send what the stage lacks, at most a batch, until `send` refuses; how many frames went."""
        if self.cursor < self.start:
            self.dropped += (self.start - self.cursor) // FRAME
            self.cursor = self.start
        sent = 0
        while self.behind and sent < BATCH and send(self._frame(self.cursor)[0]):
            self.cursor += FRAME
            sent += 1
        return sent

    def arrived_ns(self, mic_sample: int) -> int | None:
        """When the frame with this sample arrived; None when it is no longer, or not yet, kept."""
        return self._frame(mic_sample)[1] if self.start <= mic_sample < self.end else None

    def _frame(self, mic_sample: int) -> tuple[MicSound, int]:
        return self._kept[(mic_sample - self.start) // FRAME]

"""One recording: a folder with the programme as it was, its captions, what was said, and everything on a time line.

programme.mp4, programme.webm, captions.vtt, transcript.jsonl, timeline.jsonl, recording.json. Times are media time, in
ms from the first packet; what a killed process has written is good up to its last second.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from broker.messages import Event, Programme
from workers.outputs.captions import HEADER, Captions
from workers.outputs.media_file import Codec, MediaFile

ABOUT = "recording.json"
RATE_HZ = 48_000
FORMATS: dict[str, Codec] = {"mp4": "h264", "webm": "vp8"}

TOLD = frozenset({"state", "sentence", "turn", "audience", "degraded"})
"""Events that go on the time line."""


class Recording:
    """Fed with one session's ticks and events. Raises OSError as the disk does."""

    def __init__(self, folder: Path, session: str, persona: str, formats: tuple[str, ...], fps: int) -> None:
        self.folder = folder
        self.files = [MediaFile(folder, "programme", FORMATS[name], fps) for name in formats]
        self._texts: dict[str, IO[str]] = {}
        self._captions: Captions | None = None
        self._start = self._now = self._tick = 0
        self._shown: dict[str, object] = {}
        begun = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._about: dict[str, object] = {
            "session": session,
            "persona": persona,
            "formats": list(formats),
            "begun": begun,
        }
        self._note_about()
        self._append("captions.vtt", HEADER)

    @property
    def wants(self) -> frozenset[str]:
        """The codecs it is made of."""
        return frozenset(each.codec for each in self.files)

    @property
    def needs_key(self) -> frozenset[str]:
        """The codecs that can only go on with a key frame."""
        return frozenset(each.codec for each in self.files if each.needs_key)

    @property
    def written(self) -> int:
        """Bytes of sound and pictures so far."""
        return sum(each.written for each in self.files)

    def tick(self, tick: Programme) -> None:
        """20 ms of the programme; each once, in order."""
        if self._captions is None:
            self._start, self._captions = tick.programme_sample, Captions(tick.programme_sample)
            self._line("start", programme_sample=tick.programme_sample, **self._about)
        elif tick.tick <= self._tick:
            return
        elif tick.tick > self._tick + 1:
            self._line("gap", ticks=tick.tick - self._tick - 1)
        self._tick, self._now = tick.tick, tick.programme_sample
        for each in self.files:
            parts = len(each.paths)
            each.feed(tick)
            if len(each.paths) > max(1, parts):
                self._line("part", file=each.paths[-1].name)
        self._append("captions.vtt", self._captions.feed(tick))
        for turn, sentence, index, text, programme_sample, samples in tick.words:
            at_ms = self._ms(programme_sample)
            word = {"turn": turn, "sentence": sentence, "index": index, "text": text, "ms": samples * 1000 // RATE_HZ}
            self._line("word", at_ms, **word)
        shown = {"speaking": tick.speaking, "held": tick.held, "emotion": tick.emotion}
        for kind in [kind for kind, value in shown.items() if value != self._shown.get(kind)]:
            self._line(kind, value=shown[kind])
        self._shown = dict(shown)

    def event(self, event: Event) -> None:
        """Something that happened, now."""
        if event.kind not in TOLD or self._captions is None:
            return
        self._line(event.kind, turn=event.turn, **{k: v for k, v in event.data.items() if k not in ("at_ms", "kind")})
        what = event.data.get("what")
        if event.kind == "turn" and what == "committed" and event.data.get("text"):
            self._said("user", event.turn, str(event.data["text"]), False)
        elif event.kind == "turn" and what in ("finished", "interrupted") and event.data.get("heard"):
            self._said("avatar", event.turn, str(event.data["heard"]), what == "interrupted")

    def close(self, reason: str) -> None:
        """It is complete. Harmless twice."""
        if "ended" in self._about:
            return
        for each in self.files:
            each.close()
        if self._captions:
            self._append("captions.vtt", self._captions.flush())
            self._line("end", reason=reason)
        for text in self._texts.values():
            text.close()
        ended = datetime.now(UTC).isoformat(timespec="milliseconds")
        duration_ms = self._ms(self._now + 960) if self._captions else 0
        files = [path.name for each in self.files for path in each.paths]
        self._about |= {"ended": ended, "reason": reason, "duration_ms": duration_ms, "files": files}
        self._note_about()

    # --- inside ---

    def _said(self, role: str, turn: int, text: str, interrupted: bool) -> None:
        line = {"at_ms": self._ms(self._now), "role": role, "turn": turn, "text": text, "interrupted": interrupted}
        self._append("transcript.jsonl", json.dumps(line, ensure_ascii=False) + "\n")

    def _line(self, kind: str, at_ms: int | None = None, /, **fields: Any) -> None:
        line = {"at_ms": self._ms(self._now) if at_ms is None else at_ms, "kind": kind, **fields}
        self._append("timeline.jsonl", json.dumps(line, ensure_ascii=False) + "\n")

    def _ms(self, programme_sample: int) -> int:
        return max(0, programme_sample - self._start) * 1000 // RATE_HZ

    def _append(self, name: str, text: str) -> None:
        if not text:
            return
        if name not in self._texts:
            self._texts[name] = (self.folder / name).open("a", encoding="utf-8")
        self._texts[name].write(text)
        self._texts[name].flush()

    def _note_about(self) -> None:
        """Replaced as a whole: whoever reads it never sees half of it."""
        draft = self.folder / f".{ABOUT}"
        draft.write_text(json.dumps(self._about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        draft.replace(self.folder / ABOUT)

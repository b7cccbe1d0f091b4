"""One recording: a folder with the programme as it was, its captions, what was said, and everything on a time line.

programme.mp4 and .webm with programme.vtt, then programme-2.mp4 …: a part ends where pictures change their size or the
process died. transcript.jsonl, timeline.jsonl and recording.json are about all of them. Their times are media time, in
ms from the first packet of the first part; what a killed process has written is good up to its last second, and
whoever closes the recording completes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from broker.messages import Event, Programme
from broker.shelf import ABOUT
from workers.outputs.captions import HEADER, Captions
from workers.outputs.media_file import Codec, MediaFile, Transcoder

RATE_HZ = 48_000
FORMATS: dict[str, Codec] = {"mp4": "h264", "webm": "vp8"}

TOLD = frozenset(
    {"state", "sentence", "turn", "audience", "degraded", "act", "switch", "question", "phonemes", "visemes"}
)
"""Events that go on the time line."""

NAMED = frozenset({"at_ms", "kind"})
"""What every line of it has."""


@dataclass
class Part:
    """Files that begin together."""

    files: list[MediaFile]
    captions: Path
    words: Captions
    start_sample: int
    told: dict[str, Any] = field(default_factory=dict)
    """As recording.json has it."""


class Recording:
    """Fed with one session's ticks and events. Raises OSError as the disk does.

    In a folder that has a recording it goes on with that in a new part: its process died. `aac` makes what MP4 files
    have for sound in place of Opus.
    """

    def __init__(
        self,
        folder: Path,
        session: str,
        persona: str,
        formats: tuple[str, ...],
        fps: int,
        aac: Callable[[], Transcoder] | None = None,
    ) -> None:
        self.folder, self.formats = folder, formats
        self.written = 0
        """Bytes of the parts that are over."""
        self._fps, self._aac = fps, aac
        self._texts: dict[str, IO[str]] = {}
        self._part: Part | None = None
        self._now = self._tick = 0
        self._shown: dict[str, object] = {}
        self._about: dict[str, Any] = _read(folder / ABOUT) or {
            "session": session,
            "persona": persona,
            "formats": list(formats),
            "sound": "aac" if aac else "opus",
            "begun": _wall_time(),
            "parts": [],
        }
        for key in ("ended", "reason", "duration_ms"):
            self._about.pop(key, None)
        self._note_about()

    @property
    def wants(self) -> frozenset[str]:
        """The codecs it is made of."""
        return frozenset(FORMATS[name] for name in self.formats)

    @property
    def needs_key(self) -> frozenset[str]:
        """The codecs that can only go on with a key frame."""
        if self._part is None:
            return frozenset() if "ended" in self._about else self.wants
        return frozenset(each.codec for each in self._part.files if each.needs_key)

    @property
    def size(self) -> int:
        """Bytes of sound and pictures that this process has written."""
        part = self._part
        return self.written + (sum(each.written for each in part.files) if part else 0)

    def tick(self, tick: Programme) -> None:
        """20 ms of the programme; each once, in order."""
        if self._part is None:
            self._begin_part(tick)
        elif tick.tick <= self._tick:
            return
        elif tick.tick > self._tick + 1:
            self._line("gap", ticks=tick.tick - self._tick - 1)
        assert self._part is not None
        if any(each.ended_by(tick) for each in self._part.files):
            self._end_part()
            self._begin_part(tick)
        self._tick, self._now = tick.tick, tick.programme_sample
        for each in self._part.files:
            each.feed(tick)
        self._append(self._part.captions.name, self._part.words.feed(tick))
        self._note(tick)

    def event(self, event: Event) -> None:
        """Something that happened, now."""
        if event.kind not in TOLD or self._part is None:
            return
        told = {key: value for key, value in event.data.items() if key not in NAMED}
        self._line(event.kind, turn=event.turn, **told)
        what = event.data.get("what")
        if event.kind == "turn" and what == "committed" and event.data.get("text"):
            self._said("user", event.turn, str(event.data["text"]), False)
        elif event.kind == "turn" and what in ("finished", "interrupted") and event.data.get("heard"):
            self._said("avatar", event.turn, str(event.data["heard"]), what == "interrupted")

    def close(self, reason: str, ended: str = "") -> None:
        """It is complete, since `ended` where that was not now. Harmless twice."""
        if "ended" in self._about:
            return
        self._end_part()
        parts = self._about["parts"]
        for number, part in enumerate(parts, 1):
            if "duration_ms" not in part:
                part["duration_ms"] = self._mended(part)
                self._caption_again(number, part)
        duration_ms = max((part["start_ms"] + part["duration_ms"] for part in parts), default=0)
        if parts:
            self._line("end", duration_ms, reason=reason)
        for text in self._texts.values():
            text.close()
        self._about |= {"ended": ended or _wall_time(), "reason": reason, "duration_ms": duration_ms}
        self._note_about()

    # --- parts ---

    def _begin_part(self, tick: Programme) -> None:
        number = len(self._about["parts"]) + 1
        name = "programme" if number == 1 else f"programme-{number}"
        files = [self._media(f"{name}.{each}", each) for each in self.formats]
        self._about.setdefault("start_sample", tick.programme_sample)
        captions = f"{name}.vtt"
        start_ms = self._ms(tick.programme_sample)
        told: dict[str, Any] = {
            "files": [each.path.name for each in files],
            "captions": captions,
            "start_ms": start_ms,
        }
        words = Captions(tick.programme_sample)
        self._part = Part(files, self.folder / captions, words, tick.programme_sample, told)
        self._about["parts"].append(told)
        self._note_about()
        self._append(captions, HEADER)
        if number == 1:
            about = {key: value for key, value in self._about.items() if key != "parts"}
            self._line("start", start_ms, **about)
        self._line("part", start_ms, number=number, files=told["files"])

    def _media(self, name: str, format: str) -> MediaFile:
        aac = self._aac() if self._aac and format == "mp4" else None
        return MediaFile(self.folder / name, FORMATS[format], self._fps, aac)

    def _end_part(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        for each in part.files:
            each.close()
            self.written += each.written
        self._append(part.captions.name, part.words.flush())
        self._texts.pop(part.captions.name).close()
        part.told["duration_ms"] = (self._now + 960 - part.start_sample) * 1000 // RATE_HZ

    def _mended(self, part: dict[str, Any]) -> int:
        """How long a part lasts whose process was killed; its files are completed."""
        from workers.outputs.killed import mend  # FFmpeg's libraries, which most recordings need not

        return max((mend(self.folder / name) for name in part["files"]), default=0)

    def _caption_again(self, number: int, part: dict[str, Any]) -> None:
        """A cue is written once it is over, a word when it is said: the cue of a kill is made of the time line's."""
        captions, now = Captions(part["start_ms"] * RATE_HZ // 1000), 0
        text = HEADER
        for line in _lines(self.folder / "timeline.jsonl"):
            if line["kind"] == "part":
                now = line["number"]
            elif line["kind"] == "word" and now == number:
                sample, samples = (line[key] * RATE_HZ // 1000 for key in ("at_ms", "ms"))
                text += captions.word((line["turn"], line["sentence"]), line["text"], sample, samples)
        (self.folder / part["captions"]).write_text(text + captions.flush(), encoding="utf-8")

    # --- lines ---

    def _note(self, tick: Programme) -> None:
        """What is new in a tick."""
        for turn, sentence, index, text, programme_sample, samples in tick.words:
            at_ms = self._ms(programme_sample)
            word = {"turn": turn, "sentence": sentence, "index": index, "text": text, "ms": samples * 1000 // RATE_HZ}
            self._line("word", at_ms, **word)
        shown = {"speaking": tick.speaking, "held": tick.held, "emotion": tick.emotion}
        for kind in [kind for kind, value in shown.items() if value != self._shown.get(kind)]:
            self._line(kind, value=shown[kind])
        self._shown = dict(shown)

    def _said(self, role: str, turn: int, text: str, interrupted: bool) -> None:
        line = {"at_ms": self._ms(self._now), "role": role, "turn": turn, "text": text, "interrupted": interrupted}
        self._append("transcript.jsonl", json.dumps(line, ensure_ascii=False) + "\n")

    def _line(self, kind: str, at_ms: int | None = None, /, **fields: Any) -> None:
        line = {"at_ms": self._ms(self._now) if at_ms is None else at_ms, "kind": kind, **fields}
        self._append("timeline.jsonl", json.dumps(line, ensure_ascii=False) + "\n")

    def _ms(self, programme_sample: int) -> int:
        return max(0, programme_sample - int(self._about["start_sample"])) * 1000 // RATE_HZ

    def _append(self, name: str, text: str) -> None:
        if not text:
            return
        if name not in self._texts:
            self._texts[name] = _opened(self.folder / name)
        self._texts[name].write(text)
        self._texts[name].flush()

    def _note_about(self) -> None:
        """Replaced as a whole: whoever reads it never sees half of it."""
        draft = self.folder / f".{ABOUT}"
        draft.write_text(json.dumps(self._about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        draft.replace(self.folder / ABOUT)


def _opened(path: Path) -> IO[str]:
    """To append lines; one that a killed process left unfinished is ended."""
    file = path.open("a+", encoding="utf-8")
    if file.tell() and path.read_bytes()[-1:] != b"\n":
        file.write("\n")
    return file


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """All but what a killed process left half written."""
    with suppress(FileNotFoundError), path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError):
                yield json.loads(line)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return table if isinstance(table, dict) and isinstance(table.get("parts"), list) else None


def _wall_time() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

"""A sentence on its real way to the pictures: the tts stage or a recording, the programme stage, and what it asks of a
face.

The stages' own code with a clock of its own, faster than real time; no process, no bus. The benches of the mouth and
the clips under docs/ are made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.messages import (
    Commit,
    Credit,
    Draw,
    Emitted,
    Message,
    Open,
    Phone,
    Picture,
    Programme,
    Speak,
    Voice,
    Wanted,
)
from workers.lipsync.face import FaceState, face_from_wire
from workers.production.playback import Playback, marked
from workers.production.recording import read
from workers.production.studio import VoiceSource
from workers.programme.pictures import ATTEMPTS
from workers.programme.settings import ProgrammeSettings
from workers.programme.stage import ProgrammeStage
from workers.programme.ticks import TICK_NS, picture_sample
from workers.tts.stage import TtsStage
from workers.tts.voices import Voices

ORIGIN_NS = 10**12
SESSION = "spoken"
LEAD_NS, TAIL_NS = 600_000_000, 700_000_000
"""Rest before the voice and after it."""
LONGEST_NS = 60_000_000_000


@dataclass
class SpokenPictures:
    """One sentence. Samples are programme samples; `faces` what each picture was asked to show last, by its sample."""

    fps: int
    faces: dict[int, FaceState] = field(default_factory=dict)
    phones: list[Phone] = field(default_factory=list)
    pcm: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))
    voice_sample: int = 0
    """Where sample 0 of `pcm` and of the phones lies."""
    opus: list[bytes] = field(default_factory=list)

    def pictures(self) -> Iterator[tuple[int, FaceState]]:
        """In order."""
        return iter(sorted(self.faces.items()))


def speak(
    text: str,
    language: str,
    voice: dict[str, str],
    settings: ProgrammeSettings | None = None,
    voices: Voices | None = None,
) -> SpokenPictures:
    """Raises MissingError where the voice is not installed."""
    persona = {"voices": {language: voice}, "face": {"motion": 1.0}}
    asked = Speak(session=SESSION, turn=1, n=0, text=text, language=language, last=True)
    return _shown(TtsStage(voices or Voices()), asked, persona, settings or ProgrammeSettings())


def play(recording: Path, text: str, language: str, settings: ProgrammeSettings | None = None) -> SpokenPictures:
    """A recording of one passage (some 20 s at most), as films are made of it; `text`: its words, if known."""
    (part,) = marked(read(recording), text, language)
    asked = Speak(session=SESSION, turn=1, n=0, text=text, language=language, last=True)
    playback = Playback(SESSION, 1, [part], text, language)
    return _shown(playback, asked, {"face": {"motion": 1.0}}, settings or ProgrammeSettings())


def _shown(source: VoiceSource, speak: Speak, persona: dict[str, Any], settings: ProgrammeSettings) -> SpokenPictures:
    programme = ProgrammeStage(settings)
    opened = Open(
        session=SESSION, persona=persona, language=speak.language, origin_ns=ORIGIN_NS, peers={}, committed=(1,)
    )
    spoken, size = SpokenPictures(settings.fps), settings.width
    pictures = bytes(size * size * 3 // 2)
    pieces: dict[int, bytes] = {}
    for stage in (source, programme):
        stage.accept(opened)
        stage.accept(Commit(session=SESSION, turn=1))
    now_ns, ends_ns, asked = ORIGIN_NS, None, False
    while now_ns < (ends_ns or ORIGIN_NS + LONGEST_NS):
        if not asked and now_ns >= ORIGIN_NS + LEAD_NS:
            source.accept(speak)
            asked = True
        if (now_ns - ORIGIN_NS) % (25 * TICK_NS) == 0:
            programme.accept(Wanted(session=SESSION, edge="bench", h264=1))
        messages: list[Message] = source.step(now_ns) if asked else []
        while (due := programme.due_ns) is not None and due <= now_ns:
            messages += programme.step(now_ns)
        for message in messages:
            match message:
                case Voice():
                    spoken.phones += message.phones
                    pieces[message.start_sample] = message.pcm
                    programme.accept(message)
                case Credit():
                    source.accept(message)
                case Draw():
                    sample = picture_sample(message.picture // ATTEMPTS, settings.fps)
                    spoken.faces[sample] = face_from_wire(message.mouth, message.face, message.emotion)
                    programme.accept(
                        Picture(session=SESSION, picture=message.picture, width=size, height=size, yuv=pictures)
                    )
                case Programme():
                    spoken.opus.append(message.opus)
                case Emitted():
                    if not message.start_sample:
                        spoken.voice_sample = message.programme_sample
                    if message.turn_last:
                        ends_ns = now_ns + TAIL_NS
        now_ns += TICK_NS // 10
    spoken.pcm = np.frombuffer(b"".join(pieces[start] for start in sorted(pieces)), np.int16)
    return spoken

"""What `bench/floor.py` hears: backchannels, noises and interruptions by many voices, in two sets that share neither
voice nor word."""

from __future__ import annotations

import ctypes
import itertools
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from bench.human import FOLDER, read, readings
from bench.interjections import NOISES, ONSET_DB, noise
from bench.spoken import RATE_HZ, speak, trimmed
from workers.tts import espeak_library as native

PHONEMES = 0x100
"""espeakPHONEMES: `[[…]]` is read as phonemes."""

BACKCHANNELS = {
    "tune": ("um hum", "yeah", "okay", "i see", "ah", "sure", "really", "all right", "oh okay", "yeah yeah", "cool"),
    "report": ("uh huh", "huh", "right", "oh", "yes", "got it", "of course", "oh i see", "okay okay", "great", "good"),
}
HUMS = {
    "tune": ("[[m-h'm]]", "[[m:]]", "[[h@m]]", "[[m-m'm]]"),
    "report": ("[[@-h'V]]", "[[h'm:]]", "[[V-h'V]]", "[[m'm-h@m]]"),
}
"""What no text spells: espeak's phonemes for "mhm", "mm", "hmm", "uh-huh"."""
INTERRUPTIONS = {
    "tune": (
        "stop", "no", "wait a moment", "what about the weekend", "how much does it cost", "and where is it",
        "can i pay by card", "that is not what i asked", "excuse me", "parking", "yes but when does it close",
        "okay and what about sundays",
    ),
    "report": (
        "wait", "hold on", "no i meant the gym", "sorry can you repeat that", "i have another question", "what",
        "when do you open", "tell me about the library", "stop talking please", "printers", "yeah but how do i apply",
        "right and who do i ask",
    ),
}  # fmt: skip
FLITE = {"tune": ("slt", "rms"), "report": ("awb", "kal16")}
ESPEAK = {"tune": (("en-us", ""), ("en-us", "f2")), "report": (("en-gb", ""), ("en-us", "f4"), ("en-us", "m3"))}
PROMPTS = {
    "tune": ("vm-no", "sorry", "hours", "location", "please-try-again", "goodbye", "dir-nomore", "cancelled"),
    "report": ("one-moment-please", "minute", "telephone-number", "to-listen-to-it", "conf-invalid", "dictate/pause",
               "is-curntly-unavail", "vm-options"),
}  # fmt: skip
HUMAN_BACKCHANNELS = {"tune": (("letters/r",), ("letters/o", "letters/k")), "report": (("digits/oh",), ("letters/m",))}
"""One telephone voice: "ah" (r), "okay" (o, k), "oh", "em": as near to backchannels as its prompts come."""


@dataclass(frozen=True)
class Clip:
    """`kind`: backchannel, hum, noise, interruption, with `human` before it where a person said it."""

    name: str
    kind: str
    sound: NDArray[np.int16]

    @property
    def takes_floor(self) -> bool:
        return self.kind.endswith("interruption")


def clips(which: str) -> list[Clip]:
    """All clips of a set, `tune` or `report`."""
    made = []
    for kind, texts in (("backchannel", BACKCHANNELS[which]), ("interruption", INTERRUPTIONS[which])):
        made += [Clip(f"{text} ({voice})", kind, trimmed(speak(text, voice), ONSET_DB)) for text in texts
                 for voice in FLITE[which]]  # fmt: skip
        made += [Clip(f"{text} ({'+'.join(v)})", kind, _espeak(text, *v)) for text in texts for v in ESPEAK[which]]
    made += [Clip(f"{text} ({'+'.join(v)})", "hum", _espeak(text, *v)) for text in HUMS[which] for v in ESPEAK[which]]
    seeds = range(4) if which == "tune" else range(10, 14)
    made += [Clip(f"{name} {seed}", "noise", noise(name, seed)) for name, seed in itertools.product(NOISES, seeds)]
    return made + _people(which)


def _people(which: str) -> list[Clip]:
    prompts = {
        str(path.with_suffix("")).partition("en_US_f_Allison/")[2]: path for path in sorted(FOLDER.rglob("*.wav"))
    }
    made = []
    for name in PROMPTS[which]:
        if name in prompts:
            made.append(Clip(name, "human interruption", trimmed(read(prompts[name]), ONSET_DB)))
    for names in HUMAN_BACKCHANNELS[which]:
        if all(name in prompts for name in names):
            sounds = [trimmed(read(prompts[name]), ONSET_DB) for name in names]
            made.append(Clip("+".join(names), "human backchannel", np.concatenate(sounds)))
    for number, (name, sound) in enumerate(readings()):
        for part in range(3):
            start = part * 2 * RATE_HZ
            piece = sound[start : start + 2 * RATE_HZ]
            if (number % 2 == 0) == (which == "tune") and len(piece) > RATE_HZ:
                made.append(Clip(f"{name[-4:]} part {part}", "human interruption", trimmed(piece, ONSET_DB)))
    return made


@cache
def _espeak(text: str, language: str, variant: str) -> NDArray[np.int16]:
    library = native.library()
    pieces: list[bytes] = []

    def collect(wave: Any, length: int, _events: Any) -> int:
        if wave and length > 0:
            pieces.append(ctypes.string_at(wave, 2 * length))
        return 0

    callback = native.Callback(collect)
    library.choose(language, variant)
    library.lib.espeak_SetSynthCallback(callback)
    encoded = text.encode()
    library.lib.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, native.CHARS_UTF8 | PHONEMES, None, None)
    sound = np.frombuffer(b"".join(pieces), np.int16)
    return trimmed(soxr.resample(sound, library.rate_hz, RATE_HZ).astype(np.int16), ONSET_DB)
